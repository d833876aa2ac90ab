/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Guests of the stress cases, in real mode (count, out, halt, pic), protected
 * mode (sweep) and long mode (timer, ping).  Their names are addresses in the
 * guest.
 */
#include "guest.h"

	.section .rodata
	.globl	image, image_end
image:
	.code16
l_count:				/* count, without an end */
	incw	DATA
	jmp	l_count
l_out:					/* count, with an exit for each */
	incw	DATA
	outb	%al, $PORT_STEP
	jmp	l_out
l_halt:					/* wait for what does not come */
	sti
	hlt
	jmp	l_halt
l_pic:					/* wait for IRQ 5, again and again */
	mov	$0x11, %al		/* the PIC: vectors from 8, IRQ 5 only */
	out	%al, $0x20
	mov	$8, %al
	out	%al, $0x21
	mov	$4, %al
	out	%al, $0x21
	mov	$1, %al
	out	%al, $0x21
	mov	$0xdf, %al
	out	%al, $0x21
	incw	DATA
1:	sti
	hlt
	cli
	jmp	1b
l_pic_irq:				/* counts; see step_over_hlt */
	incw	DATA
	push	%ax
	push	%bx
	push	%bp
	mov	%sp, %bp
	mov	6(%bp), %bx
	cmpb	$0xf4, (%bx)
	jne	2f
	incw	6(%bp)
2:	mov	$0x20, %al
	out	%al, $0x20
	pop	%bp
	pop	%bx
	pop	%ax
	iret
	.code32
l_sweep:				/* write to all pages, say so, again */
	movl	$FREE, %ebx
1:	movl	%ebx, (%ebx)
	addl	$4096, %ebx
	cmpl	%esi, %ebx		/* the client sets ESI */
	jb	1b
	incl	DATA
	outb	%al, $PORT_DONE
	jmp	l_sweep
l_fault:
	outb	%al, $PORT_FAULT
	jmp	l_fault
	.code64
l_timer:				/* times of up to 65 us from now */
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	movl	$0xb, 0x3e0(%rbx)	/* divide by 1: nanoseconds */
	movl	$0x40, 0x320(%rbx)
	mov	$1, %edi
1:	imul	$1103515245, %edi
	add	$12345, %edi
	mov	%edi, %eax
	shr	$16, %eax
	inc	%eax
	mov	%eax, 0x380(%rbx)
	sti
	hlt
	cli
	jmp	1b
l_ping:					/* (is it first to send, the other's id) */
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	shl	$24, %esi
	lock incl DATA + 8		/* until the other can hear, too */
1:	cmpl	$2, DATA + 8
	jb	1b
	test	%edi, %edi
	jz	3f
2:	mov	%esi, 0x310(%rbx)
	movl	$0x4040, 0x300(%rbx)
3:	sti
	hlt
	cli
	jmp	2b
l_apic_irq:
	step_over_hlt
	incw	DATA
	movl	$0, 0xb0(%rbx)
	iretq
image_end:

	.globl	count, out, halt, sweep, pic, pic_irq, timer, ping, apic_irq
	.globl	long_vectors, protected_vectors
	.set	count, IMAGE + (l_count - image)
	.set	out, IMAGE + (l_out - image)
	.set	halt, IMAGE + (l_halt - image)
	.set	sweep, IMAGE + (l_sweep - image)
	.set	pic, IMAGE + (l_pic - image)
	.set	pic_irq, IMAGE + (l_pic_irq - image)
	.set	timer, IMAGE + (l_timer - image)
	.set	ping, IMAGE + (l_ping - image)
	.set	apic_irq, IMAGE + (l_apic_irq - image)
	/* No case means to take an exception. */
	.set	long_vectors, IMAGE + (l_fault - image)
	.set	protected_vectors, IMAGE + (l_fault - image)

	.section .note.GNU-stack, "", @progbits
