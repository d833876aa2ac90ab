/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Guest memory that is of an odd kind, or changes while guests run.
 */
#include <sys/mman.h>
#include <sys/sysctl.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stress.h"

#define	HALF	(MEMORY / 2)
#define	SWAP	"/dev/vtbd3"	/* a disk that stress.py adds */

static size_t
run_size(void)
{

	return (SYS(ioctl(kvm(), KVM_GET_VCPU_MMAP_SIZE, 0)));
}

/* The sweeping guest's memory is taken from elsewhere for its second half. */
static void
two_slots(struct vm *vm, void *second)
{

	SYS(vm_slot(vm, 0, 0, 0, 0, vm->mem));
	SYS(vm_slot(vm, 0, 0, 0, HALF, vm->mem));
	SYS(vm_slot(vm, 1, 0, HALF, HALF, second));
}

static void
await_exits(struct runner *r, unsigned long n)
{
	int i;

	n += r->exits;
	for (i = 0; r->exits < n && !r->over; i++) {
		if (i == 4000)
			FAIL("the guest does not get on");
		usleep(10000);
	}
}

CASE(memory, kvm_run_backs_a_slot)
{
	struct runner r;
	struct vcpu other;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&other, &vm, 1);
	other.run->immediate_exit = 0;
	SYS(vm_slot(&vm, 0, 0, 0, 0, vm.mem));
	SYS(vm_slot(&vm, 0, 0, 0, FREE, vm.mem));
	SYS(vm_slot(&vm, 1, 0, FREE, 4096, other.run));
	start_runner(&r, &vm, 0, sweep);
	/* The pages behind are no memory: the guest's writes go nowhere. */
	await_exits(&r, 2);
	stop_runner(&r);
	vcpu_close(&other);
	vcpu_close(&r.vcpu);
	vm_close(&vm);
}

struct writer {
	int	fd;
	void	*from;
	size_t	size;
};

static void *
write_all(void *arg)
{
	struct writer *w = arg;

	(void)write(w->fd, w->from, w->size);
	return (NULL);
}

/* A pipe wires the pages of a large write until it is read. */
static void
through_a_pipe(struct vm *vm, int vcpu, void *map, size_t size)
{
	static char sink[1 << 16];
	struct writer writer = { .from = map, .size = size };
	pthread_t thread;
	size_t got;
	ssize_t n;
	int fds[2];

	SYS(pipe(fds));
	writer.fd = fds[1];
	CHECK(pthread_create(&thread, NULL, write_all, &writer) == 0);
	usleep(300000);		/* the writer sleeps with the pages */
	SYS(munmap(map, size));
	SYS(close(vcpu));
	vm_close(vm);
	for (got = 0; got < size; got += n)
		if ((n = read(fds[0], sink, sizeof(sink))) <= 0)
			break;
	(void)pthread_join(thread, NULL);
	SYS(close(fds[0]));
	SYS(close(fds[1]));
}

CASE(memory, kvm_run_in_a_pipe)
{
	struct vcpu vcpu;
	struct vm vm;
	size_t i;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < run_size(); i += 4096)
		((volatile uint8_t *)vcpu.run)[i] = 0;
	through_a_pipe(&vm, vcpu.fd, vcpu.run, run_size());
}

CASE(memory, dirty_ring_in_a_pipe)
{
	struct kvm_enable_cap ring = {
		.cap = KVM_CAP_DIRTY_LOG_RING, .args = { 65536 },
	};
	struct vcpu vcpu;
	struct vm vm;
	void *map;

	NEED(KVM_CAP_DIRTY_LOG_RING);
	vm_open(&vm, 0);
	SYS(ioctl(vm.fd, KVM_ENABLE_CAP, &ring));
	vcpu_open(&vcpu, &vm, 0);
	map = SYS(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu.fd,
	    KVM_DIRTY_LOG_PAGE_OFFSET * 4096));
	memset(map, 0, 65536);
	SYS(munmap(vcpu.run, run_size()));
	through_a_pipe(&vm, vcpu.fd, map, 65536);
}

