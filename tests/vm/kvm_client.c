/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A small program of /dev/kvm, for FreeBSD and, from the same source, for Linux:
 *
 *	kvm_client version	prints the version of the interface
 *	kvm_client guest	runs guests; prints what worked
 *	kvm_client hold		keeps a virtual machine, but not the device,
 *				until it is killed
 *	kvm_client spin		runs a guest that never exits
 *	kvm_client events	has more irqfds than a process may have descriptors
 */

#ifdef __linux__
#define	_GNU_SOURCE
#endif
#include <sys/types.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "must.h"

#define	MEMORY		0x10000
#define	CODE		0x1000
#define	HANDLER		0x2000
#define	TICKS		0x3000		/* a byte that the handler counts in */
#define	VECTOR		0x20		/* of IRQ 0, as the guest sets it up */
#define	IRQ		1

/* The bytes of two programs in real mode. */
static const uint8_t io_code[] = {
	0xb0, 0x2a,			/* mov al, 42 */
	0xe6, 0x10,			/* out 0x10, al */
	0xe4, 0x11,			/* in al, 0x11 */
	0xfe, 0xc0,			/* inc al */
	0xe6, 0x12,			/* out 0x12, al */
	0xe6, 0x77,			/* out 0x77, al: an ioeventfd */
	0xe6, 0x13,			/* out 0x13, al */
};
static const uint8_t spin_code[] = { 0xfb, 0xeb, 0xfe };	/* sti; jmp $ */
static const uint8_t irq_code[] = {
	0xb0, 0x11, 0xe6, 0x20,		/* PIC: initialise, vector, no slaves */
	0xb0, VECTOR, 0xe6, 0x21,
	0xb0, 0x04, 0xe6, 0x21,
	0xb0, 0x01, 0xe6, 0x21,
	0xb0, 0xff & ~(1 << IRQ), 0xe6, 0x21,
	0xe6, 0x10,			/* out 0x10, al: ready */
	0xfb,				/* sti */
	0xa0, TICKS & 0xff, TICKS >> 8,	/* mov al, [TICKS] */
	0x38, 0xd8, 0x74, 0xf9,		/* as before, in bl: back to mov */
	0xfa, 0x88, 0xc3,		/* cli; mov bl, al */
	0xe6, 0x12,			/* out 0x12, al */
	0xeb, 0xf1,			/* back to sti */
};
static const uint8_t irq_handler[] = {
	0xfe, 0x06, TICKS & 0xff, TICKS >> 8,	/* inc byte [TICKS] */
	0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58,	/* end of interrupt; al kept */
	0xcf,				/* iret */
};

struct vcpu {
	int		fd;
	struct kvm_run	*run;
};

static int kvm, vm;
static uint8_t *memory;

static void
open_kvm(void)
{

	OK(kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC));
}

/* place: where its memory goes, whatever is there; NULL: anywhere. */
static void
make_vm_at(uint8_t *place)
{
	struct kvm_userspace_memory_region slot = { .memory_size = MEMORY };

	OK(vm = ioctl(kvm, KVM_CREATE_VM, 0));
	OK(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	memory = mmap(place, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | (place != NULL ? MAP_FIXED : 0), -1, 0);
	MUST(memory != MAP_FAILED);
	slot.userspace_addr = (uintptr_t)memory;
	OK(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot));
}

static void
make_vm(void)
{

	make_vm_at(NULL);
}

