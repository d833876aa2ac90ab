/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_TOPOLOGY_H_
#define	_LKC_LINUX_TOPOLOGY_H_

#include <linux/cpumask.h>
#define cpu_to_node(cpu)	0

#endif
