/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RCU: one epoch(9) of the module.  Not the preemptible kind: Linux readers do
 * not sleep, and readers exist in interrupt context.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/proc.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_host.h"

static epoch_t lkc_epoch;

int
lkc_rcu_start(void)
{

	lkc_epoch = epoch_alloc("lkc", 0);
	return (lkc_epoch == NULL ? ENOMEM : 0);
}

void
lkc_rcu_stop(void)
{

	epoch_free(lkc_epoch);
	lkc_epoch = NULL;
}

/*
 * The epoch's record of this CPU must not be found half changed by a reader in
 * an interrupt, and its critical_exit(9) must not switch threads with
 * interrupts off: hence a section of our own around it.
 */
void
lkc_rcu_enter(void)
{
	register_t flags;

	lkc_critical_enter();
	flags = intr_disable();
	epoch_enter(lkc_epoch);
	intr_restore(flags);
}

void
lkc_rcu_exit(void)
{
	register_t flags;

	flags = intr_disable();
	epoch_exit(lkc_epoch);
	intr_restore(flags);
	lkc_critical_exit();
}

void
lkc_rcu_wait(void)
{

	LKC_ASSERT_SLEEP();
	epoch_wait(lkc_epoch);
}
