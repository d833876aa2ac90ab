/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How Linux-side code calls what may block.
 */
#ifndef _LKC_BLOCK_H_
#define	_LKC_BLOCK_H_

#include <linux/types.h>

/*
 * A thread with a loaded vCPU is in a critical section.  Between these two it
 * is not, and the vCPU is put, as if the scheduler had switched it out.  For
 * other threads they do nothing.  They nest.
 */
void lx_block_begin(void);
void lx_block_end(void);
/* The current thread may call lx_block_begin(): no lock held, interrupts on. */
bool lx_can_block(void);

/* Evaluate a bridge call of class [sleep]. */
#define LX_BLOCKING(call) ({		\
	__typeof__(call) __ret;		\
					\
	lx_block_begin();		\
	__ret = (call);			\
	lx_block_end();			\
	__ret;				\
})
#define LX_BLOCKING_VOID(call) do {	\
	lx_block_begin();		\
	(call);				\
	lx_block_end();			\
} while (0)

/* Per-CPU state of the host that a loaded vCPU needs (x86_cpu.c). */
void lx_cpu_section_load(void);
void lx_cpu_section_put(void);
/* DR7 of the current thread if it uses debug registers, else 0 (of the module). */
unsigned long lx_host_dr7(void);
/* Write the guest's FPU registers back and give up the FPU (fpu.c). */
void lx_fpu_put(void);

/* Release an object where free may not be called now; done soon by a thread. */
void lx_defer_free(void *obj);
void lx_defer_free_pages(void *addr, unsigned int order);
void lx_defer_unhold(u64 pa);

void lx_smp_init(void);
extern bool lx_running;
int lx_percpu_init(void);
void lx_percpu_exit(void);
int lx_reaper_init(void);
void lx_reaper_exit(void);
int lx_workqueue_init(void);
void lx_workqueue_exit(void);
int lx_cpufeature_init(void);
void lx_fpu_init(void);
int lx_alternatives_apply(void);
void lx_static_locks_init(void);
void lx_static_locks_exit(void);
void lx_time_init(void);
int lx_memory_init(void);
void lx_memory_exit(void);

/*
 * Of the module: the Linux command for a number that arrived at file, or 0; and
 * what a command does, which is the file's unlocked_ioctl unless the module
 * knows better.
 */
struct file;
unsigned int lx_ioctl_command(struct file *file, unsigned int group, unsigned int nr);
long lx_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif
