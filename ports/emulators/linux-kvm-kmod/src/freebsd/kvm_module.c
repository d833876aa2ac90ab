/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The module kvm: load, unload, shutdown.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/module.h>
#include <sys/proc.h>
#include <sys/sysctl.h>

#include <vm/vm.h>

#include "lkc_convert.h"
#include "lkc_host.h"
#include "kvm_bridge.h"
#include "kvm_power.h"

static eventhandler_tag kvm_shutdown_tag;
static bool kvm_running;

/*
 * Hand clean processors to the firmware.  With a virtual machine left (a quick
 * reboot does not wait for processes) its thread may be about to enter the
 * guest, which must not find virtualization off; the reset will do then.
 */
static void
kvm_shutdown(void *arg __unused, int howto __unused)
{

	/* After a panic no other processor answers. */
	if (KERNEL_PANICKED() || SCHEDULER_STOPPED() || !lkc_host_idle())
		return;
	lkc_task_enter();
	kvml_shutdown();
}

static int
kvm_load(void)
{
	const char *why;
	int error, gid;

	why = kvmb_refusal();
	if (why != NULL) {
		printf("kvm: not started: %s\n", why);
		return (ENXIO);
	}
	gid = lkc_host_gid;
	TUNABLE_INT_FETCH("hw.kvm.gid", &gid);
	lkc_host_gid = gid;
	error = lkc_host_start("kvm");
	if (error != 0)
		return (error);
	lkc_task_enter();
	error = kvml_init();
	if (error != 0) {
		lkc_host_stop();
		return (lkc_errno_from_linux(-error));
	}
	error = kvm_power_start();
	if (error != 0) {
		kvml_exit();
		lkc_host_stop();
		return (error);
	}
	kvm_shutdown_tag = EVENTHANDLER_REGISTER(shutdown_final, kvm_shutdown,
	    NULL, SHUTDOWN_PRI_DEFAULT);
	kvm_running = true;
	lkc_host_accept();
	return (0);
}

/* Refuse new users; EBUSY, and all as before, while there are old ones. */
static int
kvm_close(void)
{

	if (!kvm_running || lkc_host_idle())
		return (0);
	lkc_host_accept();
	return (EBUSY);
}

static int
kvm_unload(void)
{
	int error;

	error = kvm_close();
	if (error != 0 || !kvm_running)
		return (error);
	EVENTHANDLER_DEREGISTER(shutdown_final, kvm_shutdown_tag);
	kvm_power_stop();
	lkc_task_enter();
	kvml_exit();
	lkc_host_stop();
	kvm_running = false;
	return (0);
}

static int
kvm_modevent(module_t mod __unused, int what, void *arg __unused)
{
	int error;

	switch (what) {
	case MOD_LOAD:
		return (kvm_load());
	case MOD_QUIESCE:
		error = kvm_close();
		if (error == 0 && kvm_running)
			lkc_host_accept();
		return (error);
	case MOD_UNLOAD:
		return (kvm_unload());
	case MOD_SHUTDOWN:
		return (0);
	default:
		return (EOPNOTSUPP);
	}
}

static moduledata_t kvm_moduledata = {
	.name = "kvm",
	.evhand = kvm_modevent,
};

/* After the other processors run: virtualization is switched on on them. */
DECLARE_MODULE(kvm, kvm_moduledata, SI_SUB_SMP + 1, SI_ORDER_ANY);
MODULE_VERSION(kvm, 1);
/*
 * No vmm.ko beside us, in either order: it does not look whether VT-x is in use,
 * and its unload switches it off under running guests.  The kernel refuses to
 * load a second provider of the same interface.
 */
MODULE_VERSION(vmm, 1);
