/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	events_writes
events_writes:				/* (address, value) */
	mov	%sil, (%rdi)
	mov	%si, (%rdi)
	mov	%esi, (%rdi)
	mov	%rsi, (%rdi)
	out	%al, $PORT_DONE

	.globl	events_ports
events_ports:				/* (how often) */
	mov	%dil, %al
	out	%al, $0x77
	dec	%edi
	jnz	events_ports
	out	%al, $PORT_DONE

	.globl	events_level
events_level:				/* (until): as below, level-triggered */
	mov	$0x8061, %esi
	jmp	1f
	.globl	events_wait
events_wait:				/* (until) */
	mov	$0x61, %esi
1:	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	mov	$0xff, %al		/* not by the PIC */
	out	%al, $0x21
	mov	$IOAPIC, %ecx
	movl	$0x10 + 5 * 2 + 1, (%rcx)
	movl	$0, 0x10(%rcx)
	movl	$0x10 + 5 * 2, (%rcx)
	mov	%esi, 0x10(%rcx)
	movl	$1, DATA + 4
1:	sti
	hlt
	cli
	cmp	%edi, DATA
	jb	1b
	out	%al, $PORT_DONE

	.globl	events_handler
events_handler:
	step_over_hlt
	incl	DATA
	movl	$0, 0xb0(%rbx)
	iretq
