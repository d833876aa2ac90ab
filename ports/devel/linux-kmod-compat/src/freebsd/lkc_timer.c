/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Clocks and timers.  A timer is a callout(9) that runs directly from the
 * timer interrupt.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/pcpu.h>
#include <sys/proc.h>
#include <sys/smp.h>
#include <sys/time.h>
#include <sys/timetc.h>

#include <vm/vm.h>

#include <machine/clock.h>
#include <machine/cpufunc.h>
#include <machine/md_var.h>
#include <machine/psl.h>

#include "lkc_convert.h"
#include "lkc_host.h"

struct host_timer {
	struct callout	callout;
	void		(*fn)(void *);
	void		*arg;
};
CTASSERT(sizeof(struct host_timer) <= sizeof(struct lkc_timer));
CTASSERT(SBT_MAX == LKC_SBT_MAX);

static inline struct host_timer *
host_timer(struct lkc_timer *t)
{

	return ((struct host_timer *)t);
}

lkc_u64
lkc_clock_mono_ns(void)
{

	return (lkc_sbt_to_ns(sbinuptime()));
}

lkc_u64
lkc_clock_real_ns(void)
{
	struct bintime bt;

	bintime(&bt);
	return (lkc_sbt_to_ns(bttosbt(bt)));
}

lkc_u64
lkc_tsc_khz(void)
{

	return (atomic_load_acq_64(&tsc_freq) / 1000);
}

int
lkc_clock_is_tsc(void)
{
	const char *name;

	/* "TSC" or "TSC-low"; each load of a vCPU asks. */
	name = timecounter->tc_name;
	/* A single processor is not tested for synchrony. */
	return ((smp_tsc != 0 || mp_ncpus == 1) && tsc_is_invariant != 0 &&
	    name[0] == 'T' && name[1] == 'S' && name[2] == 'C');
}

/*
 * FreeBSD does not show the TSC value behind a clock reading.  Take the TSC
 * before and after, a few times, and keep the reading with the narrowest
 * bracket.
 */
void
lkc_clock_snapshot(lkc_u64 *tsc, lkc_u64 *mono_ns, lkc_u64 *real_ns)
{
	struct bintime boot;
	register_t flags;
	sbintime_t now;
	uint64_t after, before, width;
	int i;

	width = UINT64_MAX;
	*tsc = *mono_ns = 0;
	flags = intr_disable();
	for (i = 0; i < 4; i++) {
		before = rdtsc_ordered();
		now = sbinuptime();
		after = rdtsc_ordered();
		if (after - before < width) {
			width = after - before;
			*tsc = before + width / 2;
			*mono_ns = lkc_sbt_to_ns(now);
		}
	}
	intr_restore(flags);
	getboottimebin(&boot);
	*real_ns = *mono_ns + lkc_sbt_to_ns(bttosbt(boot));
}

static void
timer_fire(void *arg)
{
	struct host_timer *ht;

	ht = arg;
	ht->fn(ht->arg);
}

void
lkc_timer_init(struct lkc_timer *t, void (*fn)(void *), void *arg)
{
	struct host_timer *ht;

	ht = host_timer(t);
	callout_init(&ht->callout, 1);
	ht->fn = fn;
	ht->arg = arg;
}

void
lkc_timer_start(struct lkc_timer *t, lkc_u64 mono_ns)
{
	struct host_timer *ht;

	ht = host_timer(t);
	callout_reset_sbt_on(&ht->callout, lkc_ns_to_sbt(mono_ns), 0,
	    timer_fire, ht, curcpu, C_DIRECT_EXEC | C_ABSOLUTE);
}

int
lkc_timer_stop(struct lkc_timer *t)
{

	switch (callout_stop(&host_timer(t)->callout)) {
	case 1:
		return (1);
	case 0:
		return (-1);
	default:
		return (0);
	}
}

void
lkc_timer_drain(struct lkc_timer *t)
{

	LKC_ASSERT_SLEEP();
	callout_drain(&host_timer(t)->callout);
}
