/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_WORKQUEUE_TYPES_H_
#define	_LKC_LINUX_WORKQUEUE_TYPES_H_

struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

#endif
