/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A module that stands where the Linux side stands and puts the host
 * primitives through their contracts, in a real kernel.  Like the Linux side
 * it knows the bridge only; hosttest_module.c is its FreeBSD frame.
 *
 * Here is what every module has: messages, tasks, start and end, parameters.
 */

#include "hosttest_module.h"

void
say(const char *fmt, ...)
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	lkc_vlog(LKC_LOG_INFO, fmt, ap);
	__builtin_va_end(ap);
}

const lkc_size lkcl_task_size = 128;
static int param_value = 7;

void
lkcl_task_init(void *task, int pid, int tid, const char *comm)
{
}

void
lkcl_task_fini(void *task)
{
}

int
lkcl_init(void)
{

	return (0);
}

void
lkcl_exit(void)
{

	if (kept_mm != NULL)
		lkc_mm_drop(kept_mm);
}

void
lkcl_lowmem(void)
{
}

unsigned int
lkcl_param_count(void)
{

	return (2);
}

/* The same parameter in the unit's module and in hosttest_sub. */
void
lkcl_param_info(unsigned int i, struct lkc_param *info)
{

	info->module = i == 0 ? "hosttest" : "hosttest_sub";
	info->name = "digit";
	info->desc = "one digit";
	info->writable = 1;
}

int
lkcl_param_get(unsigned int i, char *buf, lkc_size size)
{

	buf[0] = '0' + param_value;
	buf[1] = 0;
	return (1);
}

int
lkcl_param_set(unsigned int i, const char *value)
{

	if (value[0] < '0' || value[0] > '9' || value[1] != 0)
		return (-LKC_EINVAL);
	param_value = value[0] - '0';
	return (0);
}
