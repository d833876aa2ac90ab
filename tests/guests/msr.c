/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Model-specific registers: of the client's ioctls, of the guest, and those
 * that the client wants to answer itself.
 */
#include "client.h"

extern guest_code msr_read, msr_write, msr_tsc;

#define	SYSENTER_CS	0x174
#define	PAT		0x277
#define	EFER		0xc0000080
#define	STAR		0xc0000081
#define	LSTAR		0xc0000082
#define	CSTAR		0xc0000083
#define	SFMASK		0xc0000084
#define	KERNEL_GS	0xc0000102
#define	UNKNOWN		0x12345

static const struct {
	uint32_t	index;
	uint64_t	value;
} plain[] = {
	{ SYSENTER_CS, 0x1234 },
	{ PAT, 0x0007010600070106 },
	{ STAR, 0x0023001000000000 },
	{ LSTAR, 0xffffffff80123456 },
	{ CSTAR, 0x00007fffffffffff },
	{ SFMASK, 0x00000000fffc0300 },
	{ KERNEL_GS, 0xfffffe0000000000 },
};

CASE(msr, set_and_get)
{
	struct vcpu vcpu;
	struct vm vm;
	size_t i;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < nitems(plain); i++)
		EQUAL(msr_set(&vcpu, plain[i].index, plain[i].value), 1);
	for (i = 0; i < nitems(plain); i++)
		EQUAL(msr_of(&vcpu, plain[i].index), plain[i].value);
	EQUAL(msr_set(&vcpu, UNKNOWN, 1), 0);
	EQUAL(msr_set(&vcpu, LSTAR, 0x8000000000000000), 0);
	EQUAL(msr_set(&vcpu, PAT, 0x0202020202020202), 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* What the guest writes the client reads, and the other way round. */
CASE(msr, guest)
{
	struct vcpu vcpu;
	struct vm vm;
	size_t i;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < nitems(plain); i++) {
		long_mode(&vcpu, msr_write);
		args(&vcpu, plain[i].index, plain[i].value, 0);
		run_to_out(&vcpu, PORT_DONE);
		EQUAL(msr_of(&vcpu, plain[i].index), plain[i].value);
		EQUAL(msr_set(&vcpu, plain[i].index, 0), 1);
		long_mode(&vcpu, msr_read);
		args(&vcpu, plain[i].index, 0, 0);
		run_to_out(&vcpu, PORT_DONE);
		EQUAL(MEM64(&vm, DATA), 0);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Every MSR that KVM says is to be saved can be read. */
CASE(msr, index_list)
{
	struct {
		struct kvm_msr_list	head;
		uint32_t		index[512];
	} list = { .head.nmsrs = 1 };
	struct vcpu vcpu;
	struct vm vm;
	uint32_t i;

	REFUSED(ioctl(kvm(), KVM_GET_MSR_INDEX_LIST, &list), E2BIG);
	CHECK(list.head.nmsrs > 20 && list.head.nmsrs <= nitems(list.index));
	SYS(ioctl(kvm(), KVM_GET_MSR_INDEX_LIST, &list));
	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < list.head.nmsrs; i++)
		(void)msr_of(&vcpu, list.index[i]);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Bad ones are #GP for the guest. */
CASE(msr, refused)
{
	static const struct {
		uint32_t	index;
		uint64_t	value;
	} bad[] = {
		{ UNKNOWN, 0 }, { PAT, 2 }, { EFER, 0x10000 }, { EFER, 0 },
		{ LSTAR, 0x0000800000000000 }, { 0x1b, ~0ull },
	};
	struct vcpu vcpu;
	struct vm vm;
	size_t i;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < nitems(bad); i++) {
		if (bad[i].index == LSTAR && on_tcg())
			continue;	/* takes any value, without an exit */
		long_mode(&vcpu, msr_write);
		args(&vcpu, bad[i].index, bad[i].value, 0);
		EQUAL(run_to_fault(&vcpu, 13), 0);
	}
	long_mode(&vcpu, msr_read);
	args(&vcpu, UNKNOWN, 0, 0);
	EQUAL(run_to_fault(&vcpu, 13), 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* KVM_CAP_X86_USER_SPACE_MSR: unknown and filtered ones exit. */
CASE(msr, client_answers)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args[0] = KVM_MSR_EXIT_REASON_UNKNOWN |
		    KVM_MSR_EXIT_REASON_FILTER,
	};
	uint8_t none = 0;
	struct kvm_msr_filter filter = {
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.base = STAR, .nmsrs = 1, .bitmap = &none,
		},
	};
	struct vcpu vcpu;
	struct vm vm;

	NEED(KVM_CAP_X86_USER_SPACE_MSR);
	vm_open(&vm, VM_IRQCHIP);
	SYS(ioctl(vm.fd, KVM_ENABLE_CAP, &cap));
	SYS(ioctl(vm.fd, KVM_X86_SET_MSR_FILTER, &filter));
	vcpu_open(&vcpu, &vm, 0);

	long_mode(&vcpu, msr_read);
	args(&vcpu, UNKNOWN, 0, 0);
	run_to(&vcpu, KVM_EXIT_X86_RDMSR);
	EQUAL(vcpu.run->msr.reason, KVM_MSR_EXIT_REASON_UNKNOWN);
	EQUAL(vcpu.run->msr.index, UNKNOWN);
	vcpu.run->msr.data = 0x1122334455667788;
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(MEM64(&vm, DATA), 0x1122334455667788);

	long_mode(&vcpu, msr_write);
	args(&vcpu, STAR, 0x8877665544332211, 0);
	run_to(&vcpu, KVM_EXIT_X86_WRMSR);
	EQUAL(vcpu.run->msr.reason, KVM_MSR_EXIT_REASON_FILTER);
	EQUAL(vcpu.run->msr.data, 0x8877665544332211);
	vcpu.run->msr.error = 1;		/* no: #GP */
	EQUAL(run_to_fault(&vcpu, 13), 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* The time-stamp counter runs on from what the client sets. */
CASE(msr, tsc)
{
	struct vcpu vcpu;
	struct vm vm;
	uint64_t set;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, msr_tsc);
	set = 1ull << 50;
	EQUAL(msr_set(&vcpu, 0x10, set), 1);
	run_to_out(&vcpu, PORT_STEP);
	CHECK(MEM64(&vm, DATA) >= set);
	CHECK(MEM64(&vm, DATA) < set + (1ull << 40));
	run_to_out(&vcpu, PORT_DONE);
	CHECK(MEM64(&vm, DATA + 8) > MEM64(&vm, DATA));
	CHECK((int)SYS(ioctl(vcpu.fd, KVM_GET_TSC_KHZ, 0)) > 1000);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
