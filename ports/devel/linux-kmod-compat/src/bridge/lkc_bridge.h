/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The one interface between the two halves of linux-kmod-compat.
 *
 * The Linux side is compiled with Linux headers, the FreeBSD side with FreeBSD
 * kernel headers; this file is read by both, so it uses plain C types only and
 * includes nothing.  The first part is implemented by the FreeBSD side
 * (lkc_*), the second by the Linux side (lkcl_*).
 *
 * Context of each function, asserted by the FreeBSD side in INVARIANTS builds:
 *
 *   [sleep]  may block.  Never inside a critical section, never with
 *            interrupts off, never in interrupt context.
 *   [crit]   does not block; may be called inside a critical section and with
 *            spin locks held, from a thread; interrupts on unless said.
 *   [irq]    does not block; also from interrupt handlers, timer callbacks and
 *            cross-CPU calls, interrupts on or off.  Nothing is NMI safe.
 *
 * Blocking protocol: a thread that has a vCPU loaded stays inside a critical
 * section (lkc_section_enter).  The Linux side leaves it before each [sleep]
 * call and enters it again afterwards, running its preempt notifiers; the
 * FreeBSD side never has to care and only asserts.
 *
 * Errors are 0 or a negative *Linux* errno (LKC_E*), in both directions.  The
 * FreeBSD side translates at its own border (system calls, cdev, fileops).
 * User addresses are lkc_u64, kernel addresses are void *, physical addresses
 * are lkc_u64 and page aligned where they name a page.
 */
#ifndef _LKC_BRIDGE_H_
#define	_LKC_BRIDGE_H_

typedef __UINT8_TYPE__	lkc_u8;
typedef __UINT32_TYPE__	lkc_u32;
typedef __UINT64_TYPE__	lkc_u64;
typedef __INT64_TYPE__	lkc_s64;
typedef __SIZE_TYPE__	lkc_size;

/* Linux error numbers that cross the bridge by name. */
#define	LKC_EPERM	1
#define	LKC_ENOENT	2
#define	LKC_EINTR	4
#define	LKC_EIO		5
#define	LKC_E2BIG	7
#define	LKC_EBADF	9
#define	LKC_EAGAIN	11
#define	LKC_ENOMEM	12
#define	LKC_EFAULT	14
#define	LKC_EBUSY	16
#define	LKC_ENODEV	19
#define	LKC_EINVAL	22
#define	LKC_EMFILE	24
#define	LKC_ENOTTY	25
#define	LKC_ENOSPC	28
#define	LKC_EOPNOTSUPP	95

/* ------------------------------------------------------------------------
 * Part 1: implemented by the FreeBSD side.
 * ------------------------------------------------------------------------ */

/* --- critical sections, scheduling ------------------------------------- */

/*
 * critical_enter(9) and critical_exit(9), counted; Linux preempt_disable().
 * [irq].  lkc_critical_exit() with interrupts off never switches threads: the
 * preemption that is owed stays owed (Linux checks irqs_disabled() likewise).
 */
void	lkc_critical_enter(void);
void	lkc_critical_exit(void);
/* Nesting level of the current thread's critical sections.  [irq] */
int	lkc_critical_nest(void);

/*
 * Enter and leave the section that a thread with a loaded vCPU runs in: one
 * more level of critical section; on entry the thread is also marked so that
 * its return to user mode restores all segment state (PCB_FULL_IRET), because
 * FS/GS bases and segment registers do not survive a guest.  [crit]
 */
void	lkc_section_enter(void);
void	lkc_section_leave(void);

/* A reschedule of the current thread is owed.  [irq] */
int	lkc_need_resched(void);
/*
 * The current thread has work at the user boundary other than a reschedule:
 * signal, suspension, exit.  True means KVM_RUN must return EINTR.  [irq]
 */
int	lkc_signal_pending(void);
/* Let another thread run if there is one of the same or better priority. [sleep] */
void	lkc_yield(void);
/* No other runnable thread on this CPU's run queue.  [irq] */
int	lkc_single_running(void);
/* An address on the current thread's kernel stack.  [irq] */
int	lkc_on_stack(const void *p);
/*
 * Replace the thread's signal mask.  Bit N-1 of a mask is signal N as the
 * program numbers it: FreeBSD's first 64, or Linux's 64 in a Linux program.
 * Signals that have no bit keep their state.  [sleep]
 */
