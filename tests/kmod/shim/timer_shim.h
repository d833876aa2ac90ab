/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What timer.c and linux/hrtimer.h need of Linux's other headers, on POSIX.
 */
#ifndef TIMER_SHIM_H
#define	TIMER_SHIM_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

typedef uint64_t u64;
typedef int64_t s64;
typedef int64_t ktime_t;
enum tk_offsets { TK_OFFS_REAL, TK_OFFS_BOOT };

#define	HZ			1000
#define	NSEC_PER_USEC		1000L
#define	NSEC_PER_MSEC		1000000L
#define	NSEC_PER_SEC		1000000000L
#define	KTIME_MAX		INT64_MAX
#define	MAX_JIFFY_OFFSET	((LONG_MAX >> 1) - 1)
#define	min(a, b)		((a) < (b) ? (a) : (b))
#define	max(a, b)		((a) > (b) ? (a) : (b))
#define	clamp(x, low, high)	min(max(x, low), high)
/* Callbacks run on one processor. */
#define	DEFINE_PER_CPU(type, name) type name
#define	this_cpu_ptr(p)		(p)
#define	READ_ONCE(x)		(*(volatile __typeof__(x) *)&(x))
#define	WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define	cpu_relax()		__builtin_ia32_pause()
#define	rdtsc_ordered()		__builtin_ia32_rdtsc()
#define	pr_warn(...)		fprintf(stderr, __VA_ARGS__)
#define	div_u64(a, b)		((u64)(a) / (b))
#define	DIV_ROUND_UP_ULL(a, b)	(((a) + (b) - 1) / (b))
#define	mul_u64_u32_div(a, m, d) ((u64)((unsigned __int128)(a) * (m) / (d)))
#define	check_add_overflow(a, b, r) __builtin_add_overflow(a, b, r)
#define	ktime_sub(a, b)		((ktime_t)((a) - (b)))
#define	ktime_add_ns(a, ns)	((ktime_t)((a) + (ns)))

/* Of headers that timer.c includes. */
ktime_t ktime_add_safe(const ktime_t lhs, const ktime_t rhs);
ktime_t ktime_get(void);
ktime_t ktime_get_raw(void);
ktime_t ktime_get_with_offset(enum tk_offsets offs);
unsigned long lx_jiffies(void);
#define	jiffies	lx_jiffies()
unsigned long __msecs_to_jiffies(const unsigned int msecs);
void __delay(unsigned long loops);
void __ndelay(unsigned long nsecs);
int check_tsc_unstable(void);
void mark_tsc_unstable(char *reason);
void lx_time_init(void);
extern unsigned int tsc_khz;

#endif
