/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Task blocks: the Linux side's idea of a thread (struct task_struct), one for
 * each thread that enters it, found by thread in a hash table.
 *
 * The block of the current thread is asked for very often and from interrupts,
 * so look-up takes no lock: the chains change under lkc_task_mtx and are read
 * in an RCU section, and a block that has left its chain is freed only after
 * a grace period.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/refcount.h>
#include <sys/sleepqueue.h>
#include <sys/smp.h>
#include <sys/taskqueue.h>
#include <sys/unistd.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_convert.h"
#include "lkc_host.h"

struct lkc_task {
	struct lkc_task	*next;		/* hash chain */
	struct lkc_task	*dead;		/* list of those to be freed */
	struct thread	*td;		/* NULL: the thread is gone */
	struct lkc_mm	*mm;		/* address space at the last entry */
	u_int		refs;
	u_int		token;		/* a wake-up that park has not seen */
	void		(*fn)(void *);	/* the rest: kernel threads only */
	void		*arg;
	struct thread	*thread;
	lwpid_t		tid;
	bool		done;		/* fn has returned */
};

#define	BLOCK_OFFSET	roundup2(sizeof(struct lkc_task), 64)
#define	HASH_SIZE	256

static struct lkc_task *lkc_task_hash[HASH_SIZE];
/*
 * What the last look-up on each CPU found.  It is changed in critical sections
 * of that CPU; others only take a thread out of it.
 */
static struct lkc_task_last {
	struct thread	*td;
	struct lkc_task	*task;
} __aligned(CACHE_LINE_SIZE) lkc_task_last[MAXCPU];
static struct lkc_task *lkc_task_dead;
static struct lkc_task *lkc_task_shared; /* of interrupts and strangers */
static struct mtx lkc_task_mtx;
static struct task lkc_task_reaper;
static eventhandler_tag lkc_task_dtor_tag;

static inline void *
task_block(struct lkc_task *t)
{

	return ((char *)t + BLOCK_OFFSET);
}

static inline struct lkc_task *
block_task(void *block)
{

	return ((struct lkc_task *)((char *)block - BLOCK_OFFSET));
}

static inline struct lkc_task **
task_chain(struct thread *td)
{

	/* struct thread is larger than 1 KB and comes from a slab. */
	return (&lkc_task_hash[((uintptr_t)td >> 10 ^ (uintptr_t)td >> 18) %
	    HASH_SIZE]);
}

/* To be called when the thread's chain entry is gone. */
static void
task_forget(struct thread *td)
{
	int cpu;

	CPU_FOREACH(cpu)
		(void)atomic_cmpset_ptr((void *)&lkc_task_last[cpu].td,
		    (uintptr_t)td, 0);
}

static struct lkc_task *
task_find(struct thread *td)
{
	struct lkc_task_last *last;
	struct lkc_task *t;

	lkc_rcu_enter();
	t = (void *)atomic_load_acq_ptr((void *)task_chain(td));
	while (t != NULL && t->td != td)
		t = (void *)atomic_load_acq_ptr((void *)&t->next);
	if (t != NULL) {
		/* An interrupt finds nobody, or both. */
		last = &lkc_task_last[curcpu];
		atomic_store_rel_ptr((void *)&last->td, 0);
		last->task = t;
		atomic_store_rel_ptr((void *)&last->td, (uintptr_t)td);
	}
	lkc_rcu_exit();
	return (t);
}

/* The current thread's task or NULL.  It stays valid: we are its thread. */
static inline struct lkc_task *
task_lookup(struct thread *td)
{
	struct lkc_task_last *last;
	struct lkc_task *t;

	/*
	 * The thread may be moved to another CPU on the way.  Nobody but
	 * itself, or its destructor, writes its name into an entry: what is
	 * between two readings of it belongs to it.
	 */
	last = &lkc_task_last[curcpu];
	if (__predict_true(atomic_load_ptr(&last->td) == td)) {
		t = atomic_load_ptr(&last->task);
		atomic_interrupt_fence();
		if (__predict_true(atomic_load_ptr(&last->td) == td))
			return (t);
	}
	return (task_find(td));
}

static struct lkc_task *
task_alloc(struct thread *td)
{
	struct lkc_task *t;

	t = malloc_aligned(BLOCK_OFFSET + lkcl_task_size, 64, M_LKC,
	    M_WAITOK | M_ZERO);
	t->td = td;
	refcount_init(&t->refs, 1);
	return (t);
}