static struct vcpu
make_vcpu(int id, const void *code, size_t size)
{
	struct vcpu v;
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = CODE, .rsp = 0x8000, .rflags = 2 };
	long length;

	memcpy(memory + CODE, code, size);
	OK(v.fd = ioctl(vm, KVM_CREATE_VCPU, id));
	OK(length = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	v.run = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, v.fd, 0);
	MUST(v.run != MAP_FAILED);
	OK(ioctl(v.fd, KVM_GET_SREGS, &sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	OK(ioctl(v.fd, KVM_SET_SREGS, &sregs));
	OK(ioctl(v.fd, KVM_SET_REGS, &regs));
	return (v);
}

static void
free_vcpu(struct vcpu v)
{
	long length;

	OK(length = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	OK(munmap(v.run, length));
	OK(close(v.fd));
}

static void
free_vm(void)
{

	OK(close(vm));
	OK(munmap(memory, MEMORY));
}

/* Run to the next exit, which is one of a port; the byte it carries. */
static uint8_t *
run_to_port(struct vcpu v, int port)
{

	OK(ioctl(v.fd, KVM_RUN, 0));
	MUST(v.run->exit_reason == KVM_EXIT_IO);
	MUST(v.run->io.port == port);
	return ((uint8_t *)v.run + v.run->io.data_offset);
}

static void
ports_and_ioeventfd(void)
{
	struct kvm_ioeventfd io = {
		.addr = 0x77, .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO,
	};
	struct vcpu v;
	uint64_t count;
	int event;

	make_vm();
	OK(event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	io.fd = event;
	OK(ioctl(vm, KVM_IOEVENTFD, &io));
	v = make_vcpu(0, io_code, sizeof(io_code));
	MUST(*run_to_port(v, 0x10) == 42);
	*run_to_port(v, 0x11) = 7;
	MUST(*run_to_port(v, 0x12) == 8);
	(void)run_to_port(v, 0x13);
	MUST(read(event, &count, sizeof(count)) == sizeof(count));
	MUST(count == 1);
	OK(close(event));
	free_vcpu(v);
	free_vm();
	printf("ports and ioeventfd\n");
}

static void *
run_once(void *arg)
{
	struct vcpu *v = arg;

	return (run_to_port(*v, 0x12));
}

static void
irqfd(void)
{
	struct kvm_irqfd irq = { .gsi = IRQ };
	pthread_t thread;
	struct vcpu v;
	uint64_t one;
	void *ticks;
	int event, i;

	one = 1;
	make_vm();
	memcpy(memory + HANDLER, irq_handler, sizeof(irq_handler));
	*(uint16_t *)(memory + (VECTOR + IRQ) * 4) = HANDLER;
	OK(event = eventfd(0, 0));
	irq.fd = event;
	OK(ioctl(vm, KVM_IRQFD, &irq));
	v = make_vcpu(0, irq_code, sizeof(irq_code));
	(void)run_to_port(v, 0x10);
	for (i = 1; i <= 3; i++) {
		MUST(pthread_create(&thread, NULL, run_once, &v) == 0);
		usleep(10000);
		MUST(write(event, &one, sizeof(one)) == sizeof(one));
		MUST(pthread_join(thread, &ticks) == 0);
		MUST(*(uint8_t *)ticks == i);
	}
	OK(close(event));
	free_vcpu(v);
	free_vm();
	printf("irqfd\n");
}

/*
 * Memory in the place of a former guest's is what the new guest sees, and the
 * former one too, which need not be gone yet: the kernel may be late with it.
 */
static void
new_memory(void)
{
	uint8_t code[] = {
		0xb0, 1,		/* mov al, 1 */
		0xe6, 0x10,		/* out 0x10, al */
		0xeb, 0xfa,		/* back to mov */
	};
	struct vcpu old, new;
	int old_vm;

	make_vm();
	old = make_vcpu(0, code, sizeof(code));
	MUST(*run_to_port(old, 0x10) == 1);
	old_vm = vm;
	make_vm_at(memory);
	code[1] = 2;
	new = make_vcpu(0, code, sizeof(code));
	MUST(*run_to_port(new, 0x10) == 2);
	MUST(*run_to_port(old, 0x10) == 2);
	free_vcpu(old);
	OK(close(old_vm));
	MUST(*run_to_port(new, 0x10) == 2);
	free_vcpu(new);
	free_vm();
	printf("new memory\n");
}

static volatile sig_atomic_t signals;

static void
on_signal(int number)
{

	signals++;
}

static void *
kick(void *arg)
{
	pthread_t *thread = arg;

	usleep(20000);
	MUST(pthread_kill(*thread, SIGUSR1) == 0);
	return (NULL);
}

/*
 * SIGUSR1, whose number is not the same on the two systems, is blocked but for
 * the time in the guest: it ends the run, and is delivered when unblocked.
 */
static void
signal_mask(void)
{
	union {
		struct kvm_signal_mask mask;
		char bytes[sizeof(struct kvm_signal_mask) + 8];
	} arg = { .mask.len = 8 };
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t self, thread;
	sigset_t blocked, inside;
	struct vcpu v;

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(sigemptyset(&blocked));
	OK(sigaddset(&blocked, SIGUSR1));
	MUST(pthread_sigmask(SIG_BLOCK, &blocked, &inside) == 0);
	make_vm();
	v = make_vcpu(0, spin_code, sizeof(spin_code));
	memcpy(arg.mask.sigset, &inside, 8);
	OK(ioctl(v.fd, KVM_SET_SIGNAL_MASK, &arg));
	self = pthread_self();
	MUST(pthread_create(&thread, NULL, kick, &self) == 0);
	MUST(ioctl(v.fd, KVM_RUN, 0) == -1 && errno == EINTR);
	MUST(v.run->exit_reason == KVM_EXIT_INTR);
	MUST(pthread_join(thread, NULL) == 0);
	MUST(pthread_sigmask(SIG_SETMASK, &inside, &blocked) == 0);
	MUST(sigismember(&blocked, SIGUSR1));
	MUST(signals == 1);
	free_vcpu(v);
	free_vm();
	printf("signal mask\n");
}

static void
refusals(void)
{

	MUST(ioctl(kvm, KVM_RUN, 0) == -1);
	MUST(errno == ENOTTY || errno == EINVAL);	/* native, Linux */
	OK(vm = ioctl(kvm, KVM_CREATE_VM, 0));
	MUST(ioctl(vm, KVM_CREATE_VCPU, -1) == -1 && errno == EINVAL);
	MUST(ioctl(vm, KVM_GET_CLOCK, 8) == -1 && errno == EFAULT);
	OK(close(vm));
	MUST(ioctl(STDOUT_FILENO, KVM_GET_API_VERSION, 0) == -1);
	MUST(errno != EFAULT);
	printf("refusals\n");
}

/* An irqfd of a new eventfd; 0 or the error. */
static int
take_event(int *event)
{
	struct kvm_irqfd irq = { .gsi = IRQ };

	OK(*event = eventfd(0, 0));
	irq.fd = *event;
	return (ioctl(vm, KVM_IRQFD, &irq) == 0 ? 0 : errno);
}

/* As many irqfds of eventfds that stay open as there may be; the last error. */
static int
hoard(int most)
{
	int error, event, i;

	for (i = error = 0; i < most && error == 0; i++)
		error = take_event(&event);
	return (error);
}

/*
 * With kern.maxfilesperproc at 100.  Closed eventfds are given up, some time
 * later; and when there is no room for more, KVM_IRQFD says so.
 */
static void
events(void)
{
	char c;
	int error, event, i, tries, ready[2];
	pid_t pid;

	make_vm();
	for (i = tries = 0; i < 500 && tries < 1000; tries++) {
		error = take_event(&event);
		OK(close(event));
		if (error == 0)
			i++;
		else {
			MUST(error == EMFILE);
			usleep(10000);
		}
	}
	MUST(i == 500);
	OK(pipe(ready));
	OK(pid = fork());
	if (pid == 0) {
		make_vm();
		MUST(hoard(70) == 0);
		OK(write(ready[1], "", 1));
		pause();
	}
	OK(read(ready[0], &c, 1));
	MUST(hoard(70) == EMFILE);
	OK(kill(pid, SIGKILL));
	OK(waitpid(pid, NULL, 0));
	printf("events\n");
}

int
main(int argc, char **argv)
{
	struct vcpu v;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		errx(2, "usage: kvm_client version | guest | hold | spin | events");
	open_kvm();
	if (strcmp(argv[1], "version") == 0)
		printf("%d\n", ioctl(kvm, KVM_GET_API_VERSION, 0));
	else if (strcmp(argv[1], "guest") == 0) {
		ports_and_ioeventfd();
		irqfd();
		new_memory();
		signal_mask();
		refusals();
	} else if (strcmp(argv[1], "hold") == 0) {
		make_vm();
		OK(close(kvm));
		printf("held\n");
		for (;;)
			pause();
	} else if (strcmp(argv[1], "spin") == 0) {
		make_vm();
		v = make_vcpu(0, spin_code, sizeof(spin_code));
		printf("spinning\n");
		OK(ioctl(v.fd, KVM_RUN, 0));
	} else if (strcmp(argv[1], "events") == 0)
		events();
	else
		errx(2, "what is '%s'?", argv[1]);
	return (0);
}
