/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_INTERRUPT_H_
#define	_LKC_LINUX_INTERRUPT_H_

#include <linux/types.h>
#include <linux/irqreturn.h>
#include <linux/hardirq.h>
#include <linux/irqflags.h>
#include <linux/smp.h>

#endif
