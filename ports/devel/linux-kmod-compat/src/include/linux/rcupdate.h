/* SPDX-License-Identifier: BSD-2-Clause */
/* Readers are counted by the host side; callbacks run in one thread (reaper.c). */
#ifndef __LINUX_RCUPDATE_H
#define	__LINUX_RCUPDATE_H

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/bottom_half.h>
#include <linux/lockdep.h>
#include <linux/cleanup.h>
#include <asm/processor.h>
#include "lkc_bridge.h"

static __always_inline void rcu_read_lock(void)
{
	lkc_rcu_enter();
}
static __always_inline void rcu_read_unlock(void)
{
	lkc_rcu_exit();
}
void call_rcu(struct rcu_head *head, rcu_callback_t func);
void synchronize_rcu(void);
#define synchronize_rcu_expedited()	synchronize_rcu()
void rcu_barrier(void);
/* An offset instead of a function: free the object that the head is part of. */
#define kfree_rcu(obj, field)						\
	call_rcu(&(obj)->field, (rcu_callback_t)offsetof(typeof(*(obj)), field))
#define kvfree_rcu(obj, field)		kfree_rcu(obj, field)

#define rcu_read_lock_held()		1
#define rcu_virt_note_context_switch()	do {} while (0)
#define RCU_LOCKDEP_WARN(cond, msg)	do {} while (0)
#define RCU_INITIALIZER(v)		(typeof(*(v)) __force __rcu *)(v)
#define RCU_INIT_POINTER(p, v)		WRITE_ONCE(p, RCU_INITIALIZER(v))
#define RCU_POINTER_INITIALIZER(p, v)	.p = RCU_INITIALIZER(v)
#define rcu_assign_pointer(p, v) do {					\
	uintptr_t __v = (uintptr_t)(v);					\
									\
	smp_store_release((uintptr_t *)&(p), __v);			\
} while (0)
#define rcu_access_pointer(p)		((typeof(*p) *)READ_ONCE(p))
#define rcu_dereference_check(p, c)	((typeof(*p) *)READ_ONCE(p))
#define rcu_dereference(p)		rcu_dereference_check(p, 0)
#define rcu_dereference_raw(p)		((typeof(p))READ_ONCE(p))
#define rcu_dereference_raw_check(p)	rcu_dereference_raw(p)
#define rcu_dereference_protected(p, c)	((typeof(*p) *)(p))
#define rcu_replace_pointer(p, new, c) ({				\
	typeof(p) __old = (p);						\
									\
	rcu_assign_pointer(p, new);					\
	__old;								\
})
#define unrcu_pointer(p)		((typeof(*p) *)(p))
#define rcu_sleep_check()		do {} while (0)
#define init_rcu_head_on_stack(head)	do {} while (0)
#define destroy_rcu_head_on_stack(head)	do {} while (0)
DEFINE_LOCK_GUARD_0(rcu, rcu_read_lock(), rcu_read_unlock())

#endif
