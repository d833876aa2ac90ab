/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_UIDGID_H_
#define	_LKC_LINUX_UIDGID_H_

#include <linux/types.h>
typedef struct {
	uid_t	val;
} kuid_t;
typedef struct {
	gid_t	val;
} kgid_t;

#endif
