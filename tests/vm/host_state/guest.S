/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For checker.c: a guest with registers of its own, and a way to run it with
 * known vector registers.
 */

#define	MXCSR	0x3000

	.macro	set_msr number
	movl	$\number, %ecx
	wrmsr
	.endm

	.section .rodata
	.globl	guest, guest_end
guest:					/* (EDI: has TSC_AUX, ESI: has DR7) */
	fninit
	fldpi
	movl	$0x1fa0, MXCSR
	ldmxcsr	MXCSR
	movl	$0x12345678, %eax
	movd	%eax, %xmm0
	pshufd	$0, %xmm0, %xmm0
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqa	%xmm0, %xmm\n
	.endr
	movl	$0x777000, %eax
	xorl	%edx, %edx
	set_msr	0xc0000100		/* bases of FS, GS, and the other GS */
	set_msr	0xc0000101
	set_msr	0xc0000102
	set_msr	0xc0000081		/* STAR, LSTAR, CSTAR, SF_MASK */
	set_msr	0xc0000082
	set_msr	0xc0000083
	set_msr	0xc0000084
	set_msr	0x174			/* SYSENTER_CS, ESP, EIP */
	set_msr	0x175
	set_msr	0x176
	movl	$0x00070106, %eax
	movl	%eax, %edx
	set_msr	0x277			/* PAT */
	testl	%edi, %edi
	jz	1f
	xorl	%edx, %edx
	set_msr	0xc0000103		/* TSC_AUX */
1:	movq	%cr4, %rax
	orq	$0x4, %rax		/* TSD */
	movq	%rax, %cr4
	testl	%esi, %esi
	jz	2f
	movl	$0x9000, %eax
	movq	%rax, %dr0
	movl	$0x30001, %eax		/* on access */
	movq	%rax, %dr7
2:	movl	$BATCH, %esi
3:	xorl	%eax, %eax
	cpuid
	decl	%esi
	jnz	3b
	outb	%al, $GUEST_PORT
	jmp	2b
guest_end:

	.text
	/*
	 * int run(int fd, unsigned long request, const void *load, void *store)
	 * ioctl(2) with the 16 vector registers of 16 bytes loaded before and
	 * stored after it; errno.
	 */
	.globl	run
run:
	pushq	%rcx
	pushq	%rdx
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	\n * 16(%rdx), %xmm\n
	.endr
	xorl	%edx, %edx
	movl	$54, %eax		/* SYS_ioctl */
	syscall
	jc	1f
	xorl	%eax, %eax
1:	popq	%rdx
	popq	%rcx
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	%xmm\n, \n * 16(%rcx)
	.endr
	ret

	/* The same for the upper halves of AVX's registers. */
	.globl	load_upper, store_upper
load_upper:				/* (16 bytes, for each) */
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vinsertf128 $1, (%rdi), %ymm\n, %ymm\n
	.endr
	ret
store_upper:				/* (16 times 16 bytes) */
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vextractf128 $1, %ymm\n, \n * 16(%rdi)
	.endr
	ret

	.section .note.GNU-stack, "", @progbits
