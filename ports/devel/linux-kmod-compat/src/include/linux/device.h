/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_DEVICE_H_
#define	_LKC_LINUX_DEVICE_H_

#include <linux/kobject.h>
struct device {
	struct kobject	kobj;
};

#endif
