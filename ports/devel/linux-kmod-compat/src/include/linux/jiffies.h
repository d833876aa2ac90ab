/* SPDX-License-Identifier: BSD-2-Clause */
/* jiffies is computed from the clock, in ticks of CONFIG_HZ. */
#ifndef _LKC_LINUX_JIFFIES_H_
#define	_LKC_LINUX_JIFFIES_H_

#include_next <linux/jiffies.h>
unsigned long lx_jiffies(void);
#define jiffies		lx_jiffies()
#define get_jiffies_64()	((u64)lx_jiffies())

#endif
