// SPDX-License-Identifier: BSD-2-Clause
/*
 * Linux 7.2 has moved the switch of VMX and SVM from KVM into its kernel, where
 * it stays for ever.  Here it is part of the module and has to give back its
 * memory, so that this file includes upstream's.
 */
#include <linux/kvm_host.h>
#include <asm/tlbflush.h>
#include "../virt/hw.c"
#include "kvm_glue.h"

void virt_start(void)
{
	x86_virt_init();
}

void virt_stop(void)
{
	if (virt_ops.feature == X86_FEATURE_VMX)
		x86_vmx_exit();
	memset(&virt_ops, 0, sizeof(virt_ops));
}
