/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_SCHED_SIGNAL_H_
#define	_LKC_LINUX_SCHED_SIGNAL_H_

#include <linux/sched.h>
#include <linux/signal.h>

#endif
