/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Is KVM_CHECK_EXTENSION honest?  For each capability of 0 to the number given,
 * one line: the number, the answers of the device and of a virtual machine, and
 * what a call that the capability promises did: 1 it worked, 0 it was refused,
 * -1 no call here is about it.
 */

#include <sys/types.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#define	PAGE	0x1000ul
#define	MEMORY	(64 * PAGE)

/* What a probe may use: made anew for each, in this order. */
enum { WITH_VM, WITH_IRQCHIP, WITH_VCPU };

static int kvm, vm, vcpu, event;
static struct kvm_run *run;
static uint8_t *memory;

#define	WORKS(fd, cmd, ...)						\
	(ioctl(fd, cmd, &(__VA_ARGS__)) >= 0)
#define	ENABLE(fd, number, ...)						\
	WORKS(fd, KVM_ENABLE_CAP, (struct kvm_enable_cap)		\
	    { .cap = KVM_CAP_##number, .args = { __VA_ARGS__ } })
#define	TWICE(get, set, type) __extension__ ({				\
	type state;							\
	memset(&state, 0, sizeof(state));				\
	WORKS(vcpu, get, state) && WORKS(vcpu, set, state); })

static bool
slot(unsigned int number, unsigned int flags, uint64_t gpa, uint64_t size)
{

	return (WORKS(vm, KVM_SET_USER_MEMORY_REGION,
	    (struct kvm_userspace_memory_region){ .slot = number,
	    .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
	    .userspace_addr = (uintptr_t)memory }));
}

static bool
irqfd(unsigned int flags)
{
	int resample;
	bool works;

	resample = eventfd(0, 0);
	works = WORKS(vm, KVM_IRQFD, (struct kvm_irqfd){ .fd = event, .gsi = 5,
	    .flags = flags, .resamplefd = resample });
	close(resample);
	return (works);
}

static bool
ioeventfd(unsigned int length)
{

	return (WORKS(vm, KVM_IOEVENTFD, (struct kvm_ioeventfd){ .addr = 0x77,
	    .len = length, .fd = event }));
}

static bool
coalesced(unsigned int pio)
{

	return (WORKS(vm, KVM_REGISTER_COALESCED_MMIO,
	    (struct kvm_coalesced_mmio_zone){ .addr = 0x100000, .size = 8,
	    .pio = pio }));
}

static bool
cpuid(unsigned long command)
{
	struct kvm_cpuid2 *cpu;
	bool works;

	cpu = calloc(1, sizeof(*cpu) + 256 * sizeof(cpu->entries[0]));
	cpu->nent = 256;
	works = WORKS(kvm, command, *cpu);
	free(cpu);
	return (works);
}

static bool
msr_features(void)
{
	struct {
		struct kvm_msrs list;
		struct kvm_msr_entry entry;
	} one = { { .nmsrs = 1 } };
	struct kvm_msr_list *list;
	bool works;

	list = calloc(1, sizeof(*list) + 256 * sizeof(list->indices[0]));
	list->nmsrs = 256;
	works = WORKS(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, *list);
	one.entry.index = list->indices[0];
	free(list);
	return (works && ioctl(kvm, KVM_GET_MSRS, &one) == 1);
}

static bool
routing(void)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} one = { { .nr = 1 }, { .gsi = 1, .type = KVM_IRQ_ROUTING_IRQCHIP,
	    .u.irqchip = { .irqchip = KVM_IRQCHIP_IOAPIC, .pin = 1 } } };

	return (WORKS(vm, KVM_SET_GSI_ROUTING, one));
}

static bool
statistics(void)
{
	struct kvm_stats_header header;
	bool works;
	int fd;

	fd = ioctl(vm, KVM_GET_STATS_FD, NULL);
	works = fd >= 0 &&
	    pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
	    header.num_desc > 0;
	close(fd);
	return (works);
}

static bool
sync_regs(void)
{

	run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	run->immediate_exit = 1;
	(void)ioctl(vcpu, KVM_RUN, 0);
	return (run->s.regs.regs.rip == 0xfff0);
}

