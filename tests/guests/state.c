/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client sets it gets back: every group of state, and what the guest
 * sees of it.
 */
#include "client.h"

extern guest_code state_sse, state_fpu;

#define	LAPIC_LDR	0xd0

/* Got, changed (in "state"), set, and got again: it is as it was set. */
#define	ROUND_TRIP(fd, what, type, ...) do {				\
	static type state, back;					\
									\
	SYS(ioctl(fd, KVM_GET_##what, &state));				\
	__VA_ARGS__;							\
	SYS(ioctl(fd, KVM_SET_##what, &state));				\
	memset(&back, 0xa5, sizeof(back));				\
	SYS(ioctl(fd, KVM_GET_##what, &back));				\
	if (memcmp(&state, &back, sizeof(state)) != 0)			\
		FAIL("%s is not what was set", #what);			\
} while (0)

CASE(state, registers)
{
	struct kvm_regs regs, back;
	struct kvm_sregs sregs, sback;
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	memset(&regs, 0x5a, sizeof(regs));
	regs.rflags = 0x246;
	SYS(ioctl(vcpu.fd, KVM_SET_REGS, &regs));
	back = regs_of(&vcpu);
	EQUAL(memcmp(&regs, &back, sizeof(regs)), 0);
	long_mode(&vcpu, state_sse);
	sregs = sregs_of(&vcpu);
	sregs.fs.base = 0xffff800000001000;
	sregs.gs.base = 0x7fffffffe000;
	sregs.cr8 = 5;
	SYS(ioctl(vcpu.fd, KVM_SET_SREGS, &sregs));
	sback = sregs_of(&vcpu);
	EQUAL(sback.fs.base, sregs.fs.base);
	EQUAL(sback.gs.base, sregs.gs.base);
	EQUAL(sback.cr8, 5);
	EQUAL(memcmp(&sback.gdt, &sregs.gdt, sizeof(sregs.gdt)), 0);
	ROUND_TRIP(vcpu.fd, SREGS, struct kvm_sregs, state.cr2 = 0x123456);
	if (has(KVM_CAP_SREGS2))
		ROUND_TRIP(vcpu.fd, SREGS2, struct kvm_sregs2,
		    EQUAL(state.cr2, 0x123456); state.cr2 = 0x654321);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(state, bad_registers)
{
	struct kvm_sregs sregs;
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, state_sse);
	sregs = sregs_of(&vcpu);
	sregs.cr4 = ~0ull;
	REFUSED(ioctl(vcpu.fd, KVM_SET_SREGS, &sregs), EINVAL);
	sregs = sregs_of(&vcpu);
	sregs.cr0 |= 1ull << 40;
	REFUSED(ioctl(vcpu.fd, KVM_SET_SREGS, &sregs), EINVAL);
	sregs = sregs_of(&vcpu);
	sregs.cr4 &= ~0x20ull;		/* long mode without PAE */
	REFUSED(ioctl(vcpu.fd, KVM_SET_SREGS, &sregs), EINVAL);
	sregs = sregs_of(&vcpu);
	sregs.apic_base = ~0ull;
	REFUSED(ioctl(vcpu.fd, KVM_SET_SREGS, &sregs), EINVAL);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* The FPU by its own ioctl: the guest computes with what the client put in. */
CASE(state, fpu)
{
	struct kvm_fpu fpu, back;
	struct vcpu vcpu;
	struct vm vm;
	double d[2] = { 1.5, 2.25 };

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	/*
	 * Once, for XSAVE's header: KVM_SET_FPU does not mark SSE as in use, and
	 * a processor need not do so while all of XMM is 0.
	 */
	long_mode(&vcpu, state_sse);
	run_to_out(&vcpu, PORT_DONE);
	long_mode(&vcpu, state_sse);
	SYS(ioctl(vcpu.fd, KVM_GET_FPU, &fpu));
	memcpy(fpu.xmm[0], &d[0], 8);
	memcpy(fpu.xmm[1], &d[1], 8);
	memset(fpu.xmm[15], 0x77, 16);
	SYS(ioctl(vcpu.fd, KVM_SET_FPU, &fpu));
	SYS(ioctl(vcpu.fd, KVM_GET_FPU, &back));
	EQUAL(memcmp(&fpu, &back, sizeof(fpu)), 0);
	run_to_out(&vcpu, PORT_DONE);
	d[0] += d[1];
	EQUAL(memcmp(vm.mem + DATA, &d[0], 8), 0);
	EQUAL(MEM32(&vm, DATA + 8), 0x77777777);
	SYS(ioctl(vcpu.fd, KVM_GET_FPU, &back));
	EQUAL(memcmp(back.xmm[0], &d[0], 8), 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* x87 registers and XMM survive the host's use of the FPU between runs. */
CASE(state, fpu_is_the_guests)
{
	volatile double mine;
	struct vcpu vcpu;
	struct vm vm;
	int i;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, state_fpu);
	mine = 1;
	for (i = 0; i < 200; i++) {
		run_to_out(&vcpu, PORT_STEP);
		mine = mine * 3 / 3 + 1;
	}
	run_to_out(&vcpu, PORT_DONE);
	CHECK(mine == 201);
	EQUAL(MEM64(&vm, DATA), 200);		/* by x87 */
	EQUAL(MEM64(&vm, DATA + 8), 400);	/* by XMM7 */
	vcpu_close(&vcpu);
	vm_close(&vm);
}

#define	XMM		160		/* offsets in an XSAVE area */
#define	COMPONENTS	512

CASE(state, xsave)
{
	static uint8_t all[0x4000];
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	ROUND_TRIP(vcpu.fd, XSAVE, struct kvm_xsave,
	    memset((uint8_t *)&state + XMM, 0x77, 256);
	    ((uint8_t *)&state)[COMPONENTS] |= 3);
	if (has(KVM_CAP_XSAVE2)) {
		CHECK(has(KVM_CAP_XSAVE2) <= (int)sizeof(all));
		SYS(ioctl(vcpu.fd, KVM_GET_XSAVE2, all));
		EQUAL(all[XMM], 0x77);
		EQUAL(all[XMM + 255], 0x77);
	}
	if (has(KVM_CAP_XCRS))
		ROUND_TRIP(vcpu.fd, XCRS, struct kvm_xcrs,
		    EQUAL(state.xcrs[0].value, 1); state.xcrs[0].value = 3);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(state, vcpu)
{
	struct kvm_debugregs debug;
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, VM_PIT);
	vcpu_open(&vcpu, &vm, 0);
	ROUND_TRIP(vcpu.fd, DEBUGREGS, struct kvm_debugregs,
	    state.db[0] = 0x1234; state.db[3] = 0xffff800000000000;
	    state.dr7 = 0x403);
	SYS(ioctl(vcpu.fd, KVM_GET_DEBUGREGS, &debug));
	debug.dr7 = 1ull << 32;
	REFUSED(ioctl(vcpu.fd, KVM_SET_DEBUGREGS, &debug), EINVAL);
	ROUND_TRIP(vcpu.fd, LAPIC, struct kvm_lapic_state,
	    state.regs[LAPIC_LDR + 3] = 0x42);
	ROUND_TRIP(vcpu.fd, MP_STATE, struct kvm_mp_state,
	    state.mp_state = KVM_MP_STATE_HALTED);
	ROUND_TRIP(vcpu.fd, VCPU_EVENTS, struct kvm_vcpu_events,
	    state.nmi.masked = state.nmi.pending = 1;
	    state.exception.injected = state.exception.has_error_code = 1;
	    state.exception.nr = 13; state.exception.error_code = 0x1234);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/*
 * How fast the guest's TSC is, and how far from the host's.  Where the host's
 * is not stable KVM computes the offset anew each time it loads the vCPU.
 */
CASE(state, tsc)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET
	};
	struct vcpu vcpu;
	struct vm vm;
	struct kvm_clock_data clock;
	uint64_t back, offset;
	long khz;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	attr.addr = (uintptr_t)&offset;
	SYS(ioctl(vcpu.fd, KVM_GET_DEVICE_ATTR, &attr));
	offset += 1000000;
	SYS(ioctl(vcpu.fd, KVM_SET_DEVICE_ATTR, &attr));
	attr.addr = (uintptr_t)&back;
	SYS(ioctl(vcpu.fd, KVM_GET_DEVICE_ATTR, &attr));
	SYS(ioctl(vm.fd, KVM_GET_CLOCK, &clock));
	if (clock.flags & KVM_CLOCK_TSC_STABLE)
		EQUAL(back, offset);
	khz = SYS(ioctl(vcpu.fd, KVM_GET_TSC_KHZ, 0));
	SYS(ioctl(vcpu.fd, KVM_SET_TSC_KHZ, khz * 2));
	EQUAL(SYS(ioctl(vcpu.fd, KVM_GET_TSC_KHZ, 0)), khz * 2);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* What a guest that is a hypervisor has besides: here, SVM's global interrupt flag. */
CASE(state, nested)
{
	struct nested {
		struct kvm_nested_state	head;
		uint8_t			data[0x3000];
	};
	static struct nested state = { .head.size = sizeof(state) };
	static struct nested back = { .head.size = sizeof(back) };
	struct kvm_sregs sregs;
	struct vcpu vcpu;
	struct vm vm;

	NEED(KVM_CAP_NESTED_STATE);
	CHECK(has(KVM_CAP_NESTED_STATE) <= (int)sizeof(state));
	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	SYS(ioctl(vcpu.fd, KVM_GET_NESTED_STATE, &state));
	if (state.head.format == KVM_STATE_NESTED_FORMAT_SVM) {
		sregs = sregs_of(&vcpu);
		sregs.efer |= 1 << 12;			/* SVME */
		SYS(ioctl(vcpu.fd, KVM_SET_SREGS, &sregs));
		EQUAL(state.head.flags, KVM_STATE_NESTED_GIF_SET);
		state.head.flags = 0;
	}
	SYS(ioctl(vcpu.fd, KVM_SET_NESTED_STATE, &state));
	SYS(ioctl(vcpu.fd, KVM_GET_NESTED_STATE, &back));
	EQUAL(memcmp(&state, &back, sizeof(state)), 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Interrupt controllers and timer. */
CASE(state, chips)
{
	struct kvm_irqchip chip, back;
	struct kvm_pit_state2 pit, pit_back;
	struct kvm_pit_state old;
	struct vm vm;
	uint32_t i;

	vm_open(&vm, VM_PIT);
	for (i = 0; i < KVM_NR_IRQCHIPS; i++) {
		memset(&chip, 0, sizeof(chip));
		memset(&back, 0, sizeof(back));
		chip.chip_id = back.chip_id = i;
		SYS(ioctl(vm.fd, KVM_GET_IRQCHIP, &chip));
		if (i == KVM_IRQCHIP_IOAPIC)
			chip.chip.ioapic.redirtbl[7].bits = 0x10077;
		else
			chip.chip.pic.irq_base = 0x70 + i * 8;
		SYS(ioctl(vm.fd, KVM_SET_IRQCHIP, &chip));
		SYS(ioctl(vm.fd, KVM_GET_IRQCHIP, &back));
		EQUAL(memcmp(&chip, &back, sizeof(chip)), 0);
	}
	chip.chip_id = 3;
	REFUSED(ioctl(vm.fd, KVM_GET_IRQCHIP, &chip), EINVAL);
	SYS(ioctl(vm.fd, KVM_GET_PIT2, &pit));
	pit.channels[2].count = 0x1234;
	pit.channels[2].mode = 3;
	SYS(ioctl(vm.fd, KVM_SET_PIT2, &pit));
	SYS(ioctl(vm.fd, KVM_GET_PIT2, &pit_back));
	EQUAL(pit_back.channels[2].count, 0x1234);
	EQUAL(pit_back.channels[2].mode, 3);
	SYS(ioctl(vm.fd, KVM_GET_PIT, &old));
	EQUAL(old.channels[2].count, 0x1234);
	old.channels[2].count = 0x4321;
	SYS(ioctl(vm.fd, KVM_SET_PIT, &old));
	SYS(ioctl(vm.fd, KVM_GET_PIT2, &pit_back));
	EQUAL(pit_back.channels[2].count, 0x4321);
	vm_close(&vm);
}

CASE(state, clock)
{
	struct kvm_clock_data clock = { .clock = 3600000000000 }, back;
	struct vm vm;

	vm_open(&vm, VM_IRQCHIP);
	SYS(ioctl(vm.fd, KVM_SET_CLOCK, &clock));
	SYS(ioctl(vm.fd, KVM_GET_CLOCK, &back));
	CHECK(back.clock >= clock.clock);
	CHECK(back.clock < clock.clock + 60000000000);
	vm_close(&vm);
}
