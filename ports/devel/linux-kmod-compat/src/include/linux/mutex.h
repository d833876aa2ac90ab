/* SPDX-License-Identifier: BSD-2-Clause */
/* sx(9).  Static ones are initialised at load from a section. */
#ifndef __LINUX_MUTEX_H
#define	__LINUX_MUTEX_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/spinlock_types.h>
#include <linux/lockdep.h>
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include "lkc_bridge.h"

struct mutex {
	struct lkc_sx	sx;
};
struct lx_static_lock {
	struct lkc_sx	*sx;
	const char	*name;
};
#define __LX_STATIC_LOCK(var)						\
static const struct lx_static_lock __used __section("lx_static_locks")	\
__lx_lock_##var = { &(var).sx, #var }
#define DEFINE_MUTEX(var)	struct mutex var; __LX_STATIC_LOCK(var)

#define mutex_init(lock)	lkc_sx_init(&(lock)->sx, #lock)
#define __mutex_init(lock, name, key) lkc_sx_init(&(lock)->sx, name)
#define mutex_destroy(lock)	lkc_sx_destroy(&(lock)->sx)
void mutex_lock(struct mutex *lock);
int mutex_lock_killable(struct mutex *lock);
int mutex_lock_interruptible(struct mutex *lock);
int mutex_trylock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
#define mutex_lock_nested(lock, subclass)	mutex_lock(lock)
#define mutex_trylock_nest_lock(lock, outer)	mutex_trylock(lock)
#define mutex_lock_killable_nest_lock(lock, outer) mutex_lock_killable(lock)
static inline bool mutex_is_locked(struct mutex *lock)
{
	return lkc_sx_xlocked(&lock->sx);
}
DEFINE_GUARD(mutex, struct mutex *, mutex_lock(_T), mutex_unlock(_T))

#endif