/* Wired pages of a file that gets shorter are invalid, and stay wired. */
CASE(memory, file_is_truncated)
{
	char path[] = "/tmp/stress.XXXXXX";
	struct runner r;
	struct vm vm;
	void *map;
	int fd, round;

	fd = SYS(mkstemp(path));
	SYS(unlink(path));
	for (round = 0; round < 4; round++) {
		SYS(ftruncate(fd, HALF));
		map = SYS(mmap(NULL, HALF, PROT_READ | PROT_WRITE, MAP_SHARED,
		    fd, 0));
		vm_open(&vm, 0);
		two_slots(&vm, map);
		start_runner(&r, &vm, 0, sweep);
		await_exits(&r, 2);
		if (round & 1)
			stop_runner(&r);
		SYS(ftruncate(fd, 0));
		if (round & 2)
			SYS(ftruncate(fd, HALF));
		if (!(round & 1))
			stop_runner(&r);
		vcpu_close(&r.vcpu);
		vm_close(&vm);
		SYS(munmap(map, HALF));
	}
	SYS(close(fd));
}

CASE(memory, fork_while_running)
{
	struct runner r;
	struct vm vm;
	pid_t pid;
	int i;

	vm_open(&vm, VM_LOG);
	start_runner(&r, &vm, 0, sweep);
	for (i = 0; i < 12; i++) {
		await_exits(&r, 1);
		pid = SYS(fork());
		if (pid == 0) {
			if (i % 3 == 0)
				execl("/bin/sh", "sh", "-c", ":", NULL);
			_exit(0);
		}
		/* Guest and process go on seeing the same memory. */
		MEM32(&vm, FREE + i * 4096) = 0;
		await_exits(&r, 2);
		EQUAL(MEM32(&vm, FREE + i * 4096), FREE + i * 4096);
		EQUAL(status_of(pid), 0);
	}
	end_runner(&r);
	vm_close(&vm);
}

CASE(memory, unmapped_while_running)
{
	struct runner r;
	struct vm vm;
	int round;

	for (round = 0; round < 6; round++) {
		vm_open(&vm, round & 1 ? VM_LOG : 0);
		start_runner(&r, &vm, 0, sweep);
		if (round & 2)
			await_exits(&r, 1);
		SYS(munmap(vm.mem + HALF, HALF));
		if (round & 4)
			SYS(mmap(vm.mem + HALF, HALF, PROT_READ | PROT_WRITE,
			    MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0));
		await_exits(&r, 2);
		stop_runner(&r);
		/* What was there at first stays; what was not is missed. */
		if (r.error != 0)
			EQUAL(r.error, EFAULT);
		else if (!(round & 2))
			CHECK(round & 4 || r.exits > 0);
		vcpu_close(&r.vcpu);
		vm_close(&vm);
	}
}

CASE(memory, protected_while_running)
{
	struct runner r;
	struct vm vm;

	vm_open(&vm, 0);
	SYS(mprotect(vm.mem + HALF, HALF, PROT_READ));
	start_runner(&r, &vm, 0, sweep);
	while (!r.over)
		usleep(10000);
	stop_runner(&r);
	EQUAL(r.error, EFAULT);
	SYS(mprotect(vm.mem + HALF, HALF, PROT_READ | PROT_WRITE));
	restart_runner(&r);
	await_exits(&r, 2);
	SYS(mprotect(vm.mem, MEMORY, PROT_NONE));
	await_exits(&r, 2);	/* what the guest has, it keeps */
	SYS(mprotect(vm.mem, MEMORY, PROT_READ | PROT_WRITE));
	end_runner(&r);
	vm_close(&vm);
}

CASE(memory, two_slots_show_one_page)
{
	struct runner r;
	struct vm vm;
	int i;

	vm_open(&vm, 0);
	SYS(vm_slot(&vm, 1, 0, 0x800000, MEMORY, vm.mem));
	SYS(vm_slot(&vm, 2, KVM_MEM_READONLY, 0x1000000, HALF, vm.mem + 4096));
	start_runner(&r, &vm, 0, sweep);
	for (i = 0; i < 10; i++) {
		SYS(vm_slot(&vm, 1, 0, 0x800000, 0, vm.mem));
		await_exits(&r, 1);
		SYS(vm_slot(&vm, 1, 0, 0x800000, MEMORY, vm.mem));
	}
	SYS(vm_slot(&vm, 0, 0, 0, 0, vm.mem));
	await_exits(&r, 1);
	end_runner(&r);
	vm_close(&vm);
}

