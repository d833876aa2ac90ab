/* SPDX-License-Identifier: BSD-2-Clause */
/* CR4 is read from the register; there is no shadow of it. */
#ifndef _LKC_ASM_TLBFLUSH_H_
#define	_LKC_ASM_TLBFLUSH_H_

#include <asm/processor.h>
#include <asm/processor-flags.h>
#include <asm/invpcid.h>
#include <asm/special_insns.h>

static inline unsigned long cr4_read_shadow(void)
{
	return native_read_cr4();
}
void cr4_set_bits(unsigned long mask);
void cr4_clear_bits(unsigned long mask);
void __flush_tlb_all(void);

#endif
