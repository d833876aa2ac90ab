/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Character devices.  Each open has an object of the Linux side.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/conf.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_convert.h"
#include "lkc_host.h"
#include "lkc_file.h"

static d_open_t		lkc_dev_open;
static d_ioctl_t	lkc_dev_ioctl;

static struct cdevsw lkc_cdevsw = {
	.d_version = D_VERSION,
	.d_name = "lkc",
	.d_open = lkc_dev_open,
	.d_ioctl = lkc_dev_ioctl,
};

static void
dev_close(void *lfile)
{

	lkc_task_enter();
	lkcl_file_release(lfile);
	lkc_module_unref();
}

static int
lkc_dev_open(struct cdev *dev, int oflags __unused, int devtype __unused,
    struct thread *td __unused)
{
	void *lfile;
	int error;

	lkc_module_ref();
	if (!lkc_host_accepting()) {
		lkc_module_unref();
		return (ENXIO);
	}
	lkc_task_enter();
	error = lkcl_dev_open(dev->si_drv1, &lfile);
	if (error != 0) {
		lkc_module_unref();
		return (lkc_errno_from_linux(-error));
	}
	error = devfs_set_cdevpriv(lfile, dev_close);
	if (error != 0)
		dev_close(lfile);
	return (error);
}

static int
lkc_dev_ioctl(struct cdev *dev __unused, u_long com, caddr_t data,
    int fflag __unused, struct thread *td)
{
	void *lfile;
	int error;

	error = devfs_get_cdevpriv(&lfile);
	if (error != 0)
		return (error);
	return (lkc_ioctl(lfile, com, data, td));
}

int
lkc_dev_create(const char *name, void *ldev, void **dev)
{
	struct make_dev_args args;
	struct cdev *cdev;
	int error;

	LKC_ASSERT_SLEEP();
	make_dev_args_init(&args);
	args.mda_flags = MAKEDEV_CHECKNAME | MAKEDEV_WAITOK;
	args.mda_devsw = &lkc_cdevsw;
	args.mda_uid = UID_ROOT;
	args.mda_gid = lkc_host_gid;
	args.mda_mode = 0660;
	args.mda_si_drv1 = ldev;
	error = make_dev_s(&args, &cdev, "%s", name);
	if (error != 0)
		return (-lkc_errno_to_linux(error));
	*dev = cdev;
	return (0);
}

void
lkc_dev_destroy(void *dev)
{

	LKC_ASSERT_SLEEP();
	destroy_dev(dev);
}
