/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters of the Linux modules as loader tunables, read before the module
 * starts, and sysctls: hw.<unit>.<name> for the module that is called like the
 * unit, and hw.<unit>.<rest>.<name> for a module <unit>_<rest>.
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
param_fetch(unsigned int i, const char *path)
{
	char *value;
	int error;

	value = kern_getenv(path);
	if (value == NULL)
		return;
	error = lkcl_param_set(i, value);
	if (error < 0)
		printf("%s=\"%s\" is not a valid value (error %d); the "
		    "default is used\n", path, value,
		    lkc_errno_from_linux(-error));
	freeenv(value);
}

/* The part of a module's name behind the unit's, or NULL if they are equal. */
static const char *
param_rest(const char *unit, const char *module)
{
	size_t len;

	len = strlen(unit);
	if (strcmp(unit, module) == 0)
		return (NULL);
	if (strncmp(unit, module, len) == 0 && module[len] == '_')
		return (module + len + 1);
	return (module);
}

/* The node <name> below parent.  A second one of a name is the first one. */
static struct sysctl_oid *
param_node(struct sysctl_oid_list *parent, const char *name)
{

	return (SYSCTL_ADD_NODE(&lkc_param_ctx, parent, OID_AUTO, name,
	    CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, "Linux module parameters"));
}

int
lkc_param_start(const char *unit)
{
	char path[96];
	struct lkc_param info;
	struct sysctl_oid *node, *parent;
	const char *rest;
	unsigned int i;

	sysctl_ctx_init(&lkc_param_ctx);
	node = param_node(SYSCTL_STATIC_CHILDREN(_hw), unit);
	if (node == NULL)
		return (EEXIST);
	for (i = 0; i < lkcl_param_count(); i++) {
		lkcl_param_info(i, &info);
		rest = param_rest(unit, info.module);
		snprintf(path, sizeof(path), "hw.%s.%s%s%s", unit,
		    rest != NULL ? rest : "", rest != NULL ? "." : "",
		    info.name);
		param_fetch(i, path);
		parent = rest == NULL ? node :
		    param_node(SYSCTL_CHILDREN(node), rest);
		if (parent == NULL)
			continue;
		/* Not SYSCTL_ADD_PROC: it wants constant flags. */
		(void)sysctl_add_oid(&lkc_param_ctx, SYSCTL_CHILDREN(parent),
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
