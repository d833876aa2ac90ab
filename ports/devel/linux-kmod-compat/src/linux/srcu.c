// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sleepable RCU.  Each CPU counts entries and exits of readers under two
 * indexes.  A grace period lets new readers use the other index and waits
 * until the old one's exits equal its entries; because a reader may have read
 * the index just before it changed, that is done for both indexes in turn.
 *
 * A reader may leave on another CPU than it entered, so only sums mean
 * anything, and they must be taken in the right order: exits first.  A reader
 * that is counted as left then was counted as entered, too.
 */
#include <linux/srcu.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/atomic.h>
#include <linux/cache.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

struct lx_srcu_cpu {
	atomic_long_t	entries[2];
	atomic_long_t	exits[2];
} ____cacheline_aligned;

int init_srcu_struct(struct srcu_struct *ssp)
{
	ssp->idx = 0;
	ssp->cpus = kcalloc(lkc_cpu_limit(), sizeof(*ssp->cpus), GFP_KERNEL);
	if (!ssp->cpus)
		return -ENOMEM;
	mutex_init(&ssp->mutex);
	lx_srcu_call_init(ssp);
	return 0;
}

void cleanup_srcu_struct(struct srcu_struct *ssp)
{
	mutex_destroy(&ssp->mutex);
	kfree(ssp->cpus);
	ssp->cpus = NULL;
}

/*
 * Atomic adds, so that a thread that is moved to another CPU between finding
 * the counter and adding to it does no harm.  They are full barriers: the
 * reader's accesses stay inside.
 */
int srcu_read_lock(struct srcu_struct *ssp)
{
	int idx = READ_ONCE(ssp->idx) & 1;

	atomic_long_inc_return(&ssp->cpus[lkc_cpu_id()].entries[idx]);
	return idx;
}

void srcu_read_unlock(struct srcu_struct *ssp, int idx)
{
	atomic_long_inc_return(&ssp->cpus[lkc_cpu_id()].exits[idx]);
}

static bool srcu_no_readers(struct srcu_struct *ssp, int idx)
{
	unsigned int cpu, ncpu = lkc_cpu_limit();
	unsigned long entries = 0, exits = 0;

	for (cpu = 0; cpu < ncpu; cpu++)
		exits += atomic_long_read(&ssp->cpus[cpu].exits[idx]);
	smp_mb();
	for (cpu = 0; cpu < ncpu; cpu++)
		entries += atomic_long_read(&ssp->cpus[cpu].entries[idx]);
	return entries == exits;
}

/* Readers are mostly short: look a few times before sleeping. */
static void srcu_wait_readers(struct srcu_struct *ssp, int idx)
{
	unsigned int tries = 0;
	u64 delay = 20 * 1000;

	while (!srcu_no_readers(ssp, idx)) {
		if (++tries < 100) {
			cpu_relax();
			continue;
		}
		lkc_task_park(delay, 0);
		if (delay < 1000 * 1000)
			delay *= 2;
	}
}

void synchronize_srcu(struct srcu_struct *ssp)
{
	int idx;

	lx_block_begin();
	lkc_sx_xlock(&ssp->mutex.sx);
	smp_mb();	/* what was unpublished is seen by readers that start now */
	/* Readers that took the other index late, before an earlier flip. */
	idx = ssp->idx & 1;
	srcu_wait_readers(ssp, idx ^ 1);
	smp_mb();
	WRITE_ONCE(ssp->idx, idx ^ 1);
	smp_mb();
	srcu_wait_readers(ssp, idx);
	smp_mb();
	lkc_sx_xunlock(&ssp->mutex.sx);
	lx_block_end();
}
