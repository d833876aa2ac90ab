/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_SCHED_ISOLATION_H_
#define	_LKC_LINUX_SCHED_ISOLATION_H_

#define HK_TYPE_TIMER			0
#define housekeeping_enabled(type)	false
#define housekeeping_cpu(cpu, type)	true

#endif
