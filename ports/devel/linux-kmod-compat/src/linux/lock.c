// SPDX-License-Identifier: BSD-2-Clause
/*
 * Locks.  Those that spin disable preemption while held, as in Linux, so no
 * holder is ever off its CPU.  Those that sleep are sx(9).
 */
#include <linux/spinlock.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/atomic.h>
#include <linux/errno.h>
#include <asm/processor.h>
#include <lkc/block.h>

void lx_spin_lock(u32 *locked)
{
	preempt_disable();
	while (xchg_acquire(locked, 1))
		while (READ_ONCE(*locked))
			cpu_relax();
}

int lx_spin_trylock(u32 *locked)
{
	preempt_disable();
	if (!xchg_acquire(locked, 1))
		return 1;
	preempt_enable();
	return 0;
}

void lx_spin_unlock(u32 *locked)
{
	smp_store_release(locked, 0);
	preempt_enable();
}

/* Readers stand back while a writer waits, or writers might wait for ever. */
void lx_read_lock(rwlock_t *lock)
{
	s32 count;

	preempt_disable();
	for (;;) {
		count = READ_ONCE(lock->count);
		if (count >= 0 && !READ_ONCE(lock->waiters) &&
		    cmpxchg_acquire(&lock->count, count, count + 1) == count)
			return;
		cpu_relax();
	}
}

int lx_read_trylock(rwlock_t *lock)
{
	s32 count;

	preempt_disable();
	count = READ_ONCE(lock->count);
	if (count >= 0 && !READ_ONCE(lock->waiters) &&
	    cmpxchg_acquire(&lock->count, count, count + 1) == count)
		return 1;
	preempt_enable();
	return 0;
}

void lx_read_unlock(rwlock_t *lock)
{
	s32 count = READ_ONCE(lock->count), seen;

	while ((seen = cmpxchg_release(&lock->count, count, count - 1)) != count)
		count = seen;
	preempt_enable();
}

void lx_write_lock(rwlock_t *lock)
{
	preempt_disable();
	if (cmpxchg_acquire(&lock->count, 0, -1) == 0)
		return;
	xadd(&lock->waiters, 1);
	while (READ_ONCE(lock->count) != 0 ||
	    cmpxchg_acquire(&lock->count, 0, -1) != 0)
		cpu_relax();
	xadd(&lock->waiters, -1);
}

void lx_write_unlock(rwlock_t *lock)
{
	smp_store_release(&lock->count, 0);
	preempt_enable();
}

/* A lock that is free costs no vCPU put and load. */
void mutex_lock(struct mutex *lock)
{
	if (!lkc_sx_try_xlock(&lock->sx))
		LX_BLOCKING_VOID(lkc_sx_xlock(&lock->sx));
}

int mutex_trylock(struct mutex *lock)
{
	return lkc_sx_try_xlock(&lock->sx);
}

int mutex_lock_killable(struct mutex *lock)
{
	if (lkc_sx_try_xlock(&lock->sx))
		return 0;
	return LX_BLOCKING(lkc_sx_xlock_sig(&lock->sx));
}

int mutex_lock_interruptible(struct mutex *lock)
{
	return mutex_lock_killable(lock);
}

void mutex_unlock(struct mutex *lock)
{
	lkc_sx_xunlock(&lock->sx);
}

void down_read(struct rw_semaphore *sem)
{
	if (!lkc_sx_try_slock(&sem->sx))
		LX_BLOCKING_VOID(lkc_sx_slock(&sem->sx));
}

void up_read(struct rw_semaphore *sem)
{
	lkc_sx_sunlock(&sem->sx);
}

void down_write(struct rw_semaphore *sem)
{
	if (!lkc_sx_try_xlock(&sem->sx))
		LX_BLOCKING_VOID(lkc_sx_xlock(&sem->sx));
}

void up_write(struct rw_semaphore *sem)
{
	lkc_sx_xunlock(&sem->sx);
}

extern const struct lx_static_lock __start_lx_static_locks[], __stop_lx_static_locks[];

void lx_static_locks_init(void)
{
	const struct lx_static_lock *l;

	for (l = __start_lx_static_locks; l < __stop_lx_static_locks; l++)
		lkc_sx_init(l->sx, l->name);
}

void lx_static_locks_exit(void)
{
	const struct lx_static_lock *l;

	for (l = __start_lx_static_locks; l < __stop_lx_static_locks; l++)
		lkc_sx_destroy(l->sx);
}
