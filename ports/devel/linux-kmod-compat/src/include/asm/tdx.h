/* SPDX-License-Identifier: BSD-2-Clause */
/* The host is no guest of a TDX module. */
#ifndef _LKC_ASM_TDX_H_
#define	_LKC_ASM_TDX_H_

#include <linux/errno.h>

/* Only called with X86_FEATURE_TDX_GUEST, which is never set. */
static inline long tdx_kvm_hypercall(unsigned int nr, unsigned long p1,
    unsigned long p2, unsigned long p3, unsigned long p4)
{
	return -ENODEV;
}

#endif
