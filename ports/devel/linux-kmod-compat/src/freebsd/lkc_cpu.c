/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Processors: numbers, cross calls, interrupts between them, and
 * machine-specific registers.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/pcpu.h>
#include <sys/proc.h>
#include <sys/smp.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/md_var.h>
#include <machine/pcb.h>
#include <machine/psl.h>

#include "lkc_host.h"

/*
 * <machine/smp.h> and <x86/apicvar.h> include headers that exist only in a
 * kernel's build directory; this is what is needed of them.
 */
typedef void	inthand_t(void);
extern inthand_t Xjustreturn, Xjustreturn1_pti;
extern int x2apic_mode;
void	ipi_cpu(int cpu, u_int ipi);
int	lapic_ipi_alloc(inthand_t *handler);
void	lapic_ipi_free(int vector);

CTASSERT(MAXCPU <= LKC_MAXCPU);

static int lkc_kick_vector = -1;

/* Handlers that acknowledge the interrupt and return, as vmm(4) uses them. */
static int
vector_alloc(void)
{

	return (lapic_ipi_alloc(pti ? &Xjustreturn1_pti : &Xjustreturn));
}

unsigned int
lkc_cpu_limit(void)
{

	return (mp_maxid + 1);
}

int
lkc_cpu_present(unsigned int cpu)
{

	return (cpu <= mp_maxid && !CPU_ABSENT(cpu));
}

unsigned int
lkc_cpu_id(void)
{

	return (curcpu);
}

unsigned long
lkc_cpu_local(const unsigned long *array)
{

	return (array[curcpu]);
}

unsigned int
lkc_cpu_apicid(unsigned int cpu)
{

	return (pcpu_find(cpu)->pc_apic_id);
}

int
lkc_cpu_smt(void)
{

	return (smp_threads_per_core > 1);
}

int
lkc_cpu_x2apic(void)
{

	return (x2apic_mode != 0);
}

void
lkc_cpu_call(const lkc_u64 *mask, unsigned int words, void (*fn)(void *),
    void *arg)
{
	cpuset_t set;
	unsigned int cpu;

	LKC_ASSERT_THREAD();
	KASSERT((read_rflags() & PSL_I) != 0,
	    ("%s: called with interrupts off", __func__));
	CPU_ZERO(&set);
	for (cpu = 0; cpu <= mp_maxid && cpu / 64 < words; cpu++)
		if ((mask[cpu / 64] >> cpu % 64 & 1) != 0 && !CPU_ABSENT(cpu))
			CPU_SET(cpu, &set);
	if (CPU_EMPTY(&set))
		return;
	smp_rendezvous_cpus(set, smp_no_rendezvous_barrier, fn,
	    smp_no_rendezvous_barrier, arg);
}

void
lkc_cpu_kick(unsigned int cpu)
{

	ipi_cpu(cpu, lkc_kick_vector);
}

int
lkc_vector_alloc(void)
{
	int vector;

	LKC_ASSERT_SLEEP();
	vector = vector_alloc();
	return (vector < 0 ? -LKC_ENOSPC : vector);
}

void
lkc_vector_free(int vector)
{

	LKC_ASSERT_SLEEP();
	lapic_ipi_free(vector);
}

void
lkc_cpu_send_vector(unsigned int cpu, int vector)
{

	ipi_cpu(cpu, vector);
}

/*
 * A cross call may interrupt a copyin(9).  rdmsr_safe() and wrmsr_safe() leave
 * pcb_onfault cleared, which would make the next fault of that copy a panic.
 */
int
lkc_rdmsr_safe(lkc_u32 msr, lkc_u64 *value)
{
	caddr_t onfault;
	uint64_t v;
	int error;

	LKC_ASSERT_THREAD();
	critical_enter();
	onfault = curpcb->pcb_onfault;
	error = rdmsr_safe(msr, &v);
	curpcb->pcb_onfault = onfault;
	critical_exit();
	if (error != 0)
		return (-LKC_EIO);
	*value = v;
	return (0);
}

int
lkc_wrmsr_safe(lkc_u32 msr, lkc_u64 value)
{
	caddr_t onfault;
	int error;

	LKC_ASSERT_THREAD();
	critical_enter();
	onfault = curpcb->pcb_onfault;
	error = wrmsr_safe(msr, value);
	curpcb->pcb_onfault = onfault;
	critical_exit();
	return (error != 0 ? -LKC_EIO : 0);
}

int
lkc_cpu_start(void)
{

	lkc_kick_vector = vector_alloc();
	if (lkc_kick_vector < 0) {
		printf("lkc: no interrupt vector is free for CPU kicks; "
		    "unload a module that uses one (vmm) and try again\n");
		return (ENXIO);
	}
	return (0);
}

void
lkc_cpu_stop(void)
{

	lapic_ipi_free(lkc_kick_vector);
	lkc_kick_vector = -1;
}
