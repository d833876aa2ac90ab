/* SPDX-License-Identifier: BSD-2-Clause */
/* What must be done before a thread enters the guest: FreeBSD's AST and reschedule. */
#ifndef _LKC_LINUX_ENTRY_KVM_H_
#define	_LKC_LINUX_ENTRY_KVM_H_

struct kvm_vcpu;
int xfer_to_guest_mode_handle_work(struct kvm_vcpu *vcpu);
bool lx_guest_work_pending(void);
static inline void xfer_to_guest_mode_prepare(void) {}
static inline bool __xfer_to_guest_mode_work_pending(void)
{
	return lx_guest_work_pending();
}
static inline bool xfer_to_guest_mode_work_pending(void)
{
	return lx_guest_work_pending();
}

#endif
