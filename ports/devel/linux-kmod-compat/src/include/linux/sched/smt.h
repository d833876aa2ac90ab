/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_SCHED_SMT_H_
#define	_LKC_LINUX_SCHED_SMT_H_

bool sched_smt_active(void);

#endif
