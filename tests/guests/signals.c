/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How a client takes a vCPU out of the guest: immediate_exit and signals.
 */
#include <sys/time.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"

extern guest_code signals_spin, signals_spin_masked, signals_sum, signals_halt;

CASE(signals, immediate_exit)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, signals_spin);
	vcpu.run->immediate_exit = 1;
	REFUSED(ioctl(vcpu.fd, KVM_RUN, 0), EINTR);
	EQUAL(MEM64(&vm, DATA), 0);		/* it has not run */
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* immediate_exit completes the I/O of the exit before. */
CASE(signals, immediate_exit_completes)
{
	struct vcpu vcpu;
	struct vm vm;
	uint64_t rip;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, signals_sum);
	args(&vcpu, 10, 0, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 55);
	rip = regs_of(&vcpu).rip;
	vcpu.run->immediate_exit = 1;
	REFUSED(ioctl(vcpu.fd, KVM_RUN, 0), EINTR);
	CHECK(regs_of(&vcpu).rip >= rip);
	CHECK(regs_of(&vcpu).rip - (uintptr_t)signals_sum < 64);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

static volatile bool left;

static void *
run_to_signal(void *arg)
{
	struct vcpu *vcpu;

	vcpu = arg;
	REFUSED(ioctl(vcpu->fd, KVM_RUN, 0), EINTR);
	EQUAL(vcpu->run->exit_reason, KVM_EXIT_INTR);
	left = true;
	return (NULL);
}

static void
kick_out(guest_code guest, int flags)
{
	struct vcpu vcpu;
	pthread_t runner;
	struct vm vm;
	uint64_t seen;
	int i;

	vm_open(&vm, flags);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, guest);
	for (i = 0; i < 20; i++) {
		seen = MEM64(&vm, DATA);
		left = false;
		runner = thread(run_to_signal, &vcpu);
		while (i == 0 && MEM64(&vm, DATA) == seen)
			usleep(1000);
		while (!left) {		/* one may come before KVM_RUN */
			kick(runner);
			usleep(5000);
		}
		join(runner);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* From a loop, at any moment. */
CASE(signals, kick_running)
{

	kick_out(signals_spin, VM_IRQCHIP);
}

/* The guest's interrupts are off, the host's are not. */
CASE(signals, kick_masked)
{

	kick_out(signals_spin_masked, VM_IRQCHIP);
}

/* From HLT, in which the vCPU waits in the kernel. */
CASE(signals, kick_halted)
{

	kick_out(signals_halt, VM_IRQCHIP);
}

static void
nothing(int sig __unused)
{
}

/* A signal that is blocked but for the time in KVM_RUN. */
CASE(signals, mask)
{
	struct {
		struct kvm_signal_mask	head;
		uint8_t			set[8];
	} mask = { .head.len = 8 };
	struct sigaction sa = { .sa_handler = nothing };
	struct vcpu vcpu;
	sigset_t set;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, signals_spin);
	SYS(sigaction(SIGUSR2, &sa, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	SYS(sigprocmask(SIG_BLOCK, &set, NULL));
	SYS(ioctl(vcpu.fd, KVM_SET_SIGNAL_MASK, &mask));
	SYS(kill(getpid(), SIGUSR2));
	REFUSED(ioctl(vcpu.fd, KVM_RUN, 0), EINTR);
	SYS(sigpending(&set));
	CHECK(sigismember(&set, SIGUSR2));	/* it is still to be taken */
	vcpu_close(&vcpu);
	vm_close(&vm);
}

#define	SUM_TO	100000000ull

/*
 * Signals of a profiling timer do not change what a guest computes.  With one
 * every ms no program gets anywhere on Bochs's slower models (debug kernel).
 */
CASE(signals, storm)
{
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } }, never = { 0 };
	struct sigaction sa = { .sa_handler = nothing };
	struct vcpu vcpu;
	struct vm vm;
	int n;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, signals_sum);
	args(&vcpu, SUM_TO, 0, 0);
	SYS(sigaction(SIGPROF, &sa, NULL));
	SYS(setitimer(ITIMER_PROF, &often, NULL));
	for (n = 0; ioctl(vcpu.fd, KVM_RUN, 0) == -1; n++)
		CHECK(errno == EINTR);
	SYS(setitimer(ITIMER_PROF, &never, NULL));
	EQUAL(vcpu.run->exit_reason, KVM_EXIT_IO);
	EQUAL(regs_of(&vcpu).rax, SUM_TO * (SUM_TO + 1) / 2);
	CHECK(n > 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
