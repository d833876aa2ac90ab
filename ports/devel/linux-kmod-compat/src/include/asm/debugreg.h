/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_dr7 is not 0 while a vCPU is loaded by a thread that uses debug registers
 * itself.  FreeBSD lets it choose the local or the global enable bits.
 */
#ifndef _LKC_ASM_DEBUGREG_H_
#define	_LKC_ASM_DEBUGREG_H_

#define hw_breakpoint_active	lx_no_hw_breakpoint_active
#include_next <asm/debugreg.h>
#undef hw_breakpoint_active

#ifndef __ASSEMBLY__
static __always_inline bool hw_breakpoint_active(void)
{
	return __this_cpu_read(cpu_dr7) & 0xff;
}
#endif

#endif
