/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For checker.c: the registers that a process sees, and those that its kernel
 * shows it through the module peek.
 */
#ifndef _SEEN_H_
#define	_SEEN_H_

#include <stdbool.h>
#include <stdint.h>

#include "../must.h"

#define	STATE	4096			/* room for what peek says */

/* What a program sees of its processor. */
struct seen {
	uint16_t	gdt_limit, idt_limit, ldt, tr, cs, ds, es, fs, gs, ss;
	uint16_t	x87;
	uint32_t	mxcsr, tsc_aux;
	uint64_t	fs_base, gs_base;
};

extern bool has_rdtscp;

void	look(struct seen *);
void	compare(const struct seen *, const struct seen *, const char *who);
void	peek(char *text);
void	compare_text(char *, char *, bool watch, const char *who);
void	make_different(uint64_t *gs, uint32_t mxcsr, uint16_t x87);

#endif /* !_SEEN_H_ */
