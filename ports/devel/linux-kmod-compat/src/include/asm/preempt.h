/* SPDX-License-Identifier: BSD-2-Clause */
/* Preemption is disabled by a FreeBSD critical section. */
#ifndef __ASM_PREEMPT_H
#define	__ASM_PREEMPT_H

#include <linux/types.h>

struct task_struct;
void lkc_critical_enter(void);
void lkc_critical_exit(void);
int lkc_critical_nest(void);
int lkc_need_resched(void);

#define PREEMPT_ENABLED	0
static __always_inline int preempt_count(void)
{
	return lkc_critical_nest();
}
/* Only ever called with 1 in the configuration that autoconf.h makes. */
static __always_inline void __preempt_count_add(int val)
{
	lkc_critical_enter();
}
static __always_inline void __preempt_count_sub(int val)
{
	lkc_critical_exit();
}
static __always_inline bool __preempt_count_dec_and_test(void)
{
	lkc_critical_exit();	/* switches threads itself where one is owed */
	return false;
}
static __always_inline bool should_resched(int preempt_offset)
{
	return lkc_need_resched();
}
static __always_inline bool test_preempt_need_resched(void)
{
	return lkc_need_resched();
}
static __always_inline void set_preempt_need_resched(void) {}
static __always_inline void clear_preempt_need_resched(void) {}
#define init_task_preempt_count(p)	do {} while (0)
#define init_idle_preempt_count(p, cpu)	do {} while (0)

#endif
