/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Toy hypervisors.  Their client prepares the state of the guest that they run.
 */
#include "guest.h"

	.code64
	/* The guest's guest: counts, and calls its hypervisor each time. */
	.globl	nested_calls_svm
nested_calls_svm:
	incl	DATA
	vmmcall
	jmp	nested_calls_svm

	.globl	nested_calls_vmx
nested_calls_vmx:
	incl	DATA
	vmcall
	jmp	nested_calls_vmx

	/* (VMCB, host save area, rounds); the last exit's code goes to DATA + 8. */
	.globl	nested_svm
nested_svm:
	mov	%rdx, %rbx
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x1000, %eax		/* EFER.SVME */
	wrmsr
	mov	$0xc0010117, %ecx	/* VM_HSAVE_PA */
	mov	%esi, %eax
	xor	%edx, %edx
	wrmsr
1:	mov	%rdi, %rax
	vmload	%rax
	vmrun	%rax
	mov	0x70(%rdi), %rax	/* EXITCODE */
	cmp	$0x81, %rax		/* VMMCALL */
	jne	2f
	addq	$3, 0x578(%rdi)		/* RIP */
	dec	%ebx
	jnz	1b
2:	mov	%rax, DATA + 8
	stgi
	out	%al, $PORT_DONE

	/*
	 * (addresses of VMXON region and VMCS, rounds, pairs of field and value,
	 * -1); the last exit's reason goes to DATA + 8, an error of an
	 * instruction to PORT_STEP.
	 */
	.globl	nested_vmx
nested_vmx:
	mov	%cr4, %rax
	or	$0x2000, %rax		/* VMXE */
	mov	%rax, %cr4
	vmxon	(%rdi)
	jbe	failed
	vmclear	8(%rdi)
	jbe	failed
	vmptrld	8(%rdi)
	jbe	failed
	mov	16(%rdi), %rbx
	lea	24(%rdi), %rsi
1:	mov	(%rsi), %rax
	cmp	$-1, %rax
	je	2f
	vmwrite	8(%rsi), %rax
	jbe	failed
	add	$16, %rsi
	jmp	1b
2:	mov	$0x6c14, %eax		/* HOST_RSP, HOST_RIP */
	vmwrite	%rsp, %rax
	mov	$0x6c16, %eax
	mov	$left, %ecx
	vmwrite	%rcx, %rax
	vmlaunch
	jmp	failed
left:
	mov	$0x4402, %eax		/* VM_EXIT_REASON */
	vmread	%rax, %rcx
	cmp	$18, %ecx		/* VMCALL */
	jne	3f
	mov	$0x681e, %eax		/* GUEST_RIP */
	vmread	%rax, %rdx
	add	$3, %rdx
	vmwrite	%rdx, %rax
	dec	%ebx
	jz	3f
	vmresume
	jmp	failed
3:	mov	%rcx, DATA + 8
	vmxoff
	out	%al, $PORT_DONE
failed:
	mov	$0x4400, %eax		/* VM_INSTRUCTION_ERROR */
	vmread	%rax, %rcx
	mov	%ecx, %eax
	out	%eax, $PORT_STEP
