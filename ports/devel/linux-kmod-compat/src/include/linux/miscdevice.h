/* SPDX-License-Identifier: BSD-2-Clause */
/* A character device of FreeBSD, see files.c. */
#ifndef _LKC_LINUX_MISCDEVICE_H_
#define	_LKC_LINUX_MISCDEVICE_H_

#include <linux/fs.h>
#include <linux/device.h>
/* Minors mean nothing here. */
#define KVM_MINOR		232
#define MISC_DYNAMIC_MINOR	255
struct miscdevice {
	int		minor;
	const char	*name;
	const struct file_operations *fops;
	struct device	*this_device;
	void		*lx_dev;
};
int misc_register(struct miscdevice *misc);
void misc_deregister(struct miscdevice *misc);
/* The whole of a driver that is one device. */
#define module_misc_device(misc)					\
	static int misc##_init(void) { return misc_register(&(misc)); }	\
	static void misc##_exit(void) { misc_deregister(&(misc)); }	\
	module_init(misc##_init) module_exit(misc##_exit)

#endif
