/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the FreeBSD side share among themselves: assertions of the
 * bridge's contexts, the entry of threads into the Linux side, and the start
 * and stop of each subject.  The Linux side never sees this header.
 */
#ifndef _LKC_HOST_H_
#define	_LKC_HOST_H_

#include "lkc_bridge.h"

/*
 * The contexts of lkc_bridge.h.  A function that the bridge marks [irq] needs
 * no assertion: it may be called from everywhere but an NMI.
 */
#define	LKC_ASSERT_THREAD()						\
	KASSERT(curthread->td_intr_nesting_level == 0,			\
	    ("%s: called from an interrupt", __func__))
#define	LKC_ASSERT_SLEEP() do {						\
	LKC_ASSERT_THREAD();						\
	KASSERT((read_rflags() & PSL_I) != 0,				\
	    ("%s: called with interrupts off", __func__));		\
	KASSERT(curthread->td_critnest == 0,				\
	    ("%s: called in a critical section", __func__));		\
	WITNESS_WARN(WARN_GIANTOK | WARN_SLEEPOK, NULL, "%s", __func__); \
} while (0)

MALLOC_DECLARE(M_LKC);

/*
 * critical_enter(9) and critical_exit(9) as the kernel inlines them; modules
 * get calls instead, and some dozens are made for each exit of a guest.  With
 * interrupts off a preemption that is owed stays owed, where critical_exit(9)
 * would switch threads.
 */
static inline void
lkc_crit_enter(struct thread *td)
{

	td->td_critnest++;
	atomic_interrupt_fence();
}

static inline void
lkc_crit_exit(struct thread *td)
{

	CRITICAL_ASSERT(td);
	atomic_interrupt_fence();
	td->td_critnest--;
	atomic_interrupt_fence();
	if (__predict_false(td->td_owepreempt) && (read_rflags() & PSL_I) != 0)
		critical_exit_preempt();
}

/*
 * Before a thread calls lkcl_*: give it its task block and note its address
 * space.  Every entry from FreeBSD (file, device, sysctl, kernel thread) does
 * this first.
 */
void	lkc_task_enter(void);

/* The address space handle of the current process, created if need be. */
struct lkc_mm;
struct lkc_mm *lkc_mm_find(void);
struct vmspace *lkc_mm_vmspace(struct lkc_mm *mm);
bool	lkc_mm_is_current(const struct lkc_mm *mm);
void	lkc_mm_release(struct lkc_mm *mm);
/* The handle that the current thread entered with. */
struct lkc_mm *lkc_task_mm(void);
/* Wait until a kernel thread that is about to exit runs no code of ours. */
void	lkc_thread_gone(struct thread *td, lwpid_t tid);

/* Drop a reference of one of our files by another thread, which holds no lock. */
struct file;
void	lkc_file_drop(struct file *fp);
/* Mappings of files, lkc_mmap.c. */
int	lkc_mmap(struct file *fp, void *lfile, vm_map_t map, vm_offset_t *addr,
	    vm_size_t size, vm_prot_t prot, vm_prot_t cap_maxprot, int flags,
	    vm_ooffset_t foff, struct thread *td);

/* Start and stop of each subject, in lkc_module.c's order. */
int	lkc_mm_start(void);
void	lkc_mm_stop(void);
int	lkc_task_start(void);
void	lkc_task_stop(void);
int	lkc_cpu_start(void);
void	lkc_cpu_stop(void);
int	lkc_watch_start(void);
void	lkc_watch_stop(void);

/*
 * The whole host side, for the module that links it.  lkc_host_start brings up
 * the subjects and then the Linux side; unit names the module in sysctl's hw
 * node and in loader tunables.  lkc_host_idle refuses new files and tells if
 * none is open.  Errors are FreeBSD's errno.
 */
int	lkc_host_start(const char *unit);
void	lkc_host_stop(void);
bool	lkc_host_idle(void);
void	lkc_host_accept(void);
bool	lkc_host_accepting(void);

/* Group that owns device nodes. */
extern gid_t lkc_host_gid;

/* Parameters, lkc_param.c. */
int	lkc_param_start(const char *unit);
void	lkc_param_stop(void);

#endif /* !_LKC_HOST_H_ */
