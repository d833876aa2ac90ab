/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Exception handlers: tell the client what happened.  When it runs the vCPU
 * on, the handler returns, to the same instruction after a fault.  Only SS can
 * be relied on: an exception in virtual 8086 mode loads null into the others.
 */
#include "guest.h"

	/* These push an error code: #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP. */
	.set	with_error, 1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21

	.code64
	.balign	16
	.globl	long_vectors
long_vectors:
	.set	n, 0
	.rept	32
	.balign	16
	.if	!(with_error >> n & 1)
	push	$0
	.endif
	push	$n
	jmp	long_fault
	.set	n, n + 1
	.endr

long_fault:
	popq	FAULT
	popq	FAULT + 8
	pushq	(%rsp)
	popq	FAULT + 16
	push	%rax
	mov	%cr2, %rax
	mov	%rax, FAULT + 24
	pop	%rax
	out	%al, $PORT_FAULT
	iretq

	.code32
	.balign	16
	.globl	protected_vectors
protected_vectors:
	.set	n, 0
	.rept	32
	.balign	16
	.if	!(with_error >> n & 1)
	push	$0
	.endif
	push	$n
	jmp	protected_fault
	.set	n, n + 1
	.endr

protected_fault:
	popl	%ss:FAULT
	popl	%ss:FAULT + 8
	pushl	(%esp)
	popl	%ss:FAULT + 16
	push	%eax
	mov	%cr2, %eax
	mov	%eax, %ss:FAULT + 24
	pop	%eax
	out	%al, $PORT_FAULT
	iret
