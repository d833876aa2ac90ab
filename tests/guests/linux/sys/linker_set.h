/* SPDX-License-Identifier: BSD-2-Clause */
#define	DATA_SET(set, sym)						\
	static void *const set_##set##_##sym				\
	    __attribute__((__section__("set_" #set), __used__)) = &sym
#define	SET_DECLARE(set, type)						\
	extern type *__start_set_##set[], *__stop_set_##set[]
#define	SET_FOREACH(p, set)						\
	for (p = __start_set_##set; p < __stop_set_##set; p++)