/* The guest reads a byte of a mapping that was replaced under its memslot. */
static bool
follows_mmap(void)
{
	/* mov al, [0x80]; out 0x10, al; jmp back */
	static const uint8_t code[] =
	    { 0xa0, 0x80, 0x00, 0xe6, 0x10, 0xeb, 0xf9 };
	struct kvm_regs regs = { .rip = 0, .rflags = 2 };
	struct kvm_sregs sregs;
	uint8_t seen[2];
	int i;

	if (!slot(0, 0, 0, MEMORY) || !WORKS(vcpu, KVM_GET_SREGS, sregs))
		errx(1, "no guest");
	sregs.cs.base = sregs.cs.selector = 0;
	if (!WORKS(vcpu, KVM_SET_SREGS, sregs) ||
	    !WORKS(vcpu, KVM_SET_REGS, regs))
		errx(1, "no registers");
	for (i = 0; i < 2; i++) {
		memcpy(memory, code, sizeof(code));
		memory[0x80] = i;
		if (ioctl(vcpu, KVM_RUN, 0) != 0 ||
		    run->exit_reason != KVM_EXIT_IO)
			errx(1, "no run");
		seen[i] = ((uint8_t *)run)[run->io.data_offset];
		if (mmap(memory, MEMORY, PROT_READ | PROT_WRITE, MAP_FIXED |
		    MAP_PRIVATE | MAP_ANON, -1, 0) == MAP_FAILED)
			err(1, "mmap");
	}
	return (seen[0] == 0 && seen[1] == 1);
}

/*
 * TSC_CONTROL has none: without it a guest's TSC can still be faster than the
 * host's, by catching up.
 */
#define	PROBES(P)							\
P(IRQCHIP, WITH_VM, ioctl(vm, KVM_CREATE_IRQCHIP, 0) == 0)		\
P(MMU_SHADOW_CACHE_CONTROL, WITH_VM, ioctl(vm, KVM_SET_NR_MMU_PAGES, 99) == 0) \
P(USER_MEMORY, WITH_VM, slot(0, 0, 0, MEMORY))				\
P(USER_MEMORY2, WITH_VM, WORKS(vm, KVM_SET_USER_MEMORY_REGION2,		\
    (struct kvm_userspace_memory_region2){ .memory_size = MEMORY,	\
    .userspace_addr = (uintptr_t)memory }))				\
P(DESTROY_MEMORY_REGION_WORKS, WITH_VM, slot(0, 0, 0, MEMORY) && slot(0, 0, 0, 0)) \
P(JOIN_MEMORY_REGIONS_WORKS, WITH_VM, slot(0, 0, 0, PAGE) && slot(1, 0, PAGE, PAGE) && \
    slot(0, 0, 0, 0) && slot(1, 0, 0, 0) && slot(0, 0, 0, 2 * PAGE))	\
P(READONLY_MEM, WITH_VM, slot(0, KVM_MEM_READONLY, 0, MEMORY))		\
P(SYNC_MMU, WITH_VCPU, follows_mmap())					\
P(SET_TSS_ADDR, WITH_VM, ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000) == 0)	\
P(SET_IDENTITY_MAP_ADDR, WITH_VM, WORKS(vm, KVM_SET_IDENTITY_MAP_ADDR,	\
    (uint64_t){ 0xfffbc000 }))						\
P(VAPIC, WITH_VCPU, WORKS(vcpu, KVM_TPR_ACCESS_REPORTING, (struct kvm_tpr_access_ctl){ 0 })) \
P(EXT_CPUID, WITH_VM, cpuid(KVM_GET_SUPPORTED_CPUID))			\
P(EXT_EMUL_CPUID, WITH_VM, cpuid(KVM_GET_EMULATED_CPUID))		\
P(HYPERV_CPUID, WITH_VM, cpuid(KVM_GET_SUPPORTED_HV_CPUID))		\
P(SYS_HYPERV_CPUID, WITH_VM, cpuid(KVM_GET_SUPPORTED_HV_CPUID))		\
P(PIT, WITH_IRQCHIP, ioctl(vm, KVM_CREATE_PIT, 0) == 0)			\
P(PIT2, WITH_IRQCHIP, WORKS(vm, KVM_CREATE_PIT2, (struct kvm_pit_config){ 0 })) \
P(PIT_STATE2, WITH_IRQCHIP, WORKS(vm, KVM_CREATE_PIT2, (struct kvm_pit_config){ 0 }) && \
    WORKS(vm, KVM_GET_PIT2, (struct kvm_pit_state2){ 0 }))		\
P(REINJECT_CONTROL, WITH_IRQCHIP, WORKS(vm, KVM_CREATE_PIT2, (struct kvm_pit_config){ 0 }) && \
    WORKS(vm, KVM_REINJECT_CONTROL, (struct kvm_reinject_control){ 0 }))	\
