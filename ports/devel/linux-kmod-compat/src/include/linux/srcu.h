/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters per CPU; readers may sleep and stay in across guest entry (srcu.c). */
#ifndef _LINUX_SRCU_H
#define	_LINUX_SRCU_H

#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/percpu-defs.h>
#include <linux/cleanup.h>
#include <linux/llist.h>
#include <linux/workqueue.h>
struct lx_srcu_cpu;
struct srcu_struct {
	unsigned int	idx;			/* of new readers: low bit */
	struct lx_srcu_cpu *cpus;
	struct mutex	mutex;			/* one grace period at a time */
	struct llist_head callbacks;		/* of call_srcu(), newest first */
	struct work_struct work;		/* that runs them */
};
int init_srcu_struct(struct srcu_struct *ssp);
void cleanup_srcu_struct(struct srcu_struct *ssp);
int srcu_read_lock(struct srcu_struct *ssp);
void srcu_read_unlock(struct srcu_struct *ssp, int idx);
void synchronize_srcu(struct srcu_struct *ssp);
void lx_srcu_call_init(struct srcu_struct *ssp);
void call_srcu(struct srcu_struct *ssp, struct rcu_head *head, rcu_callback_t func);
void srcu_barrier(struct srcu_struct *ssp);
#define synchronize_srcu_expedited(ssp)	synchronize_srcu(ssp)
#define srcu_read_lock_held(ssp)	1
#define srcu_dereference_check(p, ssp, c) rcu_dereference_check(p, c)
#define srcu_dereference(p, ssp)	rcu_dereference(p)
#define smp_mb__after_srcu_read_unlock() do {} while (0)
#define smp_mb__after_srcu_read_lock()	do {} while (0)
DEFINE_LOCK_GUARD_1(srcu, struct srcu_struct, _T->idx = srcu_read_lock(_T->lock),
    srcu_read_unlock(_T->lock, _T->idx), int idx)

#endif
