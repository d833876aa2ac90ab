/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which pages a guest has written: the log's bitmap, and the ring.
 */
#include <sys/mman.h>

#include <unistd.h>

#include "client.h"

extern guest_code dirty_touch;

#define	AREA	0x10000000
#define	PAGES	1024
#define	SIZE	(PAGES * 4096ul)
#define	SLOT	1

/* The guest writes a byte in each of n pages, step pages apart. */
static void
touch(struct vcpu *vcpu, uint64_t from, int n, int step)
{

	long_mode(vcpu, dirty_touch);
	args(vcpu, AREA + from * 4096, n, step * 4096);
	run_to_out(vcpu, PORT_DONE);
}

static bool
logged(const uint64_t *bitmap, int page)
{

	return (bitmap[page / 64] >> page % 64 & 1);
}

static void
get_log(struct vm *vm, uint64_t *bitmap)
{
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bitmap };

	memset(bitmap, 0xa5, PAGES / 8);
	SYS(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log));
}

static int
count(const uint64_t *bitmap)
{
	int i, n;

	for (n = i = 0; i < PAGES; i++)
		n += logged(bitmap, i);
	return (n);
}

static void
log_open(struct vm *vm, struct vcpu *vcpu, int flags)
{

	vm_open(vm, 0);
	SYS(vm_slot(vm, SLOT, flags, AREA, SIZE,
	    SYS(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_ANON |
	    MAP_PRIVATE | MAP_ALIGNED(21), -1, 0))));
	vcpu_open(vcpu, vm, 0);
}

/* Each get tells what was written since the last one. */
CASE(dirty, log)
{
	uint64_t bitmap[PAGES / 64];
	struct vcpu vcpu;
	struct vm vm;
	int i;

	log_open(&vm, &vcpu, KVM_MEM_LOG_DIRTY_PAGES);
	touch(&vcpu, 5, 10, 7);
	get_log(&vm, bitmap);
	for (i = 0; i < PAGES; i++)
		EQUAL(logged(bitmap, i), i >= 5 && i < 75 && (i - 5) % 7 == 0);
	get_log(&vm, bitmap);
	EQUAL(count(bitmap), 0);
	touch(&vcpu, 12, 1, 1);			/* again, after write protection */
	get_log(&vm, bitmap);
	EQUAL(count(bitmap), 1);
	CHECK(logged(bitmap, 12));
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Switched on and off at a slot in use; large pages are split for it. */
CASE(dirty, switched_on)
{
	uint64_t bitmap[PAGES / 64];
	struct kvm_userspace_memory_region slot = {
		.slot = SLOT, .guest_phys_addr = AREA, .memory_size = SIZE
	};
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bitmap };
	struct vcpu vcpu;
	struct vm vm;
	int i;

	vm_open(&vm, 0);
	slot.userspace_addr = (uintptr_t)SYS(mmap(NULL, SIZE, PROT_READ |
	    PROT_WRITE, MAP_ANON | MAP_PRIVATE | MAP_ALIGNED(21), -1, 0));
	SYS(ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &slot));
	vcpu_open(&vcpu, &vm, 0);
	touch(&vcpu, 0, PAGES, 1);
	REFUSED(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log), ENOENT);
	for (i = 0; i < 3; i++) {
		slot.flags = KVM_MEM_LOG_DIRTY_PAGES;
		SYS(ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &slot));
		touch(&vcpu, 100 + i, 3, 200);
		get_log(&vm, bitmap);
		EQUAL(count(bitmap), 3);
		CHECK(logged(bitmap, 300 + i));
		slot.flags = 0;
		SYS(ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &slot));
		touch(&vcpu, 0, PAGES, 1);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* With manual protection a page is logged until the client clears it. */
CASE(dirty, clear)
{
	uint64_t bitmap[PAGES / 64], some[1] = { 0xff };
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
	};
	struct kvm_clear_dirty_log clear = {
		.slot = SLOT, .first_page = 64, .num_pages = 64,
		.dirty_bitmap = some,
	};
	struct vcpu vcpu;
	struct vm vm;

	NEED(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);
	log_open(&vm, &vcpu, KVM_MEM_LOG_DIRTY_PAGES);
	SYS(ioctl(vm.fd, KVM_ENABLE_CAP, &cap));
	touch(&vcpu, 64, 64, 1);
	get_log(&vm, bitmap);
	EQUAL(count(bitmap), 64);
	get_log(&vm, bitmap);
	EQUAL(count(bitmap), 64);		/* getting does not clear */
	SYS(ioctl(vm.fd, KVM_CLEAR_DIRTY_LOG, &clear));
	get_log(&vm, bitmap);
	EQUAL(count(bitmap), 56);
	touch(&vcpu, 66, 2, 1);
	get_log(&vm, bitmap);
	EQUAL(count(bitmap), 58);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

