/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code16
	.globl	smm_handler, smm_handler_end
smm_handler:				/* copied to where SMIs go */
	mov	$0x55, %al
	mov	$0xdeadbeef, %ebx
	xor	%esp, %esp
	out	%al, $PORT_STEP
	rsm
smm_handler_end:

	.code64
	.globl	smm_guest
smm_guest:
	mov	$0x1111111122222222, %rbx
	mov	$0x3333333344444444, %r15
	mov	$1, %al
	out	%al, $PORT_STEP
	mov	$2, %al
	out	%al, $PORT_DONE
