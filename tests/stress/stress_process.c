/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens to processes, threads and descriptors while guests run.
 */
#include <sys/types.h>
#include <sys/cpuset.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
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

CASE(files, closed_in_any_order)
{
	struct vcpu vcpu;
	struct vm vm;
	int dev, i, n, order, stats, taken;
	void *run;

	for (order = 0; order < 120; order++) {
		vm_open(&vm, VM_PIT);
		vcpu_open(&vcpu, &vm, 0);
		stats = SYS(ioctl(vcpu.fd, KVM_GET_STATS_FD, 0));
		dev = SYS(dup(vm.fd));
		run = vcpu.run;
		/* The order-th permutation of five ways to let go. */
		taken = 0;
		for (n = 5, i = order; n > 0; i /= n--) {
			int pick = i % n, what = 0;

			while (taken >> what & 1 || pick-- > 0)
				what++;
			taken |= 1 << what;
			switch (what) {
			case 0: SYS(close(vm.fd)); break;
			case 1: SYS(close(vcpu.fd)); break;
			case 2: SYS(close(stats)); break;
			case 3: SYS(close(dev)); break;
			case 4:
				SYS(munmap(run, SYS(ioctl(kvm(),
				    KVM_GET_VCPU_MMAP_SIZE, 0))));
				break;
			}
		}
		SYS(munmap(vm.mem, MEMORY));
	}
}

static int
send_fd(int socket, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = sizeof(c) };

	memcpy(CMSG_DATA(&c.head), &fd, sizeof(fd));
	return (sendmsg(socket, &msg, 0));
}

/* Descriptors in a socket that nobody reads, and one that holds itself. */
CASE(files, passed_through_sockets)
{
	struct runner r;
	struct vm vm;
	int i, pair[2];

	for (i = 0; i < 20; i++) {
		vm_open(&vm, 0);
		start_runner(&r, &vm, 0, out);
		SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		SYS(send_fd(pair[0], vm.fd));
		SYS(send_fd(pair[0], r.vcpu.fd));
		if (i % 2 == 0)
			SYS(send_fd(pair[0], pair[1]));
		await_count(&vm);
		end_runner(&r);
		vm_close(&vm);
		SYS(close(pair[0]));
		SYS(close(pair[1]));
	}
}

static atomic_bool closing;

static void *
close_all(void *arg __unused)
{
	int fd;

	while (closing) {
		for (fd = 10; fd < 40; fd++)
			(void)close(fd);
		sched_yield();
	}
	return (NULL);
}

/* The descriptor that a call makes may be closed before the call is over. */
CASE(files, closed_while_they_are_made)
{
	struct kvm_irqfd irqfd = { .gsi = 3 };
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	pthread_t thread;
	struct vm vm;
	int fd, i;

	vm_open(&vm, VM_IRQCHIP);
	SYS(dup2(vm.fd, 9));
	for (fd = 3; fd < 9; fd++)
		if (fd != kvm())
			(void)dup2(0, fd);
	closing = true;
	CHECK(pthread_create(&thread, NULL, close_all, NULL) == 0);
	for (i = 0; i < 200; i++) {
		(void)ioctl(9, KVM_CREATE_VCPU, (long)(i % 64));
		(void)ioctl(kvm(), KVM_CREATE_VM, 0);
		(void)ioctl(9, KVM_CREATE_DEVICE, &device);
		(void)ioctl(9, KVM_GET_STATS_FD, 0);
		irqfd.fd = eventfd(0, EFD_NONBLOCK);
		(void)ioctl(9, KVM_IRQFD, &irqfd);
	}
	closing = false;
	(void)pthread_join(thread, NULL);
}

/* --- a page fault is the last that uses a mapping ---------------------- */

static char *_Atomic shown;
static __thread sigjmp_buf no_page;

static void
no_page_there(int sig __unused)
{

	siglongjmp(no_page, 1);
}

/* Touch each mapping once, as soon as it is there. */
static void *
look(void *arg __unused)
{
	volatile char *p;

	while (closing) {
		p = atomic_exchange(&shown, NULL);
		if (p != NULL && sigsetjmp(no_page, 1) == 0)
			(void)*p;
	}
	return (NULL);
}

/*
 * munmap(2) during a fault leaves the file's last reference to the fault, which
 * has the map locked: the debug kernel tells when the file is closed then.
 */
