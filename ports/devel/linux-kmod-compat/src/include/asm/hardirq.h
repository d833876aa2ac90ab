/* SPDX-License-Identifier: BSD-2-Clause */
/* No interrupt statistics; an interrupt may always have brought data into L1. */
#ifndef _LKC_ASM_HARDIRQ_H_
#define	_LKC_ASM_HARDIRQ_H_

#include <linux/types.h>
#include <linux/threads.h>
#include <linux/percpu-defs.h>

typedef struct {
	u8	kvm_cpu_l1tf_flush_l1d;
} irq_cpustat_t;
DECLARE_PER_CPU(irq_cpustat_t, irq_stat);
static __always_inline void kvm_set_cpu_l1tf_flush_l1d(void) {}
static __always_inline void kvm_clear_cpu_l1tf_flush_l1d(void) {}
static __always_inline bool kvm_get_cpu_l1tf_flush_l1d(void)
{
	return true;
}

#endif
