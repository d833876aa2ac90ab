// SPDX-License-Identifier: BSD-2-Clause
/* Clocks, delays and high-resolution timers. */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/jiffies.h>
#include <linux/timekeeping.h>
#include <asm/delay.h>
#include <linux/math64.h>
#include <asm/tsc.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

unsigned int tsc_khz;
static bool tsc_unstable;

void lx_time_init(void)
{
	tsc_khz = lkc_tsc_khz();
}

unsigned long lx_jiffies(void)
{
	return div_u64(lkc_clock_mono_ns(), NSEC_PER_SEC / HZ);
}

unsigned long __msecs_to_jiffies(const unsigned int msecs)
{
	return (int)msecs < 0 ? MAX_JIFFY_OFFSET : DIV_ROUND_UP_ULL((u64)msecs * HZ, 1000);
}

ktime_t ktime_get(void)
{
	return lkc_clock_mono_ns();
}

/* FreeBSD has no clock that is free of NTP's frequency correction. */
ktime_t ktime_get_raw(void)
{
	return lkc_clock_mono_ns();
}

ktime_t ktime_get_with_offset(enum tk_offsets offs)
{
	return offs == TK_OFFS_BOOT ? lkc_clock_mono_ns() : lkc_clock_real_ns();
}

/* loops are TSC cycles, as with Linux's delay_tsc(). */
void __delay(unsigned long loops)
{
	u64 start = rdtsc_ordered();

	while (rdtsc_ordered() - start < loops)
		cpu_relax();
}

void __ndelay(unsigned long nsecs)
{
	__delay(mul_u64_u32_div(nsecs, tsc_khz, 1000 * 1000) + 1);
}

int check_tsc_unstable(void)
{
	return tsc_unstable || !lkc_clock_is_tsc();
}

void mark_tsc_unstable(char *reason)
{
	if (!tsc_unstable)
		pr_warn("TSC is not usable as a guest clock: %s\n", reason);
	tsc_unstable = true;
}

/* --- hrtimers ----------------------------------------------------------- */

static void start(struct hrtimer *timer)
{
	ktime_t time = max(timer->node.expires, timer->lx_turn);

	WRITE_ONCE(timer->lx_started, true);
	lkc_timer_start(&timer->lx_timer, time < 0 ? 0 : time);
}

/*
 * Periodic timers that are late expire again at once, and enough of them leave
 * the processor to nobody else.  So those of a processor take turns, which are
 * further apart as long as they come late, too.  Linux makes pauses instead, in
 * hrtimer_interrupt().
 */
#define SHORTEST_GAP	(100 * NSEC_PER_USEC)
#define LONGEST_GAP	(2 * NSEC_PER_MSEC)
#define LONGEST_WAIT	(100 * NSEC_PER_MSEC)

struct turns {
	ktime_t	last;
	ktime_t	gap;
};
static DEFINE_PER_CPU(struct turns, turns);

static ktime_t next_turn(struct hrtimer *timer, ktime_t now)
{
	struct turns *t = this_cpu_ptr(&turns);
	bool late = timer->lx_turn && now > timer->lx_turn + t->gap;

	t->gap = clamp(late ? 2 * t->gap : t->gap / 2, SHORTEST_GAP, LONGEST_GAP);
	t->last = min(max(t->last, now) + t->gap, now + LONGEST_WAIT);
	return t->last;
}

static void hrtimer_expired(void *arg)
{
	struct hrtimer *timer = arg;
	ktime_t now;

	WRITE_ONCE(timer->lx_started, false);
	if (timer->function(timer) != HRTIMER_RESTART)
		return;
	now = lkc_clock_mono_ns();
	timer->lx_turn = timer->node.expires > now ? 0 : next_turn(timer, now);
	start(timer);
}

void hrtimer_init(struct hrtimer *timer, clockid_t clock, enum hrtimer_mode mode)
{
	timer->node.expires = 0;
	timer->lx_started = false;
	timer->lx_turn = 0;
	lkc_timer_init(&timer->lx_timer, hrtimer_expired, timer);
}

void hrtimer_start(struct hrtimer *timer, ktime_t time, const enum hrtimer_mode mode)
{
	if (mode & HRTIMER_MODE_REL)
		time = ktime_add_safe(time, lkc_clock_mono_ns());
	timer->node.expires = time;
	timer->lx_turn = 0;
	start(timer);
}

/*
 * A stop that finds the callback running also drops the start that the callback
 * has just made.  On Linux it stays.
 */
int hrtimer_try_to_cancel(struct hrtimer *timer)
{
	int ret = lkc_timer_stop(&timer->lx_timer);

	if (ret >= 0)
		WRITE_ONCE(timer->lx_started, false);
	else if (READ_ONCE(timer->lx_started))
		start(timer);
	return ret;
}

/*
 * The callback is short and runs in an interrupt of another CPU: spin.  What it
 * has started last is cancelled with it, and counts: KVM starts a timer again
 * that was active, to have it on another CPU.
 */
int hrtimer_cancel(struct hrtimer *timer)
{
	int ret;

	while ((ret = lkc_timer_stop(&timer->lx_timer)) < 0)
		cpu_relax();
	ret |= READ_ONCE(timer->lx_started);
	WRITE_ONCE(timer->lx_started, false);
	return ret;
}

ktime_t hrtimer_get_remaining(const struct hrtimer *timer)
{
	return ktime_sub(timer->node.expires, lkc_clock_mono_ns());
}

ktime_t ktime_add_safe(const ktime_t lhs, const ktime_t rhs)
{
	ktime_t sum;

	return check_add_overflow(lhs, rhs, &sum) ? KTIME_MAX : sum;
}
