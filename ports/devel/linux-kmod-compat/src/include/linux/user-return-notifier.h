/* SPDX-License-Identifier: BSD-2-Clause */
/* Fired when a vCPU is put on this CPU, see block.c. */
#ifndef _LKC_LINUX_USER_RETURN_NOTIFIER_H_
#define	_LKC_LINUX_USER_RETURN_NOTIFIER_H_

#include <linux/list.h>
struct user_return_notifier {
	void	(*on_user_return)(struct user_return_notifier *urn);
	struct hlist_node link;
};
void user_return_notifier_register(struct user_return_notifier *urn);
void user_return_notifier_unregister(struct user_return_notifier *urn);

#endif
