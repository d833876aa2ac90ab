/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

	.code64
	.globl	dirty_touch
dirty_touch:				/* (address, how many, step) */
	incb	(%rdi)
	add	%rdx, %rdi
	dec	%esi
	jnz	dirty_touch
	out	%al, $PORT_DONE
