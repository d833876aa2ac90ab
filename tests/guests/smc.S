/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	smc_own
smc_own:				/* (n): the sum of 1 to n */
	xor	%eax, %eax
1:	mov	%edi, 2f + 1
	jmp	2f			/* TCG needs it, once */
2:	mov	$0xffffffff, %ecx
	add	%ecx, %eax
	dec	%edi
	jnz	1b
	out	%eax, $PORT_DONE

	.globl	smc_page_end
smc_page_end:				/* (n, page): there from 2 bytes before */
	movl	$0xb9 << 8 | 0x90, -4(%rsi)	/* NOP, MOV to ECX */
	lea	-3(%rsi), %rbx
	xor	%eax, %eax
1:	movb	$0xb9, (%rbx)
	mov	%edi, 1(%rbx)
	movb	$0xc3, 5(%rbx)		/* RET */
	call	*%rbx
	add	%ecx, %eax
	dec	%edi
	jnz	1b
	out	%eax, $PORT_DONE

	.globl	smc_call
smc_call:
	call	smc_called
	out	%eax, $PORT_DONE

	.balign	8
	.byte	0x90, 0x90, 0x90	/* the operand is aligned */
	.globl	smc_called
smc_called:
	mov	$0, %eax
	ret

	.globl	smc_caller
smc_caller:				/* (last) */
	sti
2:	call	smc_called
	cmp	%edi, %eax
	jbe	1f
	incl	DATA + 4
1:	mov	%eax, DATA
	cmp	%edi, %eax
	jne	2b
	out	%al, $PORT_DONE

	.globl	smc_changer
smc_changer:				/* (last, say it until it is seen) */
	sti
	xor	%ecx, %ecx
1:	inc	%ecx
	mov	%ecx, smc_called + 1
	cmp	%edi, %ecx
	jne	1b
	test	%esi, %esi
	jz	3f
2:	mov	%ecx, smc_called + 1
	pause
	cmp	%edi, DATA
	jne	2b
3:	out	%al, $PORT_DONE
