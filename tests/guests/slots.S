/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	slots_read
slots_read:				/* (address) */
	mov	(%rdi), %rax
	out	%eax, $PORT_DONE

	.globl	slots_write
slots_write:				/* (address, value) */
	mov	%rsi, (%rdi)
	out	%al, $PORT_DONE

	.globl	slots_watch
slots_watch:				/* (address, value that it always has) */
	sti
2:	mov	(%rdi), %rax
	incl	DATA
	cmp	%rsi, %rax
	je	1f
	incl	DATA + 4
1:	cmpl	$0, DATA + 8
	je	2b
	out	%al, $PORT_DONE

	.globl	slots_fill
slots_fill:				/* (address, size) */
	add	%rdi, %rsi
1:	mov	%rdi, (%rdi)
	add	$4096, %rdi
	cmp	%rsi, %rdi
	jb	1b
	out	%al, $PORT_DONE

	.globl	slots_sum
slots_sum:				/* (address, size) */
	xor	%eax, %eax
	add	%rdi, %rsi
1:	add	(%rdi), %rax
	add	$4096, %rdi
	cmp	%rsi, %rdi
	jb	1b
	out	%eax, $PORT_DONE
