/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	exc_break_divide, exc_divide
exc_break_divide:
	int3
exc_divide:
	xor	%ecx, %ecx
	div	%ecx

	.globl	exc_breakpoint
exc_breakpoint:
	int3

	.globl	exc_opcode
exc_opcode:
	ud2

	.globl	exc_protection
exc_protection:
	mov	$0x40, %eax		/* beyond the GDT */
	mov	%eax, %ds

	.globl	exc_page
exc_page:
	mov	$0x8000000000, %rax	/* second entry of the PML4 */
	movb	$0, (%rax)

	.globl	exc_spin
exc_spin:
	jmp	exc_spin

	.globl	exc_nmi
exc_nmi:
	xor	%ebx, %ebx
	mov	%bl, %al
	out	%al, $PORT_STEP
	mov	%bl, %al
	out	%al, $PORT_DONE

	/* Interrupts of all kinds: counts in EBX. */
	.globl	exc_handler
exc_handler:
	inc	%ebx
	mov	%bl, %al
	out	%al, $PORT_STEP
	iretq

	.globl	exc_window
exc_window:
	xor	%ebx, %ebx
	mov	%bl, %al
	out	%al, $PORT_STEP
	sti
	nop
1:	cmp	$0, %ebx
	je	1b
	mov	%bl, %al
	out	%al, $PORT_DONE

	.globl	exc_steps
exc_steps:
	.rept	8
	nop
	.endr
	int3

	.code16
	.globl	exc_real_divide
exc_real_divide:
	xor	%bx, %bx
	mov	$5, %ax
	div	%bl
	mov	%bl, %al
	out	%al, $PORT_DONE

	.globl	exc_real_handler
exc_real_handler:
	mov	$1, %bl
	out	%al, $PORT_STEP
	iret
