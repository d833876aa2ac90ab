/* SPDX-License-Identifier: BSD-2-Clause */
/* Setup runs the callback on every CPU at once; there is no later hotplug. */
#ifndef _LKC_LINUX_CPUHOTPLUG_H_
#define	_LKC_LINUX_CPUHOTPLUG_H_

#include <linux/types.h>
enum cpuhp_state {
	CPUHP_AP_KVM_ONLINE,
	CPUHP_AP_X86_KVM_CLK_ONLINE,
	CPUHP_RADIX_DEAD,
	CPUHP_NR_STATES,
};
int cpuhp_setup_state(enum cpuhp_state state, const char *name,
    int (*startup)(unsigned int), int (*teardown)(unsigned int));
void cpuhp_remove_state(enum cpuhp_state state);
/* Without a call now there will never be one. */
static inline int cpuhp_setup_state_nocalls(enum cpuhp_state state, const char *name,
    int (*startup)(unsigned int), int (*teardown)(unsigned int))
{
	return 0;
}
static inline void cpuhp_remove_state_nocalls(enum cpuhp_state state) {}

#endif
