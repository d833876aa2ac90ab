/* SPDX-License-Identifier: BSD-2-Clause */
/* See spinlock_types.h and lock.c. */
#ifndef __LINUX_SPINLOCK_H
#define	__LINUX_SPINLOCK_H

#include <linux/typecheck.h>
#include <linux/preempt.h>
#include <linux/linkage.h>
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/thread_info.h>
#include <linux/stringify.h>
#include <linux/bottom_half.h>
#include <linux/lockdep.h>
#include <linux/cleanup.h>
#include <asm/barrier.h>
#include <linux/spinlock_types.h>

void lx_spin_lock(u32 *locked);
void lx_spin_unlock(u32 *locked);
int lx_spin_trylock(u32 *locked);
void lx_read_lock(rwlock_t *lock);
int lx_read_trylock(rwlock_t *lock);
void lx_read_unlock(rwlock_t *lock);
void lx_write_lock(rwlock_t *lock);
void lx_write_unlock(rwlock_t *lock);

#define spin_lock_init(lock)		((lock)->locked = 0)
#define spin_lock(lock)			lx_spin_lock(&(lock)->locked)
#define spin_unlock(lock)		lx_spin_unlock(&(lock)->locked)
#define spin_trylock(lock)		lx_spin_trylock(&(lock)->locked)
#define spin_is_locked(lock)		(READ_ONCE((lock)->locked) != 0)
#define spin_is_contended(lock)		0
#define spin_needbreak(lock)		0
#define spin_lock_nested(lock, sub)	spin_lock(lock)
#define spin_lock_bh(lock)		spin_lock(lock)
#define spin_unlock_bh(lock)		spin_unlock(lock)
#define spin_lock_irq(lock) do {					\
	local_irq_disable();						\
	spin_lock(lock);						\
} while (0)
#define spin_unlock_irq(lock) do {					\
	spin_unlock(lock);						\
	local_irq_enable();						\
} while (0)
#define spin_lock_irqsave(lock, flags) do {				\
	local_irq_save(flags);						\
	spin_lock(lock);						\
} while (0)
#define spin_unlock_irqrestore(lock, flags) do {			\
	spin_unlock(lock);						\
	local_irq_restore(flags);					\
} while (0)
#define assert_spin_locked(lock)	WARN_ON_ONCE(!spin_is_locked(lock))

#define raw_spin_lock_init		spin_lock_init
#define raw_spin_lock			spin_lock
#define raw_spin_unlock			spin_unlock
#define raw_spin_trylock		spin_trylock
#define raw_spin_trylock_irqsave(lock, flags) ({			\
	int __got;							\
									\
	local_irq_save(flags);						\
	__got = spin_trylock(lock);					\
	if (!__got)							\
		local_irq_restore(flags);				\
	__got;								\
})
#define raw_spin_lock_nested		spin_lock_nested
#define raw_spin_lock_irq		spin_lock_irq
#define raw_spin_unlock_irq		spin_unlock_irq
#define raw_spin_lock_irqsave		spin_lock_irqsave
#define raw_spin_unlock_irqrestore	spin_unlock_irqrestore

#define rwlock_init(lock)		(*(lock) = (rwlock_t){ 0, 0 })
#define read_lock(lock)			lx_read_lock(lock)
#define read_trylock(lock)		lx_read_trylock(lock)
#define read_unlock(lock)		lx_read_unlock(lock)
#define write_lock(lock)		lx_write_lock(lock)
#define write_unlock(lock)		lx_write_unlock(lock)
#define read_lock_irq(lock) do {					\
	local_irq_disable();						\
	read_lock(lock);						\
} while (0)
#define read_unlock_irq(lock) do {					\
	read_unlock(lock);						\
	local_irq_enable();						\
} while (0)
#define write_lock_irq(lock) do {					\
	local_irq_disable();						\
	write_lock(lock);						\
} while (0)
#define write_unlock_irq(lock) do {					\
	write_unlock(lock);						\
	local_irq_enable();						\
} while (0)
#define read_lock_irqsave(lock, flags) do {				\
	local_irq_save(flags);						\
	read_lock(lock);						\
} while (0)
#define read_unlock_irqrestore(lock, flags) do {			\
	read_unlock(lock);						\
	local_irq_restore(flags);					\
} while (0)
#define rwlock_is_contended(lock)	(READ_ONCE((lock)->waiters) != 0)
#define rwlock_needbreak(lock)		rwlock_is_contended(lock)
#define smp_mb__after_spinlock()	smp_mb()
DEFINE_LOCK_GUARD_1(spinlock, spinlock_t, spin_lock(_T->lock), spin_unlock(_T->lock))
DEFINE_LOCK_GUARD_1(raw_spinlock, raw_spinlock_t, raw_spin_lock(_T->lock),
    raw_spin_unlock(_T->lock))
DEFINE_LOCK_GUARD_1(raw_spinlock_irqsave, raw_spinlock_t,
    raw_spin_lock_irqsave(_T->lock, _T->flags),
    raw_spin_unlock_irqrestore(_T->lock, _T->flags), unsigned long flags)
DEFINE_LOCK_GUARD_1(read_lock, rwlock_t, read_lock(_T->lock), read_unlock(_T->lock))

#endif
