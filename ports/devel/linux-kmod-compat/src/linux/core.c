// SPDX-License-Identifier: BSD-2-Clause
/* Start and stop of the Linux side. */
#include <linux/types.h>
#include <linux/errno.h>
#include <linux/rcupdate.h>
#include <linux/kernel.h>
#include <linux/jump_label.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

/* Static keys are plain counters here and may be used from the start. */
bool static_key_initialized = true;
/* For KVM, whether the system goes down: see kvml_shutdown(). */
enum system_states system_state = SYSTEM_RUNNING;

int lkcl_init(void)
{
	int err;

	lx_static_locks_init();
	lx_smp_init();
	lx_time_init();
	err = lx_percpu_init();
	if (err)
		goto no_percpu;
	err = lx_memory_init();
	if (err)
		goto no_memory;
	err = lx_reaper_init();
	if (err)
		goto no_reaper;
	err = lx_workqueue_init();
	if (err)
		goto no_workqueue;
	err = lx_cpufeature_init();
	if (!err)
		err = lx_alternatives_apply();
	if (err)
		goto no_features;
	lx_fpu_init();
	lx_running = true;
	return 0;

no_features:
	lx_workqueue_exit();
no_workqueue:
	lx_reaper_exit();
no_reaper:
	lx_memory_exit();
no_memory:
	lx_percpu_exit();
no_percpu:
	lx_static_locks_exit();
	return err;
}

void lkcl_exit(void)
{
	lx_running = false;
	lx_workqueue_exit();
	rcu_barrier();
	lx_reaper_exit();
	lx_memory_exit();
	lx_percpu_exit();
	lx_static_locks_exit();
}