void	lkc_sigmask(const lkc_u64 *newmask, lkc_u64 *oldmask);

/* --- threads ------------------------------------------------------------ */

/*
 * Every thread that enters the Linux side has one block of lkcl_task_size
 * bytes (struct task_struct, initialised by lkcl_task_init), which the FreeBSD
 * side allocates at the thread's first entry, before it calls any lkcl_*
 * function in that thread's name, and releases when the thread has exited and
 * the last reference is gone.
 *
 * lkc_task_self: the current thread's block.  In interrupts and in threads
 * that never entered, a shared block of the module that must only be read.
 * [irq]
 */
void	*lkc_task_self(void) __attribute__((__const__));
void	lkc_task_ref(void *task);	/* [irq] */
void	lkc_task_unref(void *task);	/* [sleep] */
/*
 * Sleep until lkc_task_unpark() or for at most timeout_ns (LKC_FOREVER: no
 * limit).  A wake-up that comes before the sleep is not lost: it makes the
 * next park return at once.  interruptible: also return on a signal.  May
 * return early; the caller checks its condition.  [sleep]
 */
#define	LKC_FOREVER	(~(lkc_u64)0)
void	lkc_task_park(lkc_u64 timeout_ns, int interruptible);
void	lkc_task_unpark(void *task);	/* [irq] */
/* The thread is running or on a run queue (0 after it exited).  [irq] */
int	lkc_task_runnable(void *task);

/*
 * Start a kernel thread that runs fn(arg) and exits.  *task gets its block
 * with one reference; lkc_thread_join waits until the thread is gone and drops
 * that reference.  [sleep]; 0, -ENOMEM or -EAGAIN.
 */
int	lkc_thread_start(void (*fn)(void *), void *arg, const char *name,
	    void **task);
void	lkc_thread_join(void *task);

/* --- sleeping locks ----------------------------------------------------- */

/* Storage for an sx(9) lock; the FreeBSD side asserts that it is enough. */
struct lkc_sx {
	void	*opaque[4];
};
/* name must stay valid (a string literal of the module).  [crit] */
void	lkc_sx_init(struct lkc_sx *sx, const char *name);
void	lkc_sx_destroy(struct lkc_sx *sx);
void	lkc_sx_xlock(struct lkc_sx *sx);	/* [sleep] */
int	lkc_sx_xlock_sig(struct lkc_sx *sx);	/* [sleep]; 0 or -EINTR */
int	lkc_sx_try_xlock(struct lkc_sx *sx);	/* [crit]; 1 = locked */
void	lkc_sx_xunlock(struct lkc_sx *sx);	/* [crit] */
void	lkc_sx_slock(struct lkc_sx *sx);	/* [sleep] */
int	lkc_sx_try_slock(struct lkc_sx *sx);	/* [crit]; 1 = locked */
void	lkc_sx_sunlock(struct lkc_sx *sx);	/* [crit] */
int	lkc_sx_xlocked(struct lkc_sx *sx);	/* [irq]; by anyone */

/* --- RCU ---------------------------------------------------------------- */

/*
 * A read-side section, one kind for the whole module, not preemptible, may nest.
 * [irq]
 */
void	lkc_rcu_enter(void);
void	lkc_rcu_exit(void);
/* Returns when all sections that were entered before it are left.  [sleep] */
void	lkc_rcu_wait(void);

/* --- time and timers ---------------------------------------------------- */

lkc_u64	lkc_clock_mono_ns(void);	/* since boot; [irq] */
lkc_u64	lkc_clock_real_ns(void);	/* since 1970 UTC; [irq] */
lkc_u64	lkc_tsc_khz(void);		/* [irq] */
/*
 * The active timecounter is the TSC and the TSCs are synchronised, so that a
 * guest may compute the host's clock from its TSC.  [irq]
 */
int	lkc_clock_is_tsc(void);
/*
 * One TSC value and the two clocks at that instant; approximate if the clock
 * is not the TSC.  [irq]
 */
