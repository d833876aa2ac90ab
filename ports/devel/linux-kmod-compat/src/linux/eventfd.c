// SPDX-License-Identifier: BSD-2-Clause
/*
 * Linux's in-kernel eventfd interface on top of FreeBSD's eventfd(2).
 *
 * One context per host file, found again by it: KVM compares contexts.  When
 * somebody waits (an irqfd), a thread of the host side reports that the
 * eventfd is readable; the counter is taken there, where sleeping is allowed,
 * and handed to the wait callbacks, which run under a spin lock as in Linux.
 * The file is referenced for the time.  That it has no descriptor any more
 * (EPOLLHUP) is told late: when the next eventfd is going to be watched.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

struct eventfd_ctx {
	struct list_head	link;
	refcount_t		refs;
	void			*hfile;
	wait_queue_head_t	wqh;
	u64			count;		/* taken, not yet read; wqh.lock */
	void			*watch;		/* ctx_lock; for the rest of its life */
	atomic64_t		signals;	/* to be sent by the work */
	struct work_struct	signal_work;
};

static LIST_HEAD(all_ctx);
static DEFINE_MUTEX(ctx_lock);

static void signal_later(struct work_struct *work)
{
	struct eventfd_ctx *ctx = container_of(work, struct eventfd_ctx, signal_work);
	u64 n = atomic64_xchg(&ctx->signals, 0);

	if (n)
		lkc_eventfd_signal(ctx->hfile, n);
}

static struct eventfd_ctx *ctx_find(void *hfile)
{
	struct eventfd_ctx *ctx;

	list_for_each_entry(ctx, &all_ctx, link)
		if (ctx->hfile == hfile)
			return ctx;
	return NULL;
}

static struct eventfd_ctx *ctx_get(struct file *file)
{
	struct eventfd_ctx *ctx;

	if (!file->lx_hfile || !lkc_file_is_eventfd(file->lx_hfile))
		return ERR_PTR(-EINVAL);
	mutex_lock(&ctx_lock);
	ctx = ctx_find(file->lx_hfile);
	if (ctx) {
		refcount_inc(&ctx->refs);
	} else if ((ctx = kzalloc(sizeof(*ctx), GFP_KERNEL))) {
		refcount_set(&ctx->refs, 1);
		init_waitqueue_head(&ctx->wqh);
		INIT_WORK(&ctx->signal_work, signal_later);
		ctx->hfile = file->lx_hfile;
		lkc_file_ref(ctx->hfile);
		list_add(&ctx->link, &all_ctx);
	} else {
		ctx = ERR_PTR(-ENOMEM);
	}
	mutex_unlock(&ctx_lock);
	return ctx;
}

/* Call the wait callbacks; n was taken from the counter. */
static void wake(struct eventfd_ctx *ctx, u64 n, __poll_t events)
{
	struct wait_queue_entry *entry, *next;
	unsigned long flags;

	spin_lock_irqsave(&ctx->wqh.lock, flags);
	ctx->count += n;
	list_for_each_entry_safe(entry, next, &ctx->wqh.head, entry)
		entry->func(entry, TASK_INTERRUPTIBLE, 0, poll_to_key(events));
	spin_unlock_irqrestore(&ctx->wqh.lock, flags);
}

static void eventfd_readable(void *arg)
{
	struct eventfd_ctx *ctx = arg;
	u64 n = lkc_eventfd_take(ctx->hfile);

	if (n)
		wake(ctx, n, EPOLLIN);
}

/*
 * So a program that closes its eventfds without another word does not use up
 * the descriptors of the thread that watches.
 */
static void hang_up_closed(void)
{
	struct eventfd_ctx *ctx;

	list_for_each_entry(ctx, &all_ctx, link)
		if (ctx->watch && lkc_eventfd_deserted(ctx->watch))
			wake(ctx, 0, EPOLLHUP);
}

/*
 * Of a file that is going to be watched: what can fail, fails here.  Taking 1
 * from a semaphore makes it readable again at once, so a count of 2^63 would
 * keep the service busy for ever.
 */
struct eventfd_ctx *eventfd_ctx_fileget(struct file *file)
{
	struct eventfd_ctx *ctx = ctx_get(file);
	int err = 0;

