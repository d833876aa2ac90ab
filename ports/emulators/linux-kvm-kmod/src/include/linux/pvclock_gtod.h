/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_PVCLOCK_GTOD_H_
#define	_LKC_LINUX_PVCLOCK_GTOD_H_

#include <linux/notifier.h>
int pvclock_gtod_register_notifier(struct notifier_block *nb);
int pvclock_gtod_unregister_notifier(struct notifier_block *nb);

#endif
