/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * See stress.h.  The cases are in stress_*.c, main() is that of the guests'
 * suite.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "stress.h"

static void
woken(int sig __unused)
{
}

static void *
run_on(void *arg)
{
	struct runner *r = arg;

	while (!r->stop) {
		if (ioctl(r->vcpu.fd, KVM_RUN, 0) == 0) {
			atomic_fetch_add(&r->exits, 1);
		} else if (errno != EINTR) {
			r->error = errno;
			break;
		}
	}
	r->over = true;
	return (NULL);
}

void
restart_runner(struct runner *r)
{

	signal(SIGUSR1, woken);
	r->stop = r->over = false;
	r->error = 0;
	if (pthread_create(&r->thread, NULL, run_on, r) != 0)
		FAIL("no thread");
}

void
start_runner(struct runner *r, struct vm *vm, int id, guest_code entry)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_regs regs;

	vcpu_open(&r->vcpu, vm, id);
	if (entry == sweep) {
		protected_mode(&r->vcpu, entry);
		regs = regs_of(&r->vcpu);
		regs.rsi = MEMORY;
		SYS(ioctl(r->vcpu.fd, KVM_SET_REGS, &regs));
	} else
		real_mode(&r->vcpu, entry);
	(void)ioctl(r->vcpu.fd, KVM_SET_MP_STATE, &runnable);
	r->exits = 0;
	restart_runner(r);
}

void
stop_runner(struct runner *r)
{

	r->stop = true;
	while (!r->over) {
		(void)pthread_kill(r->thread, SIGUSR1);
		usleep(2000);
	}
	(void)pthread_join(r->thread, NULL);
}

void
end_runner(struct runner *r)
{

	stop_runner(r);
	vcpu_close(&r->vcpu);
}

void
await_count(struct vm *vm)
{
	uint16_t before = MEM16(vm, DATA);
	int i;

	for (i = 0; MEM16(vm, DATA) == before; i++) {
		if (i == 2000)
			FAIL("the guest does not count");
		usleep(10000);
	}
}

pid_t
child(void (*fn)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = SYS(fork());
	if (pid == 0) {
		fn();
		_exit(0);
	}
	return (pid);
}

int
status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			FAIL("waitpid: %s", strerror(errno));
	return (status);
}
