/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	signals_spin
signals_spin:
	sti
	/* FALLTHROUGH */
	.globl	signals_spin_masked
signals_spin_masked:
	incq	DATA
	jmp	signals_spin_masked

	.globl	signals_halt
signals_halt:
	incq	DATA
	hlt
	jmp	signals_halt

	.globl	signals_sum
signals_sum:				/* (n): the sum of 1 to n */
	xor	%eax, %eax
1:	add	%rdi, %rax
	dec	%rdi
	jnz	1b
	out	%eax, $PORT_DONE
	nop
	nop
	ud2
