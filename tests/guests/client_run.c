/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * vCPUs that run: to an exit and what it is, and in threads.
 */
#include <signal.h>
#include <stdio.h>

#define	CLIENT_LIBRARY
#include "client.h"

const char *
describe(struct vcpu *vcpu)
{
	static char text[200];
	struct kvm_run *run;
	struct kvm_regs regs;
	struct fault *f;

	run = vcpu->run;
	f = FAULT_OF(vcpu->vm);
	regs = regs_of(vcpu);
	if (run->exit_reason == KVM_EXIT_IO && run->io.port == PORT_FAULT)
		snprintf(text, sizeof(text),
		    "exception %ju, error %#jx, at %#jx, CR2 %#jx",
		    (uintmax_t)f->vector, (uintmax_t)f->error,
		    (uintmax_t)f->rip, (uintmax_t)f->cr2);
	else if (run->exit_reason == KVM_EXIT_IO)
		snprintf(text, sizeof(text), "I/O at port %#x, rip %#jx",
		    run->io.port, (uintmax_t)regs.rip);
	else if (run->exit_reason == KVM_EXIT_MMIO)
		snprintf(text, sizeof(text), "MMIO at %#jx, rip %#jx",
		    (uintmax_t)run->mmio.phys_addr, (uintmax_t)regs.rip);
	else if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		snprintf(text, sizeof(text), "internal error %u, rip %#jx",
		    run->internal.suberror, (uintmax_t)regs.rip);
	else
		snprintf(text, sizeof(text), "exit %u, rip %#jx",
		    run->exit_reason, (uintmax_t)regs.rip);
	return (text);
}

unsigned int
(vcpu_run)(struct vcpu *vcpu)
{

	/* EAGAIN: it has been started by another vCPU, and may run now. */
	while (ioctl(vcpu->fd, KVM_RUN, 0) == -1)
		if (errno != EAGAIN)
			FAIL("KVM_RUN: %s", strerror(errno));
	return (vcpu->run->exit_reason);
}

void
(run_to)(struct vcpu *vcpu, unsigned int reason)
{

	if ((vcpu_run)(vcpu) != reason)
		FAIL("%s, not exit %u", describe(vcpu), reason);
}

uint32_t
(run_to_out)(struct vcpu *vcpu, int port)
{
	struct kvm_run *run;
	uint32_t value;

	run = vcpu->run;
	if ((vcpu_run)(vcpu) != KVM_EXIT_IO || run->io.port != port ||
	    run->io.direction != KVM_EXIT_IO_OUT)
		FAIL("%s, not OUT to port %#x", describe(vcpu), port);
	value = 0;
	memcpy(&value, (uint8_t *)run + run->io.data_offset,
	    MIN(run->io.size, sizeof(value)));
	return (value);
}

uint32_t
(run_to_fault)(struct vcpu *vcpu, int vector)
{
	struct fault *f;

	f = FAULT_OF(vcpu->vm);
	(run_to_out)(vcpu, PORT_FAULT);
	if (f->vector != (uint64_t)vector)
		FAIL("%s, not exception %d", describe(vcpu), vector);
	return (f->error);
}

/* --- threads ------------------------------------------------------------ */

static void
kicked(int sig __unused)
{
}

pthread_t
thread(void *(*run)(void *), void *arg)
{
	struct sigaction sa = { .sa_handler = kicked };
	pthread_t new;

	SYS(sigaction(SIGUSR1, &sa, NULL));
	CHECK(pthread_create(&new, NULL, run, arg) == 0);
	return (new);
}

void
kick(pthread_t thread)
{

	CHECK(pthread_kill(thread, SIGUSR1) == 0);
}

void
join(pthread_t thread)
{

	CHECK(pthread_join(thread, NULL) == 0);
}
