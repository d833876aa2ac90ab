/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Guests of the stress cases, in real mode (count, out, halt) and protected
 * mode (sweep).  Their names are addresses in the guest.
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
image_end:

	.globl	count, out, halt, sweep, long_vectors, protected_vectors
	.set	count, IMAGE + (l_count - image)
	.set	out, IMAGE + (l_out - image)
	.set	halt, IMAGE + (l_halt - image)
	.set	sweep, IMAGE + (l_sweep - image)
	/* No case means to take an exception. */
	.set	long_vectors, IMAGE + (l_fault - image)
	.set	protected_vectors, IMAGE + (l_fault - image)

	.section .note.GNU-stack, "", @progbits