struct toucher {
	struct vcpu	vcpu;
	int		from;
};

static void *
touch_quarter(void *arg)
{
	struct toucher *t;

	t = arg;
	run_to_out(&t->vcpu, PORT_DONE);
	return (NULL);
}

/* Four vCPUs write while the client fetches: nothing is lost. */
CASE(dirty, while_running)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	uint64_t bitmap[PAGES / 64], all[PAGES / 64] = { 0 };
	struct toucher t[4];
	pthread_t threads[4];
	struct vm vm;
	int i, j;

	vm_open(&vm, VM_IRQCHIP);
	SYS(vm_slot(&vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, SIZE, pages(SIZE)));
	for (i = 0; i < 4; i++) {
		vcpu_open(&t[i].vcpu, &vm, i);
		SYS(ioctl(t[i].vcpu.fd, KVM_SET_MP_STATE, &runnable));
		long_mode(&t[i].vcpu, dirty_touch);
		args(&t[i].vcpu, AREA + i * SIZE / 4, PAGES / 4, 4096);
		threads[i] = thread(touch_quarter, &t[i]);
	}
	for (i = 0; i < 20; i++) {
		get_log(&vm, bitmap);
		for (j = 0; j < PAGES / 64; j++)
			all[j] |= bitmap[j];
		usleep(1000);
	}
	for (i = 0; i < 4; i++)
		join(threads[i]);
	get_log(&vm, bitmap);
	for (j = 0; j < PAGES / 64; j++)
		all[j] |= bitmap[j];
	EQUAL(count(all), PAGES);
	vm_close(&vm);
}

/*
 * Entries come in the order of writing; a full ring ends KVM_RUN.  A page may
 * come twice: it was logged, but the ring was full before it was written.
 */
static void
harvest(const struct kvm_dirty_gfn *entry, unsigned int *seen)
{

	EQUAL(entry->slot, SLOT);
	if (entry->offset + 1 == *seen)
		return;
	EQUAL(entry->offset, *seen);
	++*seen;
}

CASE(dirty, ring)
{
	const unsigned int bytes = 4096 * sizeof(struct kvm_dirty_gfn);
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_DIRTY_LOG_RING, .args[0] = bytes
	};
	struct kvm_dirty_gfn *ring;
	struct vcpu vcpu;
	struct vm vm;
	unsigned int i, full, next, seen;

	NEED(KVM_CAP_DIRTY_LOG_RING);
	vm_open(&vm, 0);
	SYS(ioctl(vm.fd, KVM_ENABLE_CAP, &cap));
	SYS(vm_slot(&vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, 8 * SIZE,
	    pages(8 * SIZE)));
	vcpu_open(&vcpu, &vm, 0);
	ring = SYS(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
	    vcpu.fd, KVM_DIRTY_LOG_PAGE_OFFSET * 4096));
	long_mode(&vcpu, dirty_touch);
	args(&vcpu, AREA, 8 * PAGES, 4096);
	for (full = next = seen = 0;;) {
		if (vcpu_run(&vcpu) == KVM_EXIT_IO)
			break;
		EQUAL(vcpu.run->exit_reason, KVM_EXIT_DIRTY_RING_FULL);
		full++;
		for (i = 0; ring[next % 4096].flags == KVM_DIRTY_GFN_F_DIRTY;
		    i++, next++) {
			harvest(&ring[next % 4096], &seen);
			ring[next % 4096].flags = KVM_DIRTY_GFN_F_RESET;
		}
		CHECK(i > 1000);
		EQUAL(SYS(ioctl(vm.fd, KVM_RESET_DIRTY_RINGS, 0)), i);
	}
	CHECK(full >= 2);
	for (; ring[next % 4096].flags == KVM_DIRTY_GFN_F_DIRTY; next++)
		harvest(&ring[next % 4096], &seen);
	EQUAL(seen, 8 * PAGES);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
