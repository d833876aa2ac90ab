/* SPDX-License-Identifier: BSD-2-Clause */
/* Assembly that upstream has in its kernel's entry code. */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/segment.h>

	.section .noinstr.text, "ax"

/*
 * KVM calls this with an interrupt frame on the stack after an exit for an NMI.
 * FreeBSD's handler wants to be entered by the CPU; its return unblocks NMIs.
 */
SYM_FUNC_START(asm_exc_nmi_kvm_vmx)
	int	$2
	iretq
SYM_FUNC_END(asm_exc_nmi_kvm_vmx)

/*
 * Enter the interrupt handler at the address in RDI as the CPU does it, with a
 * frame that its IRET takes.  That needs RSP aligned.
 */
SYM_FUNC_START(lx_enter_interrupt)
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	pushf
	push	$__KERNEL_CS
	call	*%rdi
	mov	%rbp, %rsp
	pop	%rbp
	ret
SYM_FUNC_END(lx_enter_interrupt)

/*
 * Overwrite the branch history with 5 times 5 branches that lead nowhere, as
 * Intel advises against branch history injection.  Clobbers EAX, ECX and flags.
 */
SYM_FUNC_START(clear_bhb_loop)
	push	%rbp
	mov	%rsp, %rbp
	mov	$5, %ecx
	call	.Lround
	jmp	.Lbhb_done
	.balign	64, 0xcc
.Lround:
	call	.Lbranches
	ret
	.balign	64, 0xcc
.Lbranches:
	mov	$5, %eax
.Lhop:
	jmp	.Lland
	nop
.Lland:
	sub	$1, %eax
	jnz	.Lhop
	sub	$1, %ecx
	jnz	.Lround
	ret
.Lbhb_done:
	lfence
	pop	%rbp
	ret
SYM_FUNC_END(clear_bhb_loop)
