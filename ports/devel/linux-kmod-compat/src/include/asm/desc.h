/* SPDX-License-Identifier: BSD-2-Clause */
/* The descriptor tables are FreeBSD's: read where they are, restored with its limits. */
#ifndef _LKC_ASM_DESC_H_
#define	_LKC_ASM_DESC_H_

#include <asm/desc_defs.h>
#include <asm/segment.h>
#include <asm/cpu_entry_area.h>
#include <linux/smp.h>

#define store_ldt(ldt)	asm volatile("sldt %0" : "=m"(ldt))
#define load_ldt(sel)	asm volatile("lldt %w0" :: "q"(sel))

static inline void store_idt(struct desc_ptr *dtr)
{
	asm volatile("sidt %0" : "=m" (*dtr));
}

static inline struct desc_struct *get_current_gdt_ro(void)
{
	struct desc_ptr dtr;

	asm volatile("sgdt %0" : "=m" (dtr));
	return (struct desc_struct *)dtr.address;
}

static inline unsigned long get_desc_base(const struct desc_struct *desc)
{
	return desc->base0 | desc->base1 << 16 | (unsigned long)desc->base2 << 24;
}

static inline void set_desc_base(struct desc_struct *desc, unsigned long base)
{
	desc->base0 = base;
	desc->base1 = base >> 16;
	desc->base2 = base >> 24;
}

static inline unsigned long get_desc_limit(const struct desc_struct *desc)
{
	return desc->limit0 | desc->limit1 << 16;
}

static inline void set_desc_limit(struct desc_struct *desc, unsigned long limit)
{
	desc->limit0 = limit;
	desc->limit1 = limit >> 16;
}

void load_fixmap_gdt(int cpu);
/* A VM exit leaves the TSS limit at 0x67: load TR again. */
void invalidate_tss_limit(void);

#endif
