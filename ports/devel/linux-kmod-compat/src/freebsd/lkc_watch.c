/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Watching eventfds: one kernel process with a descriptor table of its own and
 * a kqueue(2).  Its only thread adds and removes descriptors, because only a
 * thread of the process can, and calls the watchers' functions.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/capsicum.h>
#include <sys/event.h>
#include <sys/file.h>
#include <sys/filedesc.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/refcount.h>
#include <sys/syscallsubr.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_convert.h"
#include "lkc_host.h"

struct lkc_watch {
	struct file	*fp;
	void		(*fn)(void *);
	void		*arg;
	int		fd;		/* in the service's table */
};

/* A request to the service; it lives on the requester's stack. */
struct watch_request {
	STAILQ_ENTRY(watch_request) link;
	struct lkc_watch *watch;
	u_short		action;		/* as of kevent(2) */
	bool		done;
	int		error;
};

#define	EVENT_BATCH	16

static STAILQ_HEAD(, watch_request) watch_queue =
    STAILQ_HEAD_INITIALIZER(watch_queue);
static struct mtx watch_mtx;
static struct proc *watch_proc;
static struct thread *watch_thread;
static lwpid_t watch_tid;
static struct file *watch_kqueue;	/* NULL before the service runs */
static int watch_error;
static bool watch_ready, watch_poked, watch_gone;
static u_int watch_stop;

struct kevent_span {
	struct kevent	*kev;
};

static int
span_copyout(void *arg, struct kevent *kevp, int count)
{
	struct kevent_span *span;

	span = arg;
	memcpy(span->kev, kevp, count * sizeof(*kevp));
	span->kev += count;
	return (0);
}

static int
span_copyin(void *arg, struct kevent *kevp, int count)
{
	struct kevent_span *span;

	span = arg;
	memcpy(kevp, span->kev, count * sizeof(*kevp));
	span->kev += count;
	return (0);
}

/* Apply one change to the service's kqueue. */
static int
watch_change(uintptr_t ident, short filter, u_short flags, u_int fflags,
    void *udata)
{
	struct kevent kev;
	struct kevent_span span = { &kev };
	struct kevent_copyops ops = {
		.arg = &span,
		.k_copyout = span_copyout,
		.k_copyin = span_copyin,
		.kevent_size = sizeof(struct kevent),
	};

	EV_SET(&kev, ident, filter, flags, fflags, 0, udata);
	return (kern_kevent_fp(curthread, watch_kqueue, 1, 0, &ops, NULL));
}

static void
watch_add(struct watch_request *req)
{
	struct lkc_watch *w;
	struct thread *td;

	w = req->watch;
	td = curthread;
	req->error = finstall(td, w->fp, &w->fd, 0, NULL);
	if (req->error != 0)
		return;
	/* Clear: one event for each change, not until the counter is taken. */
	req->error = watch_change(w->fd, EVFILT_READ,
	    EV_ADD | EV_CLEAR | EV_DISABLE, 0, w);
	if (req->error != 0)
		(void)kern_close(td, w->fd);
}

