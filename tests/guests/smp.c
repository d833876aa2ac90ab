/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Several vCPUs, each in a thread: start-up, interrupts between them, shared
 * memory.
 */
#include "client.h"

extern guest_code smp_starter, smp_started, smp_ping, smp_pong, smp_handler,
    smp_broadcast, smp_listen, smp_x2apic, smp_x2apic_listen, smp_locked;

#define	VCPUS	4

static void *
run_to_done(void *arg)
{
	struct vcpu *vcpu;

	vcpu = arg;
	run_to_out(vcpu, PORT_DONE);
	return (NULL);
}

static void
smp_open(struct vm *vm, struct vcpu *vcpu, int n)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	int i;

	vm_open(vm, VM_IRQCHIP);
	for (i = 0; i < n; i++) {
		vcpu_open(&vcpu[i], vm, i);
		SYS(ioctl(vcpu[i].fd, KVM_SET_MP_STATE, &runnable));
	}
}

static void
smp_run(struct vm *vm, struct vcpu *vcpu, int n)
{
	pthread_t threads[VCPUS];
	int i;

	for (i = 0; i < n; i++)
		threads[i] = thread(run_to_done, &vcpu[i]);
	for (i = 0; i < n; i++)
		join(threads[i]);
	for (i = 0; i < n; i++)
		vcpu_close(&vcpu[i]);
}

/* INIT and STARTUP, as a multiprocessor's first processor starts the others. */
CASE(smp, startup)
{
	struct kvm_mp_state state;
	struct vcpu vcpu[2];
	struct vm vm;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu[0], &vm, 0);
	vcpu_open(&vcpu[1], &vm, 1);
	SYS(ioctl(vcpu[1].fd, KVM_GET_MP_STATE, &state));
	EQUAL(state.mp_state, KVM_MP_STATE_UNINITIALIZED);
	long_mode(&vcpu[0], smp_starter);
	args(&vcpu[0], (uintptr_t)smp_started >> 12, 0, 0);
	smp_run(&vm, vcpu, 2);
	EQUAL(MEM16(&vm, DATA), (uintptr_t)smp_started >> 4);	/* its CS */
	vm_close(&vm);
}

/* Two vCPUs wake each other from HLT a few hundred times. */
CASE(smp, ipi)
{
	struct vcpu vcpu[2];
	struct vm vm;
	int i;

	smp_open(&vm, vcpu, 2);
	long_mode(&vcpu[0], smp_ping);
	long_mode(&vcpu[1], smp_pong);
	for (i = 0; i < 2; i++) {
		args(&vcpu[i], 300, 0, 0);
		gate(&vm, 0x50 + i, smp_handler);
	}
	smp_run(&vm, vcpu, 2);
	EQUAL(MEM32(&vm, DATA), 300);
	EQUAL(MEM32(&vm, DATA + 4), 300);
	vm_close(&vm);
}

static void
tell_all(guest_code teller, guest_code listener)
{
	struct vcpu vcpu[VCPUS];
	struct vm vm;
	int i;

	smp_open(&vm, vcpu, VCPUS);
	for (i = 0; i < VCPUS; i++) {
		long_mode(&vcpu[i], i == 0 ? teller : listener);
		args(&vcpu[i], VCPUS - 1, i * 4, 0);
	}
	gate(&vm, 0x50, smp_handler);
	smp_run(&vm, vcpu, VCPUS);
	EQUAL(MEM32(&vm, DATA), 0);
	for (i = 1; i < VCPUS; i++)
		EQUAL(MEM32(&vm, DATA + i * 4), 1);
	vm_close(&vm);
}

/* One interrupt for all but oneself. */
CASE(smp, broadcast)
{

	tell_all(smp_broadcast, smp_listen);
}

/* The same by MSRs. */
CASE(smp, x2apic)
{

	tell_all(smp_x2apic, smp_x2apic_listen);
}

/* LOCK keeps its promise. */
CASE(smp, locked)
{
	struct vcpu vcpu[VCPUS];
	struct vm vm;
	int i;

	smp_open(&vm, vcpu, VCPUS);
	for (i = 0; i < VCPUS; i++) {
		long_mode(&vcpu[i], smp_locked);
		args(&vcpu[i], 20000, 0, 0);
	}
	smp_run(&vm, vcpu, VCPUS);
	EQUAL(MEM32(&vm, DATA), VCPUS * 20000);
	EQUAL(MEM64(&vm, DATA + 8), VCPUS * 20000);
	vm_close(&vm);
}
