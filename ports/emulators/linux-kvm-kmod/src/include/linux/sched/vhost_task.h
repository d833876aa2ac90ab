/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel thread that works when woken; it needs nothing of the process. */
#ifndef _LKC_LINUX_SCHED_VHOST_TASK_H_
#define	_LKC_LINUX_SCHED_VHOST_TASK_H_

struct vhost_task;
struct vhost_task *vhost_task_create(bool (*fn)(void *), void (*handle_kill)(void *),
    void *arg, const char *name);
void vhost_task_start(struct vhost_task *vtsk);
void vhost_task_stop(struct vhost_task *vtsk);
void vhost_task_wake(struct vhost_task *vtsk);

#endif
