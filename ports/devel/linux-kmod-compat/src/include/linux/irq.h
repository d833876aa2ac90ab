/* SPDX-License-Identifier: BSD-2-Clause */
/* No device interrupts to steer: refused. */
#ifndef _LKC_LINUX_IRQ_H_
#define	_LKC_LINUX_IRQ_H_

#include <linux/types.h>
#include <linux/errno.h>
static inline int irq_set_vcpu_affinity(unsigned int irq, void *vcpu_info)
{
	return -ENOSYS;
}

#endif
