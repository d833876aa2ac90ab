/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * System management mode.
 */
#include "client.h"

extern guest_code smm_handler, smm_handler_end, smm_guest;

#define	SMBASE	0x30000			/* after reset; entered 0x8000 above */

static void
smm_open(struct vm *vm, struct vcpu *vcpu)
{

	NEED(KVM_CAP_X86_SMM);
	vm_open(vm, VM_IRQCHIP);
	/* The second address space, which vCPUs in the mode see. */
	SYS(vm_slot(vm, 1 << 16, 0, 0, MEMORY, vm->mem));
	memcpy(vm->mem + SMBASE + 0x8000, vm->mem + (uintptr_t)smm_handler,
	    smm_handler_end - smm_handler);
	vcpu_open(vcpu, vm, 0);
	long_mode(vcpu, smm_guest);
}

/* From long mode to the handler, by RSM back to the next instruction. */
CASE(smm, enter_and_leave)
{
	struct kvm_regs before, after;
	struct vcpu vcpu;
	struct vm vm;

	smm_open(&vm, &vcpu);
	EQUAL(run_to_out(&vcpu, PORT_STEP), 1);
	before = regs_of(&vcpu);
	SYS(ioctl(vcpu.fd, KVM_SMI, 0));
	EQUAL(run_to_out(&vcpu, PORT_STEP), 0x55);
	CHECK(vcpu.run->flags & KVM_RUN_X86_SMM);
	EQUAL(sregs_of(&vcpu).cr0 & 0x80000001, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 2);
	CHECK(!(vcpu.run->flags & KVM_RUN_X86_SMM));
	after = regs_of(&vcpu);
	EQUAL(after.rbx, before.rbx);
	EQUAL(after.r15, before.r15);
	EQUAL(after.rsp, before.rsp);
	EQUAL(sregs_of(&vcpu).efer & 0x500, 0x500);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* An SMI in the handler waits for RSM; the client sees it pending. */
CASE(smm, one_at_a_time)
{
	struct kvm_vcpu_events events;
	struct vcpu vcpu;
	struct vm vm;

	smm_open(&vm, &vcpu);
	EQUAL(run_to_out(&vcpu, PORT_STEP), 1);
	SYS(ioctl(vcpu.fd, KVM_SMI, 0));
	EQUAL(run_to_out(&vcpu, PORT_STEP), 0x55);
	SYS(ioctl(vcpu.fd, KVM_SMI, 0));
	SYS(ioctl(vcpu.fd, KVM_GET_VCPU_EVENTS, &events));
	EQUAL(events.smi.smm, 1);
	EQUAL(events.smi.pending, 1);
	EQUAL(run_to_out(&vcpu, PORT_STEP), 0x55);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 2);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
