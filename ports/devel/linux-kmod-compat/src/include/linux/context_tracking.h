/* SPDX-License-Identifier: BSD-2-Clause */
/* FreeBSD accounts guest time as system time of the thread. */
#ifndef _LKC_LINUX_CONTEXT_TRACKING_H_
#define	_LKC_LINUX_CONTEXT_TRACKING_H_

#include <linux/types.h>
#include <linux/instrumentation.h>
static __always_inline void vtime_account_guest_enter(void) {}
static __always_inline void vtime_account_guest_exit(void) {}
static __always_inline bool context_tracking_guest_enter(void)
{
	return false;
}
static __always_inline bool context_tracking_guest_exit(void)
{
	return false;
}

#endif
