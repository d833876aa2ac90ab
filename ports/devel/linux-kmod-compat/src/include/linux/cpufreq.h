/* SPDX-License-Identifier: BSD-2-Clause */
/* The TSC of a supported CPU does not follow the core clock; no notifications. */
#ifndef _LKC_LINUX_CPUFREQ_H_
#define	_LKC_LINUX_CPUFREQ_H_

#include <linux/cpumask.h>
#include <linux/notifier.h>
struct cpufreq_policy {
	int	cpu;
	struct {
		unsigned int max_freq;
	} cpuinfo;
	struct cpumask *cpus;
};
struct cpufreq_freqs {
	struct cpufreq_policy *policy;
	unsigned int old, new;
};
#define CPUFREQ_PRECHANGE		0
#define CPUFREQ_POSTCHANGE		1
#define CPUFREQ_TRANSITION_NOTIFIER	0
static inline unsigned int cpufreq_quick_get(unsigned int cpu)
{
	return 0;
}
static inline struct cpufreq_policy *cpufreq_cpu_get(unsigned int cpu)
{
	return NULL;
}
static inline void cpufreq_cpu_put(struct cpufreq_policy *policy) {}
static inline int cpufreq_register_notifier(struct notifier_block *nb, unsigned int list)
{
	return -EOPNOTSUPP;
}
static inline int cpufreq_unregister_notifier(struct notifier_block *nb, unsigned int list)
{
	return -EOPNOTSUPP;
}

#endif