static void
watch_serve(void)
{
	struct watch_request *req;

	mtx_lock(&watch_mtx);
	while ((req = STAILQ_FIRST(&watch_queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&watch_queue, link);
		mtx_unlock(&watch_mtx);
		if (req->action == EV_ADD)
			watch_add(req);
		else if (req->action == EV_DELETE) /* goes with the descriptor */
			req->error = kern_close(curthread, req->watch->fd);
		else
			req->error = watch_change(req->watch->fd, EVFILT_READ,
			    req->action, 0, req->watch);
		mtx_lock(&watch_mtx);
		req->done = true;
		wakeup(req);
	}
	mtx_unlock(&watch_mtx);
}

static void
watch_loop(void)
{
	struct kevent kev[EVENT_BATCH];
	struct kevent_span span;
	struct kevent_copyops ops = {
		.arg = &span,
		.k_copyout = span_copyout,
		.k_copyin = span_copyin,
		.kevent_size = sizeof(struct kevent),
	};
	struct lkc_watch *w;
	struct kevent *e;
	int error;

	while (atomic_load_int(&watch_stop) == 0) {
		span.kev = kev;
		error = kern_kevent_fp(curthread, watch_kqueue, 0, EVENT_BATCH,
		    &ops, NULL);
		if (error != 0)
			continue;
		/* Nobody but watch_serve() below takes a watch away. */
		for (e = kev; e < span.kev; e++) {
			if (e->filter != EVFILT_READ)
				continue;
			w = e->udata;
			w->fn(w->arg);
		}
		watch_serve();
	}
}

static void
watch_main(void *arg __unused)
{
	struct thread *td;
	int error, fd;

	td = watch_thread = curthread;
	watch_tid = td->td_tid;
	lkc_task_enter();
	error = kern_kqueue(td, 0, NULL);
	if (error == 0) {
		fd = td->td_retval[0];
		error = fget(td, fd, &cap_no_rights, &watch_kqueue);
	}
	if (error == 0)
		error = watch_change(0, EVFILT_USER, EV_ADD | EV_CLEAR, 0,
		    NULL);
	mtx_lock(&watch_mtx);
	watch_error = error;
	watch_ready = true;
	wakeup(&watch_ready);
	mtx_unlock(&watch_mtx);
	if (error == 0)
		watch_loop();

	/*
	 * The kqueue refers to our descriptor table, so its last reference
	 * must go here, but not under the feet of the thread that pokes us.
	 */
	mtx_lock(&watch_mtx);
	while (!watch_poked)
		mtx_sleep(&watch_poked, &watch_mtx, 0, "lkcpoked", 0);
	mtx_unlock(&watch_mtx);
	if (watch_kqueue != NULL)
		fdrop(watch_kqueue, td);
	watch_kqueue = NULL;

	mtx_lock(&watch_mtx);
	watch_gone = true;
	wakeup(&watch_gone);
	mtx_unlock(&watch_mtx);
	kproc_exit(0);
}

static void
watch_poke(void)
{

	(void)watch_change(0, EVFILT_USER, 0, NOTE_TRIGGER, NULL);
}

static int
watch_ask(struct lkc_watch *w, u_short action)
{
	struct watch_request req = { .watch = w, .action = action };

	KASSERT(curproc != watch_proc, ("%s: called by a watcher", __func__));
	mtx_lock(&watch_mtx);
	STAILQ_INSERT_TAIL(&watch_queue, &req, link);
	mtx_unlock(&watch_mtx);
	watch_poke();
	mtx_lock(&watch_mtx);
	while (!req.done)
		mtx_sleep(&req, &watch_mtx, 0, "lkcwatch", 0);
	mtx_unlock(&watch_mtx);
	return (req.error);
}

int
lkc_eventfd_watch(void *hfile, void (*fn)(void *), void *arg, void **watch)
{
	struct lkc_watch *w;
	int error;

	LKC_ASSERT_SLEEP();
	w = malloc(sizeof(*w), M_LKC, M_WAITOK);
	w->fp = hfile;
	w->fn = fn;
	w->arg = arg;
	error = watch_ask(w, EV_ADD);
	if (error != 0) {
		free(w, M_LKC);
		return (-lkc_errno_to_linux(error));
	}
	*watch = w;
	return (0);
}

void
lkc_eventfd_watch_switch(void *watch, int on)
{
	int error __diagused;

	LKC_ASSERT_SLEEP();
	error = watch_ask(watch, on ? EV_ENABLE : EV_DISABLE);
	KASSERT(error == 0, ("%s: error %d", __func__, error));
}

void
lkc_eventfd_unwatch(void *watch)
{

	LKC_ASSERT_SLEEP();
	(void)watch_ask(watch, EV_DELETE);
	free(watch, M_LKC);
}

/* The descriptor in the service's table has a reference, and the event. */
int
lkc_eventfd_deserted(void *watch)
{
	struct lkc_watch *w;

	w = watch;
	return (refcount_load(&w->fp->f_count) == 3);
}

int
lkc_watch_start(void)
{
	int error;

	mtx_init(&watch_mtx, "lkc watch", NULL, MTX_DEF);
	watch_ready = watch_poked = watch_gone = false;
	watch_stop = 0;
	error = kproc_create(watch_main, NULL, &watch_proc, 0, 0, "lkc_watch");
	if (error != 0) {
		mtx_destroy(&watch_mtx);
		return (error);
	}
	mtx_lock(&watch_mtx);
	while (!watch_ready)
		mtx_sleep(&watch_ready, &watch_mtx, 0, "lkcwatch", 0);
	error = watch_error;
	mtx_unlock(&watch_mtx);
	if (error != 0)
		lkc_watch_stop();
	return (error);
}

void
lkc_watch_stop(void)
{

	atomic_store_int(&watch_stop, 1);
	if (watch_error == 0)
		watch_poke();
	mtx_lock(&watch_mtx);
	watch_poked = true;
	wakeup(&watch_poked);
	while (!watch_gone)
		mtx_sleep(&watch_gone, &watch_mtx, 0, "lkcwatch", 0);
	mtx_unlock(&watch_mtx);
	lkc_thread_gone(watch_thread, watch_tid);
	mtx_destroy(&watch_mtx);
}
