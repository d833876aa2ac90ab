/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_HARDIRQ_H_
#define	_LKC_LINUX_HARDIRQ_H_

#include <linux/preempt.h>
#include <linux/lockdep.h>
#include <linux/context_tracking.h>
#include <asm/hardirq.h>

#endif
