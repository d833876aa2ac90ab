/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Every ioctl of KVM, with arguments that are right, spoilt or wrong.
 */
#include <sys/param.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>
#include <signal.h>
#include <string.h>

#include "fuzz.h"

/* What the third argument is. */
enum arg { VALUE, STRUCT, LIST };

struct request {
	const char	*name;
	unsigned long	cmd, get;	/* get: fills the structure of cmd */
	enum arg	arg;
	size_t		size;		/* of the structure, or of a list's head */
	size_t		entry;		/* of a list's entry */
};

#define	V(cmd)		{ #cmd, cmd, 0, VALUE, 0, 0 }
#define	S(cmd, type)	{ #cmd, cmd, 0, STRUCT, sizeof(struct type), 0 }
#define	G(cmd, get, type) { #cmd, cmd, get, STRUCT, sizeof(struct type), 0 }
#define	L(cmd, get, head, entry) { #cmd, cmd, get, LIST, \
    sizeof(struct head), sizeof(struct entry) }
#define	INDICES(cmd)	{ #cmd, cmd, cmd, LIST, sizeof(struct kvm_msr_list), 4 }

static const struct request system_requests[] = {
	V(KVM_GET_API_VERSION), V(KVM_CHECK_EXTENSION), V(KVM_GET_VCPU_MMAP_SIZE),
	INDICES(KVM_GET_MSR_INDEX_LIST), INDICES(KVM_GET_MSR_FEATURE_INDEX_LIST),
	L(KVM_GET_SUPPORTED_CPUID, 0, kvm_cpuid2, kvm_cpuid_entry2),
	L(KVM_GET_EMULATED_CPUID, 0, kvm_cpuid2, kvm_cpuid_entry2),
	L(KVM_GET_SUPPORTED_HV_CPUID, 0, kvm_cpuid2, kvm_cpuid_entry2),
	L(KVM_GET_MSRS, 0, kvm_msrs, kvm_msr_entry),
	S(KVM_X86_GET_MCE_CAP_SUPPORTED, kvm_clock_data),
	S(KVM_GET_DEVICE_ATTR, kvm_device_attr),
	S(KVM_HAS_DEVICE_ATTR, kvm_device_attr),
	V(KVM_CREATE_VM),
};

static const struct request vm_requests[] = {
	V(KVM_CHECK_EXTENSION), S(KVM_ENABLE_CAP, kvm_enable_cap),
	V(KVM_CREATE_VCPU), S(KVM_GET_DIRTY_LOG, kvm_dirty_log),
	S(KVM_CLEAR_DIRTY_LOG, kvm_clear_dirty_log), V(KVM_RESET_DIRTY_RINGS),
	V(KVM_SET_NR_MMU_PAGES), V(KVM_GET_NR_MMU_PAGES),
	V(KVM_SET_TSS_ADDR), S(KVM_SET_IDENTITY_MAP_ADDR, kvm_clock_data),
	V(KVM_CREATE_IRQCHIP), S(KVM_IRQ_LINE, kvm_irq_level),
	S(KVM_IRQ_LINE_STATUS, kvm_irq_level),
	G(KVM_GET_IRQCHIP, 0, kvm_irqchip),
	G(KVM_SET_IRQCHIP, KVM_GET_IRQCHIP, kvm_irqchip),
	V(KVM_CREATE_PIT), S(KVM_CREATE_PIT2, kvm_pit_config),
	G(KVM_SET_PIT, KVM_GET_PIT, kvm_pit_state),
	G(KVM_SET_PIT2, KVM_GET_PIT2, kvm_pit_state2),
	S(KVM_REINJECT_CONTROL, kvm_reinject_control),
	S(KVM_REGISTER_COALESCED_MMIO, kvm_coalesced_mmio_zone),
	S(KVM_UNREGISTER_COALESCED_MMIO, kvm_coalesced_mmio_zone),
	L(KVM_SET_GSI_ROUTING, 0, kvm_irq_routing, kvm_irq_routing_entry),
	S(KVM_SIGNAL_MSI, kvm_msi), S(KVM_IRQFD, kvm_irqfd),
	S(KVM_IOEVENTFD, kvm_ioeventfd), V(KVM_SET_BOOT_CPU_ID),
	G(KVM_SET_CLOCK, KVM_GET_CLOCK, kvm_clock_data),
	V(KVM_SET_TSC_KHZ), V(KVM_GET_TSC_KHZ),
	S(KVM_CREATE_DEVICE, kvm_create_device),
	S(KVM_X86_SET_MSR_FILTER, kvm_msr_filter),
	L(KVM_SET_PMU_EVENT_FILTER, 0, kvm_pmu_event_filter, kvm_clock_data),
	V(KVM_GET_STATS_FD), S(KVM_MEMORY_ENCRYPT_OP, kvm_sev_cmd),
	S(KVM_MEMORY_ENCRYPT_REG_REGION, kvm_enc_region),
	S(KVM_MEMORY_ENCRYPT_UNREG_REGION, kvm_enc_region),
	S(KVM_SET_MEMORY_ATTRIBUTES, kvm_memory_attributes),
	S(KVM_CREATE_GUEST_MEMFD, kvm_create_guest_memfd),
	S(KVM_HYPERV_EVENTFD, kvm_hyperv_eventfd),
	S(KVM_XEN_HVM_CONFIG, kvm_xen_hvm_config),
	S(KVM_XEN_HVM_SET_ATTR, kvm_xen_hvm_attr),
};

