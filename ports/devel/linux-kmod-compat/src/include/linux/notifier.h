/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_NOTIFIER_H_
#define	_LKC_LINUX_NOTIFIER_H_

#include <linux/types.h>
#include <linux/errno.h>
struct notifier_block;
typedef int (*notifier_fn_t)(struct notifier_block *nb, unsigned long action, void *data);
struct notifier_block {
	notifier_fn_t		notifier_call;
	struct notifier_block	*next;
	int			priority;
};
#define NOTIFY_DONE	0x0000
#define NOTIFY_OK	0x0001
#define NOTIFY_BAD	0x8002

#endif
