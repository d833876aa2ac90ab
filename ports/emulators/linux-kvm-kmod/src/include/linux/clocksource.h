/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM asks only whether the host's clock is the TSC. */
#ifndef _LKC_LINUX_CLOCKSOURCE_H_
#define	_LKC_LINUX_CLOCKSOURCE_H_

#include <linux/types.h>
#include <linux/time64.h>
#include <linux/ktime.h>
enum vdso_clock_mode {
	VDSO_CLOCKMODE_NONE,
	VDSO_CLOCKMODE_TSC,
	VDSO_CLOCKMODE_PVCLOCK,
	VDSO_CLOCKMODE_HVCLOCK,
};
struct clocksource {
	enum vdso_clock_mode vdso_clock_mode;
};

#endif
