/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Descriptors of KVM that are closed, passed on and mapped at odd moments.
 */
#include <sys/types.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "stress.h"

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
