/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The module ntsync: load and unload.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/module.h>
#include <sys/proc.h>

#include <vm/vm.h>

#include "lkc_convert.h"
#include "lkc_host.h"

int	lx_init_ntsync_misc_init(void);
void	lx_exit_ntsync_misc_exit(void);

static bool ntsync_running;

static int
ntsync_load(void)
{
	int error;

	error = lkc_host_start("ntsync");
	if (error != 0)
		return (error);
	lkc_task_enter();
	error = lx_init_ntsync_misc_init();
	if (error != 0) {
		lkc_host_stop();
		return (lkc_errno_from_linux(-error));
	}
	ntsync_running = true;
	lkc_host_accept();
	return (0);
}

/* Refuse new users; EBUSY, and all as before, while there are old ones. */
static int
ntsync_close(void)
{

	if (!ntsync_running || lkc_host_idle())
		return (0);
	lkc_host_accept();
	return (EBUSY);
}

static int
ntsync_unload(void)
{
	int error;

	error = ntsync_close();
	if (error != 0 || !ntsync_running)
		return (error);
	lkc_task_enter();
	lx_exit_ntsync_misc_exit();
	lkc_host_stop();
	ntsync_running = false;
	return (0);
}

static int
ntsync_modevent(module_t mod __unused, int what, void *arg __unused)
{
	int error;

	switch (what) {
	case MOD_LOAD:
		return (ntsync_load());
	case MOD_QUIESCE:
		error = ntsync_close();
		if (error == 0 && ntsync_running)
			lkc_host_accept();
		return (error);
	case MOD_UNLOAD:
		return (ntsync_unload());
	case MOD_SHUTDOWN:
		return (0);
	default:
		return (EOPNOTSUPP);
	}
}

static moduledata_t ntsync_moduledata = {
	.name = "ntsync",
	.evhand = ntsync_modevent,
};

DECLARE_MODULE(ntsync, ntsync_moduledata, SI_SUB_SMP + 1, SI_ORDER_ANY);
MODULE_VERSION(ntsync, 1);