P(MP_STATE, WITH_VCPU, TWICE(KVM_GET_MP_STATE, KVM_SET_MP_STATE, struct kvm_mp_state)) \
P(COALESCED_MMIO, WITH_VM, coalesced(0))				\
P(COALESCED_PIO, WITH_VM, coalesced(1))					\
P(USER_NMI, WITH_VCPU, ioctl(vcpu, KVM_NMI, 0) == 0)			\
P(SET_GUEST_DEBUG, WITH_VCPU, WORKS(vcpu, KVM_SET_GUEST_DEBUG,		\
    (struct kvm_guest_debug){ .control = KVM_GUESTDBG_ENABLE }))	\
P(IRQ_ROUTING, WITH_IRQCHIP, routing())					\
P(IRQ_INJECT_STATUS, WITH_IRQCHIP, WORKS(vm, KVM_IRQ_LINE_STATUS, (struct kvm_irq_level){ 0 })) \
P(SIGNAL_MSI, WITH_VCPU, WORKS(vm, KVM_SIGNAL_MSI,			\
    (struct kvm_msi){ .address_lo = 0xfee00000, .data = 0x31 }))	\
P(MCE, WITH_VCPU, WORKS(vcpu, KVM_X86_SETUP_MCE, (uint64_t){ 4 }))	\
P(IRQFD, WITH_IRQCHIP, irqfd(0))					\
P(IRQFD_RESAMPLE, WITH_IRQCHIP, irqfd(KVM_IRQFD_FLAG_RESAMPLE))		\
P(IOEVENTFD, WITH_VM, ioeventfd(4))					\
P(IOEVENTFD_NO_LENGTH, WITH_VM, ioeventfd(0))				\
P(IOEVENTFD_ANY_LENGTH, WITH_VM, ioeventfd(0))				\
P(SET_BOOT_CPU_ID, WITH_VM, ioctl(vm, KVM_SET_BOOT_CPU_ID, 0) == 0)	\
P(ADJUST_CLOCK, WITH_VM, WORKS(vm, KVM_GET_CLOCK, (struct kvm_clock_data){ 0 })) \
P(VCPU_EVENTS, WITH_VCPU, TWICE(KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, struct kvm_vcpu_events)) \
P(DEBUGREGS, WITH_VCPU, TWICE(KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, struct kvm_debugregs)) \
P(XSAVE, WITH_VCPU, TWICE(KVM_GET_XSAVE, KVM_SET_XSAVE, struct kvm_xsave)) \
P(XSAVE2, WITH_VCPU, WORKS(vcpu, KVM_GET_XSAVE2, (uint8_t[0x4000]){ 0 })) \
P(XCRS, WITH_VCPU, TWICE(KVM_GET_XCRS, KVM_SET_XCRS, struct kvm_xcrs))	\
P(SREGS2, WITH_VCPU, TWICE(KVM_GET_SREGS2, KVM_SET_SREGS2, struct kvm_sregs2)) \
P(GET_TSC_KHZ, WITH_VCPU, ioctl(vcpu, KVM_GET_TSC_KHZ, 0) > 0)		\
P(SYNC_REGS, WITH_VCPU, sync_regs())					\
P(CHECK_EXTENSION_VM, WITH_VM, ioctl(vm, KVM_CHECK_EXTENSION, 0) == 1)	\
P(ENABLE_CAP_VM, WITH_VM, ENABLE(vm, DISABLE_QUIRKS2, 0))		\
P(ENABLE_CAP, WITH_VCPU, ENABLE(vcpu, ENFORCE_PV_FEATURE_CPUID, 0))	\
P(DISABLE_QUIRKS, WITH_VM, ENABLE(vm, DISABLE_QUIRKS, 1))		\
P(DISABLE_QUIRKS2, WITH_VM, ENABLE(vm, DISABLE_QUIRKS2, 1))		\
P(X86_SMM, WITH_VCPU, ioctl(vcpu, KVM_SMI, 0) == 0)			\
P(MULTI_ADDRESS_SPACE, WITH_VM, slot(1 << 16, 0, 0, MEMORY))		\
P(SPLIT_IRQCHIP, WITH_VM, ENABLE(vm, SPLIT_IRQCHIP, 24))		\
P(VCPU_ATTRIBUTES, WITH_VCPU, WORKS(vcpu, KVM_HAS_DEVICE_ATTR,		\
    (struct kvm_device_attr){ .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET })) \
P(SYS_ATTRIBUTES, WITH_VM, WORKS(kvm, KVM_HAS_DEVICE_ATTR,		\
    (struct kvm_device_attr){ .attr = KVM_X86_XCOMP_GUEST_SUPP }))	\
