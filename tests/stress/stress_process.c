/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens to processes and threads while their guests run.
 */
#include <sys/types.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "stress.h"

static _Atomic uint32_t *shared;	/* with children */

static void
share(void)
{

	shared = SYS(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_SHARED, -1, 0));
}

/* A client with guests of each kind, which never ends; it counts in shared. */
static void
busy_client(void)
{
	static struct runner r[4];
	struct kvm_irqfd irqfd = { .gsi = 5 };
	struct vm vm;
	uint64_t one = 1;

	/* A tracer that detaches may leave some of its stops behind. */
	signal(SIGTRAP, SIG_IGN);
	vm_open(&vm, VM_PIT | VM_LOG);
	start_runner(&r[0], &vm, 0, count);
	start_runner(&r[1], &vm, 1, out);
	start_runner(&r[2], &vm, 2, halt);
	start_runner(&r[3], &vm, 3, sweep);
	irqfd.fd = SYS(eventfd(0, EFD_NONBLOCK));
	SYS(ioctl(vm.fd, KVM_IRQFD, &irqfd));
	for (;;) {
		(void)write(irqfd.fd, &one, sizeof(one));
		*shared = MEM16(&vm, DATA);
		usleep(1000);
	}
}

static void
await_shared(pid_t pid)
{
	uint32_t before = *shared;
	int i, status;

	for (i = 0; *shared == before; i++) {
		if (i == 4000)
			FAIL("the client does not get on");
		if (waitpid(pid, &status, WNOHANG) != 0)
			FAIL("the client has ended: %#x", status);
		usleep(10000);
	}
}

CASE(process, killed_at_any_moment)
{
	pid_t pid;
	int i;

	share();
	srandom(1);
	for (i = 0; i < 24; i++) {
		pid = child(busy_client);
		usleep(i * 5000 + random() % 5000);
		SYS(kill(pid, SIGKILL));
		EQUAL(WTERMSIG(status_of(pid)), SIGKILL);
	}
}

CASE(process, stopped_and_continued)
{
	pid_t pid;
	int i, status;

	share();
	pid = child(busy_client);
	await_shared(pid);
	for (i = 0; i < 10; i++) {
		SYS(kill(pid, SIGSTOP));
		SYS(waitpid(pid, &status, WUNTRACED));
		CHECK(WIFSTOPPED(status));
		usleep(5000);
		SYS(kill(pid, SIGCONT));
		await_shared(pid);
	}
	SYS(kill(pid, SIGSTOP));
	SYS(kill(pid, SIGKILL));
	EQUAL(WTERMSIG(status_of(pid)), SIGKILL);
}

CASE(process, traced)
{
	struct ptrace_lwpinfo info;
	struct reg regs;
	struct fpreg fpregs;
	lwpid_t lwps[16];
	pid_t pid;
	int i, n, round, status;

	share();
	pid = child(busy_client);
	await_shared(pid);
	for (round = 0; round < 6; round++) {
		SYS(ptrace(PT_ATTACH, pid, 0, 0));
		SYS(waitpid(pid, &status, 0));
		CHECK(WIFSTOPPED(status));
		n = SYS(ptrace(PT_GETLWPLIST, pid, (caddr_t)lwps, nitems(lwps)));
		EQUAL(n, 5);
		for (i = 0; i < n; i++) {
			SYS(ptrace(PT_LWPINFO, pid, (caddr_t)&info, sizeof(info)));
			SYS(ptrace(PT_GETREGS, lwps[i], (caddr_t)&regs, 0));
			SYS(ptrace(PT_GETFPREGS, lwps[i], (caddr_t)&fpregs, 0));
			SYS(ptrace(PT_SETFPREGS, lwps[i], (caddr_t)&fpregs, 0));
		}
		/* Stop at system calls, as truss(1) does. */
		for (i = 0; i < 20; i++) {
			SYS(ptrace(PT_SYSCALL, pid, (caddr_t)1, 0));
			SYS(waitpid(pid, &status, 0));
		}
		SYS(ptrace(PT_DETACH, pid, (caddr_t)1, 0));
		await_shared(pid);
	}
	SYS(ptrace(PT_ATTACH, pid, 0, 0));
	SYS(waitpid(pid, &status, 0));
	SYS(ptrace(PT_KILL, pid, 0, 0));
	EQUAL(WTERMSIG(status_of(pid)), SIGKILL);
}

static void
allow_core(void)
{
	static const struct rlimit large = { RLIM_INFINITY, RLIM_INFINITY };

	SYS(chdir("/tmp"));
	SYS(setrlimit(RLIMIT_CORE, &large));
	busy_client();
}

CASE(process, dumps_core)
{
	struct rlimit large = { RLIM_INFINITY, RLIM_INFINITY };
	pid_t pid;
	int status;

	share();
	if (setrlimit(RLIMIT_CORE, &large) != 0)
		skip("no core files: %s", strerror(errno));
	pid = child(allow_core);
	await_shared(pid);
	SYS(kill(pid, SIGABRT));
	status = status_of(pid);
	EQUAL(WTERMSIG(status), SIGABRT);
}

CASE(process, thread_ends_with_a_live_vcpu)
{
	struct runner r;
	struct vm vm;
	int i;

	vm_open(&vm, 0);
	start_runner(&r, &vm, 0, out);
	for (i = 0; i < 20; i++) {
		await_count(&vm);
		stop_runner(&r);	/* ends the thread */
		restart_runner(&r);	/* another one takes over */
	}
	end_runner(&r);
	vm_close(&vm);
}

static struct vm inherited;
static struct vcpu inherited_vcpu;

static void
use_inherited(void)
{
	struct kvm_regs regs;

	if (ioctl(inherited_vcpu.fd, KVM_RUN, 0) != -1 || errno != EIO)
		_exit(1);
	if (ioctl(inherited_vcpu.fd, KVM_GET_REGS, &regs) != -1 || errno != EIO)
		_exit(2);
	if (ioctl(inherited.fd, KVM_CREATE_VCPU, 5l) != -1 || errno != EIO)
		_exit(3);
	if (vm_slot(&inherited, 3, 0, 0x8000000, 4096, &regs) != -1)
		_exit(4);
	close(inherited.fd);
	close(inherited_vcpu.fd);
}

CASE(process, children_cannot_use_it)
{
	struct runner r;
	int i;

	vm_open(&inherited, 0);
	vcpu_open(&inherited_vcpu, &inherited, 0);
	start_runner(&r, &inherited, 1, out);
	for (i = 0; i < 10; i++)
		EQUAL(status_of(child(use_inherited)), 0);
	await_count(&inherited);
	end_runner(&r);
	vcpu_close(&inherited_vcpu);
	vm_close(&inherited);
}
