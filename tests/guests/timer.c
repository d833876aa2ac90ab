/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Timers in the kernel, which wake a vCPU from HLT: the PIT through the PICs
 * and the I/O APIC, the local APIC's; and the paravirtual clock.
 */
#include "client.h"

extern guest_code timer_pic, timer_pic_tick, timer_ioapic, timer_tick,
    timer_once, timer_periodic, timer_deadline, timer_clock;

#define	TICKS	20

/* Real mode, interrupt 8 by way of the 8259. */
CASE(timer, pit_and_pic)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, VM_PIT);
	vcpu_open(&vcpu, &vm, 0);
	real_gate(&vm, 8, timer_pic_tick);
	real_mode(&vcpu, timer_pic);
	CHECK(run_to_out(&vcpu, PORT_DONE) >= TICKS);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

static void
count_ticks(guest_code guest)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, VM_PIT);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, guest);
	gate(&vm, 0x40, timer_tick);
	args(&vcpu, TICKS, 0, 0);
	CHECK(run_to_out(&vcpu, PORT_DONE) >= TICKS);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(timer, pit_and_ioapic)
{

	count_ticks(timer_ioapic);
}

CASE(timer, apic_once)
{

	count_ticks(timer_once);
}

CASE(timer, apic_periodic)
{

	count_ticks(timer_periodic);
}

CASE(timer, tsc_deadline)
{

	NEED(KVM_CAP_TSC_DEADLINE_TIMER);
	count_ticks(timer_deadline);
}

/* As Linux's pvclock.h has it. */
struct clock {
	uint32_t	version, pad;
	uint64_t	tsc, system_time;
	uint32_t	mul;
	int8_t		shift;
	uint8_t		flags, pad2[2];
};

/* KVM fills the page that the guest names by MSR, and keeps it. */
CASE(timer, kvm_clock)
{
	struct kvm_clock_data data;
	struct clock *clock;
	struct vcpu vcpu;
	struct vm vm;
	uint64_t before;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	SYS(ioctl(vm.fd, KVM_GET_CLOCK, &data));
	before = data.clock;
	long_mode(&vcpu, timer_clock);
	clock = (struct clock *)(vm.mem + FREE);
	run_to_out(&vcpu, PORT_STEP);
	run_to_out(&vcpu, PORT_DONE);
	CHECK(clock->version != 0 && clock->version % 2 == 0);
	CHECK(clock->mul != 0);
	CHECK(clock->system_time >= before);
	SYS(ioctl(vm.fd, KVM_GET_CLOCK, &data));
	CHECK(data.clock >= clock->system_time);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
