/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's clock as KVM copies it for guests; filled by pvclock.c. */
#ifndef _LKC_LINUX_TIMEKEEPER_INTERNAL_H_
#define	_LKC_LINUX_TIMEKEEPER_INTERNAL_H_

#include <linux/clocksource.h>
struct tk_read_base {
	struct clocksource *clock;
	u64	mask;
	u64	cycle_last;
	u32	mult;
	u32	shift;
	u64	xtime_nsec;
	ktime_t	base;
};
struct timekeeper {
	struct tk_read_base tkr_mono;
	struct tk_read_base tkr_raw;
	u64	xtime_sec;
	ktime_t	offs_boot;
};

#endif
