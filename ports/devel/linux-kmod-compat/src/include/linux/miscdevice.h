/* SPDX-License-Identifier: BSD-2-Clause */
/* A character device of FreeBSD, see files.c. */
#ifndef _LKC_LINUX_MISCDEVICE_H_
#define	_LKC_LINUX_MISCDEVICE_H_

#include <linux/fs.h>
#include <linux/device.h>
#define KVM_MINOR	232	/* means nothing here */
struct miscdevice {
	int		minor;
	const char	*name;
	const struct file_operations *fops;
	struct device	*this_device;
	void		*lx_dev;
};
int misc_register(struct miscdevice *misc);
void misc_deregister(struct miscdevice *misc);

#endif
