/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters of the Linux module as hw.<unit>.*: loader tunables, read before
 * the module starts, and sysctls.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/sysctl.h>

#include <vm/vm.h>

#include "lkc_convert.h"
#include "lkc_host.h"

#define	VALUE_MAX	64

static struct sysctl_ctx_list lkc_param_ctx;

static int
param_sysctl(SYSCTL_HANDLER_ARGS)
{
	char value[VALUE_MAX];
	int error;

	lkc_task_enter();
	error = lkcl_param_get(arg2, value, sizeof(value));
	if (error < 0)
		return (lkc_errno_from_linux(-error));
	error = sysctl_handle_string(oidp, value, sizeof(value), req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	error = lkcl_param_set(arg2, value);
	return (error < 0 ? lkc_errno_from_linux(-error) : 0);
}

/* A tunable that the module refuses is reported and the default stays. */
static void
param_fetch(const char *unit, unsigned int i, const char *name)
{
	char *value, path[96];
	int error;

	snprintf(path, sizeof(path), "hw.%s.%s", unit, name);
	value = kern_getenv(path);
	if (value == NULL)
		return;
	error = lkcl_param_set(i, value);
	if (error < 0)
		printf("%s: %s=\"%s\" is not a valid value (error %d); the "
		    "default is used\n", unit, path, value,
		    lkc_errno_from_linux(-error));
	freeenv(value);
}

int
lkc_param_start(const char *unit)
{
	struct lkc_param info;
	struct sysctl_oid *node;
	unsigned int i;

	sysctl_ctx_init(&lkc_param_ctx);
	node = SYSCTL_ADD_NODE(&lkc_param_ctx, SYSCTL_STATIC_CHILDREN(_hw),
	    OID_AUTO, unit, CTLFLAG_RD | CTLFLAG_MPSAFE, NULL,
	    "Linux module parameters");
	if (node == NULL)
		return (EEXIST);
	for (i = 0; i < lkcl_param_count(); i++) {
		lkcl_param_info(i, &info);
		param_fetch(unit, i, info.name);
		/* Not SYSCTL_ADD_PROC: it wants constant flags. */
		(void)sysctl_add_oid(&lkc_param_ctx, SYSCTL_CHILDREN(node),
		    OID_AUTO, info.name, CTLTYPE_STRING | CTLFLAG_MPSAFE |
		    CTLFLAG_NOFETCH | CTLFLAG_TUN |
		    (info.writable ? CTLFLAG_RW : CTLFLAG_RD), NULL, i,
		    param_sysctl, "A", info.desc != NULL ? info.desc : "",
		    NULL);
	}
	return (0);
}

void
lkc_param_stop(void)
{

	(void)sysctl_ctx_free(&lkc_param_ctx);
}
