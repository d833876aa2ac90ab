/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU ids are FreeBSD's; cross calls are smp_rendezvous(9) and always wait. */
#ifndef __LINUX_SMP_H
#define	__LINUX_SMP_H

#include <linux/errno.h>
#include <linux/types.h>
#include <linux/list.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/smp_types.h>
#include <linux/preempt.h>
#include <linux/thread_info.h>
#include "lkc_bridge.h"
typedef void (*smp_call_func_t)(void *info);
#define raw_smp_processor_id()	((int)lkc_cpu_id())
#define __smp_processor_id()	raw_smp_processor_id()
#define smp_processor_id()	raw_smp_processor_id()
#define get_cpu()		({ preempt_disable(); raw_smp_processor_id(); })
#define put_cpu()		preempt_enable()
int smp_call_function_single(int cpu, smp_call_func_t func, void *info, int wait);
void smp_call_function_many(const struct cpumask *mask, smp_call_func_t func,
    void *info, bool wait);
void on_each_cpu(smp_call_func_t func, void *info, int wait);
void on_each_cpu_mask(const struct cpumask *mask, smp_call_func_t func, void *info,
    bool wait);
void wbinvd_on_cpu(int cpu);
void wbinvd_on_cpus_mask(struct cpumask *mask);
static inline void smp_send_reschedule(int cpu)
{
	lkc_cpu_kick(cpu);
}

#endif