static const struct request vcpu_requests[] = {
	G(KVM_SET_REGS, KVM_GET_REGS, kvm_regs),
	G(KVM_SET_SREGS, KVM_GET_SREGS, kvm_sregs),
	G(KVM_SET_SREGS2, KVM_GET_SREGS2, kvm_sregs2),
	S(KVM_TRANSLATE, kvm_translation), S(KVM_INTERRUPT, kvm_interrupt),
	V(KVM_NMI), V(KVM_SMI),
	L(KVM_GET_MSRS, 0, kvm_msrs, kvm_msr_entry),
	L(KVM_SET_MSRS, KVM_GET_MSRS, kvm_msrs, kvm_msr_entry),
	L(KVM_SET_CPUID, 0, kvm_cpuid, kvm_cpuid_entry),
	L(KVM_SET_CPUID2, KVM_GET_CPUID2, kvm_cpuid2, kvm_cpuid_entry2),
	L(KVM_SET_SIGNAL_MASK, 0, kvm_signal_mask, kvm_clock_data),
	G(KVM_SET_FPU, KVM_GET_FPU, kvm_fpu),
	G(KVM_SET_LAPIC, KVM_GET_LAPIC, kvm_lapic_state),
	S(KVM_TPR_ACCESS_REPORTING, kvm_tpr_access_ctl),
	S(KVM_SET_VAPIC_ADDR, kvm_vapic_addr),
	G(KVM_SET_MP_STATE, KVM_GET_MP_STATE, kvm_mp_state),
	S(KVM_SET_GUEST_DEBUG, kvm_guest_debug),
	S(KVM_X86_SETUP_MCE, kvm_clock_data), S(KVM_X86_SET_MCE, kvm_x86_mce),
	G(KVM_SET_VCPU_EVENTS, KVM_GET_VCPU_EVENTS, kvm_vcpu_events),
	G(KVM_SET_DEBUGREGS, KVM_GET_DEBUGREGS, kvm_debugregs),
	S(KVM_ENABLE_CAP, kvm_enable_cap), V(KVM_SET_TSC_KHZ),
	V(KVM_GET_TSC_KHZ), G(KVM_SET_XSAVE, KVM_GET_XSAVE, kvm_xsave),
	S(KVM_GET_XSAVE2, kvm_xsave), G(KVM_SET_XCRS, KVM_GET_XCRS, kvm_xcrs),
	V(KVM_KVMCLOCK_CTRL),
	L(KVM_SET_NESTED_STATE, KVM_GET_NESTED_STATE, kvm_nested_state,
	    kvm_xsave),
	L(KVM_GET_SUPPORTED_HV_CPUID, 0, kvm_cpuid2, kvm_cpuid_entry2),
	S(KVM_SET_DEVICE_ATTR, kvm_device_attr),
	S(KVM_GET_DEVICE_ATTR, kvm_device_attr),
	S(KVM_HAS_DEVICE_ATTR, kvm_device_attr), V(KVM_GET_STATS_FD),
	S(KVM_PRE_FAULT_MEMORY, kvm_pre_fault_memory),
	S(KVM_XEN_VCPU_SET_ATTR, kvm_xen_vcpu_attr), V(KVM_RUN),
};

static const struct request device_requests[] = {
	S(KVM_SET_DEVICE_ATTR, kvm_device_attr),
	S(KVM_GET_DEVICE_ATTR, kvm_device_attr),
	S(KVM_HAS_DEVICE_ATTR, kvm_device_attr),
};

