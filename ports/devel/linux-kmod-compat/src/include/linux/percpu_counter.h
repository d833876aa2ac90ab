/* SPDX-License-Identifier: BSD-2-Clause */
/* One atomic counter: exact, and rarely written. */
#ifndef _LKC_LINUX_PERCPU_COUNTER_H_
#define	_LKC_LINUX_PERCPU_COUNTER_H_

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
struct percpu_counter {
	atomic64_t	count;
};
static inline int percpu_counter_init(struct percpu_counter *fbc, s64 amount, gfp_t gfp)
{
	atomic64_set(&fbc->count, amount);
	return 0;
}
static inline void percpu_counter_destroy(struct percpu_counter *fbc) {}
static inline void percpu_counter_add(struct percpu_counter *fbc, s64 amount)
{
	atomic64_add(amount, &fbc->count);
}
#define percpu_counter_inc(fbc)	percpu_counter_add(fbc, 1)
#define percpu_counter_dec(fbc)	percpu_counter_add(fbc, -1)
static inline s64 percpu_counter_read_positive(struct percpu_counter *fbc)
{
	return max_t(s64, 0, atomic64_read(&fbc->count));
}

#endif
