/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_DEVICE_H_
#define	_LKC_LINUX_DEVICE_H_

#include <linux/errno.h>
#include <linux/kobject.h>
#include <linux/math.h>
struct device {
	struct kobject	kobj;
};

/* Devices here have no drivers that are unbound: nothing would run the action later. */
static inline int devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data)
{
	action(data);
	return -EOPNOTSUPP;
}

#endif