/* Registers that KVM treats by themselves. */
static const uint32_t msrs[] = {
	0x10, 0x11, 0x12, 0x17, 0x1b, 0x3a, 0x3b, 0x48, 0x49, 0x79, 0x8b, 0xc1,
	0xcd, 0xce, 0xcf, 0xe1, 0xfe, 0x10a, 0x10b, 0x140, 0x174, 0x175, 0x176,
	0x179, 0x17a, 0x186, 0x198, 0x1a0, 0x1d9, 0x200, 0x201, 0x250, 0x277,
	0x2ff, 0x309, 0x345, 0x38d, 0x38f, 0x3f1, 0x400, 0x401, 0x402, 0x480,
	0x491, 0x4e0, 0x560, 0x600, 0x6a0, 0x6e0, 0x800, 0x80b, 0x830, 0x83f,
	0xc80, 0xd90, 0xda0, 0x4b564d00, 0x4b564d01, 0x4b564d02, 0x4b564d03,
	0x4b564d04, 0x4b564d05, 0x4b564d06, 0x4b564d07, 0x40000000, 0x40000020,
	0x400000b0, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000084, 0xc0000100,
	0xc0000101, 0xc0000102, 0xc0000103, 0xc0000104, 0xc0010000, 0xc0010004,
	0xc0010010, 0xc0010015, 0xc001001f, 0xc0010055, 0xc0010063, 0xc0010112,
	0xc0010114, 0xc0010117, 0xc0010130, 0xc0010140, 0xc001011f, 0xc0010200,
	0xc0011020, 0xc0011029, 0xc0011022,
};

long
call(struct worker *w, const char *name, int fd, unsigned long cmd, uint64_t arg)
{
	long ret;

	say(w, "%s(%d, %#jx)", name, fd, (uintmax_t)arg);
	ret = ioctl(fd, cmd, arg);
	atomic_fetch_add(&totals->ioctls, 1);
	if (ret >= 0)
		atomic_fetch_add(&totals->accepted, 1);
	return (ret);
}

/* Lists say how long they are; nent, nmsrs, nr, len all come first. */
static void
set_count(struct worker *w, const struct request *r, uint8_t *p, size_t room)
{
	uint32_t n, *indices;
	size_t i;

	n = below(w, MIN((room - r->size) / r->entry, 64)) + 1;
	if (one_in(w, 8))
		n = odd_number(w);
	memcpy(p, &n, sizeof(n));
	if (r->cmd != KVM_SET_MSRS && r->cmd != KVM_GET_MSRS)
		return;
	for (i = 0; i < 32; i++) {
		indices = (uint32_t *)(p + r->size + i * r->entry);
		*indices = one_in(w, 20) ? rnd(w) : PICK(w, msrs);
	}
}

/* Members that name a descriptor or memory get one that exists, often. */
static void
set_members(struct worker *w, unsigned long cmd, uint8_t *p)
{

	switch (cmd) {
	case KVM_IRQFD: {
		struct kvm_irqfd *a = (void *)p;
		a->fd = any_fd(w, one_in(w, 4) ? below(w, KINDS) : EVENT);
		a->gsi = one_in(w, 8) ? odd_number(w) : below(w, 24);
		a->flags = one_in(w, 8) ? odd_number(w) : below(w, 4);
		a->resamplefd = any_fd(w, EVENT);
		break;
	}
	case KVM_IOEVENTFD: {
		struct kvm_ioeventfd *a = (void *)p;
		a->fd = any_fd(w, one_in(w, 4) ? below(w, KINDS) : EVENT);
		a->len = one_in(w, 8) ? odd_number(w) : PICK(w, ((int[]){ 0, 1, 2, 4, 8 }));
		a->addr = one_in(w, 2) ? below(w, 256) : odd_number(w);
		a->flags = one_in(w, 8) ? odd_number(w) : below(w, 8);
		break;
	}
	case KVM_GET_DIRTY_LOG: {
		struct kvm_dirty_log *a = (void *)p;
		a->slot = below(w, 8);
		a->dirty_bitmap = (void *)odd_address(w);
		break;
	}
	case KVM_CLEAR_DIRTY_LOG: {
		struct kvm_clear_dirty_log *a = (void *)p;
		a->slot = below(w, 8);
		a->first_page = below(w, 8) * 64;
		a->num_pages = below(w, 40) * 64;
		a->dirty_bitmap = (void *)odd_address(w);
		break;
	}
	case KVM_SIGNAL_MSI: {
		struct kvm_msi *a = (void *)p;
		a->address_lo = 0xfee00000 | below(w, 1 << 20);
		break;
	}
	case KVM_X86_SET_MSR_FILTER: {
		struct kvm_msr_filter *a = (void *)p;
		unsigned i;
		a->flags = below(w, 2);
		for (i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
			a->ranges[i].flags = below(w, 4);
			a->ranges[i].base = PICK(w, msrs);
			a->ranges[i].nmsrs = below(w, 0x3000);
			a->ranges[i].bitmap = (void *)odd_address(w);
		}
		break;
	}
	case KVM_ENABLE_CAP: {
		struct kvm_enable_cap *a = (void *)p;
		a->cap = one_in(w, 8) ? odd_number(w) : below(w, 245);
		a->flags = one_in(w, 8) ? odd_number(w) : 0;
		a->args[0] = one_in(w, 2) ? below(w, 4) : odd_number(w);
		break;
	}
	case KVM_CREATE_DEVICE: {
		struct kvm_create_device *a = (void *)p;
		a->type = below(w, 12);
		a->flags = below(w, 2);
		break;
	}
	case KVM_SET_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR: {
		struct kvm_device_attr *a = (void *)p;
		a->addr = odd_address(w);
		a->group = below(w, 4);
		a->attr = below(w, 4);
		break;
	}
	case KVM_SET_SIGNAL_MASK:
		*(uint32_t *)p = one_in(w, 4) ? below(w, 20) : 8;
		p[4 + (SIGUSR1 - 1) / 8] &= ~(1 << (SIGUSR1 - 1) % 8);
		break;
	case KVM_SET_VAPIC_ADDR:
		*(uint64_t *)p = below(w, ARENA);
		break;
	case KVM_PRE_FAULT_MEMORY: {
		struct kvm_pre_fault_memory *a = (void *)p;
		a->gpa = below(w, ARENA / PAGE) * PAGE;
		a->size = below(w, ARENA / PAGE) * PAGE;
		a->flags = 0;
		break;
	}
	case KVM_REGISTER_COALESCED_MMIO:
	case KVM_UNREGISTER_COALESCED_MMIO: {
		struct kvm_coalesced_mmio_zone *a = (void *)p;
		a->pio = below(w, 2);
		a->addr = one_in(w, 2) ? below(w, 256) : below(w, 64) * PAGE;
		break;
	}
	}
}

