/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client sets it gets back: every group of state, and what the guest
 * sees of it.
 */
#include "client.h"

extern guest_code state_sse, state_fpu;

#define	ROUND_TRIP(fd, what, type) do {					\
	static type a_, b_;						\
									\
	SYS(ioctl(fd, KVM_GET_##what, &a_));				\
	SYS(ioctl(fd, KVM_SET_##what, &a_));				\
	SYS(ioctl(fd, KVM_GET_##what, &b_));				\
	if (memcmp(&a_, &b_, sizeof(a_)) != 0)				\
		FAIL("%s is not what it was", #what);			\
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
	ROUND_TRIP(vcpu.fd, SREGS, struct kvm_sregs);
	if (has(KVM_CAP_SREGS2))
		ROUND_TRIP(vcpu.fd, SREGS2, struct kvm_sregs2);
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

CASE(state, xsave)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	ROUND_TRIP(vcpu.fd, XSAVE, struct kvm_xsave);
	if (has(KVM_CAP_XCRS))
		ROUND_TRIP(vcpu.fd, XCRS, struct kvm_xcrs);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(state, vcpu)
{
	struct kvm_debugregs debug;
	struct kvm_vcpu_events events;
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, VM_PIT);
	vcpu_open(&vcpu, &vm, 0);
	SYS(ioctl(vcpu.fd, KVM_GET_DEBUGREGS, &debug));
	debug.db[0] = 0x1234;
	debug.db[3] = 0xffff800000000000;
	SYS(ioctl(vcpu.fd, KVM_SET_DEBUGREGS, &debug));
	memset(&debug, 0, sizeof(debug));
	SYS(ioctl(vcpu.fd, KVM_GET_DEBUGREGS, &debug));
	EQUAL(debug.db[0], 0x1234);
	EQUAL(debug.db[3], 0xffff800000000000);
	debug.dr7 = 1ull << 32;
	REFUSED(ioctl(vcpu.fd, KVM_SET_DEBUGREGS, &debug), EINVAL);
	ROUND_TRIP(vcpu.fd, LAPIC, struct kvm_lapic_state);
	ROUND_TRIP(vcpu.fd, MP_STATE, struct kvm_mp_state);
	ROUND_TRIP(vcpu.fd, VCPU_EVENTS, struct kvm_vcpu_events);
	SYS(ioctl(vcpu.fd, KVM_GET_VCPU_EVENTS, &events));
	events.nmi.masked = 1;
	events.nmi.pending = 1;
	SYS(ioctl(vcpu.fd, KVM_SET_VCPU_EVENTS, &events));
	memset(&events, 0, sizeof(events));
	SYS(ioctl(vcpu.fd, KVM_GET_VCPU_EVENTS, &events));
	EQUAL(events.nmi.masked, 1);
	EQUAL(events.nmi.pending, 1);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Interrupt controllers and timer. */
CASE(state, chips)
{
	struct kvm_irqchip chip, back;
	struct kvm_pit_state2 pit, pit_back;
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
