// SPDX-License-Identifier: BSD-2-Clause
/*
 * Work queues, kthread workers, irq_work and vhost tasks: all are kernel
 * threads that sleep until there is something to do.  One lock for all queues;
 * a work item is queued, running, or neither, and never runs twice at a time.
 */
#include <linux/workqueue.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/sched.h>
#include <linux/sched/vhost_task.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sprintf.h>
#include <linux/jiffies.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

#define MAX_WORKERS	4

struct worker {
	struct workqueue_struct	*wq;
	void			*task;
	struct work_struct	*running;
};

struct workqueue_struct {
	struct list_head	works;
	bool			stop;
	unsigned int		nworkers;
	char			name[24];
	struct worker		workers[MAX_WORKERS];
};

struct workqueue_struct *system_wq, *system_long_wq;

static DEFINE_SPINLOCK(wq_lock);

static bool work_running(struct work_struct *work)
{
	struct workqueue_struct *wq = work->wq;
	unsigned int i;

	for (i = 0; wq && i < wq->nworkers; i++)
		if (wq->workers[i].running == work)
			return true;
	return false;
}

static struct work_struct *next_work(struct workqueue_struct *wq)
{
	struct work_struct *work;

	list_for_each_entry(work, &wq->works, entry)
		if (!work_running(work))
			return work;
	return NULL;
}

static void worker_main(void *arg)
{
	struct worker *worker = arg;
	struct workqueue_struct *wq = worker->wq;
	struct work_struct *work;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&wq_lock, flags);
		work = next_work(wq);
		if (work) {
			list_del_init(&work->entry);
			work->state = LX_WORK_IDLE;
			worker->running = work;
		} else if (wq->stop && list_empty(&wq->works)) {
			spin_unlock_irqrestore(&wq_lock, flags);
			return;
		}
		spin_unlock_irqrestore(&wq_lock, flags);
		if (!work) {
			lkc_task_park(LKC_FOREVER, 0);
			continue;
		}
		work->func(work);	/* may free work */
		spin_lock_irqsave(&wq_lock, flags);
		worker->running = NULL;
		spin_unlock_irqrestore(&wq_lock, flags);
	}
}

static void wake_workers(struct workqueue_struct *wq)
{
	unsigned int i;

	for (i = 0; i < wq->nworkers; i++)
		if (wq->workers[i].task && !wq->workers[i].running)
			lkc_task_unpark(wq->workers[i].task);
}

static void stop_workers(struct workqueue_struct *wq)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&wq_lock, flags);
	wq->stop = true;
	spin_unlock_irqrestore(&wq_lock, flags);
	lx_block_begin();
	for (i = 0; i < wq->nworkers; i++) {
		if (!wq->workers[i].task)
			continue;
		lkc_task_unpark(wq->workers[i].task);
		lkc_thread_join(wq->workers[i].task);
	}
	lx_block_end();
}

static struct workqueue_struct *wq_create(const char *name, unsigned int nworkers)
{
	struct workqueue_struct *wq = kzalloc(sizeof(*wq), GFP_KERNEL);
	unsigned int i;

	if (!wq)
		return NULL;
	INIT_LIST_HEAD(&wq->works);
	wq->nworkers = nworkers;
	strscpy(wq->name, name, sizeof(wq->name));
	for (i = 0; i < nworkers; i++) {
		wq->workers[i].wq = wq;
		if (LX_BLOCKING(lkc_thread_start(worker_main, &wq->workers[i], wq->name,
		    &wq->workers[i].task))) {
			stop_workers(wq);
			kfree(wq);
			return NULL;
		}
	}
	return wq;
}

struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags,
    int max_active, ...)
{
	char name[24];
	va_list ap;

	va_start(ap, max_active);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return wq_create(name, 1);
}

/* What is queued is done first. */
void destroy_workqueue(struct workqueue_struct *wq)
{
	stop_workers(wq);
	kfree(wq);
}