CASE(files, unmapped_while_faulting)
{
	struct vm vm;
	pthread_t thread;
	volatile int spin;
	char *p;
	int fd, i;

	signal(SIGSEGV, no_page_there);
	signal(SIGBUS, no_page_there);
	closing = true;
	CHECK(pthread_create(&thread, NULL, look, NULL) == 0);
	for (i = 0; i < 600; i++) {
		if (i % 50 == 0)
			vm_open(&vm, 0);
		fd = SYS(ioctl(vm.fd, KVM_CREATE_VCPU, (long)(i % 50)));
		p = SYS(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
		SYS(close(fd));
		shown = p;
		while (shown != NULL)
			sched_yield();
		for (spin = random() % 300; spin > 0; spin--)
			;
		SYS(munmap(p, 4096));
		if (i % 50 == 49)
			vm_close(&vm);
	}
	closing = false;
	(void)pthread_join(thread, NULL);
}

CASE(files, semaphore_is_no_irqfd)
{
	struct kvm_irqfd irqfd = { .gsi = 5 };
	struct vm vm;
	uint64_t many = 1ull << 62;

	vm_open(&vm, VM_IRQCHIP);
	irqfd.fd = SYS(eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK));
	SYS(write(irqfd.fd, &many, sizeof(many)));
	REFUSED(ioctl(vm.fd, KVM_IRQFD, &irqfd), EINVAL);
	irqfd.fd = 0;
	REFUSED(ioctl(vm.fd, KVM_IRQFD, &irqfd), EINVAL);
	irqfd.fd = vm.fd;
	REFUSED(ioctl(vm.fd, KVM_IRQFD, &irqfd), EINVAL);
	irqfd.fd = -1;
	REFUSED(ioctl(vm.fd, KVM_IRQFD, &irqfd), EBADF);
	vm_close(&vm);
}

CASE(files, odd_mappings)
{
	struct vcpu vcpu;
	struct vm vm;
	char *p;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	REFUSED(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, vcpu.fd, 0),
	    EACCES);
	REFUSED(mmap(NULL, 4096, PROT_READ, MAP_SHARED, vm.fd, 0), ENODEV);
	/* Mappings reach as far as they like; what is not there faults. */
	p = SYS(mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, vcpu.fd, 1 << 20));
	SYS(munmap(p, 1 << 20));
	p = SYS(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, vcpu.fd, 0));
	p[0] = 1;	/* a copy: KVM does not see it */
	EQUAL(vcpu.run->request_interrupt_window, 0);
	SYS(munmap(p, 4096));
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(load, many_machines)
{
	static struct runner r[24];
	static struct vm vm[nitems(r)];
	size_t i;

	for (i = 0; i < nitems(r); i++) {
		vm_open(&vm[i], i % 2 ? VM_PIT : 0);
		start_runner(&r[i], &vm[i], 0, i % 3 ? out : count);
	}
	for (i = 0; i < nitems(r); i++)
		await_count(&vm[i]);
	for (i = 0; i < nitems(r); i++) {
		end_runner(&r[i]);
		EQUAL(r[i].error, 0);
		vm_close(&vm[i]);
	}
}

static void
spin(void)
{

	for (;;)
		;
}

/* More vCPUs than CPUs, other work, and threads that are sent around. */
CASE(load, more_vcpus_than_cpus)
{
	static struct runner r[12];
	pid_t hog[3];
	cpuset_t all, set;
	struct vm vm;
	size_t i;
	int cpu, round;

	for (i = 0; i < nitems(hog); i++)
		hog[i] = child(spin);
	vm_open(&vm, 0);
	for (i = 0; i < nitems(r); i++)
		start_runner(&r[i], &vm, i, i % 2 ? out : sweep);
	SYS(cpuset_getaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, -1, sizeof(all),
	    &all));
	for (round = 0; round < 16; round++) {
		cpu = round % CPU_COUNT(&all);
		CPU_SETOF(cpu, &set);
		SYS(cpuset_setaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, getpid(),
		    sizeof(set), &set));
		await_count(&vm);
		SYS(cpuset_setaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, getpid(),
		    sizeof(all), &all));
	}
	for (i = 0; i < nitems(r); i++)
		while (r[i].exits == 0 && !r[i].over)
			usleep(10000);
	for (i = 0; i < nitems(r); i++) {
		end_runner(&r[i]);
		EQUAL(r[i].error, 0);
	}
	vm_close(&vm);
	for (i = 0; i < nitems(hog); i++) {
		SYS(kill(hog[i], SIGKILL));
		(void)status_of(hog[i]);
	}
}

/* Timers that ask for more than all of a processor leave some to everybody. */
CASE(load, timers_without_end)
{
	static struct vm vm[40];
	struct kvm_pit_state2 pit;
	size_t i;
	int n;

	for (i = 0; i < nitems(vm); i++) {
		vm_open(&vm[i], VM_PIT);
		SYS(ioctl(vm[i].fd, KVM_GET_PIT2, &pit));
		pit.channels[0].mode = 2;
		pit.channels[0].count = 1;
		pit.channels[0].count_load_time = 0;
		SYS(ioctl(vm[i].fd, KVM_SET_PIT2, &pit));
	}
	for (n = 0; n < 50; n++)
		usleep(10000);
	for (i = 0; i < nitems(vm); i++)
		vm_close(&vm[i]);
}
