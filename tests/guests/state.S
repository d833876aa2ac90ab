/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	state_sse
state_sse:
	addsd	%xmm1, %xmm0
	movsd	%xmm0, DATA
	movd	%xmm15, DATA + 8
	pcmpeqd	%xmm8, %xmm8		/* no longer as XRSTOR would init it */
	out	%al, $PORT_DONE

	.globl	state_fpu
state_fpu:				/* counts by 1 in ST(0), by 2 in XMM7 */
	fninit
	fldz
	xorps	%xmm7, %xmm7
	mov	$2, %eax
	movd	%eax, %xmm6
	mov	$200, %ecx
1:	fld1
	faddp
	paddq	%xmm6, %xmm7
	out	%al, $PORT_STEP
	dec	%ecx
	jnz	1b
	fistpll	DATA
	movq	%xmm7, DATA + 8
	out	%al, $PORT_DONE
