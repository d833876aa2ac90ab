/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs neither come nor go on FreeBSD. */
#ifndef _LKC_LINUX_CPU_H_
#define	_LKC_LINUX_CPU_H_

#include <linux/cpumask.h>
#include <linux/cpuhotplug.h>
#include <linux/cleanup.h>
#include <linux/cpu_smt.h>
static inline void cpus_read_lock(void) {}
static inline void cpus_read_unlock(void) {}
DEFINE_LOCK_GUARD_0(cpus_read_lock, cpus_read_lock(), cpus_read_unlock())
bool cpu_mitigations_off(void);

#endif
