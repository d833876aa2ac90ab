/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files instead of exits: ioeventfd, irqfd, coalesced writes; and interrupts
 * that the client makes by ioctl.
 */
#include <sys/eventfd.h>

#include <poll.h>
#include <unistd.h>

#include "client.h"

extern guest_code events_writes, events_ports, events_wait, events_handler,
    events_level;

static int
event(void)
{

	return (SYS(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)));
}

/* The counter of an eventfd, and 0 again. */
static uint64_t
taken(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) == sizeof(n))
		return (n);
	CHECK(errno == EAGAIN);
	return (0);
}

static void
post(int fd)
{
	uint64_t one = 1;

	EQUAL(write(fd, &one, sizeof(one)), sizeof(one));
}

static int
ioevent(struct vm *vm, int fd, uint64_t addr, int len, int flags, uint64_t match)
{
	struct kvm_ioeventfd io = {
		.fd = fd, .addr = addr, .len = len, .flags = flags,
		.datamatch = match,
	};

	return (ioctl(vm->fd, KVM_IOEVENTFD, &io));
}

/* Writes of 1, 2, 4, 8 bytes of 0x11 at NOTHING, then one of 0x22 for each. */
CASE(events, ioeventfd_memory)
{
	struct vcpu vcpu;
	struct vm vm;
	int any, four, match;

	vm_open(&vm, 0);
	any = event();
	four = event();
	match = event();
	SYS(ioevent(&vm, any, NOTHING, 0, 0, 0));
	SYS(ioevent(&vm, four, NOTHING + 8, 4, 0, 0));
	SYS(ioevent(&vm, match, NOTHING + 16, 1,
	    KVM_IOEVENTFD_FLAG_DATAMATCH, 0x22));
	REFUSED(ioevent(&vm, four, NOTHING + 8, 4, 0, 0), EEXIST);
	REFUSED(ioevent(&vm, four, NOTHING + 24, 3, 0, 0), EINVAL);
	vcpu_open(&vcpu, &vm, 0);

	long_mode(&vcpu, events_writes);
	args(&vcpu, NOTHING, 0x11, 0);
	run_to_out(&vcpu, PORT_DONE);		/* all four taken */
	EQUAL(taken(any), 4);

	long_mode(&vcpu, events_writes);
	args(&vcpu, NOTHING + 8, 0x11, 0);
	run_to(&vcpu, KVM_EXIT_MMIO);		/* 1 */
	run_to(&vcpu, KVM_EXIT_MMIO);		/* 2 */
	EQUAL(taken(four), 0);
	run_to(&vcpu, KVM_EXIT_MMIO);		/* 8 */
	EQUAL(vcpu.run->mmio.len, 8);
	EQUAL(taken(four), 1);
	run_to_out(&vcpu, PORT_DONE);

	long_mode(&vcpu, events_writes);
	args(&vcpu, NOTHING + 16, 0x11, 0);
	run_to(&vcpu, KVM_EXIT_MMIO);
	EQUAL(vcpu.run->mmio.len, 1);
	EQUAL(taken(match), 0);
	long_mode(&vcpu, events_writes);
	args(&vcpu, NOTHING + 16, 0x22, 0);
	vcpu.run->immediate_exit = 1;		/* completes the write before */
	REFUSED(ioctl(vcpu.fd, KVM_RUN, 0), EINTR);
	vcpu.run->immediate_exit = 0;
	long_mode(&vcpu, events_writes);
	args(&vcpu, NOTHING + 16, 0x22, 0);
	run_to(&vcpu, KVM_EXIT_MMIO);
	EQUAL(vcpu.run->mmio.len, 2);
	EQUAL(taken(match), 1);

	SYS(ioevent(&vm, any, NOTHING, 0, KVM_IOEVENTFD_FLAG_DEASSIGN, 0));
	REFUSED(ioevent(&vm, any, NOTHING, 0, KVM_IOEVENTFD_FLAG_DEASSIGN, 0),
	    ENOENT);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(events, ioeventfd_port)
{
	struct vcpu vcpu;
	struct vm vm;
	int fd;

	vm_open(&vm, 0);
	fd = event();
	SYS(ioevent(&vm, fd, 0x77, 1, KVM_IOEVENTFD_FLAG_PIO, 0));
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, events_ports);
	args(&vcpu, 100, 0, 0);
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(taken(fd), 100);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

static int
irqfd(struct vm *vm, int fd, int gsi, int flags, int resample)
{
	struct kvm_irqfd irq = {
		.fd = fd, .gsi = gsi, .flags = flags, .resamplefd = resample
	};

	return (ioctl(vm->fd, KVM_IRQFD, &irq));
}

static void *
run_to_done(void *arg)
{

	run_to_out((struct vcpu *)arg, PORT_DONE);
	return (NULL);
}

/* The guest counts vector 0x61 (pin 5 of the I/O APIC, edges) in DATA. */
static pthread_t
counting(struct vm *vm, struct vcpu *vcpu, uint32_t until)
{
	pthread_t runner;

	vm_open(vm, VM_IRQCHIP);
	vcpu_open(vcpu, vm, 0);
	long_mode(vcpu, events_wait);
	gate(vm, 0x61, events_handler);
	args(vcpu, until, 0, 0);
	runner = thread(run_to_done, vcpu);
	while (MEM32(vm, DATA + 4) == 0)	/* until it is ready */
		usleep(1000);
	return (runner);
}

static void
until_counted(struct vm *vm, uint32_t n)
{

	while (MEM32(vm, DATA) < n)
		usleep(500);
}

/* One interrupt for each write, when they do not come too fast. */
CASE(events, irqfd)
{
	struct vcpu vcpu;
	pthread_t runner;
	struct vm vm;
	uint32_t i;
	int fd;

	runner = counting(&vm, &vcpu, 51);
	fd = event();
	SYS(irqfd(&vm, fd, 5, 0, 0));
	for (i = 1; i <= 50; i++) {
		post(fd);
		until_counted(&vm, i);
		usleep(2000);
		EQUAL(MEM32(&vm, DATA), i);	/* and no more */
	}
	SYS(irqfd(&vm, fd, 5, KVM_IRQFD_FLAG_DEASSIGN, 0));
	post(fd);
	usleep(20000);
	EQUAL(MEM32(&vm, DATA), 50);
	EQUAL(taken(fd), 1);			/* the write is still there */
	SYS(irqfd(&vm, fd, 5, 0, 0));
	post(fd);
	join(runner);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* What was written before the irqfd was made counts. */
CASE(events, irqfd_pending)
{
	struct vcpu vcpu;
	pthread_t runner;
	struct vm vm;
	int fd;

	runner = counting(&vm, &vcpu, 1);
	fd = event();
	post(fd);
	SYS(irqfd(&vm, fd, 5, 0, 0));
	join(runner);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* A level: asserted until the guest's EOI, which the other eventfd tells. */
CASE(events, irqfd_resample)
{
	struct pollfd answered = { .events = POLLIN };
	struct vcpu vcpu;
	pthread_t runner;
	struct vm vm;
	int fd, i;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, events_level);
	gate(&vm, 0x61, events_handler);
	args(&vcpu, 10, 0, 0);
	fd = event();
	answered.fd = event();
	SYS(irqfd(&vm, fd, 5, KVM_IRQFD_FLAG_RESAMPLE, answered.fd));
	runner = thread(run_to_done, &vcpu);
	while (MEM32(&vm, DATA + 4) == 0)
		usleep(1000);
	for (i = 1; i <= 10; i++) {
		post(fd);
		EQUAL(poll(&answered, 1, 20000), 1);
		EQUAL(taken(answered.fd), 1);
		EQUAL(MEM32(&vm, DATA), i);
	}
	join(runner);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* KVM_IRQ_LINE: an edge is a change from low to high. */
CASE(events, irq_line)
{
	struct kvm_irq_level level = { .irq = 5 };
	struct vcpu vcpu;
	pthread_t runner;
	struct vm vm;
	uint32_t i;

	runner = counting(&vm, &vcpu, 20);
	for (i = 1; i <= 20; i++) {
		level.level = 1;
		SYS(ioctl(vm.fd, KVM_IRQ_LINE, &level));
		SYS(ioctl(vm.fd, KVM_IRQ_LINE, &level));
		until_counted(&vm, i);
		level.level = 0;
		SYS(ioctl(vm.fd, KVM_IRQ_LINE, &level));
	}
	join(runner);
	EQUAL(MEM32(&vm, DATA), 20);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Message-signalled: by ioctl, and by a route that an irqfd uses. */
CASE(events, msi)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x61 };
	struct {
		struct kvm_irq_routing		head;
		struct kvm_irq_routing_entry	entry;
	} routes = {
		.head.nr = 1,
		.entry = {
			.gsi = 40, .type = KVM_IRQ_ROUTING_MSI,
			.u.msi = { .address_lo = 0xfee00000, .data = 0x61 },
		},
	};
	struct vcpu vcpu;
	pthread_t runner;
	struct vm vm;
	int fd;

	runner = counting(&vm, &vcpu, 2);
	EQUAL(SYS(ioctl(vm.fd, KVM_SIGNAL_MSI, &msi)), 1);
	until_counted(&vm, 1);
	fd = event();
	SYS(ioctl(vm.fd, KVM_SET_GSI_ROUTING, &routes));
	SYS(irqfd(&vm, fd, 40, 0, 0));
	post(fd);
	join(runner);
	EQUAL(MEM32(&vm, DATA), 2);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Writes to a zone wait in a ring; the next exit brings them along. */
CASE(events, coalesced_memory)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = NOTHING, .size = 64 };
	struct kvm_coalesced_mmio_ring *ring;
	struct vcpu vcpu;
	struct vm vm;
	int i, page;

	page = has(KVM_CAP_COALESCED_MMIO);
	CHECK(page > 0);
	vm_open(&vm, 0);
	SYS(ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	vcpu_open(&vcpu, &vm, 0);
	ring = (void *)((uint8_t *)vcpu.run + page * 4096);
	long_mode(&vcpu, events_writes);
	args(&vcpu, NOTHING + 8, 0x11, 0);
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(ring->first, 0);
	EQUAL(ring->last, 4);
	for (i = 0; i < 4; i++) {
		EQUAL(ring->coalesced_mmio[i].phys_addr, NOTHING + 8);
		EQUAL(ring->coalesced_mmio[i].len, 1 << i);
		EQUAL(ring->coalesced_mmio[i].data[0], 0x11);
	}
	ring->first = ring->last;
	SYS(ioctl(vm.fd, KVM_UNREGISTER_COALESCED_MMIO, &zone));
	long_mode(&vcpu, events_writes);
	args(&vcpu, NOTHING + 8, 0x11, 0);
	run_to(&vcpu, KVM_EXIT_MMIO);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* A full ring is an exit, not a loss. */
CASE(events, coalesced_port)
{
	struct kvm_coalesced_mmio_zone zone = {
		.addr = 0x77, .size = 1, .pio = 1
	};
	struct kvm_coalesced_mmio_ring *ring;
	struct vcpu vcpu;
	struct vm vm;
	uint32_t max, n;

	NEED(KVM_CAP_COALESCED_PIO);
	vm_open(&vm, 0);
	SYS(ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	vcpu_open(&vcpu, &vm, 0);
	ring = (void *)((uint8_t *)vcpu.run + has(KVM_CAP_COALESCED_MMIO) * 4096);
	max = (4096 - sizeof(*ring)) / sizeof(struct kvm_coalesced_mmio);
	long_mode(&vcpu, events_ports);
	args(&vcpu, 400, 0, 0);
	for (n = 0;;) {
		run_to(&vcpu, KVM_EXIT_IO);
		n += (ring->last + max - ring->first) % max;
		ring->first = ring->last;
		if (vcpu.run->io.port == PORT_DONE)
			break;
		EQUAL(vcpu.run->io.port, 0x77);
		n++;
	}
	EQUAL(n, 400);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
