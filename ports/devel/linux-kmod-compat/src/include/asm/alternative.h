/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assembly keeps upstream's alternatives; the glue applies them at load
 * (alternative.c).  C always takes the first form, which every x86-64 runs.
 */
#ifdef __ASSEMBLY__
#include_next <asm/alternative.h>
#else
#ifndef _LKC_ASM_ALTERNATIVE_H_
#define	_LKC_ASM_ALTERNATIVE_H_

#include <linux/types.h>
#include <linux/stddef.h>
#include <linux/stringify.h>
#include <asm/asm.h>

#define LOCK_PREFIX		"\n\tlock; "
#define LOCK_PREFIX_HERE	""
#define ALTERNATIVE(old, new, feature)			old
#define ALTERNATIVE_2(old, new1, f1, new2, f2)		old
#define alternative(old, new, feature)			asm volatile(old ::: "memory")
#define alternative_2(old, new1, f1, new2, f2)		asm volatile(old ::: "memory")
#define alternative_input(old, new, feature, in...)	asm volatile(old :: "i" (0), ## in)
#define alternative_io(old, new, feature, out, in...)	asm volatile(old : out : "i" (0), ## in)
/* In upstream inlines that shadow headers replace; must not be emitted. */
#define alternative_call(args...)	__builtin_trap()
#define alternative_call_2(args...)	__builtin_trap()
#define ASM_OUTPUT2(a...)	a
#define ASM_NO_INPUT_CLOBBER(clbr...) "i" (0) : clbr

/* What a struct alt_instr of upstream looks like in the section. */
struct lx_alt_instr {
	s32	instr_offset;
	s32	repl_offset;
	u32	ft_flags;		/* feature in the low half, flags above */
	u8	instrlen;
	u8	replacementlen;
} __packed;

#endif
#endif
