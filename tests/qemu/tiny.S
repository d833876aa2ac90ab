/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start of the tiny guest: a multiboot image, from 32-bit mode or, after suspend to memory, from
 * real mode into long mode with 8 GB mapped one to one.
 */
	.section .multiboot, "a"
	.balign	4
	.long	0x1badb002, 0, -0x1badb002

	.text
	.code32
	.globl	_start
_start:
	cli
	cld
	xorl	%ebp, %ebp			/* not a resume */
enter_long:					/* QEMU wrote the image again: no tables */
	movl	$tables, %edi
	leal	4096 + 3(%edi), %eax		/* the directory's only entry */
	movl	%eax, (%edi)
	movl	$8, %ecx			/* 8 tables of 512 pages of 2 MB */
	leal	4096(%edi), %edi
	leal	4096 + 3(%edi), %eax
1:	movl	%eax, (%edi)
	addl	$4096, %eax
	addl	$8, %edi
	loop	1b
	movl	$tables + 8192, %edi
	movl	$4096, %ecx
	movl	$0x83, %eax
	xorl	%edx, %edx
2:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	$0x200000, %eax
	adcl	$0, %edx
	addl	$8, %edi
	loop	2b
	movl	%cr4, %eax
	orl	$0x20, %eax
	movl	%eax, %cr4
	movl	$tables, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000001, %eax
	movl	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$0x18, $1f
	.code64
1:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$stack_end, %esp
	movl	%ebp, %edi
	call	tiny_main
	.code32
resume:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$1, %ebp
	jmp	enter_long

	.code16
	.globl	wake, wake_end
wake:						/* copied to 0x8000; %cs is 0x800 */
	cli
	lgdtl	%cs:(wake_gdt - wake)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x8, $resume
wake_gdt:
	.word	gdt_end - gdt - 1
	.long	gdt
wake_end:

	.code64
	.globl	on_timer, on_other, break_here
on_timer:
	pushq	%rax
	incq	ticks
	movb	$0x20, %al
	outb	%al, $0x20
	popq	%rax
	iretq
on_other:					/* an exception: say so and stop */
	movb	$'!', %al
	outb	%al, $0xe9
	cli
	hlt
	jmp	on_other
break_here:
	nop
	ret

	.data
	.balign	8
gdt:	.quad	0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9a000000ffff
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt

	.bss
	.balign	4096
tables:	.skip	10 * 4096
	.skip	4096
stack_end:
