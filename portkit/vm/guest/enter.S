/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From 32-bit mode into long mode and the kernel.
 */

#define	MSR_EFER	0xc0000080
#define	EFER_LME	0x100
#define	CR4_PAE		0x20
#define	CR0_PG		0x80000000

	.text
	.code32
	/*
	 * void enter_kernel(uint32_t pml4, uint32_t modulep, uint32_t kernend,
	 *     uint64_t entry)
	 * The kernel finds a return address that it ignores, modulep and
	 * kernend on its stack, each of 32 bits.
	 */
	.globl	enter_kernel
enter_kernel:
	movl	4(%esp), %ebx
	movl	8(%esp), %eax
	movl	%eax, args + 4
	movl	12(%esp), %eax
	movl	%eax, args + 8
	movl	16(%esp), %eax
	movl	%eax, entry
	movl	20(%esp), %eax
	movl	%eax, entry + 4
	/* PAE first: QEMU's SVM loses a host whose guest has LME alone. */
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%ebx, %cr3
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	lgdt	gdtdesc
	ljmp	$8, $1f
	.code64
1:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	$args, %esp
	movl	$entry, %eax
	jmpq	*(%rax)

	.data
	.p2align 4
gdt:	.quad	0
	.quad	0x0020980000000000	/* 64-bit code */
	.quad	0x0000920000000000	/* data */
gdtdesc:
	.word	gdtdesc - gdt - 1
	.long	gdt
	.p2align 3
args:	.long	0, 0, 0, 0
entry:	.quad	0
