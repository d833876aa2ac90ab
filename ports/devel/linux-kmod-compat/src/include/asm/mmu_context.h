/* SPDX-License-Identifier: BSD-2-Clause */
/* The current CR3 is read; every FreeBSD/amd64 process that may use KVM is 64-bit. */
#ifndef _LKC_ASM_MMU_CONTEXT_H_
#define	_LKC_ASM_MMU_CONTEXT_H_

#include <asm/tlbflush.h>
#include <asm/desc.h>

static __always_inline unsigned long __get_current_cr3_fast(void)
{
	unsigned long cr3;

	asm volatile("mov %%cr3, %0" : "=r" (cr3) :: "memory");
	return cr3;
}
void load_gs_index(unsigned int selector);
#define is_64bit_mm(mm)		true

#endif
