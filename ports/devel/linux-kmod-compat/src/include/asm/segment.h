/* SPDX-License-Identifier: BSD-2-Clause */
/* Selectors of FreeBSD/amd64; KVM writes them into the host state of a VMCS. */
#ifndef _LKC_ASM_SEGMENT_H_
#define	_LKC_ASM_SEGMENT_H_

#include_next <asm/segment.h>
#undef __KERNEL_CS
#undef __KERNEL_DS
#undef GDT_ENTRY_TSS
#define __KERNEL_CS	0x20
#define __KERNEL_DS	0x28
#define GDT_ENTRY_TSS	9

#endif