/*
 * A place for the structure: just before memory that cannot be reached, so
 * that a copy of too many bytes fails, or somewhere that is wrong.
 */
static uint64_t
place(struct worker *w, size_t size)
{
	uint64_t end = (uintptr_t)w->scratch + 16 * PAGE;

	switch (below(w, 12)) {
	case 0:
		return (odd_address(w));
	case 1:
		return (end - below(w, size + 1));	/* cut off */
	default:
		return (end - size);
	}
}

static void
do_request(struct worker *w, enum kind kind, const struct request *r)
{
	uint8_t *p = w->scratch;
	uint64_t arg;
	size_t size;
	long ret;
	int fd;

	fd = any_fd(w, kind);
	if (r->arg == VALUE) {
		ret = call(w, r->name, fd, r->cmd, one_in(w, 2) ? 0 :
		    odd_number(w));
		if (r->cmd == KVM_GET_STATS_FD && ret >= 0)
			take_fd(w, OTHER, ret);
		return;
	}
	size = r->size + (r->arg == LIST ? 64 * r->entry : 0);
	size = MIN(size, 15 * PAGE);
	arg = place(w, size);
	if (arg >= (uintptr_t)w->scratch &&
	    arg + size <= (uintptr_t)w->scratch + 16 * PAGE) {
		p = (uint8_t *)arg;
		odd_bytes(w, p, size);
		if (r->arg == LIST)
			set_count(w, r, p, size);
		set_members(w, r->cmd, p);
		if (r->get != 0 && !one_in(w, 6)) {
			(void)call(w, "(get)", fd, r->get, arg);
			if (!one_in(w, 4))
				spoil(w, p, one_in(w, 2) ? MIN(size, 64) : size);
		} else if (one_in(w, 3))
			spoil(w, p, r->size);
	}
	ret = call(w, r->name, fd, r->cmd, arg);
	if (r->cmd == KVM_CREATE_DEVICE && ret >= 0 && p != w->scratch)
		take_fd(w, DEVICE, ((struct kvm_create_device *)p)->fd);
}

void
op_ioctl(struct worker *w)
{
	const struct request *r;
	enum kind kind;

	switch (below(w, 16)) {
	case 0:
		kind = SYSTEM;
		r = &PICK(w, system_requests);
		break;
	case 1: case 2: case 3: case 4: case 5:
		kind = VM;
		r = &PICK(w, vm_requests);
		break;
	case 6:
		kind = DEVICE;
		r = &PICK(w, device_requests);
		break;
	default:
		kind = VCPU;
		r = &PICK(w, vcpu_requests);
		break;
	}
	if (one_in(w, 50))
		kind = below(w, KINDS);
	if (one_in(w, 100))	/* nobody's number */
		(void)call(w, "raw", any_fd(w, kind),
		    0x20000000 | (0xae + below(w, 5)) << 8 | below(w, 256),
		    odd_address(w));
	else if (one_in(w, 200))
		(void)call(w, "raw", any_fd(w, kind), rnd(w), odd_address(w));
	else
		do_request(w, kind, r);
}
