/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory slots: which are refused, what a guest sees through them, and what
 * happens when they change while it runs.
 */
#include <sys/mman.h>

#include <fcntl.h>
#include <unistd.h>

#include "client.h"

extern guest_code slots_read, slots_write, slots_watch, slots_fill, slots_sum;

#define	AREA	0x10000000		/* a slot of the test's own is here */
#define	PAGE	4096

CASE(slots, refused)
{
	struct vm vm;
	uint8_t *p;

	vm_open(&vm, 0);
	p = pages(4 * PAGE);
	REFUSED(vm_slot(&vm, 1, 0, 0x1000, PAGE, p), EEXIST);
	REFUSED(vm_slot(&vm, 1, 0, MEMORY - PAGE, 2 * PAGE, p), EEXIST);
	REFUSED(vm_slot(&vm, 1, 0, AREA + 1, PAGE, p), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, AREA, 100, p), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, AREA, PAGE, p + 1), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, -(uint64_t)PAGE, 2 * PAGE, p), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0x8000, AREA, PAGE, p), EINVAL);
	REFUSED(vm_slot(&vm, 0x8000, 0, AREA, PAGE, p), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, AREA, PAGE, (void *)(1ul << 63)), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, AREA, 0, p), EINVAL);	/* not there */
	SYS(vm_slot(&vm, 1, 0, AREA, PAGE, p));
	REFUSED(vm_slot(&vm, 1, 0, AREA, 2 * PAGE, p), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, AREA, PAGE, p + PAGE), EINVAL);
	REFUSED(vm_slot(&vm, 1, KVM_MEM_READONLY, AREA, PAGE, p), EINVAL);
	REFUSED(vm_slot(&vm, 1, 0, 0, PAGE, p), EEXIST);	/* moved there */
	SYS(vm_slot(&vm, 1, 0, AREA, PAGE, p));			/* no change */
	SYS(vm_slot(&vm, 1, 0, AREA, 0, p));
	vm_close(&vm);
}

/* The same memory at two addresses of the guest, and at one of the client. */
CASE(slots, alias)
{
	struct vcpu vcpu;
	struct vm vm;
	uint64_t *p;

	vm_open(&vm, 0);
	p = pages(PAGE);
	SYS(vm_slot(&vm, 1, 0, AREA, PAGE, p));
	SYS(vm_slot(&vm, 2, 0, AREA + 8 * PAGE, PAGE, p));
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, slots_write);
	args(&vcpu, AREA + 16, 0x5555, 0);
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(p[2], 0x5555);
	p[3] = 0x6666;
	long_mode(&vcpu, slots_read);
	args(&vcpu, AREA + 8 * PAGE + 16, 0, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 0x5555);
	long_mode(&vcpu, slots_read);
	args(&vcpu, AREA + 8 * PAGE + 24, 0, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 0x6666);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Reads and execution are the guest's, writes the client's. */
