// SPDX-License-Identifier: BSD-2-Clause
/*
 * Apply the alternatives of the assembly files, once, before any of it runs.
 * Module text is not writable, so through the direct map.
 */
#include <linux/types.h>
#include <linux/string.h>
#include <linux/printk.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <asm/alternative.h>
#include <asm/cpufeature.h>
#include <generated/asm-offsets.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

/* Weak: a driver need not have any. */
extern struct lx_alt_instr __start_lx_altinstructions[] __weak;
extern struct lx_alt_instr __stop_lx_altinstructions[] __weak;

#define ALT_NOT		1	/* apply if the feature is absent */
#define ALT_MAX		255
#define NOP		0x90
#define CALL_REL32	0xe8
#define JMP_REL32	0xe9

static void poke(u8 *text, const u8 *code, unsigned int len)
{
	unsigned int i;

	/* Bytewise: the text may go over to a page that is elsewhere. */
	for (i = 0; i < len; i++)
		*(volatile u8 *)__va(__pa(text + i)) = code[i];
}

/* The 32-bit displacement at disp, which counts from next, keeps its target. */
static void move_target(u8 *code, unsigned int disp, unsigned int next,
    unsigned int len, long moved)
{
	s32 rel;

	memcpy(&rel, code + disp, sizeof(rel));
	if ((s64)next + rel >= 0 && (s64)next + rel <= len)
		return;		/* inside the replacement, which moves along */
	rel -= moved;
	memcpy(code + disp, &rel, sizeof(rel));
}

/*
 * What leads out of the replacement is aimed anew: a relative call or jump at
 * its start, and the operand of VERW wherever it is.
 */
static void relocate(u8 *code, unsigned int len, const u8 *from, const u8 *to)
{
	static const u8 verw_rip[] = { 0x0f, 0x00, 0x2d };
	unsigned int i;

	if (len >= 5 && (code[0] == CALL_REL32 || code[0] == JMP_REL32))
		move_target(code, 1, 5, len, to - from);
	for (i = 0; i + 7 <= len; i++)
		if (!memcmp(code + i, verw_rip, sizeof(verw_rip)))
			move_target(code, i + 3, i + 7, len, to - from);
}

static_assert(sizeof(struct lx_alt_instr) == ALT_INSTR_SIZE);

int lx_alternatives_apply(void)
{
	struct lx_alt_instr *alt;
	u8 code[ALT_MAX];

	for (alt = __start_lx_altinstructions; alt < __stop_lx_altinstructions; alt++) {
		u8 *instr = (u8 *)&alt->instr_offset + alt->instr_offset;
		u8 *repl = (u8 *)&alt->repl_offset + alt->repl_offset;
		unsigned int feature = alt->ft_flags & 0xffff;
		unsigned int flags = alt->ft_flags >> 16;

		if (flags & ~ALT_NOT || feature >= (NCAPINTS + NBUGINTS) * 32 ||
		    alt->replacementlen > alt->instrlen) {
			pr_err("alternative at %p is of an unknown kind\n", instr);
			return -ENOEXEC;
		}
		if (boot_cpu_has(feature) == !!(flags & ALT_NOT))
			continue;
		memset(code, NOP, alt->instrlen);
		memcpy(code, repl, alt->replacementlen);
		relocate(code, alt->replacementlen, repl, instr);
		poke(instr, code, alt->instrlen);
	}
	return 0;
}
