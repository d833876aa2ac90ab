/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

#define	STEP(n)	mov $n, %al; out %al, $PORT_STEP

	.code16
	.globl	modes_real
modes_real:
	mov	$FREE >> 4, %ax
	mov	%ax, %es
	movw	$0xbeef, %es:0x234
	mov	$20, %al
	mov	$3, %cl
	mul	%cl
	out	%al, $PORT_DONE

	.code32
	.globl	modes_protected
modes_protected:
	mov	$0x89abcdef, %eax
	mov	%eax, MEMORY - 4
	add	$0x01020304, %eax
	out	%eax, $PORT_DONE

	.code64
	.globl	modes_long
modes_long:
	mov	$0x1122334455667788, %rax
	mov	%rax, FREE
	imul	$3, %rax, %r15
	out	%al, $PORT_DONE

	.code16
	.globl	modes_climb
modes_climb:
	xor	%ax, %ax
	mov	%ax, %ds
	STEP(1)
	lgdtl	gdt_pointer
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$SEL_CODE32, $1f
	.code32
1:	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	STEP(2)
	/* 32-bit paging with 4 MB pages */
	mov	%cr4, %eax
	or	$0x10, %eax
	mov	%eax, %cr4
	mov	$PAGE_DIR32, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	STEP(3)
	and	$0x7fffffff, %eax
	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	/* PAE: a table of four directories, whose bits 1 and 2 must be 0 */
	mov	$4, %ecx
1:	mov	PDPT - 8(, %ecx, 8), %eax
	and	$~6, %eax
	mov	%eax, FREE - 8(, %ecx, 8)
	loop	1b
	mov	$FREE, %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$0x20, %eax
	mov	%eax, %cr4
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	STEP(4)
	/* long mode */
	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	mov	$PML4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	STEP(5)
	ljmp	$SEL_CODE64, $1f
	.code64
1:	mov	$0x100000006, %rax
	shr	$1, %rax
	shl	$1, %rax
	out	%al, $PORT_STEP
	push	$SEL_CODE16
	push	$1f
	lretq
	.code16
1:	STEP(7)
	/* down again */
	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	mov	$0xc0000080, %ecx
	rdmsr
	and	$~0x100, %eax
	wrmsr
	mov	$SEL_DATA16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	%cr0, %eax
	and	$0xfe, %al
	mov	%eax, %cr0
	ljmp	$0, $1f
1:	xor	%ax, %ax
	mov	%ax, %ds
	mov	$0x99, %al
	out	%al, $PORT_DONE

	.balign	8
gdt_pointer:
	.word	0x3f
	.long	GDT

	.code32
	.globl	modes_virtual86
modes_virtual86:
	/* QEMU 7.2 refuses to use a TSS that it has not loaded by LTR. */
	mov	$SEL_TSS, %eax
	ltr	%ax
	pushl	$0			/* GS, FS, DS */
	pushl	$0
	pushl	$0
	pushl	$FREE >> 4		/* ES */
	pushl	$0			/* SS:SP */
	pushl	$0xa400
	pushl	$0x20002		/* EFLAGS: VM */
	pushl	$0			/* CS:IP */
	pushl	$1f
	iret
	.code16
1:	movw	$0x8086, %es:0x10
	hlt

	/*
	 * FREE: PML4, PDPT, PD, PT of 0x7f0000000000.  The PT has the page at
	 * FREE + 0x8000 for writing and at 0x1000 for reading only, nothing at
	 * 0x2000, and a page without execution at 0x3000.
	 */
	.code64
	.globl	modes_tables
modes_tables:
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x800, %eax		/* NXE */
	wrmsr
	mov	%cr0, %rax
	or	$0x10000, %eax		/* WP */
	mov	%rax, %cr0
	movq	$PDPT | 7, FREE
	movq	$(FREE + 0x1000) | 7, FREE + 254 * 8
	movq	$(FREE + 0x2000) | 7, FREE + 0x1000
	movq	$(FREE + 0x3000) | 7, FREE + 0x2000
	movq	$(FREE + 0x8000) | 3, FREE + 0x3000
	movq	$(FREE + 0x8000) | 1, FREE + 0x3008
	movq	$0, FREE + 0x3010
	mov	$0x8000000000000000 | (FREE + 0x9000) | 3, %rax
	mov	%rax, FREE + 0x3018
	mov	$FREE, %eax
	mov	%rax, %cr3
	mov	$0x7f0000000000, %rbx
	movq	$1f, DATA
	movq	$2f, DATA + 8
	movq	$3f, DATA + 16
	movq	$0x1234, 8(%rbx)
	mov	0x1008(%rbx), %rax
	out	%eax, $PORT_STEP
	movq	$0x5678, 0x1008(%rbx)
1:	mov	$0x7f0000000000, %rbx
	mov	0x2000(%rbx), %rax
2:	mov	$0x7f0000003000, %rax
	call	*%rax
3:	out	%al, $PORT_DONE
