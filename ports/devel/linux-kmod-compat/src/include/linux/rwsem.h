/* SPDX-License-Identifier: BSD-2-Clause */
/* sx(9), shared and exclusive. */
#ifndef _LINUX_RWSEM_H
#define	_LINUX_RWSEM_H

#include <linux/types.h>
#include <linux/cleanup.h>
#include "lkc_bridge.h"
struct rw_semaphore {
	struct lkc_sx	sx;
};
#define init_rwsem(sem)	lkc_sx_init(&(sem)->sx, #sem)
#define DECLARE_RWSEM(var)	struct rw_semaphore var; __LX_STATIC_LOCK(var)
void down_read(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void down_write(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);
DEFINE_LOCK_GUARD_1(rwsem_read, struct rw_semaphore, down_read(_T->lock), up_read(_T->lock))
DEFINE_LOCK_GUARD_1(rwsem_write, struct rw_semaphore, down_write(_T->lock),
    up_write(_T->lock))

#endif
