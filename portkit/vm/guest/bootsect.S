/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The boot sector under Bochs: reads the loader (sectors 1 to 32) to 0x8000
 * and the BIOS memory map to 0x6000, its end to 0x5ffc, and enters the loader
 * in 32-bit mode.
 */

#define	LOADER		0x8000
#define	LOADER_SECTORS	32
#define	MAP		0x6000
#define	MAP_END		0x5ffc
#define	COM1		0x3f8

	.text
	.code16
	.globl	_start
_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	sti
	cld
	movw	$packet, %si
	movb	$0x42, %ah		/* extended read, drive still in %dl */
	int	$0x13
	movb	$'D', %al
	jc	fail

	movw	$MAP, %di
	xorl	%ebx, %ebx
1:	movl	$20, (%di)		/* the size field of struct mbmap */
	addw	$4, %di
	movl	$0xe820, %eax
	movl	$0x534d4150, %edx	/* "SMAP" */
	movl	$20, %ecx
	int	$0x15
	jc	2f
	addw	$20, %di
	testl	%ebx, %ebx
	jnz	1b
	jmp	3f
2:	subw	$4, %di
3:	movzwl	%di, %eax
	movl	%eax, MAP_END

	inb	$0x92, %al		/* open the A20 gate */
	orb	$2, %al
	andb	$0xfe, %al
	outb	%al, $0x92
	cli
	lgdt	gdtdesc
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $protected

fail:	movw	$COM1, %dx
	outb	%al, %dx
	hlt
	jmp	fail

	.code32
protected:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movl	$0x90000, %esp
	movl	$LOADER, %eax
	jmp	*%eax

	.p2align 2
gdt:	.quad	0
	.quad	0x00cf9a000000ffff	/* flat code */
	.quad	0x00cf92000000ffff	/* flat data */
gdtdesc:
	.word	gdtdesc - gdt - 1
	.long	gdt
packet:	.byte	16, 0
	.word	LOADER_SECTORS, LOADER, 0
	.quad	1

	.org	446			/* one active partition pleases the BIOS */
	.byte	0x80, 0, 2, 0, 0xda, 0, 2, 0
	.long	1, 8
	.org	510
	.word	0xaa55
