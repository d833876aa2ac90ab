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
#include <lkc/block.h>
#include "lkc_bridge.h"

extern struct lx_alt_instr __start_lx_altinstructions[], __stop_lx_altinstructions[];

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

/* A relative call or jump out of the replacement that leads it is aimed anew. */
static void relocate(u8 *code, unsigned int len, const u8 *from, const u8 *to)
{
	s32 rel;

	if (len < 5 || (code[0] != CALL_REL32 && code[0] != JMP_REL32))
		return;
	memcpy(&rel, code + 1, sizeof(rel));
	if (5 + rel >= 0 && 5 + rel <= len)
		return;
	rel += from - to;
	memcpy(code + 1, &rel, sizeof(rel));
}

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
