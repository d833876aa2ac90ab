// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the number that an ioctl(2) of FreeBSD carries to KVM's own command.
 * See uapi/linux/ioctl.h: group is KVMIO plus the direction, the size is lost.
 * Three numbers mean different things on different kinds of files, so there is
 * a table for each kind.
 */
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/string.h>
#include <lkc/block.h>
#include "kvm_glue.h"

enum file_kind {
	SYSTEM,		/* /dev/kvm */
	VM,
	VCPU,
	DEVICE,
	NR_KINDS,
};

#define NR_DIRS	4	/* _IOC_NONE, _IOC_WRITE, _IOC_READ, both */

#define E(kind, cmd)	[kind][_IOC_DIR(cmd)][_IOC_NR(cmd)] = cmd

static const unsigned int commands[NR_KINDS][NR_DIRS][256] = {
	E(SYSTEM, KVM_GET_API_VERSION),
	E(SYSTEM, KVM_CREATE_VM),
	E(SYSTEM, KVM_GET_MSR_INDEX_LIST),
	E(SYSTEM, KVM_CHECK_EXTENSION),
	E(SYSTEM, KVM_GET_VCPU_MMAP_SIZE),
	E(SYSTEM, KVM_GET_SUPPORTED_CPUID),
	E(SYSTEM, KVM_GET_EMULATED_CPUID),
	E(SYSTEM, KVM_GET_MSR_FEATURE_INDEX_LIST),
	E(SYSTEM, KVM_GET_MSRS),
	E(SYSTEM, KVM_X86_GET_MCE_CAP_SUPPORTED),
	E(SYSTEM, KVM_GET_SUPPORTED_HV_CPUID),
	E(SYSTEM, KVM_GET_DEVICE_ATTR),
	E(SYSTEM, KVM_HAS_DEVICE_ATTR),

	E(VM, KVM_CHECK_EXTENSION),
	E(VM, KVM_ENABLE_CAP),
	E(VM, KVM_CREATE_VCPU),
	E(VM, KVM_GET_DIRTY_LOG),
	E(VM, KVM_CLEAR_DIRTY_LOG),
	E(VM, KVM_RESET_DIRTY_RINGS),
	E(VM, KVM_SET_NR_MMU_PAGES),
	E(VM, KVM_SET_USER_MEMORY_REGION),
	E(VM, KVM_SET_USER_MEMORY_REGION2),
	E(VM, KVM_SET_TSS_ADDR),
	E(VM, KVM_SET_IDENTITY_MAP_ADDR),
	E(VM, KVM_CREATE_IRQCHIP),
	E(VM, KVM_IRQ_LINE),
	E(VM, KVM_IRQ_LINE_STATUS),
	E(VM, KVM_GET_IRQCHIP),
	E(VM, KVM_SET_IRQCHIP),
	E(VM, KVM_CREATE_PIT),
	E(VM, KVM_CREATE_PIT2),
	E(VM, KVM_GET_PIT),
	E(VM, KVM_SET_PIT),
	E(VM, KVM_GET_PIT2),
	E(VM, KVM_SET_PIT2),
	E(VM, KVM_REINJECT_CONTROL),
	E(VM, KVM_REGISTER_COALESCED_MMIO),
	E(VM, KVM_UNREGISTER_COALESCED_MMIO),
	E(VM, KVM_SET_GSI_ROUTING),
	E(VM, KVM_SIGNAL_MSI),
	E(VM, KVM_IRQFD),
	E(VM, KVM_IOEVENTFD),
	E(VM, KVM_SET_BOOT_CPU_ID),
	E(VM, KVM_SET_CLOCK),
	E(VM, KVM_GET_CLOCK),
	E(VM, KVM_SET_TSC_KHZ),
	E(VM, KVM_GET_TSC_KHZ),
	E(VM, KVM_CREATE_DEVICE),
	E(VM, KVM_X86_SET_MSR_FILTER),
	E(VM, KVM_SET_PMU_EVENT_FILTER),
	E(VM, KVM_GET_STATS_FD),
	E(VM, KVM_MEMORY_ENCRYPT_OP),
	E(VM, KVM_MEMORY_ENCRYPT_REG_REGION),
	E(VM, KVM_MEMORY_ENCRYPT_UNREG_REGION),
	E(VM, KVM_SET_MEMORY_ATTRIBUTES),
	E(VM, KVM_CREATE_GUEST_MEMFD),
	E(VM, KVM_HYPERV_EVENTFD),
	E(VM, KVM_XEN_HVM_CONFIG),
	E(VM, KVM_XEN_HVM_GET_ATTR),
	E(VM, KVM_XEN_HVM_SET_ATTR),
	E(VM, KVM_XEN_HVM_EVTCHN_SEND),

	E(VCPU, KVM_RUN),
	E(VCPU, KVM_GET_REGS),
	E(VCPU, KVM_SET_REGS),
	E(VCPU, KVM_GET_SREGS),
	E(VCPU, KVM_SET_SREGS),
	E(VCPU, KVM_GET_SREGS2),
	E(VCPU, KVM_SET_SREGS2),
	E(VCPU, KVM_TRANSLATE),
	E(VCPU, KVM_INTERRUPT),
	E(VCPU, KVM_NMI),
	E(VCPU, KVM_SMI),
	E(VCPU, KVM_GET_MSRS),
	E(VCPU, KVM_SET_MSRS),
	E(VCPU, KVM_SET_CPUID),
	E(VCPU, KVM_SET_CPUID2),
	E(VCPU, KVM_GET_CPUID2),
	E(VCPU, KVM_SET_SIGNAL_MASK),
	E(VCPU, KVM_GET_FPU),
	E(VCPU, KVM_SET_FPU),
	E(VCPU, KVM_GET_LAPIC),
	E(VCPU, KVM_SET_LAPIC),
	E(VCPU, KVM_TPR_ACCESS_REPORTING),
	E(VCPU, KVM_SET_VAPIC_ADDR),
	E(VCPU, KVM_GET_MP_STATE),
	E(VCPU, KVM_SET_MP_STATE),
	E(VCPU, KVM_SET_GUEST_DEBUG),
	E(VCPU, KVM_X86_SETUP_MCE),
	E(VCPU, KVM_X86_SET_MCE),
	E(VCPU, KVM_GET_VCPU_EVENTS),
	E(VCPU, KVM_SET_VCPU_EVENTS),
	E(VCPU, KVM_GET_DEBUGREGS),
	E(VCPU, KVM_SET_DEBUGREGS),
	E(VCPU, KVM_ENABLE_CAP),
	E(VCPU, KVM_SET_TSC_KHZ),
	E(VCPU, KVM_GET_TSC_KHZ),
	E(VCPU, KVM_GET_XSAVE),
	E(VCPU, KVM_GET_XSAVE2),
	E(VCPU, KVM_SET_XSAVE),
	E(VCPU, KVM_GET_XCRS),
	E(VCPU, KVM_SET_XCRS),
	E(VCPU, KVM_KVMCLOCK_CTRL),
	E(VCPU, KVM_GET_NESTED_STATE),
	E(VCPU, KVM_SET_NESTED_STATE),
	E(VCPU, KVM_GET_SUPPORTED_HV_CPUID),
	E(VCPU, KVM_GET_DEVICE_ATTR),
	E(VCPU, KVM_SET_DEVICE_ATTR),
	E(VCPU, KVM_HAS_DEVICE_ATTR),
	E(VCPU, KVM_GET_STATS_FD),
	E(VCPU, KVM_GET_ONE_REG),
	E(VCPU, KVM_SET_ONE_REG),
	E(VCPU, KVM_GET_REG_LIST),
	E(VCPU, KVM_MEMORY_ENCRYPT_OP),
	E(VCPU, KVM_PRE_FAULT_MEMORY),
	E(VCPU, KVM_XEN_VCPU_GET_ATTR),
	E(VCPU, KVM_XEN_VCPU_SET_ATTR),

	E(DEVICE, KVM_SET_DEVICE_ATTR),
	E(DEVICE, KVM_GET_DEVICE_ATTR),
	E(DEVICE, KVM_HAS_DEVICE_ATTR),
};

/* By the names that KVM gives its files. */
static enum file_kind kind_of(const char *name)
{
	if (!strcmp(name, "kvm"))
		return SYSTEM;
	if (!strcmp(name, "kvm-vm"))
		return VM;
	if (!strncmp(name, "kvm-vcpu:", strlen("kvm-vcpu:")))
		return VCPU;
	return DEVICE;
}

unsigned int lx_ioctl_command(struct file *file, unsigned int group, unsigned int nr)
{
	const unsigned int (*own)[256] = READ_ONCE(file->lx_commands);
	unsigned int dir = group - KVMIO;

	if (dir >= NR_DIRS || nr > 255)
		return 0;
	if (unlikely(!own)) {
		own = commands[kind_of(file->lx_name)];
		WRITE_ONCE(file->lx_commands, own);
	}
	return own[dir][nr];
}

long lx_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd == KVM_CHECK_EXTENSION && capability_missing(arg))
		return 0;
	return file->f_op->unlocked_ioctl(file, cmd, arg);
}
