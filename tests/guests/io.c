/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Exits to the client: ports, memory without a slot, HLT, shutdown.
 */
#include "client.h"

extern guest_code io_ports, io_strings, io_memory, io_repeat, io_halt,
    io_shutdown;

static void *
io_data(struct vcpu *vcpu)
{

	return ((uint8_t *)vcpu->run + vcpu->run->io.data_offset);
}

static void
expect_io(struct vcpu *vcpu, int direction, int port, int size)
{

	run_to(vcpu, KVM_EXIT_IO);
	EQUAL(vcpu->run->io.direction, direction);
	EQUAL(vcpu->run->io.port, port);
	EQUAL(vcpu->run->io.size, size);
}

CASE(io, ports)
{
	struct vcpu vcpu;
	struct vm vm;
	int size;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	real_mode(&vcpu, io_ports);
	for (size = 1; size <= 4; size *= 2) {
		expect_io(&vcpu, KVM_EXIT_IO_OUT, 0x80 + size, size);
		EQUAL(vcpu.run->io.count, 1);
		EQUAL(memcmp(io_data(&vcpu), "\x78\x56\x34\x12", size), 0);
	}
	for (size = 1; size <= 4; size *= 2) {
		expect_io(&vcpu, KVM_EXIT_IO_IN, 0x1080 + size, size);
		memcpy(io_data(&vcpu), "\xef\xcd\xab\x89", size);
	}
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(MEM32(&vm, DATA), 0x123456ef);	/* AL only */
	EQUAL(MEM32(&vm, DATA + 4), 0x1234cdef);
	EQUAL(MEM32(&vm, DATA + 8), 0x89abcdef);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* REP OUTSB and REP INSB; KVM may hand over several at once. */
CASE(io, strings)
{
	struct vcpu vcpu;
	struct vm vm;
	unsigned int n;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	memcpy(vm.mem + DATA, "ports and strings", 17);
	real_mode(&vcpu, io_strings);
	for (n = 0; n < 17; n += vcpu.run->io.count) {
		expect_io(&vcpu, KVM_EXIT_IO_OUT, 0x40, 1);
		EQUAL(memcmp(io_data(&vcpu), vm.mem + DATA + n,
		    vcpu.run->io.count), 0);
	}
	EQUAL(n, 17);
	for (n = 0; n < 32; n += vcpu.run->io.count) {
		expect_io(&vcpu, KVM_EXIT_IO_IN, 0x41, 2);
		memset(io_data(&vcpu), 'a' + n, 2 * vcpu.run->io.count);
	}
	EQUAL(n, 32);
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(MEM8(&vm, FREE - 0x100), 'a');
	CHECK(MEM8(&vm, FREE - 0x100 + 63) >= 'a');
	vcpu_close(&vcpu);
	vm_close(&vm);
}

static void
expect_mmio(struct vcpu *vcpu, bool write, uint64_t address, unsigned int size)
{

	run_to(vcpu, KVM_EXIT_MMIO);
	EQUAL(vcpu->run->mmio.is_write, write);
	EQUAL(vcpu->run->mmio.phys_addr, address);
	EQUAL(vcpu->run->mmio.len, size);
}

/* Memory that no slot has: 1 to 8 bytes, written and read. */
CASE(io, memory)
{
	struct vcpu vcpu;
	struct vm vm;
	int size;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, io_memory);
	for (size = 1; size <= 8; size *= 2) {
		expect_mmio(&vcpu, true, NOTHING + size, size);
		EQUAL(memcmp(vcpu.run->mmio.data,
		    "\x88\x77\x66\x55\x44\x33\x22\x11", size), 0);
	}
	for (size = 1; size <= 8; size *= 2) {
		expect_mmio(&vcpu, false, NOTHING + 16 + size, size);
		memcpy(vcpu.run->mmio.data,
		    "\x18\x27\x36\x45\x54\x63\x72\x81", size);
	}
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(MEM64(&vm, DATA), 0x18);
	EQUAL(MEM64(&vm, DATA + 8), 0x2718);
	EQUAL(MEM64(&vm, DATA + 16), 0x45362718);
	EQUAL(MEM64(&vm, DATA + 24), 0x8172635445362718);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* REP MOVSQ from memory to no memory, and an access across two pages of it. */
CASE(io, repeated_memory)
{
	struct vcpu vcpu;
	struct vm vm;
	int i;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < 4; i++)
		MEM64(&vm, DATA + i * 8) = i * 0x0101010101010101;
	long_mode(&vcpu, io_repeat);
	for (i = 0; i < 4; i++) {
		expect_mmio(&vcpu, true, NOTHING + i * 8, 8);
		EQUAL(vcpu.run->mmio.data[5], i);
	}
	expect_mmio(&vcpu, true, NOTHING + 0x1ffe, 2);
	EQUAL(memcmp(vcpu.run->mmio.data, "\x88\x77", 2), 0);
	expect_mmio(&vcpu, true, NOTHING + 0x2000, 2);
	EQUAL(memcmp(vcpu.run->mmio.data, "\x66\x55", 2), 0);
	run_to_out(&vcpu, PORT_DONE);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Without a local APIC in the kernel HLT is the client's business. */
CASE(io, halt)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	real_mode(&vcpu, io_halt);
	run_to(&vcpu, KVM_EXIT_HLT);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 7);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* An exception without a handler, twice: the processor gives up. */
CASE(io, shutdown)
{
	struct kvm_sregs sregs;
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, io_shutdown);
	sregs = sregs_of(&vcpu);
	sregs.idt.limit = 0;
	SYS(ioctl(vcpu.fd, KVM_SET_SREGS, &sregs));
	run_to(&vcpu, KVM_EXIT_SHUTDOWN);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
