// SPDX-License-Identifier: BSD-2-Clause
/*
 * What KVM_CHECK_EXTENSION must not claim here, although upstream claims it of
 * every x86 host.  Enabling or using them fails in upstream's own code; only
 * KVM_CAP_SYNC_MMU is a promise that nothing could refuse to keep later.
 */
#include <linux/kvm.h>
#include <linux/types.h>
#include "kvm_glue.h"

bool capability_missing(unsigned long capability)
{
	switch (capability) {
	/*
	 * A memslot's pages are wired while it exists.  What a process does to
	 * its mappings later does not reach the guest: no balloon, no discard.
	 */
	case KVM_CAP_SYNC_MMU:
	/* Memory encryption is left out. */
	case KVM_CAP_VM_COPY_ENC_CONTEXT_FROM:
	case KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM:
	/* The argument of device assignment calls, which upstream has removed. */
	case KVM_CAP_PCI_SEGMENT:
		return true;
	default:
		return false;
	}
}