P(VM_ATTRIBUTES, WITH_VM, WORKS(vm, KVM_HAS_DEVICE_ATTR, (struct kvm_device_attr){ 0 })) \
P(MAX_VCPU_ID, WITH_VM, ENABLE(vm, MAX_VCPU_ID, 16))			\
P(X2APIC_API, WITH_VM, ENABLE(vm, X2APIC_API, 3))			\
P(X86_DISABLE_EXITS, WITH_VM, ENABLE(vm, X86_DISABLE_EXITS, KVM_X86_DISABLE_EXITS_HLT)) \
P(IMMEDIATE_EXIT, WITH_VCPU, (run->immediate_exit = 1, ioctl(vcpu, KVM_RUN, 0) == -1)) \
P(GET_MSR_FEATURES, WITH_VM, msr_features())				\
P(MSR_PLATFORM_INFO, WITH_VM, ENABLE(vm, MSR_PLATFORM_INFO, 0))		\
P(EXCEPTION_PAYLOAD, WITH_VM, ENABLE(vm, EXCEPTION_PAYLOAD, 1))		\
P(X86_TRIPLE_FAULT_EVENT, WITH_VM, ENABLE(vm, X86_TRIPLE_FAULT_EVENT, 1)) \
P(MANUAL_DIRTY_LOG_PROTECT2, WITH_VM, ENABLE(vm, MANUAL_DIRTY_LOG_PROTECT2, 1)) \
P(PMU_EVENT_FILTER, WITH_VM, WORKS(vm, KVM_SET_PMU_EVENT_FILTER,	\
    (struct kvm_pmu_event_filter){ .action = KVM_PMU_EVENT_ALLOW }))	\
P(PMU_EVENT_MASKED_EVENTS, WITH_VM, WORKS(vm, KVM_SET_PMU_EVENT_FILTER,	\
    (struct kvm_pmu_event_filter){ .flags = KVM_PMU_EVENT_FLAG_MASKED_EVENTS })) \
P(PMU_CAPABILITY, WITH_VM, ENABLE(vm, PMU_CAPABILITY, KVM_PMU_CAP_DISABLE)) \
P(HALT_POLL, WITH_VM, ENABLE(vm, HALT_POLL, 0))				\
P(X86_USER_SPACE_MSR, WITH_VM, ENABLE(vm, X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_UNKNOWN)) \
P(X86_MSR_FILTER, WITH_VM, WORKS(vm, KVM_X86_SET_MSR_FILTER, (struct kvm_msr_filter){ 0 })) \
P(ENFORCE_PV_FEATURE_CPUID, WITH_VCPU, ENABLE(vcpu, ENFORCE_PV_FEATURE_CPUID, 1)) \
P(DIRTY_LOG_RING, WITH_VM, ENABLE(vm, DIRTY_LOG_RING, 4096 * 16))	\
P(DIRTY_LOG_RING_ACQ_REL, WITH_VM, ENABLE(vm, DIRTY_LOG_RING_ACQ_REL, 4096 * 16)) \
P(DIRTY_LOG_RING_WITH_BITMAP, WITH_VM, ENABLE(vm, DIRTY_LOG_RING, 4096 * 16) && \
    ENABLE(vm, DIRTY_LOG_RING_WITH_BITMAP, 0))				\
P(SET_GUEST_DEBUG2, WITH_VCPU, WORKS(vcpu, KVM_SET_GUEST_DEBUG,		\
    (struct kvm_guest_debug){ .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP })) \