CASE(slots, read_only)
{
	struct vcpu vcpu;
	struct vm vm;
	uint64_t *p;

	NEED(KVM_CAP_READONLY_MEM);
	vm_open(&vm, 0);
	p = pages(PAGE);
	p[0] = 0x1234;
	SYS(vm_slot(&vm, 1, KVM_MEM_READONLY, AREA, PAGE, p));
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, slots_read);
	args(&vcpu, AREA, 0, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 0x1234);
	long_mode(&vcpu, slots_write);
	args(&vcpu, AREA, 0x4321, 0);
	run_to(&vcpu, KVM_EXIT_MMIO);
	EQUAL(vcpu.run->mmio.is_write, 1);
	EQUAL(vcpu.run->mmio.phys_addr, AREA);
	EQUAL(vcpu.run->mmio.len, 8);
	EQUAL(vcpu.run->mmio.data[0], 0x21);
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(p[0], 0x1234);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(slots, move)
{
	struct vcpu vcpu;
	struct vm vm;
	uint64_t *p;

	vm_open(&vm, 0);
	p = pages(PAGE);
	p[0] = 7;
	vcpu_open(&vcpu, &vm, 0);
	SYS(vm_slot(&vm, 1, 0, AREA, PAGE, p));
	long_mode(&vcpu, slots_read);
	args(&vcpu, AREA, 0, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 7);
	SYS(vm_slot(&vm, 1, 0, AREA + PAGE, PAGE, p));
	long_mode(&vcpu, slots_read);
	args(&vcpu, AREA, 0, 0);
	run_to(&vcpu, KVM_EXIT_MMIO);
	run_to_out(&vcpu, PORT_DONE);
	long_mode(&vcpu, slots_read);
	args(&vcpu, AREA + PAGE, 0, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 7);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* A slot that is deleted and made again shows its new memory at once. */
CASE(slots, replace)
{
	struct vcpu vcpu;
	struct vm vm;
	uint64_t *p;
	int i;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 1; i < 30; i++) {
		p = pages(PAGE);
		p[0] = i;
		SYS(vm_slot(&vm, 1, 0, AREA, PAGE, p));
		long_mode(&vcpu, slots_read);
		args(&vcpu, AREA, 0, 0);
		EQUAL(run_to_out(&vcpu, PORT_DONE), i);
		SYS(vm_slot(&vm, 1, 0, AREA, 0, p));
		SYS(munmap(p, PAGE));
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Answers reads of memory that is not there with the value that is right. */
static void *
watch(void *arg)
{
	struct vcpu *vcpu;
	uint64_t right = 0x5a5a;

	vcpu = arg;
	for (;;) {
		if (vcpu_run(vcpu) == KVM_EXIT_MMIO) {
			memcpy(vcpu->run->mmio.data, &right, 8);
			MEM32(vcpu->vm, DATA + 16)++;
		} else if (vcpu->run->exit_reason == KVM_EXIT_IO &&
		    vcpu->run->io.port == PORT_DONE) {
			return (NULL);
		} else
			FAIL("%s", describe(vcpu));
	}
}

/* The guest reads on while its slot comes and goes, and moves. */
CASE(slots, change_while_running)
{
	struct vcpu vcpu;
	pthread_t watcher;
	struct vm vm;
	uint64_t *p;
	int i;

	vm_open(&vm, 0);
	p = pages(PAGE);
	p[0] = 0x5a5a;
	SYS(vm_slot(&vm, 1, 0, AREA, PAGE, p));
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, slots_watch);
	args(&vcpu, AREA, 0x5a5a, 0);
	watcher = thread(watch, &vcpu);
	while (MEM32(&vm, DATA) == 0)
		usleep(1000);
	for (i = 0; i < 100; i++) {
		SYS(vm_slot(&vm, 1, 0, AREA, 0, p));
		if (i % 10 == 0)
			usleep(1000);
		SYS(vm_slot(&vm, 1, 0, AREA + PAGE, PAGE, p));
		SYS(vm_slot(&vm, 1, 0, AREA, PAGE, p));		/* a move */
	}
	MEM32(&vm, DATA + 8) = 1;		/* stop */
	join(watcher);
	EQUAL(MEM32(&vm, DATA + 4), 0);		/* wrong values */
	CHECK(MEM32(&vm, DATA + 16) > 0);	/* it was seen to be away */
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* What the client cannot reach the guest cannot either, until it can. */
CASE(slots, unreachable)
{
	struct vcpu vcpu;
	struct vm vm;
	uint8_t *p;

	vm_open(&vm, 0);
	p = pages(2 * PAGE);
	SYS(mprotect(p + PAGE, PAGE, PROT_NONE));
	SYS(vm_slot(&vm, 1, 0, AREA, 2 * PAGE, p));
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, slots_write);
	args(&vcpu, AREA + PAGE, 1, 0);
	REFUSED(ioctl(vcpu.fd, KVM_RUN, 0), EFAULT);
	SYS(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE));
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(p[PAGE], 1);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Memory that the client may only read. */
CASE(slots, write_protected)
{
	struct vcpu vcpu;
	struct vm vm;
	uint64_t *p;

	vm_open(&vm, 0);
	p = pages(PAGE);
	p[0] = 3;
	SYS(mprotect(p, PAGE, PROT_READ));
	SYS(vm_slot(&vm, 1, 0, AREA, PAGE, p));
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, slots_read);
	args(&vcpu, AREA, 0, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 3);
	long_mode(&vcpu, slots_write);
	args(&vcpu, AREA, 4, 0);
	REFUSED(ioctl(vcpu.fd, KVM_RUN, 0), EFAULT);
	EQUAL(p[0], 3);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Memory shared with whoever maps the object. */
CASE(slots, shared_memory)
{
	struct vcpu vcpu;
	struct vm vm;
	uint64_t *p, *q;
	int fd;

	fd = SYS(shm_open(SHM_ANON, O_RDWR, 0600));
	SYS(ftruncate(fd, 4 * PAGE));
	p = SYS(mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	q = SYS(mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0));
	vm_open(&vm, 0);
	SYS(vm_slot(&vm, 1, 0, AREA, 4 * PAGE, p));
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, slots_write);
	args(&vcpu, AREA + 2 * PAGE, 0x77, 0);
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(q[2 * PAGE / 8], 0x77);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(slots, many)
{
	struct vcpu vcpu;
	struct vm vm;
	uint8_t *p;
	int i, n;

	n = has(KVM_CAP_NR_MEMSLOTS);
	n = n > 500 ? 500 : n;
	vm_open(&vm, 0);
	p = pages(n * PAGE);
	for (i = 1; i < n; i++) {
		p[i * PAGE] = i;
		SYS(vm_slot(&vm, i, 0, AREA + i * 2 * PAGE, PAGE, p + i * PAGE));
	}
	vcpu_open(&vcpu, &vm, 0);
	for (i = 1; i < n; i += 37) {
		long_mode(&vcpu, slots_read);
		args(&vcpu, AREA + i * 2 * PAGE, 0, 0);
		EQUAL(run_to_out(&vcpu, PORT_DONE), i & 0xff);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* 64 MB, which may be mapped by large pages: each word is where it was put. */
CASE(slots, large)
{
	const size_t size = 64 << 20;
	struct vcpu vcpu;
	struct vm vm;
	uint64_t *p;
	size_t i;

	vm_open(&vm, 0);
	p = SYS(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANON |
	    MAP_PRIVATE | MAP_ALIGNED(21), -1, 0));
	SYS(vm_slot(&vm, 1, 0, AREA, size, p));
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, slots_fill);	/* a word in each page: its address */
	args(&vcpu, AREA, size, 0);
	run_to_out(&vcpu, PORT_DONE);
	for (i = 0; i < size; i += PAGE)
		EQUAL(p[i / 8], AREA + i);
	for (i = 0; i < size; i += PAGE)
		p[i / 8] = i / PAGE;
	long_mode(&vcpu, slots_sum);
	args(&vcpu, AREA, size, 0);
	EQUAL(run_to_out(&vcpu, PORT_DONE),
	    (uint32_t)((size / PAGE) * (size / PAGE - 1) / 2));
	vcpu_close(&vcpu);
	vm_close(&vm);
}
