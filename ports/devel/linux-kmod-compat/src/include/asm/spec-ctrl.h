/* SPDX-License-Identifier: BSD-2-Clause */
/* FreeBSD has one SPEC_CTRL policy for all threads and uses no LS_CFG or VIRT_SPEC_CTRL. */
#ifndef _LKC_ASM_SPEC_CTRL_H_
#define	_LKC_ASM_SPEC_CTRL_H_

#include <linux/types.h>
#include <linux/thread_info.h>
#include <asm/nospec-branch.h>

/* Only reached with X86_FEATURE_LS_CFG_SSBD or VIRT_SSBD, which are never set. */
static inline void x86_spec_ctrl_set_guest(u64 guest_virt_spec_ctrl) {}
static inline void x86_spec_ctrl_restore_host(u64 guest_virt_spec_ctrl) {}
extern bool itlb_multihit_kvm_mitigation;

#endif
