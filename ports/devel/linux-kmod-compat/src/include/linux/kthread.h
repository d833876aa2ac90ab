/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker is a work queue with one thread. */
#ifndef _LKC_LINUX_KTHREAD_H_
#define	_LKC_LINUX_KTHREAD_H_

#include <linux/err.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
struct kthread_work;
typedef void (*kthread_work_func_t)(struct kthread_work *);
struct kthread_work {
	kthread_work_func_t	func;
	struct work_struct	work;
};
struct kthread_worker {
	struct workqueue_struct	*wq;
};
void lx_kthread_work_fn(struct work_struct *work);
static inline void kthread_init_work(struct kthread_work *work, kthread_work_func_t fn)
{
	work->func = fn;
	INIT_WORK(&work->work, lx_kthread_work_fn);
}
__printf(2, 3) struct kthread_worker *kthread_create_worker(unsigned int flags,
    const char *namefmt, ...);
/* A worker's thread runs from the start. */
#define kthread_run_worker(flags, namefmt...) kthread_create_worker(flags, namefmt)
void kthread_destroy_worker(struct kthread_worker *worker);
bool kthread_queue_work(struct kthread_worker *worker, struct kthread_work *work);
void kthread_flush_work(struct kthread_work *work);

#endif
