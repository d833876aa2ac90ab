/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Code that changes: by itself, by its client, by another vCPU.
 */
#include "client.h"

extern guest_code smc_own, smc_page_end, smc_called, smc_call, smc_changer,
    smc_caller;

/* An instruction that the one before it has just written. */
CASE(smc, own_next_instruction)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, smc_own);
	args(&vcpu, 1000, 0, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 1000 * 1001 / 2);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* The same with an instruction that lies in two pages. */
CASE(smc, across_pages)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, smc_page_end);
	args(&vcpu, 1000, FREE + 0x1000, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 1000 * 1001 / 2);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Between two runs, as a debugger or a loader does it. */
CASE(smc, by_client)
{
	struct vcpu vcpu;
	struct vm vm;
	uint32_t i;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < 50; i++) {
		MEM32(&vm, (uintptr_t)smc_called + 1) = i;	/* MOV's operand */
		long_mode(&vcpu, smc_call);
		EQUAL(run_to_out(&vcpu, PORT_DONE), i);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

static void *
run_to_done(void *arg)
{

	run_to_out((struct vcpu *)arg, PORT_DONE);
	return (NULL);
}

/*
 * A vCPU calls what another one changes, until it sees the last change.  QEMU
 * 7.2 may go on with what it has translated just before a change, until the
 * next one (any two threads of a FreeBSD on it show that, without a guest).
 */
CASE(smc, by_another_vcpu)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct vcpu vcpu[2];
	pthread_t threads[2];
	struct vm vm;
	int i;

	vm_open(&vm, VM_IRQCHIP);
	for (i = 0; i < 2; i++) {
		vcpu_open(&vcpu[i], &vm, i);
		SYS(ioctl(vcpu[i].fd, KVM_SET_MP_STATE, &runnable));
		long_mode(&vcpu[i], i == 0 ? smc_caller : smc_changer);
		args(&vcpu[i], 2000, on_tcg(), 0);
		threads[i] = thread(run_to_done, &vcpu[i]);
	}
	for (i = 0; i < 2; i++)
		join(threads[i]);
	EQUAL(MEM32(&vm, DATA), 2000);
	EQUAL(MEM32(&vm, DATA + 4), 0);		/* nothing but 0 to 2000 seen */
	vm_close(&vm);
}
