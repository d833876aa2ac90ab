/* SPDX-License-Identifier: BSD-2-Clause */
/* Test-and-set locks with preemption disabled.  rwlock_t likewise: as in Linux,
 * holders neither block nor are preempted, so that spinning is right. */
#ifndef __LINUX_SPINLOCK_TYPES_H
#define	__LINUX_SPINLOCK_TYPES_H

#include <linux/types.h>
#include <linux/lockdep_types.h>
typedef struct raw_spinlock {
	u32	locked;
} raw_spinlock_t;
typedef struct spinlock {
	union {
		struct raw_spinlock rlock;
		u32	locked;
	};
} spinlock_t;
/* count: readers, or -1 for a writer; waiters: writers that want it. */
typedef struct {
	s32	count;
	u32	waiters;
} rwlock_t;
#define __RAW_SPIN_LOCK_UNLOCKED(name)	{ 0 }
#define __SPIN_LOCK_UNLOCKED(name)	{ { .locked = 0 } }
#define DEFINE_SPINLOCK(name)		spinlock_t name = __SPIN_LOCK_UNLOCKED(name)
#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name = __RAW_SPIN_LOCK_UNLOCKED(name)

#endif
