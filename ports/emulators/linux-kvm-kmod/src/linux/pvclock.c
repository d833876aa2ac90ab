// SPDX-License-Identifier: BSD-2-Clause
/*
 * The host's clock as a function of the TSC, for guests that read it without
 * an exit.  FreeBSD steers its clock when it likes to; a sample twice a second
 * follows it closely.
 */
#define pr_fmt(fmt)	KBUILD_MODNAME ": " fmt

#include <linux/pvclock_gtod.h>
#include <linux/timekeeper_internal.h>
#include <linux/workqueue.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/time64.h>
#include <linux/mutex.h>
#include <asm/tsc.h>
#include "lkc_bridge.h"
#include "kvm_glue.h"

static struct notifier_block *listener;
static DEFINE_MUTEX(listener_lock);

/*
 * ns = cycles * mult >> shift.  mult < 2^30 leaves room for 2^34 cycles, 4 to
 * 16 s, in 64 bits: far more than between two samples.
 */
static void set_scale(struct tk_read_base *base)
{
	u32 shift = 32;
	u64 mult;

	do {
		shift--;
		mult = div_u64((u64)NSEC_PER_MSEC << shift, tsc_khz);
	} while (mult >> 30);
	base->mult = mult;
	base->shift = shift;
	base->mask = ~0ULL;
}

static void sample(struct timekeeper *tk, struct clocksource *clock)
{
	lkc_u64 tsc, mono, real;
	u64 frac;

	clock->vdso_clock_mode = lkc_clock_is_tsc() ?
	    VDSO_CLOCKMODE_TSC : VDSO_CLOCKMODE_NONE;
	lkc_clock_snapshot(&tsc, &mono, &real);
	/* As in Linux: the part of a second is real time's, base adjusts. */
	tk->xtime_sec = div64_u64_rem(real, NSEC_PER_SEC, &frac);
	tk->tkr_mono.clock = clock;
	tk->tkr_mono.cycle_last = tsc;
	tk->tkr_mono.base = mono - frac;
	tk->tkr_mono.xtime_nsec = frac << tk->tkr_mono.shift;
	tk->tkr_raw = tk->tkr_mono;
	tk->offs_boot = 0;	/* the clock runs on while suspended */
}

static void notify(void)
{
	struct clocksource clock;
	struct timekeeper tk = { };

	set_scale(&tk.tkr_mono);
	sample(&tk, &clock);
	listener->notifier_call(listener, 0, &tk);
}

static struct delayed_work tick;

static void tick_fn(struct work_struct *work)
{
	mutex_lock(&listener_lock);
	if (listener) {
		notify();
		queue_delayed_work(system_wq, &tick, HZ / 2);
	}
	mutex_unlock(&listener_lock);
}

int pvclock_gtod_register_notifier(struct notifier_block *nb)
{
	mutex_lock(&listener_lock);
	listener = nb;
	notify();
	mutex_unlock(&listener_lock);
	queue_delayed_work(system_wq, &tick, HZ / 2);
	return 0;
}

int pvclock_gtod_unregister_notifier(struct notifier_block *nb)
{
	mutex_lock(&listener_lock);
	listener = NULL;
	mutex_unlock(&listener_lock);
	cancel_delayed_work_sync(&tick);
	return 0;
}

int pvclock_start(void)
{
	if (!tsc_khz) {
		pr_err("the frequency of the TSC is not known\n");
		return -ENODEV;
	}
	INIT_DELAYED_WORK(&tick, tick_fn);
	return 0;
}

void pvclock_stop(void)
{
	cancel_delayed_work_sync(&tick);
}
