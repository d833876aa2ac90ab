/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Start and stop of the host side, and the count of what keeps the module
 * loaded: open files and references of the Linux side.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/conf.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/smp.h>
#include <sys/taskqueue.h>

#include <vm/vm.h>

#include "lkc_convert.h"
#include "lkc_host.h"

gid_t lkc_host_gid = GID_WHEEL;
static u_int lkc_module_refs;
static u_int lkc_module_open;

static int
linux_start(void)
{

	lkc_task_enter();
	return (lkc_errno_from_linux(-lkcl_init()));
}

static void
linux_stop(void)
{

	lkc_task_enter();
	lkcl_exit();
}

/* In the order of need; lkc_host_stop() goes backwards. */
static const struct {
	const char	*what;
	int		(*start)(void);
	void		(*stop)(void);
} subjects[] = {
	{ "interrupt vectors", lkc_cpu_start, lkc_cpu_stop },
	{ "address spaces", lkc_mm_start, lkc_mm_stop },
	{ "tasks", lkc_task_start, lkc_task_stop },
	{ "Linux side", linux_start, linux_stop },
	{ "eventfd service", lkc_watch_start, lkc_watch_stop },
};

static void
subjects_stop(size_t n)
{

	while (n > 0)
		subjects[--n].stop();
}

int
lkc_host_start(const char *unit)
{
	size_t i;
	int error;

	for (i = 0; i < nitems(subjects); i++) {
		error = subjects[i].start();
		if (error != 0) {
			printf("%s: start of %s failed, error %d\n", unit,
			    subjects[i].what, error);
			subjects_stop(i);
			return (error);
		}
	}
	error = lkc_param_start(unit);
	if (error != 0) {
		printf("%s: sysctl node hw.%s: error %d\n", unit, unit, error);
		subjects_stop(i);
	}
	return (error);
}

void
lkc_host_stop(void)
{

	lkc_param_stop();
	/*
	 * The threads that dropped the last references may still have a few
	 * instructions of ours to run before they return to the kernel.
	 */
	taskqueue_quiesce(taskqueue_thread);
	quiesce_all_critical();
	pause("lkcstop", hz / 10);
	subjects_stop(nitems(subjects));
}

void
lkc_host_accept(void)
{

	atomic_store_int(&lkc_module_open, 1);
}

bool
lkc_host_accepting(void)
{

	return (atomic_load_int(&lkc_module_open) != 0);
}

bool
lkc_host_idle(void)
{

	atomic_store_int(&lkc_module_open, 0);
	atomic_thread_fence_seq_cst();
	/* Last references may still be on their way: lkc_file_drop(). */
	taskqueue_quiesce(taskqueue_thread);
	return (atomic_load_int(&lkc_module_refs) == 0);
}

void
lkc_module_ref(void)
{

	atomic_add_int(&lkc_module_refs, 1);
}

void
lkc_module_unref(void)
{
	u_int old __diagused;

	old = atomic_fetchadd_int(&lkc_module_refs, -1);
	KASSERT(old > 0, ("%s: no reference", __func__));
}
