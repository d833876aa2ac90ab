/* SPDX-License-Identifier: BSD-2-Clause */
/* No IOMMU: AVIC works for virtual devices only. */
#ifndef _LKC_LINUX_AMD_IOMMU_H_
#define	_LKC_LINUX_AMD_IOMMU_H_

#include <linux/types.h>
#include <linux/errno.h>

struct amd_iommu_pi_data {
	u32	ga_tag, prev_ga_tag;
	u64	base;
	bool	is_guest_mode;
	struct vcpu_data *vcpu_data;
	void	*ir_data;
};
/* Success means: no IOMMU will ever call the notifier. */
static inline int amd_iommu_register_ga_log_notifier(int (*notifier)(u32))
{
	return 0;
}
/* Called for assigned devices only, which irq_set_vcpu_affinity() refuses. */
static inline int amd_iommu_update_ga(int cpu, bool is_run, void *data)
{
	return -ENODEV;
}
static inline int amd_iommu_activate_guest_mode(void *data)
{
	return -ENODEV;
}
static inline int amd_iommu_deactivate_guest_mode(void *data)
{
	return -ENODEV;
}

#endif
