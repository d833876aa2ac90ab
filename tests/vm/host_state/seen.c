/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * See seen.h.
 */
#include <sys/types.h>
#include <sys/sysctl.h>

#include <machine/segments.h>
#include <machine/sysarch.h>

#include <string.h>

#include "seen.h"

bool has_rdtscp;

void
look(struct seen *s)
{
	struct region_descriptor table;
	void *base;

	memset(s, 0, sizeof(*s));
	__asm__ volatile ("sgdt %0" : "=m" (table));
	s->gdt_limit = table.rd_limit;
	__asm__ volatile ("sidt %0" : "=m" (table));
	s->idt_limit = table.rd_limit;
	__asm__ volatile ("sldt %0" : "=m" (s->ldt));
	__asm__ volatile ("str %0" : "=m" (s->tr));
	__asm__ volatile ("mov %%cs, %0" : "=m" (s->cs));
	__asm__ volatile ("mov %%ds, %0" : "=m" (s->ds));
	__asm__ volatile ("mov %%es, %0" : "=m" (s->es));
	__asm__ volatile ("mov %%fs, %0" : "=m" (s->fs));
	__asm__ volatile ("mov %%gs, %0" : "=m" (s->gs));
	__asm__ volatile ("mov %%ss, %0" : "=m" (s->ss));
	__asm__ volatile ("fnstcw %0" : "=m" (s->x87));
	__asm__ volatile ("stmxcsr %0" : "=m" (s->mxcsr));
	if (has_rdtscp)
		__asm__ volatile ("rdtscp" : "=c" (s->tsc_aux) : : "rax", "rdx");
	OK(amd64_get_fsbase(&base));
	s->fs_base = (uintptr_t)base;
	OK(amd64_get_gsbase(&base));
	s->gs_base = (uintptr_t)base;
	/* And as instructions see them. */
	MUST(*(uint64_t *)base == ({ uint64_t v;
	    __asm__ volatile ("movq %%gs:0, %0" : "=r" (v)); v; }));
}

void
compare(const struct seen *a, const struct seen *b, const char *who)
{

#define	SAME(field)							\
	if (a->field != b->field)					\
		errx(1, "%s: " #field " was %#jx, is %#jx", who,	\
		    (uintmax_t)a->field, (uintmax_t)b->field)
	SAME(gdt_limit);
	SAME(idt_limit);
	SAME(ldt);
	SAME(tr);
	SAME(cs);
	SAME(ds);
	SAME(es);
	SAME(fs);
	SAME(gs);
	SAME(ss);
	SAME(x87);
	SAME(mxcsr);
	SAME(tsc_aux);
	SAME(fs_base);
	SAME(gs_base);
}

/* What the kernel sees; CR0.TS says only who has used the FPU last. */
void
peek(char *text)
{
	size_t size = STATE;
	char *cr0;

	OK(sysctlbyname("debug.peek.state", text, &size, NULL, 0));
	cr0 = strstr(text, "cr0 ");
	MUST(cr0 != NULL);
	cr0 = strchr(cr0, '\n') - 1;
	MUST(*cr0 == '3' || *cr0 == 'b');
	*cr0 = '3';
}

/* DR0 to DR3 and DR6 are left as they are for one that has no watchpoint. */
void
compare_text(char *a, char *b, bool watch, const char *who)
{
	char *line, *other;

	while ((line = strsep(&a, "\n")) != NULL) {
		other = strsep(&b, "\n");
		if (!watch && strncmp(line, "dr", 2) == 0 && line[2] != '7')
			continue;
		if (other == NULL || strcmp(line, other) != 0)
			errx(1, "%s: was %s, is %s", who, line, other);
	}
}

/* GS and the modes of the FPU are this process's own. */
void
make_different(uint64_t *gs, uint32_t mxcsr, uint16_t x87)
{

	*gs = (uintptr_t)gs;
	OK(amd64_set_gsbase(gs));
	__asm__ volatile ("ldmxcsr %0" : : "m" (mxcsr));
	__asm__ volatile ("fldcw %0" : : "m" (x87));
}
