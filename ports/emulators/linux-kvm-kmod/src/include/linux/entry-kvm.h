/* SPDX-License-Identifier: BSD-2-Clause */
/* The name until Linux 6.17, when the callee also told the vCPU of a signal. */
#ifndef _LKC_LINUX_ENTRY_KVM_H_
#define	_LKC_LINUX_ENTRY_KVM_H_

#include <linux/entry-virt.h>

#undef xfer_to_guest_mode_handle_work
#define xfer_to_guest_mode_handle_work(vcpu) ({				\
	int __work = lx_guest_work();					\
									\
	if (__work)							\
		kvm_handle_signal_exit(vcpu);				\
	__work;								\
})

#endif
