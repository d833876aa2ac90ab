/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * /dev/kvm for Linux programs: hands KVM's ioctl commands of FreeBSD's Linux
 * emulation to the files of kvm.ko, as the programs send them.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/capsicum.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/sx.h>

#include <machine/../linux/linux.h>
#include <machine/../linux/linux_proto.h>

#include <compat/linux/linux_ioctl.h>

#include "lkc_linux.h"

#define	KVM_MIN		0xae00
#define	KVM_MAX		0xaeff

/* Of linux_common.ko. */
extern struct sx linux_ioctl_sx;

/* Threads in a handler, which may stay there as long as a guest runs. */
static u_int callers;

/*
 * Handlers are called with the lock of their list and with Giant held.  Both go
 * for the time of the call: with them one vCPU would keep the others from
 * running, and any Linux ioctl would wait behind a kldload that waits for a
 * guest.  The result is never ENOIOCTL, so the list is not looked at again.
 */
static int
kvm_linux_ioctl(struct thread *td, struct linux_ioctl_args *args)
{
	struct lkc_linux_ioctl command;
	struct file *fp;
	int error;

	atomic_add_int(&callers, 1);
	DROP_GIANT();
	sx_sunlock(&linux_ioctl_sx);
	error = fget(td, args->fd, &cap_ioctl_rights, &fp);
	if (error == 0) {
		command.arg = args->arg;
		command.cmd = args->cmd;
		error = fo_ioctl(fp, LKC_LINUX_IOCTL, &command, td->td_ucred,
		    td);
		fdrop(fp, td);
	}
	sx_slock(&linux_ioctl_sx);
	PICKUP_GIANT();
	atomic_subtract_int(&callers, 1);
	return (error == ENOIOCTL ? ENOTTY : error);
}

static struct linux_ioctl_handler handler = {
	.func = kvm_linux_ioctl,
	.low = KVM_MIN,
	.high = KVM_MAX,
};

/*
 * Who is past the lock when the handler goes has been counted; who is not, will
 * not find it.
 */
static int
unload(void)
{
	int error;

	error = linux_ioctl_unregister_handler(&handler);
	if (error == 0 && atomic_load_int(&callers) != 0) {
		(void)linux_ioctl_register_handler(&handler);
		error = EBUSY;
	}
	return (error);
}

static int
kvm_linux_modevent(module_t mod __unused, int what, void *arg __unused)
{

	switch (what) {
	case MOD_LOAD:
		return (linux_ioctl_register_handler(&handler));
	case MOD_QUIESCE:
		return (atomic_load_int(&callers) != 0 ? EBUSY : 0);
	case MOD_UNLOAD:
		return (unload());
	case MOD_SHUTDOWN:
		return (0);
	default:
		return (EOPNOTSUPP);
	}
}

static moduledata_t kvm_linux_moduledata = {
	.name = "kvm_linux",
	.evhand = kvm_linux_modevent,
};

DECLARE_MODULE(kvm_linux, kvm_linux_moduledata, SI_SUB_KLD, SI_ORDER_ANY);
MODULE_VERSION(kvm_linux, 1);
MODULE_DEPEND(kvm_linux, kvm, 1, 1, 1);
MODULE_DEPEND(kvm_linux, linux_common, 1, 1, 1);
MODULE_DEPEND(kvm_linux, linux64, 1, 1, 1);
