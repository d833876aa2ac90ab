/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

/* UD2 and a signature: KVM emulates the instruction that follows. */
#define	EMULATED	ud2; .ascii "kvm"

.macro	division name, instruction:vararg
	.globl	attack_\name, attack_\name\()_emulated
attack_\name:
	\instruction
	out	%al, $PORT_DONE
attack_\name\()_emulated:
	EMULATED
	\instruction
	out	%al, $PORT_DONE
.endm

	.code64
	division div8, div %cl
	division div16, div %cx
	division div32, div %ecx
	division div64, div %rcx
	division idiv8, idiv %cl
	division idiv16, idiv %cx
	division idiv32, idiv %ecx
	division idiv64, idiv %rcx

	.globl	attack_div_memory
attack_div_memory:
	mov	$NOTHING, %ebx
	mov	$1, %edx
	mov	$1, %eax
	divl	(%rbx)
	out	%eax, $PORT_DONE

	.globl	attack_fwait
attack_fwait:
	fninit
	EMULATED
	movq	%mm0, DATA + 8
	fninit
	out	%al, $PORT_STEP
	movw	$0x37b, DATA		/* division by zero is not masked */
	fldcw	DATA
	fldz
	fld1
	fdivp
	EMULATED
	movq	%mm0, DATA + 8
	out	%al, $PORT_DONE

	.code32
	.globl	attack_fxrstor
attack_fxrstor:				/* (MXCSR, area) */
	mov	$0x600, %eax		/* OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	fninit
	fxsave	(%esi)
	mov	%edi, 24(%esi)
	EMULATED
	fxrstor	(%esi)
	movl	$0x1f80, 24(%esi)
	fxrstor	(%esi)
	out	%al, $PORT_DONE

	.code64
	.globl	attack_sse
attack_sse:
	stmxcsr	DATA
	addps	%xmm1, %xmm0
	fnstenv	DATA + 64
	out	%al, $PORT_DONE

	.globl	attack_xsetbv
attack_xsetbv:				/* (XCR0) */
	mov	%edi, %eax
	mov	%rdi, %rdx
	shr	$32, %rdx
	xor	%ecx, %ecx
	xsetbv
	out	%al, $PORT_DONE

	.globl	attack_nothing
attack_nothing:
	out	%al, $PORT_DONE
	jmp	attack_nothing

	.globl	attack_msrs
attack_msrs:				/* (first, last, value) */
	mov	%rdx, %rbx
1:	mov	%edi, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	rdmsr
	mov	%eax, %r8d
	mov	%edx, %r9d
	mov	%ebx, %eax
	mov	%rbx, %rdx
	shr	$32, %rdx
	wrmsr
	mov	%r8d, %eax
	mov	%r9d, %edx
	wrmsr
	inc	%edi
	cmp	%esi, %edi
	jbe	1b
	out	%al, $PORT_DONE

	/* #GP: over RDMSR and WRMSR, which are two bytes long. */
	.globl	attack_skip
attack_skip:
	incl	DATA
	add	$8, %rsp
	addq	$2, (%rsp)
	iretq