void	lkc_clock_snapshot(lkc_u64 *tsc, lkc_u64 *mono_ns, lkc_u64 *real_ns);

/* Storage for a callout(9) and its function. */
struct lkc_timer {
	void	*opaque[16];
};
/* fn runs in interrupt context (C_DIRECT_EXEC), interrupts off: [irq] only. */
void	lkc_timer_init(struct lkc_timer *t, void (*fn)(void *), void *arg);
/* Fire at mono_ns on the current CPU; replaces a pending start.  [irq] */
void	lkc_timer_start(struct lkc_timer *t, lkc_u64 mono_ns);
/*
 * 1: was pending, is stopped; 0: was not pending; -1: fn runs now, and what it
 * or others have started meanwhile is stopped, too.  [irq]
 */
int	lkc_timer_stop(struct lkc_timer *t);
/* Stop and wait for fn to end.  Afterwards the storage may go.  [sleep] */
void	lkc_timer_drain(struct lkc_timer *t);

/* --- kernel memory ------------------------------------------------------ */

#define	LKC_M_WAIT	0x1	/* may sleep, does not fail */
#define	LKC_M_ZERO	0x2
#define	LKC_M_BELOW4G	0x4	/* pages only: physical address below 4 GB */
/*
 * [sleep], also without LKC_M_WAIT (the allocators of FreeBSD must not be
 * entered from a critical section); NULL without memory.  Alignment is at
 * least min(align, PAGE_SIZE); align is a power of two.
 */
void	*lkc_malloc(lkc_size size, lkc_size align, int flags);
void	lkc_free(void *p);			/* [sleep]; NULL is fine */
/*
 * Physically contiguous, unmanaged, wired pages, naturally aligned to their
 * size, returned by their direct map address.  order: log2 of pages.  More
 * than one page, or memory below 4 GB, may fail (NULL) also with LKC_M_WAIT.
 * Pages may be shown to user space: what others have wired then is theirs
 * after lkc_pages_free, and goes when they let it go.  [sleep]
 */
void	*lkc_pages_alloc(unsigned int order, int flags);
void	lkc_pages_free(void *p, unsigned int order);
/*
 * npages zeroed pages of that kind in one piece of kernel addresses, or NULL.
 * [sleep]
 */
void	*lkc_vmap_alloc(lkc_size npages);
void	lkc_vmap_free(void *p);
int	lkc_vmap_is(const void *p);	/* p comes from lkc_vmap_alloc; [irq] */
/* A word of storage that belongs to a page of lkc_pages_alloc.  [irq] */
unsigned long *lkc_page_private(lkc_u64 pa);
/* The direct map: kernel address of physical 0, and its size.  [irq] */
void	*lkc_dmap_base(void);
lkc_u64	lkc_dmap_size(void);
/* Physical address of any kernel address that is mapped.  [irq] */
lkc_u64	lkc_virt_to_phys(const void *p);
/* pa lies in system memory and has a page structure.  [irq] */
int	lkc_phys_is_ram(lkc_u64 pa);
/* Call lkcl_lowmem when the system runs short of memory.  [sleep] */
int	lkc_lowmem_enable(void);
void	lkc_lowmem_disable(void);

/* --- user memory -------------------------------------------------------- */

/*
 * Address spaces: an opaque handle that is the same for all threads of a
 * process and never reused while held.  A hold keeps the handle, not the
 * mappings (Linux: mmgrab): a mapping of a vCPU keeps its file, so a hold on
 * mappings would outlive the process.  After exit or exec the handle is dead:
 * no process has it, and lkc_user_hold on it fails.
 */
void	*lkc_mm_current(void);			/* [irq]; NULL: kernel thread */
void	lkc_mm_hold(void *mm);			/* [irq]; of a held or current mm */
void	lkc_mm_drop(void *mm);			/* [sleep] */
/*
 * Fault in and wire npages pages from page aligned uva of mm, which need not
 * be the current one; write: for writing (breaks copy-on-write).  All or
 * nothing: 0 with pa[] filled, or -EFAULT.  [sleep]
 */
