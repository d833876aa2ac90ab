/* SPDX-License-Identifier: BSD-2-Clause */
/* Without patched code the ordering must be there always. */
#ifndef _LKC_ASM_TSC_H_
#define	_LKC_ASM_TSC_H_

#include <asm/msr.h>
#if LX_RELEASE >= 702
#define rdtsc_ordered	lx_no_rdtsc_ordered
#include_next <asm/tsc.h>
#undef rdtsc_ordered
static __always_inline u64 rdtsc_ordered(void)
{
	barrier_nospec();
	return rdtsc();
}
#else
#include_next <asm/tsc.h>
#endif

#endif
