/*-
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "guest.h"

#define	ICR	0x300
#define	ICR_TO	0x310

	.code64
	/* EBX: the local APIC's address, EDI: a count, RSI: offset of our word. */
	.globl	smp_starter
smp_starter:				/* (page of the code to start) */
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	movl	$1 << 24, ICR_TO(%rbx)
	movl	$0x4500, ICR(%rbx)	/* INIT */
	or	$0x4600, %edi		/* STARTUP */
	mov	%edi, ICR(%rbx)
	sti
1:	pause
	cmpw	$0, DATA
	je	1b
	out	%al, $PORT_DONE

	.globl	smp_ping
smp_ping:
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	mov	$DATA, %esi
	sti
1:	cmpl	$0, DATA + 8		/* until the other can hear */
	je	1b
	cli
2:	movl	$1 << 24, ICR_TO(%rbx)
	movl	$0x4051, ICR(%rbx)
	sti
	hlt
	cli
	dec	%edi
	jnz	2b
	out	%al, $PORT_DONE

	.globl	smp_pong
smp_pong:
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	mov	$DATA + 4, %esi
	movl	$1, DATA + 8
2:	sti
	hlt
	cli
	movl	$0, ICR_TO(%rbx)
	movl	$0x4050, ICR(%rbx)
	dec	%edi
	jnz	2b
	out	%al, $PORT_DONE

	.globl	smp_handler
smp_handler:
	step_over_hlt
	incl	(%rsi)
	test	%ebx, %ebx
	jz	1f
	movl	$0, 0xb0(%rbx)
	iretq
1:	mov	$0x80b, %ecx		/* x2APIC */
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	iretq

	.globl	smp_broadcast
smp_broadcast:				/* (how many others, our offset) */
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	sti
1:	pause
	cmp	%edi, DATA + 0x40
	jb	1b
	movl	$0xc4050, ICR(%rbx)
	out	%al, $PORT_DONE

	.globl	smp_listen
smp_listen:
	mov	$LAPIC, %ebx
	movl	$0x1ff, 0xf0(%rbx)
	jmp	listen

	.globl	smp_x2apic
smp_x2apic:
	call	x2apic_on
	sti
1:	pause
	cmp	%edi, DATA + 0x40
	jb	1b
	mov	$0x830, %ecx
	mov	$0xc4050, %eax
	xor	%edx, %edx
	wrmsr
	out	%al, $PORT_DONE

	.globl	smp_x2apic_listen
smp_x2apic_listen:
	call	x2apic_on
listen:	add	$DATA, %esi
	lock incl DATA + 0x40
	sti
	hlt
	cli
	out	%al, $PORT_DONE

x2apic_on:
	mov	$0x1b, %ecx
	rdmsr
	or	$0xc00, %eax
	wrmsr
	mov	$0x80f, %ecx
	mov	$0x1ff, %eax
	xor	%edx, %edx
	wrmsr
	xor	%ebx, %ebx
	ret

	.globl	smp_locked
smp_locked:				/* (how often) */
	mov	$1, %eax
	lock xadd %eax, DATA
1:	mov	DATA + 8, %rax
	lea	1(%rax), %rcx
	lock cmpxchg %rcx, DATA + 8
	jne	1b
	dec	%edi
	jnz	smp_locked
	out	%al, $PORT_DONE

	.code16
	.balign	4096
	.globl	smp_started
smp_started:
	mov	%cs, %ax
	mov	%ax, DATA
	out	%al, $PORT_DONE
