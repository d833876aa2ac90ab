/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What srcu.c needs of Linux's headers and of the bridge, on top of POSIX.
 * The headers that it includes are empty files beside this one.
 */
#ifndef SRCU_SHIM_H
#define	SRCU_SHIM_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

typedef uint64_t u64;
typedef struct { unsigned long v; } atomic_long_t;

struct mutex { pthread_mutex_t sx; };
struct lx_srcu_cpu;
struct srcu_struct {
	unsigned int idx;
	struct lx_srcu_cpu *cpus;
	struct mutex mutex;
};

#define	____cacheline_aligned	__attribute__((__aligned__(64)))
#define	GFP_KERNEL		0
#define	READ_ONCE(x)		(*(volatile __typeof__(x) *)&(x))
#define	WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define	smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define	cpu_relax()		__builtin_ia32_pause()
#define	atomic_long_inc_return(a) __atomic_add_fetch(&(a)->v, 1, __ATOMIC_SEQ_CST)
#define	atomic_long_read(a)	__atomic_load_n(&(a)->v, __ATOMIC_RELAXED)
#define	kfree(p)		free(p)
#define	mutex_init(m)		pthread_mutex_init(&(m)->sx, NULL)
#define	mutex_destroy(m)	pthread_mutex_destroy(&(m)->sx)
#define	lkc_sx_xlock(s)		pthread_mutex_lock(s)
#define	lkc_sx_xunlock(s)	pthread_mutex_unlock(s)
#define	lx_block_begin()	((void)0)
#define	lx_block_end()		((void)0)

/* Callbacks are not under test. */
static inline void lx_srcu_call_init(struct srcu_struct *ssp)
{
	(void)ssp;
}

static inline void *kcalloc(size_t n, size_t size, int gfp)
{
	(void)gfp;
	void *p = aligned_alloc(64, n * size);
	if (p)
		__builtin_memset(p, 0, n * size);
	return p;
}

static inline void lkc_task_park(u64 ns, int interruptible)
{
	struct timespec ts = { .tv_nsec = (long)ns };

	(void)interruptible;
	nanosleep(&ts, NULL);
}

/* A thread that moves between processors all the time. */
#define	SHIM_CPUS	8
static inline unsigned int lkc_cpu_limit(void) { return SHIM_CPUS; }
static inline unsigned int lkc_cpu_id(void)
{
	static __thread unsigned int n;

	return n++ % SHIM_CPUS;
}

int init_srcu_struct(struct srcu_struct *ssp);
void cleanup_srcu_struct(struct srcu_struct *ssp);
int srcu_read_lock(struct srcu_struct *ssp);
void srcu_read_unlock(struct srcu_struct *ssp, int idx);
void synchronize_srcu(struct srcu_struct *ssp);

#endif
