// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads: blocking with a loaded vCPU, preempt and user-return notifiers,
 * sleeping and waking, and what Linux calls a pid.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/kvm_types.h>
#include <linux/preempt.h>
#include <linux/percpu.h>
#include <linux/rcuwait.h>
#include <linux/user-return-notifier.h>
#include <linux/string.h>
#include <linux/jiffies.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

static DEFINE_PER_CPU(struct hlist_head, lx_user_return);

/* --- notifiers ---------------------------------------------------------- */

void user_return_notifier_register(struct user_return_notifier *urn)
{
	hlist_add_head(&urn->link, this_cpu_ptr(&lx_user_return));
}

void user_return_notifier_unregister(struct user_return_notifier *urn)
{
	hlist_del(&urn->link);
}

/*
 * Linux runs these on the way to user mode.  Here they run when the vCPU is
 * put: it is the last moment that is certain to be on the same CPU.
 */
static void lx_fire_user_return(void)
{
	struct user_return_notifier *urn;
	struct hlist_node *next;

	hlist_for_each_entry_safe(urn, next, this_cpu_ptr(&lx_user_return), link)
		urn->on_user_return(urn);
}

void preempt_notifier_inc(void) {}
void preempt_notifier_dec(void) {}

/* vcpu_load() registers, vcpu_put() unregisters: these bound the section. */
void preempt_notifier_register(struct preempt_notifier *notifier)
{
	if (current->lx_notifier)
		lkc_panic("linux-kmod-compat: two vCPUs loaded by one thread");
	lkc_section_enter();
	current->lx_notifier = notifier;
	lx_cpu_section_load();
}

void preempt_notifier_unregister(struct preempt_notifier *notifier)
{
	lx_fire_user_return();
	lx_cpu_section_put();
	current->lx_notifier = NULL;
	lkc_section_leave();
}

/* --- blocking ----------------------------------------------------------- */

static void lx_leave_section(bool preempted)
{
	struct task_struct *task = current;
	struct preempt_notifier *notifier = task->lx_notifier;

	if (task->lx_blocked++ || !notifier)
		return;
	if (lkc_critical_nest() != 1 || irqs_disabled())
		lkc_panic("linux-kmod-compat: blocking with a lock held");
	task->lx_preempted = preempted;
	notifier->ops->sched_out(notifier, NULL);
	if (task->lx_fpu && !test_thread_flag(TIF_NEED_FPU_LOAD))
		lx_fpu_put();
	lx_fire_user_return();
	lx_cpu_section_put();
	lkc_section_leave();
}

void lx_block_begin(void)
{
	lx_leave_section(false);
}

void lx_block_end(void)
{
	struct task_struct *task = current;
	struct preempt_notifier *notifier = task->lx_notifier;

	if (--task->lx_blocked || !notifier)
		return;
	lkc_section_enter();
	lx_cpu_section_load();
	notifier->ops->sched_in(notifier, smp_processor_id());
}

bool lx_can_block(void)
{
	struct task_struct *task = current;
	int base = task->lx_notifier && !task->lx_blocked;

	return lkc_critical_nest() == base && !irqs_disabled();
}

int cond_resched(void)
{
	if (!lkc_need_resched())
		return 0;
	lx_leave_section(true);
	lkc_yield();
	lx_block_end();
	return 1;
}

/* FreeBSD has no directed yield: the CPU is offered to whoever is next. */
int yield_to(struct task_struct *task, bool preempt)
{
	lx_leave_section(true);
	lkc_yield();
	lx_block_end();
	return 1;
}

int lx_cond_resched_rwlock(rwlock_t *lock, bool write)
{
	if (!lkc_need_resched() && !rwlock_is_contended(lock))
		return 0;
	if (write)
		write_unlock(lock);
	else
		read_unlock(lock);
	if (!cond_resched())
		cpu_relax();
	if (write)
		write_lock(lock);
	else
		read_lock(lock);
	return 1;
}

/* --- sleeping and waking ------------------------------------------------ */