CASE(memory, slots_that_are_refused)
{
	struct vm vm;
	char *mem;

	vm_open(&vm, 0);
	mem = (char *)vm.mem;
	REFUSED(vm_slot(&vm, 1, 0, 0x800000, 4096, mem + 1), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, 0x800001, 4096, mem), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, 0x800000, 4095, mem), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, 0x800000, 4096, (void *)0xffffffff80200000),
	    EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, 0x800000, 1ul << 47, mem), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, -4096ull, 8192, mem), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, 0x1000, 4096, mem), EEXIST);
	REFUSED(vm_slot(&vm, 1, ~0u, 0x800000, 4096, mem), EINVAL);
	REFUSED(vm_slot(&vm, 65000, 0, 0x800000, 4096, mem), EINVAL);
	REFUSED(vm_slot(&vm, 3 << 16, 0, 0x800000, 4096, mem), EINVAL);
	vm_close(&vm);
}

static u_long
sysctl_long(const char *name, const u_long *new)
{
	u_long old;
	size_t size = sizeof(old);

	SYS(sysctlbyname(name, &old, &size, new, new == NULL ? 0 : sizeof(*new)));
	return (old);
}

/* Memory that guests have counts as wired by users, and has their limit. */
CASE(memory, limit_of_wired_pages)
{
	struct runner r;
	struct vm vm;
	u_long limit, low, used;
	int i;

	used = sysctl_long("vm.stats.vm.v_user_wire_count", NULL);
	vm_open(&vm, 0);
	low = used + 64;
	limit = sysctl_long("vm.max_user_wired", &low);
	start_runner(&r, &vm, 0, sweep);
	while (!r.over)
		usleep(10000);
	stop_runner(&r);
	(void)sysctl_long("vm.max_user_wired", &limit);
	EQUAL(r.error, EFAULT);
	CHECK(sysctl_long("vm.stats.vm.v_user_wire_count", NULL) <= low);
	restart_runner(&r);
	await_exits(&r, 2);
	CHECK(sysctl_long("vm.stats.vm.v_user_wire_count", NULL) >=
	    used + (MEMORY - FREE) / 4096);
	end_runner(&r);
	vm_close(&vm);
	/* A thread of the kernel closes what was mapped. */
	for (i = 0; i < 1000 && sysctl_long("vm.stats.vm.v_user_wire_count",
	    NULL) != used; i++)
		usleep(10000);
	EQUAL(sysctl_long("vm.stats.vm.v_user_wire_count", NULL), used);
}

static u_int
swapped_out(void)
{
	u_int n;
	size_t size = sizeof(n);

	SYS(sysctlbyname("vm.stats.vm.v_swappgsout", &n, &size, NULL, 0));
	return (n);
}

static void
hog(void)
{
	size_t at, room = 400ul << 20;	/* less than memory and swap */
	volatile char *p;

	p = SYS(mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE,
	    -1, 0));
	for (;;)
		for (at = 0; at < room; at += 4096)
			p[at]++;
}

/* Others use up all memory: guests keep theirs, and new ones get some. */
CASE(memory, under_pressure)
{
	static struct runner r[8];
	static struct vm vm[nitems(r)];
	u_int before, enough;
	size_t i;
	uint32_t at;
	pid_t pid;

	if (sysctl_long("hw.physmem", NULL) > 256ul << 20)
		skip("the machine has too much memory");
	SYS(swapon(SWAP));
	before = swapped_out();
	pid = child(hog);
	for (i = 0; i < nitems(r); i++) {
		vm_open(&vm[i], i & 1 ? VM_LOG : 0);
		start_runner(&r[i], &vm[i], 0, sweep);
		enough = before + 500 * (i + 1);
		while (swapped_out() < enough && kill(pid, 0) == 0)
			usleep(10000);
		CHECK(swapped_out() >= enough);
		await_exits(&r[i], 1);
	}
	for (i = 0; i < nitems(r); i++) {
		await_exits(&r[i], 2);
		stop_runner(&r[i]);
		EQUAL(r[i].error, 0);
		for (at = FREE; at < MEMORY; at += 4096)
			EQUAL(MEM32(&vm[i], at), at);
	}
	SYS(kill(pid, SIGKILL));
	(void)status_of(pid);
	for (i = 0; i < nitems(r); i++) {
		vcpu_close(&r[i].vcpu);
		vm_close(&vm[i]);
	}
	SYS(swapoff(SWAP, 0));
}
