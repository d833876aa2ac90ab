/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	msr_read
msr_read:				/* (index) */
	mov	%edi, %ecx
	rdmsr
	mov	%eax, DATA
	mov	%edx, DATA + 4
	out	%al, $PORT_DONE

	.globl	msr_write
msr_write:				/* (index, value) */
	mov	%edi, %ecx
	mov	%rsi, %rax
	mov	%rsi, %rdx
	shr	$32, %rdx
	wrmsr
	out	%al, $PORT_DONE

	.globl	msr_tsc
msr_tsc:
	rdtsc
	mov	%eax, DATA
	mov	%edx, DATA + 4
	out	%al, $PORT_STEP
	rdtsc
	mov	%eax, DATA + 8
	mov	%edx, DATA + 12
	out	%al, $PORT_DONE