	if (IS_ERR(ctx))
		return ctx;
	mutex_lock(&ctx_lock);
	hang_up_closed();
	if (LX_BLOCKING(lkc_eventfd_is_semaphore(ctx->hfile)))
		err = -EINVAL;
	else if (!ctx->watch)
		err = LX_BLOCKING(lkc_eventfd_watch(ctx->hfile, eventfd_readable,
		    ctx, &ctx->watch));
	mutex_unlock(&ctx_lock);
	if (err) {
		eventfd_ctx_put(ctx);
		return ERR_PTR(err);
	}
	return ctx;
}

struct eventfd_ctx *eventfd_ctx_fdget(int fd)
{
	struct file *file = fget(fd);
	struct eventfd_ctx *ctx;

	if (!file)
		return ERR_PTR(-EBADF);
	ctx = ctx_get(file);
	fput(file);
	return ctx;
}

void eventfd_ctx_put(struct eventfd_ctx *ctx)
{
	bool last;

	mutex_lock(&ctx_lock);
	last = refcount_dec_and_test(&ctx->refs);
	if (last)
		list_del(&ctx->link);
	mutex_unlock(&ctx_lock);
	if (!last)
		return;
	flush_work(&ctx->signal_work);
	if (ctx->watch)
		LX_BLOCKING_VOID(lkc_eventfd_unwatch(ctx->watch));
	LX_BLOCKING_VOID(lkc_file_put(ctx->hfile));
	kfree(ctx);
}

/* May come from a vCPU thread: its vCPU is put meanwhile, unless it must not be. */
void eventfd_signal(struct eventfd_ctx *ctx)
{
	if (lx_can_block()) {
		LX_BLOCKING_VOID(lkc_eventfd_signal(ctx->hfile, 1));
	} else {
		atomic64_inc(&ctx->signals);
		queue_work(system_wq, &ctx->signal_work);
	}
}

/* --- waiting ------------------------------------------------------------ */

void add_wait_queue_priority(struct wait_queue_head *wqh, struct wait_queue_entry *entry)
{
	unsigned long flags;

	spin_lock_irqsave(&wqh->lock, flags);
	list_add(&entry->entry, &wqh->head);
	spin_unlock_irqrestore(&wqh->lock, flags);
}

int add_wait_queue_priority_exclusive(struct wait_queue_head *wqh,
    struct wait_queue_entry *entry)
{
	unsigned long flags;
	int err = -EBUSY;

	spin_lock_irqsave(&wqh->lock, flags);
	if (list_empty(&wqh->head)) {
		list_add(&entry->entry, &wqh->head);
		err = 0;
	}
	spin_unlock_irqrestore(&wqh->lock, flags);
	return err;
}

/* What is signalled already is reported by the watch: nothing to return. */
__poll_t vfs_poll(struct file *file, poll_table *pt)
{
	struct eventfd_ctx *ctx;

	mutex_lock(&ctx_lock);
	ctx = file->lx_hfile ? ctx_find(file->lx_hfile) : NULL;
	if (!ctx || !ctx->watch || !pt->_qproc) {
		mutex_unlock(&ctx_lock);
		return EPOLLERR;
	}
	pt->_qproc(file, &ctx->wqh, pt);
	LX_BLOCKING_VOID(lkc_eventfd_watch_switch(ctx->watch, !list_empty(&ctx->wqh.head)));
	mutex_unlock(&ctx_lock);
	return 0;
}

/* The caller holds wqh.lock. */
void eventfd_ctx_do_read(struct eventfd_ctx *ctx, __u64 *cnt)
{
	*cnt = ctx->count;
	ctx->count = 0;
}

int eventfd_ctx_remove_wait_queue(struct eventfd_ctx *ctx, wait_queue_entry_t *wait,
    __u64 *cnt)
{
	unsigned long flags;
	bool last;

	mutex_lock(&ctx_lock);
	spin_lock_irqsave(&ctx->wqh.lock, flags);
	list_del_init(&wait->entry);
	eventfd_ctx_do_read(ctx, cnt);
	last = list_empty(&ctx->wqh.head);
	spin_unlock_irqrestore(&ctx->wqh.lock, flags);
	if (last)
		LX_BLOCKING_VOID(lkc_eventfd_watch_switch(ctx->watch, 0));
	mutex_unlock(&ctx_lock);
	return *cnt ? 0 : -EAGAIN;
}
