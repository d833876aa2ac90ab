/* SPDX-License-Identifier: BSD-2-Clause */
/* All capabilities are one privilege of FreeBSD (PRIV_DRIVER). */
#ifndef _LKC_LINUX_CAPABILITY_H_
#define	_LKC_LINUX_CAPABILITY_H_

#include <linux/types.h>
#include <uapi/linux/capability.h>
bool capable(int cap);

#endif
