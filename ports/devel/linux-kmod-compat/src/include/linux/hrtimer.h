/* SPDX-License-Identifier: BSD-2-Clause */
/* hrtimers are callouts that run in the timer interrupt, see timer.c. */
#ifndef _LINUX_HRTIMER_H
#define	_LINUX_HRTIMER_H

#include <linux/types.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/percpu-defs.h>
#include "lkc_bridge.h"

enum hrtimer_restart {
	HRTIMER_NORESTART,
	HRTIMER_RESTART,
};
enum hrtimer_mode {
	HRTIMER_MODE_ABS	= 0x00,
	HRTIMER_MODE_REL	= 0x01,
	HRTIMER_MODE_PINNED	= 0x02,
	HRTIMER_MODE_SOFT	= 0x04,
	HRTIMER_MODE_HARD	= 0x08,
	HRTIMER_MODE_ABS_PINNED	= HRTIMER_MODE_ABS | HRTIMER_MODE_PINNED,
	HRTIMER_MODE_REL_PINNED	= HRTIMER_MODE_REL | HRTIMER_MODE_PINNED,
	HRTIMER_MODE_ABS_HARD	= HRTIMER_MODE_ABS | HRTIMER_MODE_HARD,
	HRTIMER_MODE_REL_HARD	= HRTIMER_MODE_REL | HRTIMER_MODE_HARD,
	HRTIMER_MODE_ABS_PINNED_HARD = HRTIMER_MODE_ABS_PINNED | HRTIMER_MODE_HARD,
};
struct hrtimer {
	struct {
		ktime_t	expires;		/* CLOCK_MONOTONIC */
	} node;
	enum hrtimer_restart (*function)(struct hrtimer *);
	bool		lx_started;		/* and not yet fired or cancelled */
	ktime_t		lx_turn;		/* of one that is late again, or 0 */
	struct lkc_timer lx_timer;
};
void hrtimer_init(struct hrtimer *timer, clockid_t clock, enum hrtimer_mode mode);
static inline void hrtimer_setup(struct hrtimer *timer,
    enum hrtimer_restart (*function)(struct hrtimer *), clockid_t clock,
    enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
void hrtimer_start(struct hrtimer *timer, ktime_t time, const enum hrtimer_mode mode);
int hrtimer_cancel(struct hrtimer *timer);
int hrtimer_try_to_cancel(struct hrtimer *timer);
ktime_t hrtimer_get_remaining(const struct hrtimer *timer);
static inline ktime_t hrtimer_get_expires(const struct hrtimer *timer)
{
	return timer->node.expires;
}
static inline void hrtimer_set_expires(struct hrtimer *timer, ktime_t time)
{
	timer->node.expires = time;
}
static inline void hrtimer_add_expires_ns(struct hrtimer *timer, u64 ns)
{
	timer->node.expires = ktime_add_ns(timer->node.expires, ns);
}
static inline void hrtimer_start_expires(struct hrtimer *timer, enum hrtimer_mode mode)
{
	hrtimer_start(timer, timer->node.expires, mode & ~HRTIMER_MODE_REL);
}

#endif
