/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Exceptions that a guest causes, and those that its client injects.
 */
#include "client.h"

extern guest_code exc_divide, exc_break_divide, exc_opcode, exc_breakpoint, exc_protection,
    exc_page, exc_spin, exc_nmi, exc_interrupt, exc_window, exc_real_divide,
    exc_real_handler, exc_handler, exc_steps;

/* Each by an instruction of its own; the handler returns past it. */
CASE(exceptions, taken)
{
	static const struct {
		guest_code	*entry;
		int		vector;
		uint32_t	error;
	} each[] = {
		{ &exc_divide, 0, 0 }, { &exc_breakpoint, 3, 0 },
		{ &exc_opcode, 6, 0 }, { &exc_protection, 13, 0x40 },
		{ &exc_page, 14, 2 },
	};
	struct vcpu vcpu;
	struct vm vm;
	size_t i;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < nitems(each); i++) {
		long_mode(&vcpu, *each[i].entry);
		EQUAL(run_to_fault(&vcpu, each[i].vector), each[i].error);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* No gate for #DE is #NP, which makes it a double fault. */
CASE(exceptions, double_fault)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, exc_break_divide);
	/* TCG forgets the first fault when its delivery has to map the IDT. */
	run_to_fault(&vcpu, 3);
	MEM8(&vm, IDT + 5) &= 0x7f;
	EQUAL(run_to_fault(&vcpu, 8), 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(exceptions, in_real_mode)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	real_gate(&vm, 0, exc_real_handler);
	real_mode(&vcpu, exc_real_divide);
	run_to_out(&vcpu, PORT_STEP);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 1);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* KVM_SET_VCPU_EVENTS: the guest takes it before its next instruction. */
CASE(exceptions, injected)
{
	static const struct {
		int	vector;
		bool	has_error;
	} each[] = { { 0, 0 }, { 1, 0 }, { 6, 0 }, { 13, 1 }, { 14, 1 }, { 17, 1 } };
	struct kvm_vcpu_events events;
	struct vcpu vcpu;
	struct vm vm;
	size_t i;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < nitems(each); i++) {
		long_mode(&vcpu, exc_spin);
		memset(&events, 0, sizeof(events));
		events.exception.injected = 1;
		events.exception.nr = each[i].vector;
		events.exception.has_error_code = each[i].has_error;
		events.exception.error_code = each[i].has_error ? 0x18 : 0;
		SYS(ioctl(vcpu.fd, KVM_SET_VCPU_EVENTS, &events));
		EQUAL(run_to_fault(&vcpu, each[i].vector),
		    each[i].has_error ? 0x18 : 0);
		EQUAL(FAULT_OF(&vm)->rip, (uintptr_t)exc_spin);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* An NMI while its handler runs waits for the handler's IRET. */
CASE(exceptions, nmi)
{
	struct kvm_vcpu_events events;
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, exc_nmi);
	gate(&vm, 2, exc_handler);
	EQUAL(run_to_out(&vcpu, PORT_STEP), 0);
	SYS(ioctl(vcpu.fd, KVM_NMI, 0));
	EQUAL(run_to_out(&vcpu, PORT_STEP), 1);		/* in the handler */
	SYS(ioctl(vcpu.fd, KVM_GET_VCPU_EVENTS, &events));
	EQUAL(events.nmi.masked, 1);
	SYS(ioctl(vcpu.fd, KVM_NMI, 0));
	SYS(ioctl(vcpu.fd, KVM_GET_VCPU_EVENTS, &events));
	EQUAL(events.nmi.pending, 1);
	EQUAL(run_to_out(&vcpu, PORT_STEP), 2);		/* the second one */
	EQUAL(run_to_out(&vcpu, PORT_DONE), 2);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Without an interrupt controller: KVM_INTERRUPT, and the window for it. */
CASE(exceptions, interrupt)
{
	struct kvm_interrupt irq = { .irq = 0x77 };
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, exc_window);
	gate(&vm, 0x77, exc_handler);
	EQUAL(run_to_out(&vcpu, PORT_STEP), 0);
	EQUAL(vcpu.run->if_flag, 0);
	EQUAL(vcpu.run->ready_for_interrupt_injection, 0);
	vcpu.run->request_interrupt_window = 1;
	run_to(&vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	vcpu.run->request_interrupt_window = 0;
	EQUAL(vcpu.run->if_flag, 1);
	SYS(ioctl(vcpu.fd, KVM_INTERRUPT, &irq));
	EQUAL(run_to_out(&vcpu, PORT_STEP), 1);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 1);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* KVM_SET_GUEST_DEBUG: one instruction at a time. */
CASE(exceptions, guest_debug)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP
	};
	struct vcpu vcpu;
	struct vm vm;
	int i;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, exc_steps);
	SYS(ioctl(vcpu.fd, KVM_SET_GUEST_DEBUG, &debug));
	for (i = 1; i <= 4; i++) {
		run_to(&vcpu, KVM_EXIT_DEBUG);
		EQUAL(vcpu.run->debug.arch.pc, (uintptr_t)exc_steps + i);
		EQUAL(vcpu.run->debug.arch.exception, 1);
	}
	debug.control = 0;
	SYS(ioctl(vcpu.fd, KVM_SET_GUEST_DEBUG, &debug));
	run_to_fault(&vcpu, 3);		/* the guest's own breakpoint */
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Up to an instruction, by the debug registers that KVM loads for it. */
CASE(exceptions, debug_address)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg = {
			[0] = (uintptr_t)exc_steps + 6, [7] = 0x402
		},
	};
	struct vcpu vcpu;
	struct vm vm;

	if (on_tcg())
		skip("TCG does not load debug registers at VMRUN");
	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, exc_steps);
	SYS(ioctl(vcpu.fd, KVM_SET_GUEST_DEBUG, &debug));
	run_to(&vcpu, KVM_EXIT_DEBUG);
	EQUAL(vcpu.run->debug.arch.pc, (uintptr_t)exc_steps + 6);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Up to an INT3 that the client has put there. */
CASE(exceptions, debug_breakpoint)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP
	};
	struct vcpu vcpu;
	struct vm vm;

	if (on_tcg())
		skip("TCG does not intercept INT3");
	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, exc_breakpoint);
	SYS(ioctl(vcpu.fd, KVM_SET_GUEST_DEBUG, &debug));
	run_to(&vcpu, KVM_EXIT_DEBUG);
	EQUAL(vcpu.run->debug.arch.exception, 3);
	EQUAL(vcpu.run->debug.arch.pc, (uintptr_t)exc_breakpoint);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
