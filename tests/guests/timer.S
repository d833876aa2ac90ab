/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

#define	TICKED	DATA + 8

	.code16
	.globl	timer_pic
timer_pic:
	mov	$0x11, %al		/* the PIC: vectors from 8, IRQ 0 only */
	out	%al, $0x20
	mov	$8, %al
	out	%al, $0x21
	mov	$4, %al
	out	%al, $0x21
	mov	$1, %al
	out	%al, $0x21
	mov	$0xfe, %al
	out	%al, $0x21
	mov	$0x34, %al		/* the PIT: every 0x1000 cycles */
	out	%al, $0x43
	xor	%al, %al
	out	%al, $0x40
	mov	$0x10, %al
	out	%al, $0x40
1:	sti
	hlt
	cli
	cmpb	$20, TICKED
	jb	1b
	mov	TICKED, %al
	out	%al, $PORT_DONE

	.globl	timer_pic_tick
timer_pic_tick:
	incb	TICKED
	push	%ax
	mov	$0x20, %al
	out	%al, $0x20
	pop	%ax
	iret

	.code64
	/* The handler of vector 0x40; EBX has the local APIC's address. */
	.globl	timer_tick
timer_tick:
	step_over_hlt
	incl	TICKED
	movl	$0, 0xb0(%rbx)
	iretq

	.globl	timer_ioapic
timer_ioapic:
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	mov	$0xff, %al		/* not by the PIC */
	out	%al, $0x21
	mov	$IOAPIC, %ecx
	movl	$0x11, (%rcx)		/* pin 0: the PIT */
	movl	$0, 0x10(%rcx)
	movl	$0x10, (%rcx)
	movl	$0x40, 0x10(%rcx)
	mov	$0x34, %al
	out	%al, $0x43
	xor	%al, %al
	out	%al, $0x40
	mov	$0x10, %al
	out	%al, $0x40
	jmp	wait

	.globl	timer_periodic
timer_periodic:
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	movl	$0xb, 0x3e0(%rbx)	/* divide by 1 */
	movl	$0x20040, 0x320(%rbx)
	movl	$1000000, 0x380(%rbx)
wait:	sti
	hlt
	cli
	cmp	%edi, TICKED
	jb	wait
	mov	TICKED, %eax
	out	%eax, $PORT_DONE

	.globl	timer_once
timer_once:
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	movl	$0xb, 0x3e0(%rbx)
	movl	$0x40, 0x320(%rbx)
1:	movl	$100000, 0x380(%rbx)
	sti
	hlt
	cli
	cmp	%edi, TICKED
	jb	1b
	mov	TICKED, %eax
	out	%eax, $PORT_DONE

	.globl	timer_deadline
timer_deadline:
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	movl	$0x40040, 0x320(%rbx)
	mfence
1:	rdtsc
	add	$1000000, %eax
	adc	$0, %edx
	mov	$0x6e0, %ecx
	wrmsr
	sti
	hlt
	cli
	cmp	%edi, TICKED
	jb	1b
	mov	TICKED, %eax
	out	%eax, $PORT_DONE

	.globl	timer_clock
timer_clock:
	mov	$0x4b564d01, %ecx
	mov	$FREE | 1, %eax
	xor	%edx, %edx
	wrmsr
	out	%al, $PORT_STEP
	out	%al, $PORT_DONE