int	lkc_user_hold(void *mm, lkc_u64 uva, unsigned int npages, int write,
	    lkc_u64 *pa);
/*
 * The 2 MB at uva, aligned, wired for writing as one block of as much contiguous
 * memory, which is made if there is none yet: 0 with its first page in *pa, or
 * -EFAULT, and then lkc_user_hold() may still do.  Its pages are dropped one by
 * one.  [sleep]
 */
int	lkc_block_hold(void *mm, lkc_u64 uva, lkc_u64 *pa);
/* One more wiring of a page that the caller knows to be wired.  [irq] */
void	lkc_page_hold(lkc_u64 pa);
/*
 * Drop one wiring.  The first form returns 0 without doing it when it would be
 * the last one.  dirty: the page may have been written through the wiring.
 */
int	lkc_page_unhold_try(lkc_u64 pa);		/* [irq] */
void	lkc_page_unhold(lkc_u64 pa, int dirty);		/* [sleep] */
int	lkc_page_wirings(lkc_u64 pa);			/* [irq] */
/*
 * Count pages as wired by users, as mlock(2) does; -ENOMEM beyond their limit
 * (vm.max_user_wired).  [irq]
 */
int	lkc_wired_charge(unsigned int npages);
void	lkc_wired_uncharge(unsigned int npages);
/* Children of fork() do not inherit this range of mm.  [sleep]; 0 or -EINVAL */
int	lkc_user_nofork(void *mm, lkc_u64 uva, lkc_u64 len);
/* Anonymous private read-write mapping in the current process.  [sleep] */
int	lkc_user_map(lkc_u64 len, lkc_u64 *uva);
int	lkc_user_unmap(lkc_u64 uva, lkc_u64 len);
/* One past the highest user address of the current process.  [irq] */
lkc_u64	lkc_user_limit(void);
/* The current process runs a 32-bit program.  [irq] */
int	lkc_user_is_32bit(void);

/* Copies from and to the current process.  0 or -EFAULT; [sleep] */
int	lkc_copyin(void *dst, lkc_u64 src, lkc_size len);
int	lkc_copyout(lkc_u64 dst, const void *src, lkc_size len);
/* The same without page faults: -EFAULT where one would be needed.  [irq] */
int	lkc_copyin_nofault(void *dst, lkc_u64 src, lkc_size len);
int	lkc_copyout_nofault(lkc_u64 dst, const void *src, lkc_size len);
/*
 * Atomic compare and exchange on aligned user memory: 0: stored; 1: *old was
 * different and is updated; -EFAULT.  Page faults: [sleep].
 */
int	lkc_cas_user32(lkc_u64 uva, lkc_u32 *old, lkc_u32 new);
int	lkc_cas_user64(lkc_u64 uva, lkc_u64 *old, lkc_u64 new);

/* --- processors --------------------------------------------------------- */

#define	LKC_MAXCPU	1024
/* CPU ids are below lkc_cpu_limit(), perhaps with gaps.  [irq] */
unsigned int lkc_cpu_limit(void);
int	lkc_cpu_present(unsigned int cpu);
unsigned int lkc_cpu_id(void);		/* stable only inside a critical section */
unsigned long lkc_cpu_local(const unsigned long *array);	/* array[lkc_cpu_id()] */
unsigned int lkc_cpu_apicid(unsigned int cpu);
int	lkc_cpu_smt(void);		/* more than one thread per core in use */
int	lkc_cpu_x2apic(void);		/* the host's APICs are in x2APIC mode */
/* Move the current thread to cpu and keep it there until unbind.  [sleep] */
void	lkc_cpu_bind(unsigned int cpu);
void	lkc_cpu_unbind(void);
/*
 * Run fn(arg) at once on all CPUs of mask (bit n of word n/64), the current
 * one included if set, in interrupt context, and wait for it.  Interrupts must
 * be on.  [crit]
 */
void	lkc_cpu_call(const lkc_u64 *mask, unsigned int words, void (*fn)(void *),
	    void *arg);
