/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where QEMU's -kernel enters the loader: a multiboot (version 1) image.
 */

#define	MB_MAGIC	0x1badb002
#define	MB_FLAGS	0x3		/* page-aligned modules, memory map */

	.section .header, "a"
	.p2align 2
	.long	MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

	.text
	.code32
	.globl	_start
_start:
	cli
	cld
	movl	$stack_top, %esp
	pushl	%ebx
	pushl	%eax
	call	multiboot

	.bss
	.p2align 4
	.space	16384
stack_top:
