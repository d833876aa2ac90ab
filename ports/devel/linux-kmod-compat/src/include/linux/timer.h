/* SPDX-License-Identifier: BSD-2-Clause */
/* Only delayed work uses timers here. */
#ifndef _LINUX_TIMER_H
#define	_LINUX_TIMER_H

#include <linux/list.h>
#include <linux/ktime.h>
#include <linux/stddef.h>
#include <linux/stringify.h>

#endif