static void insert_work(struct workqueue_struct *wq, struct work_struct *work)
{
	work->state = LX_WORK_QUEUED;
	work->wq = wq;
	list_add_tail(&work->entry, &wq->works);
	wake_workers(wq);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	unsigned long flags;
	bool queued = false;

	spin_lock_irqsave(&wq_lock, flags);
	if (work->state == LX_WORK_IDLE) {
		insert_work(wq, work);
		queued = true;
	}
	spin_unlock_irqrestore(&wq_lock, flags);
	return queued;
}

static void delayed_work_expired(void *arg)
{
	struct work_struct *work = &((struct delayed_work *)arg)->work;
	unsigned long flags;

	spin_lock_irqsave(&wq_lock, flags);
	if (work->state == LX_WORK_DELAYED)
		insert_work(work->wq, work);
	spin_unlock_irqrestore(&wq_lock, flags);
}

void lx_delayed_work_init(struct delayed_work *dwork, work_func_t func)
{
	INIT_WORK(&dwork->work, func);
	lkc_timer_init(&dwork->timer, delayed_work_expired, dwork);
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork,
    unsigned long delay)
{
	unsigned long flags;
	bool queued = false;

	if (!delay)
		return queue_work(wq, &dwork->work);
	spin_lock_irqsave(&wq_lock, flags);
	if (dwork->work.state == LX_WORK_IDLE) {
		dwork->work.state = LX_WORK_DELAYED;
		dwork->work.wq = wq;
		lkc_timer_start(&dwork->timer,
		    lkc_clock_mono_ns() + (u64)delay * (NSEC_PER_SEC / HZ));
		queued = true;
	}
	spin_unlock_irqrestore(&wq_lock, flags);
	return queued;
}

/* Wait until work is not running (and not queued, if that counts). */
static bool wait_work(struct work_struct *work, bool queued)
{
	unsigned long flags;
	bool busy, waited = false;

	for (;;) {
		spin_lock_irqsave(&wq_lock, flags);
		busy = work_running(work) || (queued && work->state == LX_WORK_QUEUED);
		spin_unlock_irqrestore(&wq_lock, flags);
		if (!busy)
			return waited;
		waited = true;
		LX_BLOCKING_VOID(lkc_task_park(1000 * 1000, 0));
	}
}

bool flush_work(struct work_struct *work)
{
	return wait_work(work, true);
}

void flush_workqueue(struct workqueue_struct *wq)
{
	unsigned long flags;
	unsigned int i;
	bool busy;

	for (;;) {
		spin_lock_irqsave(&wq_lock, flags);
		busy = !list_empty(&wq->works);
		for (i = 0; i < wq->nworkers; i++)
			busy |= wq->workers[i].running != NULL;
		spin_unlock_irqrestore(&wq_lock, flags);
		if (!busy)
			return;
		LX_BLOCKING_VOID(lkc_task_park(1000 * 1000, 0));
	}
}

static bool take_back(struct work_struct *work)
{
	unsigned long flags;
	bool pending;

	spin_lock_irqsave(&wq_lock, flags);
	pending = work->state != LX_WORK_IDLE;
	if (work->state == LX_WORK_QUEUED)
		list_del_init(&work->entry);
	work->state = LX_WORK_IDLE;
	spin_unlock_irqrestore(&wq_lock, flags);
	return pending;
}

bool cancel_work_sync(struct work_struct *work)
{
	bool pending = take_back(work);

	wait_work(work, false);
	return pending;
}

bool cancel_delayed_work_sync(struct delayed_work *dwork)
{
	bool pending;

	/* Work that queues itself again is caught by the second round. */
	pending = take_back(&dwork->work);
	LX_BLOCKING_VOID(lkc_timer_drain(&dwork->timer));
	wait_work(&dwork->work, false);
	pending |= take_back(&dwork->work);
	LX_BLOCKING_VOID(lkc_timer_drain(&dwork->timer));
	wait_work(&dwork->work, false);
	return pending;
}

int lx_workqueue_init(void)
{
	/* Items of the system queue may wait for each other: several threads. */
	system_wq = wq_create("lkc events", MAX_WORKERS);
	system_long_wq = wq_create("lkc long", 1);
	if (system_wq && system_long_wq)
		return 0;
	lx_workqueue_exit();
	return -ENOMEM;
}

