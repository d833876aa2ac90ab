/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Critical sections, and what the scheduler and the user boundary want from
 * the current thread.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/sched.h>
#include <sys/signalvar.h>
#include <sys/syscallsubr.h>
#include <sys/sysent.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/md_var.h>
#include <machine/pcb.h>
#include <machine/psl.h>
#include <machine/stack.h>

#include "lkc_convert.h"
#include "lkc_host.h"

/*
 * The pending work of a thread moved from td_flags to td_ast in FreeBSD 14;
 * TDAI came with it.  Virtual and profiling timers make their signals only at
 * the way back to user mode.
 */
#ifdef TDAI
#define	AST_RESCHED(td)	(td_ast_pending((td), TDA_SCHED))
#define	AST_SIGNAL(td)	(td_ast_pending((td), TDA_SIG) || \
			    td_ast_pending((td), TDA_SUSPEND) || \
			    td_ast_pending((td), TDA_ALRM) || \
			    td_ast_pending((td), TDA_PROF))
#else
#define	AST_RESCHED(td)	(((td)->td_flags & TDF_NEEDRESCHED) != 0)
#define	AST_SIGNAL(td)	\
	(((td)->td_flags & (TDF_NEEDSIGCHK | TDF_NEEDSUSPCHK |	\
	    TDF_ALRMPEND | TDF_PROFPEND)) != 0)
#endif

void
lkc_critical_enter(void)
{

	lkc_crit_enter(curthread);
}

void
lkc_critical_exit(void)
{

	lkc_crit_exit(curthread);
}

int
lkc_critical_nest(void)
{

	return (curthread->td_critnest);
}

void
lkc_section_enter(void)
{

	LKC_ASSERT_THREAD();
	lkc_crit_enter(curthread);
	/*
	 * Saves the user's FS and GS bases first if they are live in the
	 * registers only, see set_pcb_flags_fsgsbase().
	 */
	set_pcb_flags(curpcb, PCB_FULL_IRET);
}

void
lkc_section_leave(void)
{

	LKC_ASSERT_THREAD();
	KASSERT((read_rflags() & PSL_I) != 0,
	    ("%s: called with interrupts off", __func__));
	lkc_crit_exit(curthread);
}

int
lkc_need_resched(void)
{
	struct thread *td;

	td = curthread;
	return (td->td_owepreempt != 0 || AST_RESCHED(td));
}

int
lkc_signal_pending(void)
{

	return (AST_SIGNAL(curthread));
}

void
lkc_yield(void)
{

	LKC_ASSERT_SLEEP();
	kern_yield((curthread->td_pflags & TDP_KTHREAD) != 0 ?
	    PRI_UNCHANGED : PRI_USER);
}

int
lkc_single_running(void)
{

	return (!sched_runnable());
}

int
lkc_on_stack(const void *p)
{

	return (kstack_contains(curthread, (vm_offset_t)p, 1));
}

/* The signal that bit - 1 of a mask stands for in the current process, or 0. */
static int
signal_of_bit(int bit)
{

	return (SV_CURPROC_ABI() == SV_ABI_LINUX ?
	    lkc_signal_from_linux(bit) : bit);
}

void
lkc_sigmask(const lkc_u64 *newmask, lkc_u64 *oldmask)
{
	struct thread *td;
	sigset_t set, old;
	int bit, signal;

	LKC_ASSERT_SLEEP();
	td = curthread;
	PROC_LOCK(td->td_proc);
	set = old = td->td_sigmask;
	PROC_UNLOCK(td->td_proc);
	if (oldmask != NULL)
		*oldmask = 0;
	for (bit = 1; bit <= 64; bit++) {
		signal = signal_of_bit(bit);
		if (signal == 0)
			continue;
		if (oldmask != NULL && SIGISMEMBER(old, signal))
			*oldmask |= 1ull << (bit - 1);
		if (newmask == NULL)
			continue;
		if ((*newmask >> (bit - 1) & 1) != 0)
			SIGADDSET(set, signal);
		else
			SIGDELSET(set, signal);
	}
	if (newmask != NULL)
		(void)kern_sigprocmask(td, SIG_SETMASK, &set, NULL, 0);
}

void
lkc_cpu_bind(unsigned int cpu)
{
	struct thread *td;

	LKC_ASSERT_SLEEP();
	td = curthread;
	thread_lock(td);
	sched_bind(td, cpu);
	thread_unlock(td);
}

void
lkc_cpu_unbind(void)
{
	struct thread *td;

	LKC_ASSERT_SLEEP();
	td = curthread;
	thread_lock(td);
	sched_unbind(td);
	thread_unlock(td);
}
