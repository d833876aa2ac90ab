/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tests of what orders threads and interrupts: critical sections, sleep and
 * wake-ups, timers, locks, RCU.
 */

#include "hosttest_module.h"

int
test_critical(void)
{
	unsigned long flags;
	int nest;

	nest = lkc_critical_nest();
	CHECK(nest == 0);
	lkc_critical_enter();
	lkc_section_enter();
	CHECK(lkc_critical_nest() == 2);
	/* With interrupts off a level goes without a thread switch. */
	__asm __volatile("pushfq; popq %0; cli" : "=r" (flags) : : "memory");
	lkc_critical_enter();
	lkc_critical_exit();
	CHECK(lkc_critical_nest() == 2);
	__asm __volatile("pushq %0; popfq" : : "r" (flags) : "memory", "cc");
	lkc_section_leave();
	lkc_critical_exit();
	CHECK(lkc_critical_nest() == 0);
	lkc_yield();
	CHECK(!lkc_signal_pending());
	return (0);
}

struct parker {
	volatile int	stage;
	volatile int	stop;
};

static void
parker_main(void *arg)
{
	struct parker *p = arg;

	while (!p->stop) {
		lkc_task_park(LKC_FOREVER, 0);
		p->stage++;
	}
}

int
test_tasks(void)
{
	struct parker p = { 0, 0 };
	lkc_u64 t0;
	void *self, *task;
	int i;

	self = lkc_task_self();
	CHECK(self == lkc_task_self());
	CHECK(lkc_task_runnable(self));
	/* A wake-up before the sleep is kept, but only one. */
	lkc_task_unpark(self);
	lkc_task_unpark(self);
	lkc_task_park(LKC_FOREVER, 0);
	t0 = lkc_clock_mono_ns();
	lkc_task_park(20 * MS, 0);
	CHECK(lkc_clock_mono_ns() - t0 >= 20 * MS);

	CHECK(lkc_thread_start(parker_main, &p, "parker", &task) == 0);
	CHECK(task != self);
	for (i = 0; i < 1000; i++) {
		int stage = p.stage;

		lkc_task_unpark(task);
		while (p.stage == stage)
			lkc_yield();
	}
	p.stop = 1;
	lkc_task_unpark(task);
	lkc_thread_join(task);
	return (0);
}

struct ticker {
	struct lkc_timer timer;
	volatile unsigned int ticks;
	unsigned int	want;
	volatile lkc_u64 due, early;
};

static void
ticker_fire(void *arg)
{
	struct ticker *t = arg;
	lkc_u64 now;

	lkc_rcu_enter();
	now = lkc_clock_mono_ns();
	if (now < t->due)
		t->early++;
	if (++t->ticks < t->want) {
		t->due += MS;
		lkc_timer_start(&t->timer, t->due);
	}
	lkc_rcu_exit();
}

int
test_timers(void)
{
	struct ticker t = { .want = 20 };
	lkc_u64 mono, real, tsc, tsc2;

	lkc_timer_init(&t.timer, ticker_fire, &t);
	CHECK(lkc_timer_stop(&t.timer) == 0);
	t.due = lkc_clock_mono_ns() + 5 * MS;
	lkc_timer_start(&t.timer, t.due);
	while (t.ticks < t.want)
		lkc_task_park(MS, 0);
	lkc_timer_drain(&t.timer);
	CHECK(t.ticks == t.want);
	CHECK(t.early == 0);
	CHECK(lkc_timer_stop(&t.timer) == 0);

	lkc_timer_start(&t.timer, lkc_clock_mono_ns() + 10000 * MS);
	CHECK(lkc_timer_stop(&t.timer) == 1);
	lkc_timer_start(&t.timer, ~0ull);	/* never */
	lkc_timer_drain(&t.timer);
	CHECK(t.ticks == t.want);

	lkc_clock_snapshot(&tsc, &mono, &real);
	CHECK(real > mono);
	CHECK(lkc_clock_mono_ns() >= mono);
	lkc_task_park(10 * MS, 0);
	lkc_clock_snapshot(&tsc2, &mono, &real);
	CHECK(tsc2 > tsc && lkc_tsc_khz() != 0);
	return (0);
}

int
test_locks(void)
{
	struct lkc_sx sx;

	lkc_sx_init(&sx, "hosttest");
	CHECK(!lkc_sx_xlocked(&sx));
	lkc_sx_xlock(&sx);
	CHECK(lkc_sx_xlocked(&sx));
	CHECK(!lkc_sx_try_slock(&sx));
	lkc_sx_xunlock(&sx);
	lkc_sx_slock(&sx);
	CHECK(!lkc_sx_xlocked(&sx));
	CHECK(!lkc_sx_try_xlock(&sx));
	lkc_sx_sunlock(&sx);
	CHECK(lkc_sx_xlock_sig(&sx) == 0);
	lkc_sx_xunlock(&sx);
	lkc_critical_enter();
	CHECK(lkc_sx_try_xlock(&sx));
	lkc_critical_exit();
	lkc_sx_xunlock(&sx);
	lkc_sx_destroy(&sx);
	return (0);
}

struct reading {
	unsigned int	*volatile shown;	/* in slots; 0 when taken back */
	unsigned int	slots[2];
	volatile unsigned int stale, seen, ticks, stop;
	struct lkc_timer timer;
};

static void
read_shown(struct reading *r)
{
	unsigned int i;
	unsigned int *p;

	lkc_rcu_enter();
	lkc_rcu_enter();
	p = r->shown;
	lkc_rcu_exit();
	for (i = 0; i < 50; i++)
		if (*(volatile unsigned int *)p == 0)
			r->stale++;
	lkc_rcu_exit();
	r->seen++;
}

/*
 * Threads of the kernel go before the one that waits, which came from user
 * space: on a single processor it runs only while they sleep.
 */
static void
reader_main(void *arg)
{
	struct reading *r = arg;
	unsigned int i;

	for (i = 1; !r->stop; i++) {
		read_shown(r);
		if (i % 100 == 0)
			lkc_task_park(MS, 0);
		else
			lkc_yield();
	}
}

static void
reader_tick(void *arg)
{
	struct reading *r = arg;

	read_shown(r);
	r->ticks++;
	if (!r->stop)
		lkc_timer_start(&r->timer, lkc_clock_mono_ns() + MS / 10);
}

/* Threads and an interrupt never see what was taken back a grace period ago. */
int
test_rcu(void)
{
	struct reading r = { .slots = { 1, 1 } };
	void *task[2];
	unsigned int i, *old;

	r.shown = &r.slots[0];
	lkc_timer_init(&r.timer, reader_tick, &r);
	lkc_timer_start(&r.timer, lkc_clock_mono_ns());
	for (i = 0; i < 2; i++)
		CHECK(lkc_thread_start(reader_main, &r, "reader", &task[i]) == 0);
	for (i = 0; i < 5000 || r.ticks < 10; i++) {
		old = r.shown;
		r.slots[i & 1 ? 0 : 1] = 1;
		r.shown = &r.slots[i & 1 ? 0 : 1];
		lkc_rcu_wait();
		*old = 0;
		if (i % 100 == 0)
			lkc_yield();
	}
	r.stop = 1;
	for (i = 0; i < 2; i++)
		lkc_thread_join(task[i]);
	lkc_timer_drain(&r.timer);
	CHECK(r.seen > 10);
	CHECK(r.stale == 0);
	return (0);
}
