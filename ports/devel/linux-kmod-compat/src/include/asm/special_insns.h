/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CR0.TS comes and goes with FreeBSD's lazy FPU.  KVM takes CR0 once, for the
 * host state of a VMCS, and every VM exit loads that: TS must be clear in it,
 * as it is at every entry, when the FPU is the guest's.
 */
#ifndef _LKC_ASM_SPECIAL_INSNS_H_
#define	_LKC_ASM_SPECIAL_INSNS_H_

#include_next <asm/special_insns.h>

#ifndef __ASSEMBLY__
static inline unsigned long lx_read_cr0(void)
{
	return native_read_cr0() & ~X86_CR0_TS;
}
#define read_cr0	lx_read_cr0
#endif

#endif