P(SGX_ATTRIBUTE, WITH_VM, ENABLE(vm, SGX_ATTRIBUTE, event))		\
P(VM_COPY_ENC_CONTEXT_FROM, WITH_VM, ENABLE(vm, VM_COPY_ENC_CONTEXT_FROM, vm)) \
P(VM_MOVE_ENC_CONTEXT_FROM, WITH_VM, ENABLE(vm, VM_MOVE_ENC_CONTEXT_FROM, vm)) \
P(HYPERV_SYNIC, WITH_VCPU, ENABLE(vcpu, HYPERV_SYNIC, 0))		\
P(HYPERV_SYNIC2, WITH_VCPU, ENABLE(vcpu, HYPERV_SYNIC2, 0))		\
P(HYPERV_ENLIGHTENED_VMCS, WITH_VCPU, ENABLE(vcpu, HYPERV_ENLIGHTENED_VMCS, 0)) \
P(HYPERV_DIRECT_TLBFLUSH, WITH_VCPU, ENABLE(vcpu, HYPERV_DIRECT_TLBFLUSH, 0)) \
P(HYPERV_ENFORCE_CPUID, WITH_VCPU, ENABLE(vcpu, HYPERV_ENFORCE_CPUID, 1)) \
P(HYPERV_EVENTFD, WITH_VM, WORKS(vm, KVM_HYPERV_EVENTFD, (struct kvm_hyperv_eventfd){ .fd = event })) \
P(XEN_HVM, WITH_VM, WORKS(vm, KVM_XEN_HVM_CONFIG, (struct kvm_xen_hvm_config){ .msr = 0x40000000 })) \
P(EXIT_HYPERCALL, WITH_VM, ENABLE(vm, EXIT_HYPERCALL, 1 << 12))		\
P(BINARY_STATS_FD, WITH_VM, statistics())				\
P(EXIT_ON_EMULATION_FAILURE, WITH_VM, ENABLE(vm, EXIT_ON_EMULATION_FAILURE, 1)) \
P(VM_DISABLE_NX_HUGE_PAGES, WITH_VM, ENABLE(vm, VM_DISABLE_NX_HUGE_PAGES, 0)) \
P(X86_NOTIFY_VMEXIT, WITH_VM, ENABLE(vm, X86_NOTIFY_VMEXIT, KVM_X86_NOTIFY_VMEXIT_ENABLED)) \
P(MEMORY_ATTRIBUTES, WITH_VM, WORKS(vm, KVM_SET_MEMORY_ATTRIBUTES,	\
    (struct kvm_memory_attributes){ .size = PAGE, .attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE })) \
P(GUEST_MEMFD, WITH_VM, WORKS(vm, KVM_CREATE_GUEST_MEMFD, (struct kvm_create_guest_memfd){ .size = PAGE })) \
P(PRE_FAULT_MEMORY, WITH_VCPU, slot(0, 0, 0, MEMORY) && WORKS(vcpu,	\
    KVM_PRE_FAULT_MEMORY, (struct kvm_pre_fault_memory){ .size = MEMORY })) \
P(X86_APIC_BUS_CYCLES_NS, WITH_IRQCHIP, ENABLE(vm, X86_APIC_BUS_CYCLES_NS, 40)) \
P(NESTED_STATE, WITH_VCPU, WORKS(vcpu, KVM_GET_NESTED_STATE,		\
    (struct { struct kvm_nested_state state; uint8_t more[0x4000]; })	\
    { .state.size = 0x4000 }))						\
P(CLOCKSOURCE, WITH_VM, cpuid(KVM_GET_SUPPORTED_CPUID))

static int
probe(int number)
{
	size_t length;
	int needs, works;

	length = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	switch (number) {
#define	NEEDS(name, what, call)	case KVM_CAP_##name: needs = what; break;
	PROBES(NEEDS)
	default:
		return (-1);
	}
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	event = eventfd(0, 0);
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	if (vm < 0 || event < 0 || memory == MAP_FAILED)
		err(1, "capability %d: virtual machine", number);
	if (needs >= WITH_IRQCHIP && ioctl(vm, KVM_CREATE_IRQCHIP, 0) != 0)
		err(1, "capability %d: interrupt controllers", number);
	if (needs >= WITH_VCPU) {
		vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
		run = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED,
		    vcpu, 0);
		if (run == MAP_FAILED)
			err(1, "capability %d: vCPU", number);
	}
	switch (number) {
#define	CALL(name, what, call)	case KVM_CAP_##name: works = (call); break;
	PROBES(CALL)
	}
	if (needs >= WITH_VCPU) {
		munmap(run, length);
		close(vcpu);
	}
	munmap(memory, MEMORY);
	close(event);
	close(vm);
	return (works);
}

int
main(int argc, char **argv)
{
	int answer[2], number;

	kvm = open("/dev/kvm", O_RDWR);
	if (kvm < 0)
		err(1, "/dev/kvm");
	for (number = 0; number <= atoi(argv[1]); number++) {
		answer[0] = ioctl(kvm, KVM_CHECK_EXTENSION, number);
		vm = ioctl(kvm, KVM_CREATE_VM, 0);
		answer[1] = ioctl(vm, KVM_CHECK_EXTENSION, number);
		close(vm);
		printf("%d %d %d %d\n", number, answer[0], answer[1],
		    probe(number));
	}
	return (0);
}
