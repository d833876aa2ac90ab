/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	cpuid_leaf
cpuid_leaf:
	cpuid
	mov	%eax, DATA
	mov	%ebx, DATA + 4
	mov	%ecx, DATA + 8
	mov	%edx, DATA + 12
	out	%al, $PORT_DONE
