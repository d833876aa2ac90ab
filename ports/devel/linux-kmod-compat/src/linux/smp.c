// SPDX-License-Identifier: BSD-2-Clause
/* Processors: per-CPU data, cross calls, masks, "hotplug" callbacks. */
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/cpumask.h>
#include <linux/cpuhotplug.h>
#include <linux/slab.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/sched/smt.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

/* --- per-CPU data ------------------------------------------------------- */

/*
 * An area per CPU: a copy of the section, then room for alloc_percpu().  A
 * per-CPU pointer is the address in the section (or just behind it); adding
 * the CPU's offset gives the CPU's copy.
 */
extern char __start_lx_percpu[], __stop_lx_percpu[];
#define DYNAMIC_SIZE	(16 * 1024)
#define UNIT		16
#define NR_UNITS	(DYNAMIC_SIZE / UNIT)

unsigned long __per_cpu_offset[NR_CPUS];

static unsigned long dynamic_base;	/* as a per-CPU pointer */
static DECLARE_BITMAP(unit_used, NR_UNITS);
static DECLARE_BITMAP(unit_last, NR_UNITS);	/* last unit of an allocation */
static DEFINE_SPINLOCK(unit_lock);
static unsigned int area_order;

int lx_percpu_init(void)
{
	size_t fixed = ALIGN(__stop_lx_percpu - __start_lx_percpu, UNIT);
	unsigned int cpu;
	char *area;

	dynamic_base = (unsigned long)__start_lx_percpu + fixed;
	area_order = get_order(fixed + DYNAMIC_SIZE);
	for (cpu = 0; cpu < lkc_cpu_limit(); cpu++) {
		if (!lkc_cpu_present(cpu))
			continue;
		area = lkc_pages_alloc(area_order, LKC_M_WAIT | LKC_M_ZERO);
		if (!area) {
			lx_percpu_exit();
			return -ENOMEM;
		}
		memcpy(area, __start_lx_percpu, __stop_lx_percpu - __start_lx_percpu);
		__per_cpu_offset[cpu] = area - __start_lx_percpu;
	}
	return 0;
}

void lx_percpu_exit(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < NR_CPUS; cpu++) {
		if (__per_cpu_offset[cpu])
			lkc_pages_free(__start_lx_percpu + __per_cpu_offset[cpu],
			    area_order);
		__per_cpu_offset[cpu] = 0;
	}
}

/* n free units whose copies are aligned: areas are, so the place in them counts. */
static unsigned long find_units(unsigned long n, size_t align)
{
	unsigned long base = dynamic_base - (unsigned long)__start_lx_percpu;
	unsigned long start, i;

	for (start = 0; start + n <= NR_UNITS; start++) {
		if (!IS_ALIGNED(base + start * UNIT, align))
			continue;
		for (i = 0; i < n && !test_bit(start + i, unit_used); i++)
			;
		if (i == n)
			return start;
	}
	return NR_UNITS;
}

void __percpu *__alloc_percpu(size_t size, size_t align)
{
	unsigned long n = DIV_ROUND_UP(size, UNIT), start, i, flags;
	unsigned long ptr;
	unsigned int cpu;

	if (!size || n > NR_UNITS || align > PAGE_SIZE)
		return NULL;
	spin_lock_irqsave(&unit_lock, flags);
	start = find_units(n, align);
	if (start == NR_UNITS) {
		spin_unlock_irqrestore(&unit_lock, flags);
		return NULL;
	}
	for (i = 0; i < n; i++)
		__set_bit(start + i, unit_used);
	__set_bit(start + n - 1, unit_last);
	spin_unlock_irqrestore(&unit_lock, flags);

	ptr = dynamic_base + start * UNIT;
	for_each_possible_cpu(cpu)
		memset((void *)(ptr + __per_cpu_offset[cpu]), 0, size);
	return (void __percpu *)ptr;
}

void free_percpu(void __percpu *ptr)
{
	unsigned long unit, flags;
	bool last;

	if (!ptr)
		return;
	unit = ((unsigned long)ptr - dynamic_base) / UNIT;
	spin_lock_irqsave(&unit_lock, flags);
	do {
		last = test_bit(unit, unit_last);
		__clear_bit(unit, unit_last);
		__clear_bit(unit++, unit_used);
	} while (!last);
	spin_unlock_irqrestore(&unit_lock, flags);
}

/* --- masks -------------------------------------------------------------- */

struct cpumask __cpu_possible_mask, __cpu_online_mask, __cpu_present_mask;
unsigned int nr_cpu_ids = NR_CPUS;
atomic_t __num_online_cpus;

/* cpumask_of(n) points into this so that bit n % 64 of the row is bit n. */
#define ROW1(n)	[(n) + 1][0] = 1UL << (n)
#define ROW4(n)	ROW1(n), ROW1((n) + 1), ROW1((n) + 2), ROW1((n) + 3)
#define ROW16(n) ROW4(n), ROW4((n) + 4), ROW4((n) + 8), ROW4((n) + 12)
const unsigned long cpu_bit_bitmap[BITS_PER_LONG + 1][BITS_TO_LONGS(NR_CPUS)] = {
	ROW16(0), ROW16(16), ROW16(32), ROW16(48)
};

