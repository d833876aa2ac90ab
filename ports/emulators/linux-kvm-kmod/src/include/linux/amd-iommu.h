/* SPDX-License-Identifier: BSD-2-Clause */
/* No IOMMU: AVIC works for virtual devices only. */
#ifndef _LKC_LINUX_AMD_IOMMU_H_
#define	_LKC_LINUX_AMD_IOMMU_H_

#include <linux/types.h>
#include <linux/errno.h>

struct amd_iommu_pi_data {
	u32	ga_tag;
#if LX_RELEASE >= 702
	u64	vapic_addr;
	u32	vector;
	int	cpu;
	bool	ga_log_intr;
#else
	u32	prev_ga_tag;
	u64	base;
	struct vcpu_data *vcpu_data;
#endif
	bool	is_guest_mode;
	void	*ir_data;
};
/* Success means: no IOMMU will ever call the notifier. */
static inline int amd_iommu_register_ga_log_notifier(int (*notifier)(u32))
{
	return 0;
}
/* Called for assigned devices only, which irq_set_vcpu_affinity() refuses. */
#if LX_RELEASE >= 702
static inline int amd_iommu_update_ga(void *data, int cpu, bool ga_log_intr)
{
	return -ENODEV;
}
static inline int amd_iommu_activate_guest_mode(void *data, int cpu, bool ga_log_intr)
{
	return -ENODEV;
}
#else
static inline int amd_iommu_update_ga(int cpu, bool is_run, void *data)
{
	return -ENODEV;
}
static inline int amd_iommu_activate_guest_mode(void *data)
{
	return -ENODEV;
}
#endif
static inline int amd_iommu_deactivate_guest_mode(void *data)
{
	return -ENODEV;
}

#endif