/* Interrupt cpu so that it leaves guest mode or idles through; no wait. [irq] */
void	lkc_cpu_kick(unsigned int cpu);
/*
 * Vectors whose handler only acknowledges the interrupt (posted-interrupt
 * notifications that arrive outside the guest).  A vector or -ENOSPC.  [sleep]
 */
int	lkc_vector_alloc(void);
void	lkc_vector_free(int vector);
void	lkc_cpu_send_vector(unsigned int cpu, int vector);	/* [irq] */

/* --- machine-specific registers ----------------------------------------- */

/* 0, or -EIO when the access raised #GP.  [irq] */
int	lkc_rdmsr_safe(lkc_u32 msr, lkc_u64 *value);
int	lkc_wrmsr_safe(lkc_u32 msr, lkc_u64 value);

/* --- FPU ---------------------------------------------------------------- */

struct lkc_fpu_info {
	lkc_u64	xcr0;		/* components the host enabled; 0: no XSAVE */
	lkc_u32	size;		/* of a standard-format area for xcr0, or 512 */
	lkc_u32	mxcsr_mask;	/* writable bits of MXCSR */
};
void	lkc_fpu_info(struct lkc_fpu_info *info);	/* [irq] */
/*
 * Take the FPU: save the user state of the thread if it is live, make FPU
 * instructions usable in the kernel.  The registers then belong to the caller
 * until lkc_fpu_drop, which leaves no live state (the thread's user state is
 * loaded again at its next use).  Both inside one critical section.  [crit]
 */
void	lkc_fpu_take(void);
void	lkc_fpu_drop(void);

/* --- files -------------------------------------------------------------- */

/*
 * hfile: a host file (struct file *), referenced.  lfile: an object of the
 * Linux side behind a file that it made; see lkcl_file_* for what the FreeBSD
 * side calls.
 */

/*
 * Reserve a descriptor of the current process and a file that is not yet
 * usable; then either attach the Linux object, or cancel.  After attach the
 * descriptor table owns the file, and its last close calls
 * lkcl_file_release(lfile).  name appears in kinfo output.  [sleep]
 */
int	lkc_fd_reserve(int cloexec, int *fd, void **hfile);
void	lkc_fd_attach(int fd, void *hfile, void *lfile, const char *name,
	    int writable);
void	lkc_fd_cancel(int fd, void *hfile);
/*
 * A reference to descriptor fd of the current process, which must have the
 * rights to read, write and wait for it (capsicum(4)); 0 or -EBADF.  [sleep]
 */
int	lkc_file_get(int fd, void **hfile);
void	lkc_file_ref(void *hfile);		/* [irq] */
void	lkc_file_put(void *hfile);		/* [sleep] */
/* hfile is an eventfd(2).  [irq] */
int	lkc_file_is_eventfd(void *hfile);
/* An eventfd was made with EFD_SEMAPHORE.  [sleep] */
int	lkc_eventfd_is_semaphore(void *hfile);
/* Add n to an eventfd's counter; a full counter stays full.  [sleep] */
void	lkc_eventfd_signal(void *hfile, lkc_u64 n);
/*
 * Take and reset the counter of an eventfd; 0 if it was 0.  Never waits.
 * [sleep]
 */
lkc_u64	lkc_eventfd_take(void *hfile);
/*
 * Call fn(arg) in a kernel thread each time the eventfd becomes readable while
 * the watch is on (and once when it is switched on, if it is readable then).
 * lkc_eventfd_watch() makes one that is off, or fails; it has references of its
 * own to the file.  Switched off, or unwatched, fn is not running and will not
 * be, so fn itself must not do it.  [sleep]
 */
int	lkc_eventfd_watch(void *hfile, void (*fn)(void *), void *arg,
	    void **watch);
void	lkc_eventfd_watch_switch(void *watch, int on);
void	lkc_eventfd_unwatch(void *watch);
/* Beside the watch, and one reference of the caller, nobody has the file. [irq] */
int	lkc_eventfd_deserted(void *watch);

/*
 * The character device /dev/<name>: open calls lkcl_dev_open, all else as
 * for files.  Owner, group and mode are the FreeBSD side's policy.  [sleep]
 */
int	lkc_dev_create(const char *name, void *ldev, void **dev);
void	lkc_dev_destroy(void *dev);