void lx_smp_init(void)
{
	unsigned int cpu;

	nr_cpu_ids = lkc_cpu_limit();
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		if (!lkc_cpu_present(cpu))
			continue;
		cpumask_set_cpu(cpu, &__cpu_possible_mask);
		cpumask_set_cpu(cpu, &__cpu_online_mask);
		cpumask_set_cpu(cpu, &__cpu_present_mask);
		atomic_inc(&__num_online_cpus);
	}
}

/* --- cross calls -------------------------------------------------------- */

static void cpu_call(const struct cpumask *mask, smp_call_func_t func, void *info)
{
	if (!cpumask_empty(mask))
		lkc_cpu_call((const lkc_u64 *)cpumask_bits(mask),
		    BITS_TO_LONGS(NR_CPUS), func, info);
}

/* Waiting is always right, if sometimes more than asked for. */
void on_each_cpu_mask(const struct cpumask *mask, smp_call_func_t func, void *info,
    bool wait)
{
	struct cpumask online;

	cpumask_and(&online, mask, cpu_online_mask);
	preempt_disable();
	cpu_call(&online, func, info);
	preempt_enable();
}

void on_each_cpu(smp_call_func_t func, void *info, int wait)
{
	on_each_cpu_mask(cpu_online_mask, func, info, wait);
}

void smp_call_function_many(const struct cpumask *mask, smp_call_func_t func,
    void *info, bool wait)
{
	struct cpumask others;

	preempt_disable();
	cpumask_and(&others, mask, cpu_online_mask);
	cpumask_clear_cpu(smp_processor_id(), &others);
	cpu_call(&others, func, info);
	preempt_enable();
}

int smp_call_function_single(int cpu, smp_call_func_t func, void *info, int wait)
{
	unsigned long flags;
	int err = 0;

	preempt_disable();
	if (cpu == smp_processor_id()) {
		local_irq_save(flags);
		func(info);
		local_irq_restore(flags);
	} else if (cpu < 0 || cpu >= nr_cpu_ids || !cpu_online(cpu)) {
		err = -ENXIO;
	} else {
		cpu_call(cpumask_of(cpu), func, info);
	}
	preempt_enable();
	return err;
}

static void wbinvd_here(void *info)
{
	asm volatile("wbinvd" ::: "memory");
}

void wbinvd_on_cpu(int cpu)
{
	smp_call_function_single(cpu, wbinvd_here, NULL, 1);
}

void wbinvd_on_cpus_mask(struct cpumask *mask)
{
	on_each_cpu_mask(mask, wbinvd_here, NULL, true);
}

/* --- hotplug ------------------------------------------------------------ */

static int (*hp_teardown[CPUHP_NR_STATES])(unsigned int);

static int call_on_cpu(unsigned int cpu, int (*fn)(unsigned int))
{
	int ret;

	lkc_cpu_bind(cpu);
	ret = fn(cpu);
	lkc_cpu_unbind();
	return ret;
}

/* Callbacks may sleep and run bound to the CPU. */
int cpuhp_setup_state(enum cpuhp_state state, const char *name,
    int (*startup)(unsigned int), int (*teardown)(unsigned int))
{
	unsigned int cpu, undo;
	int err;

	if (WARN_ON(hp_teardown[state]))
		return -EBUSY;
	for_each_online_cpu(cpu) {
		err = call_on_cpu(cpu, startup);
		if (err)
			goto fail;
	}
	hp_teardown[state] = teardown;
	return 0;
fail:
	for_each_online_cpu(undo) {
		if (undo == cpu)
			break;
		if (teardown)
			call_on_cpu(undo, teardown);
	}
	return err;
}

void cpuhp_remove_state(enum cpuhp_state state)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (hp_teardown[state])
			call_on_cpu(cpu, hp_teardown[state]);
	hp_teardown[state] = NULL;
}

/* Bottom halves are not disabled apart from preemption. */
void __local_bh_enable_ip(unsigned long ip, unsigned int cnt)
{
	preempt_enable();
}

/* A thread that must stay on its CPU, but may be preempted there. */
void migrate_disable(void)
{
	preempt_disable();
}

void migrate_enable(void)
{
	preempt_enable();
}

/* --- local APICs -------------------------------------------------------- */

bool lx_host_x2apic(void)
{
	return lkc_cpu_x2apic();
}

u32 default_cpu_present_to_apicid(int cpu)
{
	return lkc_cpu_apicid(cpu);
}

void __apic_send_IPI_self(int vector)
{
	lkc_cpu_send_vector(smp_processor_id(), vector);
}

void __apic_send_IPI_mask(const struct cpumask *mask, int vector)
{
	unsigned int cpu;

	for_each_cpu(cpu, mask)
		lkc_cpu_send_vector(cpu, vector);
}

bool sched_smt_active(void)
{
	return lkc_cpu_smt();
}
