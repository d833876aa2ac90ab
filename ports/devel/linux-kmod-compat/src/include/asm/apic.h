/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's local APIC is FreeBSD's; KVM only asks about its mode and sends vectors. */
#ifndef _LKC_ASM_APIC_H_
#define	_LKC_ASM_APIC_H_

#include <linux/cpumask.h>
#include <asm/apicdef.h>
#include <asm/msr.h>
#include <asm/cpufeature.h>

bool lx_host_x2apic(void);
#define x2apic_mode		lx_host_x2apic()
#define x2apic_enabled()	lx_host_x2apic()

u32 default_cpu_present_to_apicid(int cpu);
#define cpu_physical_id(cpu)	default_cpu_present_to_apicid(cpu)

void __apic_send_IPI_self(int vector);
void __apic_send_IPI_mask(const struct cpumask *mask, int vector);

#if LX_RELEASE >= 702	/* before, KVM has them itself */
#include <linux/bitops.h>
#include <asm/posted_intr.h>

/* A page of registers: 32 bits each, 16 bytes apart; a bit for each vector. */
#define APIC_VECTORS_PER_REG		32
#define MAX_APIC_VECTOR			256
#define APIC_VECTOR_TO_BIT_NUMBER(v)	((unsigned int)(v) % APIC_VECTORS_PER_REG)
#define APIC_VECTOR_TO_REG_OFFSET(v)	((unsigned int)(v) / APIC_VECTORS_PER_REG * 16)

static inline u32 apic_get_reg(void *regs, int reg)
{
	return *(u32 *)(regs + reg);
}

static inline void apic_set_reg(void *regs, int reg, u32 val)
{
	*(u32 *)(regs + reg) = val;
}

static inline u64 apic_get_reg64(void *regs, int reg)
{
	return *(u64 *)(regs + reg);
}

static inline void apic_set_reg64(void *regs, int reg, u64 val)
{
	*(u64 *)(regs + reg) = val;
}

static inline void apic_set_vector(int vec, void *bitmap)
{
	set_bit(APIC_VECTOR_TO_BIT_NUMBER(vec), bitmap + APIC_VECTOR_TO_REG_OFFSET(vec));
}

static inline void apic_clear_vector(int vec, void *bitmap)
{
	clear_bit(APIC_VECTOR_TO_BIT_NUMBER(vec), bitmap + APIC_VECTOR_TO_REG_OFFSET(vec));
}

static inline int apic_test_vector(int vec, void *bitmap)
{
	return test_bit(APIC_VECTOR_TO_BIT_NUMBER(vec), bitmap + APIC_VECTOR_TO_REG_OFFSET(vec));
}

/* -1 if there is none. */
static inline int apic_find_highest_vector(void *bitmap)
{
	u32 word;
	int vec;

	for (vec = MAX_APIC_VECTOR - APIC_VECTORS_PER_REG; vec >= 0;
	    vec -= APIC_VECTORS_PER_REG) {
		word = apic_get_reg(bitmap, APIC_VECTOR_TO_REG_OFFSET(vec));
		if (word)
			return vec + __fls(word);
	}
	return -1;
}
#endif

#endif
