/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_SCHED_STAT_H_
#define	_LKC_LINUX_SCHED_STAT_H_

#include <linux/sched.h>
bool single_task_running(void);
/* No run delay is kept per thread, so steal time is not offered. */
#define sched_info_on()		false

#endif
