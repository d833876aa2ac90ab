/* SPDX-License-Identifier: BSD-2-Clause */
/* No uevents: nothing listens. */
#ifndef _LKC_LINUX_KOBJECT_H_
#define	_LKC_LINUX_KOBJECT_H_

#include <linux/types.h>
struct kobject {
	const char *name;
};
struct kobj_uevent_env {
	char	*envp[64];
	int	envp_idx;
};
enum kobject_action {
	KOBJ_CHANGE,
};
static inline __printf(2, 3) int add_uevent_var(struct kobj_uevent_env *env,
    const char *fmt, ...)
{
	return 0;
}
static inline int kobject_uevent_env(struct kobject *kobj, enum kobject_action action,
    char **envp)
{
	return 0;
}

#endif
