/* SPDX-License-Identifier: BSD-2-Clause */
/* Wait queues with callbacks; nothing sleeps on one. */
#ifndef _LKC_LINUX_WAIT_H_
#define	_LKC_LINUX_WAIT_H_

#include <linux/list.h>
#include <linux/stddef.h>
#include <linux/spinlock.h>
#include <asm/current.h>
typedef struct wait_queue_entry wait_queue_entry_t;
typedef int (*wait_queue_func_t)(struct wait_queue_entry *entry, unsigned int mode,
    int flags, void *key);
struct wait_queue_entry {
	unsigned int		flags;
	void			*private;
	wait_queue_func_t	func;
	struct list_head	entry;
};
typedef struct wait_queue_head {
	spinlock_t		lock;
	struct list_head	head;
} wait_queue_head_t;
static inline void init_waitqueue_head(struct wait_queue_head *wqh)
{
	spin_lock_init(&wqh->lock);
	INIT_LIST_HEAD(&wqh->head);
}
static inline void init_waitqueue_func_entry(struct wait_queue_entry *entry,
    wait_queue_func_t func)
{
	entry->flags = 0;
	entry->private = NULL;
	entry->func = func;
}
void add_wait_queue_priority(struct wait_queue_head *wqh, struct wait_queue_entry *entry);
/* -EBUSY if somebody waits already. */
int add_wait_queue_priority_exclusive(struct wait_queue_head *wqh,
    struct wait_queue_entry *entry);

#endif