static void
task_insert(struct lkc_task *t)
{
	struct lkc_task **chain;

	chain = task_chain(t->td);
	mtx_lock(&lkc_task_mtx);
	t->next = *chain;
	atomic_store_rel_ptr((void *)chain, (uintptr_t)t);
	mtx_unlock(&lkc_task_mtx);
}

/* The last reference may go anywhere; what frees a block wants to sleep. */
static void
task_unref(struct lkc_task *t)
{

	if (!refcount_release(&t->refs))
		return;
	mtx_lock(&lkc_task_mtx);
	t->dead = lkc_task_dead;
	lkc_task_dead = t;
	mtx_unlock(&lkc_task_mtx);
	taskqueue_enqueue(taskqueue_thread, &lkc_task_reaper);
}

static void
task_reap(void *arg __unused, int pending __unused)
{
	struct lkc_task *list, *t;

	mtx_lock(&lkc_task_mtx);
	list = lkc_task_dead;
	lkc_task_dead = NULL;
	mtx_unlock(&lkc_task_mtx);
	if (list == NULL)
		return;
	lkc_rcu_wait();
	while ((t = list) != NULL) {
		list = t->dead;
		lkcl_task_fini(task_block(t));
		if (t->mm != NULL)
			lkc_mm_release(t->mm);
		free(t, M_LKC);
	}
}

/* Unlink the task of td from its chain and drop the chain's reference. */
static void
task_remove(struct thread *td)
{
	struct lkc_task **link, *t;

	mtx_lock(&lkc_task_mtx);
	for (link = task_chain(td); (t = *link) != NULL; link = &t->next)
		if (t->td == td)
			break;
	if (t != NULL) {
		atomic_store_rel_ptr((void *)link, (uintptr_t)t->next);
		t->td = NULL;
	}
	mtx_unlock(&lkc_task_mtx);
	task_forget(td);
	/* Readers may still stand on t and follow its link. */
	if (t != NULL)
		task_unref(t);
}

static void
task_thread_dtor(void *arg __unused, struct thread *td)
{

	if (task_lookup(td) != NULL)
		task_remove(td);
}

void
lkc_task_enter(void)
{
	struct lkc_mm *mm, *old;
	struct lkc_task *t;
	struct thread *td;

	LKC_ASSERT_SLEEP();
	td = curthread;
	t = task_lookup(td);
	if (t == NULL) {
		t = task_alloc(td);
		lkcl_task_init(task_block(t), td->td_proc->p_pid, td->td_tid,
		    td->td_name);
		task_insert(t);
	}
	if (t->mm != NULL && lkc_mm_is_current(t->mm))
		return;
	mm = lkc_mm_find();
	old = t->mm;
	t->mm = mm;
	if (old != NULL)
		lkc_mm_release(old);
}

struct lkc_mm *
lkc_task_mm(void)
{
	struct lkc_task *t;

	if (curthread->td_intr_nesting_level != 0)
		return (NULL);
	t = task_lookup(curthread);
	return (t == NULL ? NULL : t->mm);
}

void *
lkc_task_self(void)
{
	struct lkc_task *t;

	if (__predict_false(curthread->td_intr_nesting_level != 0))
		return (task_block(lkc_task_shared));
	t = task_lookup(curthread);
	return (task_block(__predict_true(t != NULL) ? t : lkc_task_shared));
}

void
lkc_task_ref(void *task)
{

	refcount_acquire(&block_task(task)->refs);
}

void
lkc_task_unref(void *task)
{

	LKC_ASSERT_SLEEP();
	task_unref(block_task(task));
}

