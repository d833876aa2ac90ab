/* SPDX-License-Identifier: BSD-2-Clause */
/* Selectors of FreeBSD/amd64; KVM writes them into the host state of a VMCS. */
#ifndef _LKC_ASM_SEGMENT_H_
#define	_LKC_ASM_SEGMENT_H_

#include_next <asm/segment.h>
/*
 * Segment registers of the user are not saved and loaded again, which could
 * fault: a return to user mode restores them from the trap frame.
 */
#undef savesegment
#undef loadsegment
#define savesegment(seg, value)	((value) = 0)
#define loadsegment(seg, value)	do { (void)(value); } while (0)

#undef __KERNEL_CS
#undef __KERNEL_DS
#undef GDT_ENTRY_TSS
#define __KERNEL_CS	0x20
#define __KERNEL_DS	0x28
#define GDT_ENTRY_TSS	9

#endif
