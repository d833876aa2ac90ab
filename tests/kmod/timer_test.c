/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * hrtimers on a callout that does what callout(9) does: a stop that finds the
 * function running drops also what is pending, and says only that it runs.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include <linux/hrtimer.h>

#define	ROUNDS	50
#define	PERIOD	20000		/* ns */

#include "check.h"

/* --- the host ------------------------------------------------------------ */

struct callout {
	void	(*fn)(void *);
	void	*arg;
	u64	due;
	bool	pending, running;
};
_Static_assert(sizeof(struct callout) <= sizeof(struct lkc_timer), "size");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct callout *wheel;		/* the only one */
static unsigned long stops;
static bool meet;

/* Callbacks, and the code around them, last until somebody tries to stop them. */
static void
linger(void)
{
	unsigned long before = __atomic_load_n(&stops, __ATOMIC_SEQ_CST);

	while (__atomic_load_n(&meet, __ATOMIC_SEQ_CST) &&
	    __atomic_load_n(&stops, __ATOMIC_SEQ_CST) == before)
		sched_yield();
}

lkc_u64
lkc_clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((u64)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec);
}

lkc_u64 lkc_clock_real_ns(void) { return (lkc_clock_mono_ns() + 7); }
lkc_u64 lkc_tsc_khz(void) { return (1000000); }
int lkc_clock_is_tsc(void) { return (1); }

void
lkc_timer_init(struct lkc_timer *t, void (*fn)(void *), void *arg)
{

	pthread_mutex_lock(&lock);
	wheel = (struct callout *)t;
	*wheel = (struct callout){ .fn = fn, .arg = arg };
	pthread_mutex_unlock(&lock);
}

void
lkc_timer_start(struct lkc_timer *t, lkc_u64 due)
{

	pthread_mutex_lock(&lock);
	CHECK((struct callout *)t == wheel);
	wheel->due = due;
	wheel->pending = true;
	pthread_mutex_unlock(&lock);
}

int
lkc_timer_stop(struct lkc_timer *t)
{
	int ret;

	pthread_mutex_lock(&lock);
	ret = wheel->running ? -1 : wheel->pending;
	wheel->pending = false;
	__atomic_add_fetch(&stops, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&lock);
	return (ret);
}

static void
nap(void)
{
	struct timespec ts = { .tv_nsec = 50000 };

	nanosleep(&ts, NULL);
}

static void *
interrupts(void *arg)
{

	(void)arg;
	for (;;) {
		pthread_mutex_lock(&lock);
		if (wheel->pending && lkc_clock_mono_ns() >= wheel->due) {
			wheel->pending = false;
			wheel->running = true;
			pthread_mutex_unlock(&lock);
			wheel->fn(wheel->arg);
			linger();
			pthread_mutex_lock(&lock);
			wheel->running = false;
		}
		pthread_mutex_unlock(&lock);
		nap();
	}
	return (NULL);
}

/* --- timers -------------------------------------------------------------- */

static bool entered, hold;

static enum hrtimer_restart
tick(struct hrtimer *timer)
{

	__atomic_store_n(&entered, true, __ATOMIC_SEQ_CST);
	linger();
	hrtimer_set_expires(timer, lkc_clock_mono_ns() + PERIOD);
	return (HRTIMER_RESTART);
}

static void
await_callback(void)
{

	while (!__atomic_exchange_n(&entered, false, __ATOMIC_SEQ_CST))
		sched_yield();
}

static enum hrtimer_restart
once(struct hrtimer *timer)
{

	(void)timer;
	__atomic_store_n(&entered, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&hold, __ATOMIC_SEQ_CST))
		nap();
	__atomic_store_n(&entered, false, __ATOMIC_SEQ_CST);
	return (HRTIMER_NORESTART);
}

/* As __kvm_migrate_apic_timer(): what was active is active afterwards. */
static void
migrated(struct hrtimer *timer)
{
	int i;

	hrtimer_setup(timer, tick, 0, HRTIMER_MODE_ABS);
	CHECK(hrtimer_cancel(timer) == 0);
	hrtimer_start(timer, lkc_clock_mono_ns() + PERIOD, HRTIMER_MODE_ABS);
	meet = true;
	for (i = 0; i < ROUNDS; i++) {
		await_callback();
		CHECK(hrtimer_cancel(timer) == 1);
		hrtimer_start_expires(timer, HRTIMER_MODE_ABS);
	}
	for (i = 0; i < ROUNDS; i++) {
		await_callback();
		while (!__atomic_load_n(&entered, __ATOMIC_SEQ_CST))
			if (hrtimer_try_to_cancel(timer) == 1)
				hrtimer_start_expires(timer, HRTIMER_MODE_ABS);
	}
	__atomic_store_n(&meet, false, __ATOMIC_SEQ_CST);
	CHECK(hrtimer_cancel(timer) == 1);
	CHECK(hrtimer_cancel(timer) == 0);
	__atomic_store_n(&entered, false, __ATOMIC_SEQ_CST);
	nap();
	CHECK(!__atomic_load_n(&entered, __ATOMIC_SEQ_CST));
}

static void
one_shot(struct hrtimer *timer)
{

	hrtimer_setup(timer, once, 0, HRTIMER_MODE_REL);
	hrtimer_start(timer, 3600 * NSEC_PER_SEC, HRTIMER_MODE_REL);
	CHECK(hrtimer_get_remaining(timer) > 3599 * NSEC_PER_SEC);
	CHECK(hrtimer_try_to_cancel(timer) == 1);
	CHECK(hrtimer_try_to_cancel(timer) == 0);
	hold = true;
	hrtimer_start(timer, -1, HRTIMER_MODE_ABS);	/* long ago */
	while (!__atomic_load_n(&entered, __ATOMIC_SEQ_CST))
		nap();
	CHECK(hrtimer_try_to_cancel(timer) == -1);
	__atomic_store_n(&hold, false, __ATOMIC_SEQ_CST);
	/* It waits for the function, which has fired and not started again. */
	CHECK(hrtimer_cancel(timer) == 0);
	CHECK(!__atomic_load_n(&entered, __ATOMIC_SEQ_CST));
}

static void
arithmetic(void)
{
	unsigned long tsc;

	lx_time_init();
	CHECK(tsc_khz == 1000000);
	CHECK(ktime_add_safe(KTIME_MAX - 1, 1) == KTIME_MAX);
	CHECK(ktime_add_safe(KTIME_MAX, 1) == KTIME_MAX);
	CHECK(ktime_add_safe(-5, 3) == -2);
	CHECK(__msecs_to_jiffies(0) == 0 && __msecs_to_jiffies(1) == 1);
	CHECK(__msecs_to_jiffies(INT_MAX) == INT_MAX);
	CHECK(__msecs_to_jiffies(-1u) == MAX_JIFFY_OFFSET);
	CHECK(ktime_get_with_offset(TK_OFFS_REAL) >= ktime_get() + 7);
	tsc = rdtsc_ordered();
	__ndelay(1000);
	CHECK(rdtsc_ordered() - tsc >= 1000);
	CHECK(!check_tsc_unstable());
	mark_tsc_unstable("a test");
	CHECK(check_tsc_unstable());
}

int
main(void)
{
	static struct hrtimer timer;
	pthread_t thread;

	hrtimer_setup(&timer, once, 0, HRTIMER_MODE_ABS);
	CHECK(pthread_create(&thread, NULL, interrupts, NULL) == 0);
	migrated(&timer);
	one_shot(&timer);
	arithmetic();
	return (0);
}
