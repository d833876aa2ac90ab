/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where things are in a guest's memory: for clients (C) and guests (assembly).
 * All below 64 KB can be reached from real mode.  A guest that waits in a loop
 * has its interrupts on, as Bochs may otherwise never leave it (docs/vm.md).
 */
#ifndef _GUEST_H_
#define	_GUEST_H_

#define	MEMORY		0x400000	/* bytes of slot 0, at address 0 */

#define	IVT		0x0000		/* real mode's interrupt vectors */
#define	DATA		0x1000		/* words that guest and client share */
#define	FAULT		0x1f00		/* struct fault, see vectors.S */
#define	IMAGE		0x2000		/* the guests' code, as linked */
#define	IMAGE_END	0xb000
#define	GDT		0xb000
#define	TSS		0xb100
#define	IDT		0xc000
#define	STACKS		0xfff0		/* vCPU n has the n-th KB below */
#define	PML4		0x10000		/* 4 GB, mapped one to one in long mode */
#define	PDPT		0x11000
#define	PAGE_DIRS	0x12000		/* four of them */
#define	PAGE_DIR32	0x16000		/* the same for protected mode */
#define	FREE		0x20000		/* from here on memory is a test's own */

#define	NOTHING		0xd0000000	/* no slot: accesses exit as MMIO */
#define	LAPIC		0xfee00000
#define	IOAPIC		0xfec00000

#define	SEL_CODE64	0x08
#define	SEL_DATA	0x10
#define	SEL_CODE32	0x18
#define	SEL_CODE16	0x20
#define	SEL_DATA16	0x28
#define	SEL_TSS		0x30

/* A guest says that it is done, or what it has found, by OUT to these ports. */
#define	PORT_DONE	0x10
#define	PORT_FAULT	0x11		/* it took an exception: see FAULT */
#define	PORT_STEP	0x12

#ifdef __ASSEMBLER__
/*
 * For handlers of interrupts that a guest waits for by STI, HLT.  QEMU 7.2
 * forgets at VMRUN that STI delays interrupts by one instruction, so that one
 * can be taken before the HLT, which would then wait for ever: step over it.
 */
.macro	step_over_hlt
	push	%rax
	mov	8(%rsp), %rax
	cmpb	$0xf4, (%rax)
	jne	.Lnot_hlt\@
	incq	8(%rsp)
.Lnot_hlt\@:
	pop	%rax
.endm
#endif

#endif /* !_GUEST_H_ */