void lx_workqueue_exit(void)
{
	if (system_wq)
		destroy_workqueue(system_wq);
	if (system_long_wq)
		destroy_workqueue(system_long_wq);
	system_wq = system_long_wq = NULL;
}

/* --- irq_work ----------------------------------------------------------- */

void lx_irq_work_fn(struct work_struct *work)
{
	struct irq_work *irqw = container_of(work, struct irq_work, work);

	irqw->func(irqw);
}

bool irq_work_queue(struct irq_work *irqw)
{
	return queue_work(system_wq, &irqw->work);
}

void irq_work_sync(struct irq_work *irqw)
{
	flush_work(&irqw->work);
}

/* --- kthread workers ---------------------------------------------------- */

void lx_kthread_work_fn(struct work_struct *work)
{
	struct kthread_work *kwork = container_of(work, struct kthread_work, work);

	kwork->func(kwork);
}

struct kthread_worker *kthread_create_worker(unsigned int flags, const char *namefmt, ...)
{
	struct kthread_worker *worker;
	char name[24];
	va_list ap;

	va_start(ap, namefmt);
	vsnprintf(name, sizeof(name), namefmt, ap);
	va_end(ap);
	worker = kzalloc(sizeof(*worker), GFP_KERNEL);
	if (!worker)
		return ERR_PTR(-ENOMEM);
	worker->wq = wq_create(name, 1);
	if (!worker->wq) {
		kfree(worker);
		return ERR_PTR(-ENOMEM);
	}
	return worker;
}

void kthread_destroy_worker(struct kthread_worker *worker)
{
	destroy_workqueue(worker->wq);
	kfree(worker);
}

bool kthread_queue_work(struct kthread_worker *worker, struct kthread_work *work)
{
	return queue_work(worker->wq, &work->work);
}

void kthread_flush_work(struct kthread_work *work)
{
	flush_work(&work->work);
}

/* --- vhost tasks -------------------------------------------------------- */

struct vhost_task {
	bool			(*fn)(void *);
	void			*arg;
	void			*task;
	bool			started, stop;
};

/*
 * The work is done in the state TASK_INTERRUPTIBLE, as on Linux: what it does to
 * wait returns at once in any other.  A wake-up in between resets the state.
 */
static void vhost_task_main(void *arg)
{
	struct vhost_task *vtsk = arg;

	while (!READ_ONCE(vtsk->started) && !READ_ONCE(vtsk->stop))
		lkc_task_park(LKC_FOREVER, 0);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (READ_ONCE(vtsk->stop))
			break;
		if (!vtsk->fn(vtsk->arg))
			schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* A thread of the kernel gets no fatal signal: handle_kill is never needed. */
struct vhost_task *vhost_task_create(bool (*fn)(void *), void (*handle_kill)(void *),
    void *arg, const char *name)
{
	struct vhost_task *vtsk = kzalloc(sizeof(*vtsk), GFP_KERNEL);
	int err;

	if (!vtsk)
		return ERR_PTR(-ENOMEM);
	vtsk->fn = fn;
	vtsk->arg = arg;
	err = LX_BLOCKING(lkc_thread_start(vhost_task_main, vtsk, name, &vtsk->task));
	if (err) {
		kfree(vtsk);
		return ERR_PTR(err);
	}
	return vtsk;
}

void vhost_task_start(struct vhost_task *vtsk)
{
	WRITE_ONCE(vtsk->started, true);
	lkc_task_unpark(vtsk->task);
}

void vhost_task_wake(struct vhost_task *vtsk)
{
	wake_up_process(vtsk->task);
}

void vhost_task_stop(struct vhost_task *vtsk)
{
	WRITE_ONCE(vtsk->stop, true);
	wake_up_process(vtsk->task);
	lkc_task_unpark(vtsk->task);	/* if it was never started */
	LX_BLOCKING_VOID(lkc_thread_join(vtsk->task));
	kfree(vtsk);
}
