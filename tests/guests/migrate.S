/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	migrate_work
migrate_work:				/* (rounds, where results go) */
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	movl	$0xb, 0x3e0(%rbx)
	movl	$0x20040, 0x320(%rbx)
	movl	$1000000, 0x380(%rbx)	/* 1 ms; Bochs is too slow for 200 us */
	xor	%eax, %eax
	mov	$3, %ecx
	movd	%ecx, %xmm6
	xorps	%xmm7, %xmm7
	fninit
	movl	$5, 24(%rsi)
	fildl	24(%rsi)
	movl	$0, 24(%rsi)
	fldz				/* ST(1) is 5 */
	sti
1:	add	%rdi, %rax
	paddq	%xmm6, %xmm7
	fadd	%st(1), %st
	dec	%rdi
	jnz	1b
	mov	%rax, (%rsi)
	movq	%xmm7, 8(%rsi)
	fistpll	16(%rsi)
2:	cmpl	$0, 32(%rsi)		/* at least a tick */
	je	2b
	movl	$1, 24(%rsi)
3:	out	%al, $PORT_DONE
	hlt
	jmp	3b

	.globl	migrate_tick
migrate_tick:
	incl	32(%rsi)
	movl	$0, 0xb0(%rbx)
	iretq
