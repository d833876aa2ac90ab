/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd(2) of FreeBSD behind Linux's interface, see eventfd.c. */
#ifndef _LKC_LINUX_EVENTFD_H_
#define	_LKC_LINUX_EVENTFD_H_

#include <linux/wait.h>
#include <linux/err.h>
#include <linux/fs.h>
struct eventfd_ctx;
struct eventfd_ctx *eventfd_ctx_fdget(int fd);
struct eventfd_ctx *eventfd_ctx_fileget(struct file *file);
void eventfd_ctx_put(struct eventfd_ctx *ctx);
void eventfd_signal(struct eventfd_ctx *ctx);
int eventfd_ctx_remove_wait_queue(struct eventfd_ctx *ctx,
    wait_queue_entry_t *wait, __u64 *cnt);
void eventfd_ctx_do_read(struct eventfd_ctx *ctx, __u64 *cnt);

#endif
