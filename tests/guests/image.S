/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The guests' code inside of the client.  Its symbols are known to the linker
 * by their addresses in the guest, see Makefile.
 */
	.section .rodata
	.globl	image, image_end
image:	.incbin	"guests.bin"
image_end:
	.section .note.GNU-stack,"",@progbits
