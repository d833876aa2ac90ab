/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RCU.  A reader stays on its CPU, in a critical section, and each CPU counts
 * its readers: two in one another, or one in an interrupt of the other.  A
 * grace period makes a new moment and waits for each CPU until it has no
 * reader, or only those that have come since that moment.
 *
 * epoch(9) would serve, but for epoch_free(9): it does not wait until its own
 * callbacks have let go of the epoch's lock, which it destroys.
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
#include <machine/psl.h>

#include "lkc_host.h"

/* Looks at a CPU before the waiter sleeps for a tick between two of them. */
#define	SPINS	10000

static struct rcu_cpu {
	u_int		readers;
	uint64_t	since;		/* moment at which the outermost came */
} __aligned(CACHE_LINE_SIZE) rcu_cpu[MAXCPU];
static uint64_t rcu_moment;

/*
 * The count is seen by all before anything is read, by the locked instruction;
 * the moment may be too old for a while, which only makes a waiter wait.
 */
void
lkc_rcu_enter(void)
{
	struct rcu_cpu *rc;

	lkc_critical_enter();
	rc = &rcu_cpu[curcpu];
	if (atomic_fetchadd_int(&rc->readers, 1) == 0)
		atomic_store_64(&rc->since, atomic_load_64(&rcu_moment));
	atomic_thread_fence_acq();
}

void
lkc_rcu_exit(void)
{

	atomic_thread_fence_rel();
	(void)atomic_fetchadd_int(&rcu_cpu[curcpu].readers, -1);
	lkc_critical_exit();
}

static bool
read_since(struct rcu_cpu *rc, uint64_t moment)
{

	return (atomic_load_acq_int(&rc->readers) == 0 ||
	    atomic_load_64(&rc->since) >= moment);
}

void
lkc_rcu_wait(void)
{
	uint64_t moment;
	int cpu, spins;

	LKC_ASSERT_SLEEP();
	moment = atomic_fetchadd_64(&rcu_moment, 1) + 1;
	CPU_FOREACH(cpu) {
		for (spins = 0; !read_since(&rcu_cpu[cpu], moment); spins++) {
			if (spins < SPINS)
				cpu_spinwait();
			else
				pause("lkcrcu", 1);
		}
	}
	atomic_thread_fence_seq_cst();
}
