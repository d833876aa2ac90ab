// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the layer asks of the module it is linked into: the driver's ioctls, and
 * the debug registers of a thread that runs a guest, of which there is none.
 *
 * From the number that an ioctl(2) of FreeBSD carries to the driver's command.
 * As for kvm, programs use IOC_VOID commands of size 0 and add the direction
 * to the group; test.c has the macro.
 */
#include <linux/fs.h>
#include <uapi/linux/ntsync.h>
#include <lkc/block.h>

static const unsigned int commands[] = {
	NTSYNC_IOC_CREATE_SEM, NTSYNC_IOC_SEM_POST,
};

unsigned int lx_ioctl_command(struct file *file, unsigned int group, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (group == 'N' + _IOC_DIR(commands[i]) && nr == _IOC_NR(commands[i]))
			return commands[i];
	return 0;
}

long lx_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return file->f_op->unlocked_ioctl(file, cmd, arg);
}

unsigned long lx_host_dr7(void)
{
	return 0;
}
