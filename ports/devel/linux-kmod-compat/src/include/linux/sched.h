/* SPDX-License-Identifier: BSD-2-Clause */
/* struct task_struct is the per-thread block of lkc_task_self().  See block.c
 * for how a thread with a loaded vCPU blocks. */
#ifndef _LINUX_SCHED_H
#define	_LINUX_SCHED_H

#include <linux/types.h>
#include <asm/current.h>
#include <asm/processor.h>
#include <linux/thread_info.h>
#include <linux/preempt.h>
#include <linux/cpumask_types.h>
#include <linux/irqflags.h>
#include <linux/errno.h>
#include <linux/spinlock.h>
#include <linux/pid_types.h>
#include <linux/pid.h>
#include <linux/smp_types.h>
#include <linux/refcount.h>
#include <linux/list.h>
#include <linux/signal_types.h>
#include <linux/rcupdate.h>
#include <linux/time64.h>
#include <linux/ktime.h>

#define TASK_RUNNING		0
#define TASK_INTERRUPTIBLE	1
#define TASK_UNINTERRUPTIBLE	2
#define TASK_COMM_LEN		16
#define PF_VCPU			0x00000001

struct fpu_guest;
struct mm_struct;
struct preempt_notifier;

struct task_struct {
	struct thread_info	thread_info;	/* first: current_thread_info() */
	unsigned int		__state;
	unsigned int		flags;
	struct mm_struct	*mm;		/* during a call into the module */
	pid_t			pid;		/* FreeBSD's thread id */
	pid_t			tgid;
	char			comm[TASK_COMM_LEN];
	sigset_t		real_blocked;
	struct {
		unsigned long long run_delay;	/* not known: 0 */
	} sched_info;
	struct {
		unsigned short	fsindex, gsindex;
		unsigned long	fsbase, gsbase;
	} thread;

	struct preempt_notifier	*lx_notifier;	/* of the loaded vCPU */
	unsigned int		lx_blocked;	/* depth of block_begin */
	bool			lx_preempted;	/* blocked, but could run */
	struct fpu_guest	*lx_fpu;	/* whose registers are to be live */
	unsigned int		lx_nofault;	/* depth of pagefault_disable */
	int			lx_fd;		/* reserved, not yet installed */
	void			*lx_fd_file;
};

#define set_current_state(state)	smp_store_mb(current->__state, (state))
#define __set_current_state(state)	WRITE_ONCE(current->__state, (state))
#define MAX_SCHEDULE_TIMEOUT	LONG_MAX
void schedule(void);
signed long schedule_timeout(signed long timeout);
int wake_up_process(struct task_struct *task);
bool signal_pending(struct task_struct *task);
int task_is_runnable(struct task_struct *task);
int yield_to(struct task_struct *task, bool preempt);
int cond_resched(void);
#define yield()			cond_resched()
#define need_resched()		lkc_need_resched()
int lx_cond_resched_rwlock(rwlock_t *lock, bool write);
#define cond_resched_rwlock_read(lock)	lx_cond_resched_rwlock(lock, false)
#define cond_resched_rwlock_write(lock)	lx_cond_resched_rwlock(lock, true)

#define task_pid_nr(task)	((task)->tgid)
#define task_tgid_nr(task)	((task)->tgid)
#define cpu_to_node(cpu)	0
static inline bool vcpu_is_preempted(int cpu)
{
	return false;
}
void migrate_disable(void);
void migrate_enable(void);
void put_task_struct(struct task_struct *task);
void current_save_fsgs(void);

#endif