static void lx_sleep(u64 timeout_ns)
{
	struct task_struct *task = current;
	bool interruptible = READ_ONCE(task->__state) == TASK_INTERRUPTIBLE;

	if (READ_ONCE(task->__state) != TASK_RUNNING &&
	    !(interruptible && lkc_signal_pending()))
		LX_BLOCKING_VOID(lkc_task_park(timeout_ns, interruptible));
	__set_current_state(TASK_RUNNING);
}

void schedule(void)
{
	if (READ_ONCE(current->__state) == TASK_RUNNING)
		cond_resched();
	else
		lx_sleep(LKC_FOREVER);
}

signed long schedule_timeout(signed long timeout)
{
	unsigned long start = jiffies, spent;

	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return timeout;
	}
	lx_sleep((u64)timeout * (NSEC_PER_SEC / HZ));
	spent = jiffies - start;
	return spent < timeout ? timeout - spent : 0;
}

int wake_up_process(struct task_struct *task)
{
	smp_mb();	/* the condition was written before the state is read */
	if (READ_ONCE(task->__state) == TASK_RUNNING)
		return 0;
	WRITE_ONCE(task->__state, TASK_RUNNING);
	lkc_task_unpark(task);
	return 1;
}

int rcuwait_wake_up(struct rcuwait *w)
{
	struct task_struct *task;
	int ret = 0;

	rcu_read_lock();
	smp_mb();
	task = rcu_dereference(w->task);
	if (task)
		ret = wake_up_process(task);
	rcu_read_unlock();
	return ret;
}

void finish_rcuwait(struct rcuwait *w)
{
	rcu_assign_pointer(w->task, NULL);
	__set_current_state(TASK_RUNNING);
}

bool signal_pending(struct task_struct *task)
{
	return lkc_signal_pending();
}

int sigprocmask(int how, sigset_t *set, sigset_t *oldset)
{
	lkc_u64 new, old;

	if (how != SIG_SETMASK)
		return -EINVAL;
	new = set->sig[0];
	LX_BLOCKING_VOID(lkc_sigmask(&new, &old));
	if (oldset)
		oldset->sig[0] = old;
	return 0;
}

bool single_task_running(void)
{
	return lkc_single_running();
}

/* For the current task: would it run on if it were not blocking now? */
int task_is_runnable(struct task_struct *task)
{
	if (task == current)
		return !task->lx_blocked || task->lx_preempted;
	return lkc_task_runnable(task);
}

/* Between lkcl_init() and lkcl_exit(). */
bool lx_running;

/* --- tasks -------------------------------------------------------------- */

const lkc_size lkcl_task_size = sizeof(struct task_struct);

void lkcl_task_init(void *block, int pid, int tid, const char *comm)
{
	struct task_struct *task = block;

	memset(task, 0, sizeof(*task));
	task->tgid = pid;
	task->pid = tid;
	task->lx_fd = -1;
	strscpy(task->comm, comm, sizeof(task->comm));
}

/* A waker may still look at the block, see rcuwait_wake_up(). */
void lkcl_task_fini(void *block)
{
	if (lx_running)
		lkc_rcu_wait();
}

struct pid *get_task_pid(struct task_struct *task, enum pid_type type)
{
	lkc_task_ref(task);
	return (struct pid *)task;
}

struct task_struct *get_pid_task(struct pid *pid, enum pid_type type)
{
	if (pid)
		lkc_task_ref(pid);
	return (struct task_struct *)pid;
}

struct pid *get_pid(struct pid *pid)
{
	if (pid)
		lkc_task_ref(pid);
	return pid;
}

void put_pid(struct pid *pid)
{
	if (pid)
		LX_BLOCKING_VOID(lkc_task_unref(pid));
}

void put_task_struct(struct task_struct *task)
{
	LX_BLOCKING_VOID(lkc_task_unref(task));
}

pid_t pid_nr(struct pid *pid)
{
	return pid ? ((struct task_struct *)pid)->pid : 0;
}

pid_t pid_vnr(struct pid *pid)
{
	return pid_nr(pid);
}
