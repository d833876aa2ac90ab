/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues served by kernel threads, see workqueue.c. */
#ifndef _LINUX_WORKQUEUE_H
#define	_LINUX_WORKQUEUE_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/workqueue_types.h>
#include "lkc_bridge.h"
struct workqueue_struct;
enum lx_work_state {
	LX_WORK_IDLE,
	LX_WORK_DELAYED,
	LX_WORK_QUEUED,
};
struct work_struct {
	work_func_t		func;
	struct list_head	entry;
	struct workqueue_struct	*wq;	/* last queued on */
	enum lx_work_state	state;	/* under the lock of all queues */
};
struct delayed_work {
	struct work_struct	work;
	struct lkc_timer	timer;
};
#define __WORK_INITIALIZER(n, f) {					\
	.func = (f), .entry = LIST_HEAD_INIT((n).entry),		\
}
#define INIT_WORK(w, f) do {						\
	(w)->func = (f);						\
	INIT_LIST_HEAD(&(w)->entry);					\
	(w)->wq = NULL;							\
	(w)->state = LX_WORK_IDLE;					\
} while (0)
void lx_delayed_work_init(struct delayed_work *dwork, work_func_t func);
#define INIT_DELAYED_WORK(dwork, func)	lx_delayed_work_init(dwork, func)
#define DECLARE_WORK(n, f)		struct work_struct n = __WORK_INITIALIZER(n, f)
static inline struct delayed_work *to_delayed_work(struct work_struct *work)
{
	return container_of(work, struct delayed_work, work);
}
#define WQ_UNBOUND	(1 << 1)
#define WQ_PERCPU	0
struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags,
    int max_active, ...);
void destroy_workqueue(struct workqueue_struct *wq);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork,
    unsigned long delay);
bool flush_work(struct work_struct *work);
void flush_workqueue(struct workqueue_struct *wq);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work_sync(struct delayed_work *dwork);
extern struct workqueue_struct *system_wq, *system_long_wq;
static inline bool schedule_work(struct work_struct *work)
{
	return queue_work(system_wq, work);
}
static inline bool schedule_delayed_work(struct delayed_work *dwork, unsigned long delay)
{
	return queue_delayed_work(system_wq, dwork, delay);
}

#endif
