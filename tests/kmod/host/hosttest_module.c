/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * FreeBSD frame of the test module.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/module.h>
#include <sys/proc.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_host.h"
#include "hosttest_module.h"

static int
hosttest_modevent(module_t mod __unused, int what, void *arg __unused)
{
	int error;

	switch (what) {
	case MOD_LOAD:
		error = lkc_host_start("hosttest");
		if (error != 0)
			return (error);
		lkc_task_enter();
		error = hosttest_start();
		if (error != 0) {
			lkc_host_stop();
			return (ENXIO);
		}
		lkc_host_accept();
		return (0);
	case MOD_QUIESCE:
	case MOD_UNLOAD:
		if (!lkc_host_idle()) {
			lkc_host_accept();
			return (EBUSY);
		}
		if (what == MOD_QUIESCE)
			return (0);
		hosttest_stop();
		lkc_host_stop();
		return (0);
	default:
		return (EOPNOTSUPP);
	}
}

static moduledata_t hosttest_moduledata = {
	.name = "hosttest",
	.evhand = hosttest_modevent,
};

DECLARE_MODULE(hosttest, hosttest_moduledata, SI_SUB_SMP + 1, SI_ORDER_ANY);
MODULE_VERSION(hosttest, 1);
