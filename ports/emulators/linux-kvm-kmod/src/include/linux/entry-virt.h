/* SPDX-License-Identifier: BSD-2-Clause */
/* What must be done before a thread enters the guest: FreeBSD's AST and reschedule. */
#ifndef _LKC_LINUX_ENTRY_VIRT_H_
#define	_LKC_LINUX_ENTRY_VIRT_H_

#include <linux/types.h>

/* 0, or -EINTR for a signal. */
int lx_guest_work(void);
bool lx_guest_work_pending(void);
#define xfer_to_guest_mode_handle_work()	lx_guest_work()
static inline void xfer_to_guest_mode_prepare(void) {}
static inline bool __xfer_to_guest_mode_work_pending(void)
{
	return lx_guest_work_pending();
}
static inline bool xfer_to_guest_mode_work_pending(void)
{
	return lx_guest_work_pending();
}

#endif
