/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Static calls are calls through pointers here.  On x86 a static call without
 * a target is a plain return, and KVM relies on it for its optional operations;
 * upstream's generic form would jump to address 0.
 */
#ifndef _LKC_LINUX_STATIC_CALL_H
#define _LKC_LINUX_STATIC_CALL_H

#include_next <linux/static_call.h>

#undef DEFINE_STATIC_CALL_NULL
#define DEFINE_STATIC_CALL_NULL(name, _func)				\
	__DEFINE_STATIC_CALL(name, _func, __static_call_return0)

#define __static_call_update(key, tramp, _func)				\
	WRITE_ONCE((key)->func, (_func) ? (void *)(_func) :		\
	    (void *)__static_call_return0)

#endif /* !_LKC_LINUX_STATIC_CALL_H */
