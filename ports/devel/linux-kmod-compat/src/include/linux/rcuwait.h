/* SPDX-License-Identifier: BSD-2-Clause */
/* One sleeping task, woken through its block. */
#ifndef _LKC_LINUX_RCUWAIT_H_
#define	_LKC_LINUX_RCUWAIT_H_

#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#if LX_RELEASE < 702	/* in linux/types.h */
struct rcuwait {
	struct task_struct __rcu *task;
};
#endif
static inline void rcuwait_init(struct rcuwait *w)
{
	w->task = NULL;
}
static inline int rcuwait_active(struct rcuwait *w)
{
	return !!rcu_access_pointer(w->task);
}
static inline void prepare_to_rcuwait(struct rcuwait *w)
{
	rcu_assign_pointer(w->task, current);
}
int rcuwait_wake_up(struct rcuwait *w);
void finish_rcuwait(struct rcuwait *w);

#endif
