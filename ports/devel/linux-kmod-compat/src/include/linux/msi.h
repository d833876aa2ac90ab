/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_MSI_H_
#define	_LKC_LINUX_MSI_H_

#include <linux/types.h>
#include <asm/msi.h>
struct msi_msg {
	union {
		u32			address_lo;
		arch_msi_msg_addr_lo_t	arch_addr_lo;
	};
	union {
		u32			address_hi;
		arch_msi_msg_addr_hi_t	arch_addr_hi;
	};
	union {
		u32			data;
		arch_msi_msg_data_t	arch_data;
	};
};
u32 x86_msi_msg_get_destid(struct msi_msg *msg, bool extid);

#endif