/* --- diagnostics, privileges, module ------------------------------------ */

#define	LKC_LOG_ERR	3
#define	LKC_LOG_WARNING	4
#define	LKC_LOG_INFO	6
#define	LKC_LOG_DEBUG	7
/* Message buffer and console; debug only with bootverbose.  [irq] */
void	lkc_vlog(int level, const char *fmt, __builtin_va_list ap);
/* As C99 vsnprintf: the length that the whole result has.  [irq] */
int	lkc_vsnprintf(char *buf, lkc_size size, const char *fmt,
	    __builtin_va_list ap);
void	lkc_backtrace(void);				/* [irq] */
void	lkc_panic(const char *fmt, ...)
	    __attribute__((__noreturn__, __format__(__printf__, 1, 2)));
/* The caller is privileged to configure drivers (PRIV_DRIVER).  [sleep] */
int	lkc_privileged(void);
/* 32 random bits.  [sleep] */
lkc_u32	lkc_random(void);
/* Module references by the Linux side; unload is refused while any.  [irq] */
void	lkc_module_ref(void);
void	lkc_module_unref(void);

/* ------------------------------------------------------------------------
 * Part 2: implemented by the Linux side.
 * ------------------------------------------------------------------------ */

/*
 * Size of the per-thread block, and its life.  Plain initialisation only: the
 * first block is made before lkcl_init, the last goes after lkcl_exit.  [sleep]
 */
extern const lkc_size lkcl_task_size;
void	lkcl_task_init(void *task, int pid, int tid, const char *comm);
void	lkcl_task_fini(void *task);

/*
 * Start and stop of the Linux side: per-CPU areas, static locks, workers.
 * First and last call of all.  [sleep]
 */
int	lkcl_init(void);
void	lkcl_exit(void);

/* Memory is short: release what can be.  From a kernel thread.  [sleep] */
void	lkcl_lowmem(void);

/*
 * Module parameters, index 0 to lkcl_param_count() - 1.  Values are text, as
 * in Linux ("Y", "N", "-1", "200").  get: length without the final NUL.
 * Tunables are set between lkcl_init and the module's own start.  [sleep]
 */
struct lkc_param {
	const char	*module;	/* "kvm", "kvm_intel", "kvm_amd" */
	const char	*name;
	const char	*desc;		/* or NULL */
	int		writable;	/* also after the start */
};
unsigned int lkcl_param_count(void);
void	lkcl_param_info(unsigned int i, struct lkc_param *info);
int	lkcl_param_get(unsigned int i, char *buf, lkc_size size);
int	lkcl_param_set(unsigned int i, const char *value);

/* Open of a character device: a new lfile in *lfile.  [sleep] */
int	lkcl_dev_open(void *ldev, void **lfile);
/*
 * ioctl: group and number are the two low bytes of FreeBSD's command word (see
 * uapi/linux/ioctl.h for how the direction is kept in group); arg is the third
 * argument of ioctl(2), untouched.  Result >= 0: the value that ioctl(2)
 * returns; < 0: error.  [sleep]
 */
long	lkcl_file_ioctl(void *lfile, unsigned int group, unsigned int nr,
	    unsigned long arg);
/* The same with Linux's own command word, from a Linux program.  [sleep] */
long	lkcl_file_linux_ioctl(void *lfile, unsigned int cmd, unsigned long arg);
/* uva is a user address, *off the file position.  Bytes or error.  [sleep] */
long	lkcl_file_read(void *lfile, lkc_u64 uva, lkc_size len, lkc_s64 *off);
/*
 * mmap: called once per mmap(2), may refuse; prot bits 1 read, 2 write, 4
 * exec.  Then each page at its first fault: *pa is the page, wired as long as
 * lfile lives.  [sleep]
 */
int	lkcl_file_mmap(void *lfile, lkc_u64 pgoff, lkc_u64 npages, int prot,
	    int shared);
int	lkcl_file_mmap_page(void *lfile, lkc_u64 pgoff, lkc_u64 *pa);
/* Last close.  [sleep] */
void	lkcl_file_release(void *lfile);

#endif /* !_LKC_BRIDGE_H_ */