void
lkc_task_park(lkc_u64 timeout_ns, int interruptible)
{
	struct lkc_task *t;

	LKC_ASSERT_SLEEP();
	t = task_lookup(curthread);
	KASSERT(t != NULL, ("%s: thread has no task block", __func__));
	if (atomic_swap_int(&t->token, 0) != 0)
		return;
	/*
	 * lkc_task_unpark() sets the token, then takes the lock of the sleep
	 * queue: either it finds us on the queue or we find its token.
	 */
	DROP_GIANT();		/* module events come with it */
	sleepq_lock(t);
	if (atomic_load_acq_int(&t->token) != 0) {
		sleepq_release(t);
		goto out;
	}
	sleepq_add(t, NULL, "lkcpark", SLEEPQ_SLEEP |
	    (interruptible ? SLEEPQ_INTERRUPTIBLE : 0), 0);
	if (timeout_ns != LKC_FOREVER) {
		sleepq_set_timeout_sbt(t, lkc_ns_to_sbt(timeout_ns), 0, 0);
		if (interruptible)
			(void)sleepq_timedwait_sig(t, 0);
		else
			(void)sleepq_timedwait(t, 0);
	} else if (interruptible)
		(void)sleepq_wait_sig(t, 0);
	else
		sleepq_wait(t, 0);
out:
	PICKUP_GIANT();
	(void)atomic_swap_int(&t->token, 0);
}

void
lkc_task_unpark(void *task)
{
	struct lkc_task *t;

	t = block_task(task);
	atomic_store_rel_int(&t->token, 1);
	wakeup(t);
}

int
lkc_task_runnable(void *task)
{
	struct thread *td;

	/* struct thread is never given back to the system: td is readable. */
	td = block_task(task)->td;
	return (td != NULL && (TD_IS_RUNNING(td) || TD_ON_RUNQ(td)));
}

static void
task_thread_main(void *arg)
{
	struct lkc_task *t;

	t = arg;
	t->td = t->thread = curthread;
	t->tid = curthread->td_tid;
	lkcl_task_init(task_block(t), curproc->p_pid, curthread->td_tid,
	    curthread->td_name);
	refcount_acquire(&t->refs);		/* the chain's */
	task_insert(t);
	t->fn(t->arg);
	mtx_lock(&lkc_task_mtx);
	t->done = true;
	wakeup(&t->done);
	mtx_unlock(&lkc_task_mtx);
	kthread_exit();
}

int
lkc_thread_start(void (*fn)(void *), void *arg, const char *name, void **task)
{
	struct lkc_task *t;
	struct thread *td;
	int error;

	LKC_ASSERT_SLEEP();
	t = task_alloc(NULL);
	t->fn = fn;
	t->arg = arg;
	error = kthread_add(task_thread_main, t, NULL, &td, 0, 0, "%s",
	    name);
	if (error != 0) {
		free(t, M_LKC);
		return (error == ENOMEM ? -LKC_ENOMEM : -LKC_EAGAIN);
	}
	*task = task_block(t);
	return (0);
}

/*
 * Between what it told and its exit a thread may be off its CPU for long, and
 * the module unloaded under it.  A struct thread is never given back to the
 * system; in use again, it has another number.
 */
void
lkc_thread_gone(struct thread *td, lwpid_t tid)
{

	while (atomic_load_int(&td->td_tid) == tid &&
	    TD_GET_STATE(td) != TDS_INACTIVE)
		pause("lkcgone", 1);
}

void
lkc_thread_join(void *task)
{
	struct lkc_task *t;

	LKC_ASSERT_SLEEP();
	t = block_task(task);
	mtx_lock(&lkc_task_mtx);
	while (!t->done)
		mtx_sleep(&t->done, &lkc_task_mtx, 0, "lkcjoin", 0);
	mtx_unlock(&lkc_task_mtx);
	lkc_thread_gone(t->thread, t->tid);
	task_unref(t);
}

int
lkc_task_start(void)
{

	mtx_init(&lkc_task_mtx, "lkc tasks", NULL, MTX_DEF);
	TASK_INIT(&lkc_task_reaper, 0, task_reap, NULL);
	lkc_task_shared = task_alloc(NULL);
	lkcl_task_init(task_block(lkc_task_shared), 0, 0, "kernel");
	lkc_task_dtor_tag = EVENTHANDLER_REGISTER(thread_dtor,
	    task_thread_dtor, NULL, EVENTHANDLER_PRI_ANY);
	return (0);
}

/* No file is open and no kernel thread of ours runs. */
void
lkc_task_stop(void)
{
	struct lkc_task *t;
	int i;

	EVENTHANDLER_DEREGISTER(thread_dtor, lkc_task_dtor_tag);
	for (i = 0; i < HASH_SIZE; i++)
		while ((t = lkc_task_hash[i]) != NULL)
			task_remove(t->td);
	task_unref(lkc_task_shared);
	taskqueue_drain(taskqueue_thread, &lkc_task_reaper);
	mtx_destroy(&lkc_task_mtx);
}
