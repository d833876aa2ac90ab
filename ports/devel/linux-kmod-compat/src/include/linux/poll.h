/* SPDX-License-Identifier: BSD-2-Clause */
/* Enough for a driver that polls an eventfd, see eventfd.c. */
#ifndef _LKC_LINUX_POLL_H_
#define	_LKC_LINUX_POLL_H_

#include <linux/wait.h>
#include <linux/fs.h>
#include <uapi/linux/poll.h>
#include <uapi/linux/eventpoll.h>
struct poll_table_struct;
typedef void (*poll_queue_proc)(struct file *, wait_queue_head_t *,
    struct poll_table_struct *);
typedef struct poll_table_struct {
	poll_queue_proc	_qproc;
	__poll_t	_key;
} poll_table;
static inline void init_poll_funcptr(poll_table *pt, poll_queue_proc qproc)
{
	pt->_qproc = qproc;
	pt->_key = ~(__poll_t)0;
}
__poll_t vfs_poll(struct file *file, poll_table *pt);
#define key_to_poll(m)	((__force __poll_t)(uintptr_t)(void *)(m))
#define poll_to_key(m)	((void *)(__force uintptr_t)(m))

#endif
