/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code16
	.globl	io_ports
io_ports:
	mov	$0x12345678, %eax
	out	%al, $0x81
	out	%ax, $0x82
	out	%eax, $0x84
	mov	$0x1081, %dx
	in	%dx, %al
	mov	%eax, DATA
	mov	$0x1082, %dx
	in	%dx, %ax
	mov	%eax, DATA + 4
	mov	$0x1084, %dx
	in	%dx, %eax
	mov	%eax, DATA + 8
	out	%al, $PORT_DONE

	.globl	io_strings
io_strings:
	cld
	mov	$DATA, %si
	mov	$17, %cx
	mov	$0x40, %dx
	rep outsb
	mov	$(FREE - 0x100) >> 4, %ax
	mov	%ax, %es
	xor	%di, %di
	mov	$32, %cx
	mov	$0x41, %dx
	rep insw
	out	%al, $PORT_DONE

	.globl	io_halt
io_halt:
	mov	$7, %al
	hlt
	out	%al, $PORT_DONE

	.code64
	.globl	io_memory
io_memory:
	mov	$NOTHING, %ebx
	mov	$0x1122334455667788, %rax
	mov	%al, 1(%rbx)
	mov	%ax, 2(%rbx)
	mov	%eax, 4(%rbx)
	mov	%rax, 8(%rbx)
	movzbl	17(%rbx), %eax
	mov	%rax, DATA
	movzwl	18(%rbx), %eax
	mov	%rax, DATA + 8
	mov	20(%rbx), %eax
	mov	%rax, DATA + 16
	mov	24(%rbx), %rax
	mov	%rax, DATA + 24
	out	%al, $PORT_DONE

	.globl	io_repeat
io_repeat:
	cld
	mov	$DATA, %esi
	mov	$NOTHING, %edi
	mov	$4, %ecx
	rep movsq
	movl	$0x55667788, 0x1ffe - 32(%rdi)
	out	%al, $PORT_DONE

	.globl	io_shutdown
io_shutdown:
	ud2
