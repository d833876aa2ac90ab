/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Small guests on the loaded module, through /dev/kvm as a program of FreeBSD
 * sees it.  For a machine (or an emulated one) with kvm.ko; no test framework.
 * Build on FreeBSD against the headers that the port installs:
 *
 *	cc -o guest_test guest_test.c -lpthread
 *
 * Prints one line per case and exits 0 if all are as they should be.
 */
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

#define	MEMORY		0x800000
#define	COUNT		0x3000		/* a word that guests count in */
#define	TICKS		0x4000		/* a byte that the timer handler counts in */
#define	EXITS		500

#define	OK(x) do {							\
	if ((x) < 0)							\
		err(1, "%d: %s", __LINE__, #x);				\
} while (0)
#define	MUST(x) do {							\
	if (!(x))							\
		errx(1, "%d: not so: %s", __LINE__, #x);		\
} while (0)

/* out 0x10, al; inc word [COUNT]; again */
static const uint8_t count_code[] = {
	0xe6, 0x10, 0xff, 0x06, 0x00, 0x30, 0xeb, 0xf8,
};
/* jmp $ */
static const uint8_t spin_code[] = { 0xeb, 0xfe };
/* mov al, dividend; mov bl, 0; div byte [0x5000], which is 0 */
static const uint8_t divide_code[] = {
	0xb8, 0x05, 0x00, 0xf6, 0x36, 0x00, 0x50, 0xf4,
};
/* out 0x12, al; hlt */
static const uint8_t fault_handler[] = { 0xe6, 0x12, 0xf4 };
/*
 * Set the PICs up for IRQ 0 as vector 8, the PIT to 0x2000 ticks, tell the
 * ioeventfd at 0x77, then HLT until the handler has counted 20; out 0x11.
 */
static const uint8_t timer_code[] = {
	0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x08, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21,
	0xb0, 0x01, 0xe6, 0x21, 0xb0, 0xfe, 0xe6, 0x21,
	0xb0, 0x34, 0xe6, 0x43, 0xb0, 0x00, 0xe6, 0x40, 0xb0, 0x20, 0xe6, 0x40,
	0xb0, 0x55, 0xe6, 0x77,
	0xfb, 0xf4, 0x80, 0x3e, 0x00, 0x40, 0x14, 0x72, 0xf8,
	0xa0, 0x00, 0x40, 0xe6, 0x11,
};
/* inc byte [TICKS]; push ax; mov al, 0x20; out 0x20, al; pop ax; iret */
static const uint8_t timer_handler[] = {
	0xfe, 0x06, 0x00, 0x40, 0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf,
};

static int kvm, vm;
static size_t run_size;
static uint8_t *memory;

static void
new_vm(int flags)
{
	struct kvm_pit_config pit = { 0 };
	struct kvm_userspace_memory_region slot = { .memory_size = MEMORY };

	OK(vm = ioctl(kvm, KVM_CREATE_VM, 0));
	OK(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	OK(ioctl(vm, KVM_CREATE_PIT2, &pit));
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_PRIVATE, -1, 0);
	MUST(memory != MAP_FAILED);
	slot.flags = flags;
	slot.userspace_addr = (uintptr_t)memory;
	OK(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot));
}

static void
end_vm(void)
{
	OK(close(vm));
	OK(munmap(memory, MEMORY));
}

