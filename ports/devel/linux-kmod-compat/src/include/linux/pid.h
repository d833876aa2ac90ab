/* SPDX-License-Identifier: BSD-2-Clause */
/* A struct pid is the task it names, referenced. */
#ifndef _LKC_LINUX_PID_H_
#define	_LKC_LINUX_PID_H_

#include <linux/types.h>
#include <linux/pid_types.h>
struct pid;
struct task_struct;
struct pid *get_task_pid(struct task_struct *task, enum pid_type type);
struct task_struct *get_pid_task(struct pid *pid, enum pid_type type);
struct pid *get_pid(struct pid *pid);
void put_pid(struct pid *pid);
pid_t pid_nr(struct pid *pid);
pid_t pid_vnr(struct pid *pid);
#define task_tgid(task)	task_pid(task)
static inline struct pid *task_pid(struct task_struct *task)
{
	return (struct pid *)task;
}

#endif
