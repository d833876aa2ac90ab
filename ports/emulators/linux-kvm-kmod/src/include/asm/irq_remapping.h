/* SPDX-License-Identifier: BSD-2-Clause */
/* No interrupt remapping: device assignment is not supported. */
#ifndef _LKC_ASM_IRQ_REMAPPING_H_
#define	_LKC_ASM_IRQ_REMAPPING_H_

#include <linux/types.h>

struct vcpu_data {
	u64	pi_desc_addr;
	u32	vector;
};
#define intel_iommu_pi_data	vcpu_data	/* its later name */
enum irq_remap_cap {
	IRQ_POSTING_CAP,
};
static inline bool irq_remapping_cap(enum irq_remap_cap cap)
{
	return false;
}

#endif