static int
new_vcpu(long id, struct kvm_run **run, uint64_t rip)
{
	struct kvm_regs regs = { .rip = rip, .rflags = 2, .rsp = 0x8000 };
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;
	int vcpu;

	OK(vcpu = ioctl(vm, KVM_CREATE_VCPU, id));
	*run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	MUST(*run != MAP_FAILED);
	OK(ioctl(vcpu, KVM_GET_SREGS, &sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	OK(ioctl(vcpu, KVM_SET_SREGS, &sregs));
	OK(ioctl(vcpu, KVM_SET_REGS, &regs));
	OK(ioctl(vcpu, KVM_SET_MP_STATE, &runnable));
	return (vcpu);
}

static void
end_vcpu(int vcpu, struct kvm_run *run)
{
	OK(munmap(run, run_size));
	OK(close(vcpu));
}

static void
interrupted(int sig __unused)
{
}

/* Exits for I/O, then a loop that only a signal ends; then the FPU's border. */
static void *
count_and_spin(void *arg)
{
	static uint8_t area[8192] __attribute__((__aligned__(64)));
	struct kvm_regs regs = { .rip = 0x1100, .rflags = 2 };
	struct kvm_xsave *xsave = (struct kvm_xsave *)area;
	struct kvm_run *run;
	int exits, vcpu;

	vcpu = new_vcpu((long)arg, &run, 0x1000);
	for (exits = 0; exits < EXITS; exits++) {
		OK(ioctl(vcpu, KVM_RUN, 0));
		MUST(run->exit_reason == KVM_EXIT_IO && run->io.port == 0x10);
	}
	OK(ioctl(vcpu, KVM_SET_REGS, &regs));
	MUST(ioctl(vcpu, KVM_RUN, 0) == -1 && errno == EINTR);
	MUST(run->exit_reason == KVM_EXIT_INTR);
	if ((long)arg == 0) {
		OK(ioctl(vcpu, KVM_GET_XSAVE, xsave));
		OK(ioctl(vcpu, KVM_SET_XSAVE, xsave));
		xsave->region[6] = 0xffffffff;		/* MXCSR */
		MUST(ioctl(vcpu, KVM_SET_XSAVE, xsave) == -1 && errno == EINVAL);
	}
	end_vcpu(vcpu, run);
	return (NULL);
}

static void
case_two_vcpus(void)
{
	uint64_t bitmap[MEMORY / 4096 / 64] = { 0 };
	struct kvm_dirty_log log = { .dirty_bitmap = bitmap };
	struct sigaction sa = { .sa_handler = interrupted };
	pthread_t threads[2];
	long i;

	OK(sigaction(SIGUSR1, &sa, NULL));
	new_vm(KVM_MEM_LOG_DIRTY_PAGES);
	memcpy(memory + 0x1000, count_code, sizeof(count_code));
	memcpy(memory + 0x1100, spin_code, sizeof(spin_code));
	for (i = 0; i < 2; i++)
		MUST(pthread_create(&threads[i], NULL, count_and_spin,
		    (void *)i) == 0);
	while (*(volatile uint16_t *)(memory + COUNT) < 10)
		usleep(10000);
	OK(ioctl(vm, KVM_GET_DIRTY_LOG, &log));
	MUST(bitmap[0] & 1 << COUNT / 4096);
	sleep(4);
	for (i = 0; i < 2; i++) {
		pthread_kill(threads[i], SIGUSR1);
		pthread_join(threads[i], NULL);
	}
	end_vm();
	printf("two vCPUs, dirty log, signals, XSAVE: ok\n");
}

static void
case_timer(void)
{
	int fd;
	struct kvm_ioeventfd io = { .addr = 0x77, .flags = KVM_IOEVENTFD_FLAG_PIO };
	struct kvm_run *run;
	uint64_t n = 0;
	int vcpu;

	new_vm(0);
	memcpy(memory + 0x1000, timer_code, sizeof(timer_code));
	memcpy(memory + 0x1200, timer_handler, sizeof(timer_handler));
	*(uint32_t *)(memory + 8 * 4) = 0x1200;
	OK(fd = eventfd(0, EFD_NONBLOCK));
	io.fd = fd;
	OK(ioctl(vm, KVM_IOEVENTFD, &io));
	vcpu = new_vcpu(0, &run, 0x1000);
	OK(ioctl(vcpu, KVM_RUN, 0));
	MUST(run->exit_reason == KVM_EXIT_IO && run->io.port == 0x11);
	MUST(*((uint8_t *)run + run->io.data_offset) == 20);
	MUST(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
	end_vcpu(vcpu, run);
	close(fd);
	end_vm();
	printf("PIC, PIT, HLT, ioeventfd: ok\n");
}

static void
case_divide_by_zero(void)
{
	struct kvm_run *run;
	int vcpu;

	new_vm(0);
	memcpy(memory + 0x1000, divide_code, sizeof(divide_code));
	memcpy(memory + 0x1200, fault_handler, sizeof(fault_handler));
	*(uint32_t *)(memory + 0 * 4) = 0x1200;
	vcpu = new_vcpu(0, &run, 0x1000);
	OK(ioctl(vcpu, KVM_RUN, 0));
	MUST(run->exit_reason == KVM_EXIT_IO && run->io.port == 0x12);
	end_vcpu(vcpu, run);
	end_vm();
	printf("#DE in the guest: ok\n");
}

static void
case_fork(void)
{
	int status;
	pid_t pid;

	new_vm(0);
	memory[0] = 1;
	OK(pid = fork());
	if (pid == 0) {
		volatile uint8_t byte = memory[0];

		_exit(byte);
	}
	OK(waitpid(pid, &status, 0));
	MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	end_vm();
	printf("guest memory is not inherited: ok\n");
}

static void
case_refusals(void)
{

	MUST(ioctl(kvm, KVM_RUN, 0) == -1 && errno == ENOTTY);
	new_vm(0);
	MUST(ioctl(vm, KVM_RUN, 0) == -1 && errno == ENOTTY);
	MUST(ioctl(vm, _IO(0xAE, 0xff), 0) == -1 && errno == ENOTTY);
	MUST(ioctl(vm, KVM_SET_USER_MEMORY_REGION, NULL) == -1 && errno == EFAULT);
	end_vm();
	printf("refusals: ok\n");
}

int
main(void)
{

	OK(kvm = open("/dev/kvm", O_RDWR));
	MUST(ioctl(kvm, KVM_GET_API_VERSION, 0) == KVM_API_VERSION);
	OK(run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	case_refusals();
	case_divide_by_zero();
	case_timer();
	case_fork();
	case_two_vcpus();
	return (0);
}
