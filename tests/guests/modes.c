/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The processor's modes: entered by the client, and by the guest itself.
 */
#include "client.h"

extern guest_code modes_real, modes_protected, modes_long, modes_climb,
    modes_virtual86, modes_tables;

CASE(modes, real)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	real_mode(&vcpu, modes_real);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 0x3c);
	EQUAL(MEM16(&vm, FREE + 0x234), 0xbeef);	/* through a segment */
	EQUAL(sregs_of(&vcpu).cr0 & 1, 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(modes, protected)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	protected_mode(&vcpu, modes_protected);
	EQUAL(run_to_out(&vcpu, PORT_DONE), 0x89abcdef + 0x01020304);
	EQUAL(MEM32(&vm, MEMORY - 4), 0x89abcdef);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(modes, long)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, modes_long);
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(regs_of(&vcpu).r15, 0x1122334455667788 * 3);
	EQUAL(MEM64(&vm, FREE), 0x1122334455667788);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/*
 * From reset's mode up: real, protected, with 32-bit paging, PAE, long mode
 * in a 16-, 32- and 64-bit segment, and all the way back.
 */
CASE(modes, climb)
{
	struct vcpu vcpu;
	struct vm vm;
	uint32_t step;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	real_mode(&vcpu, modes_climb);
	for (step = 1; step <= 7; step++) {
		EQUAL(run_to_out(&vcpu, PORT_STEP), step);
		if (step == 5)
			EQUAL(sregs_of(&vcpu).efer, 0x500);
	}
	EQUAL(run_to_out(&vcpu, PORT_DONE), 0x99);
	EQUAL(sregs_of(&vcpu).efer & 0x400, 0);
	EQUAL(sregs_of(&vcpu).cr0 & 0x80000001, 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* 8086 code as a task of protected mode; its HLT is a #GP there. */
CASE(modes, virtual86)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	protected_mode(&vcpu, modes_virtual86);
	MEM32(&vm, TSS + 4) = STACKS - 0x800;	/* ESP0, SS0 for the handler */
	MEM32(&vm, TSS + 8) = SEL_DATA;
	EQUAL(run_to_fault(&vcpu, 13), 0);
	EQUAL(MEM16(&vm, FREE + 0x10), 0x8086);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/*
 * Four levels of 4 KB pages, made by the guest: a page at two addresses, a
 * read-only one, a missing one, one that may not be executed.
 */
CASE(modes, paging)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, modes_tables);
	EQUAL(run_to_out(&vcpu, PORT_STEP), 0x1234);	/* through the alias */
	EQUAL(run_to_fault(&vcpu, 14), 3);		/* present, write */
	EQUAL(FAULT_OF(&vm)->cr2, 0x7f0000001008);
	vcpu_start(&vcpu, (const char *)MEM64(&vm, DATA));
	EQUAL(run_to_fault(&vcpu, 14), 0);		/* missing, read */
	EQUAL(FAULT_OF(&vm)->cr2, 0x7f0000002000);
	vcpu_start(&vcpu, (const char *)MEM64(&vm, DATA + 8));
	EQUAL(run_to_fault(&vcpu, 14), 0x11);		/* present, fetch */
	EQUAL(FAULT_OF(&vm)->cr2, 0x7f0000003000);
	EQUAL(FAULT_OF(&vm)->rip, 0x7f0000003000);
	vcpu_start(&vcpu, (const char *)MEM64(&vm, DATA + 16));
	run_to_out(&vcpu, PORT_DONE);
	CHECK(MEM64(&vm, FREE + 0x3000) & 0x20);	/* accessed */
	CHECK(MEM64(&vm, FREE + 0x3000) & 0x40);	/* dirty */
	CHECK(!(MEM64(&vm, FREE + 0x3010) & 0x40));
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* KVM_TRANSLATE walks the guest's tables. */
CASE(modes, translate)
{
	struct kvm_translation t = { .linear_address = 0x212345 };
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, modes_long);
	MEM64(&vm, PAGE_DIRS + 8) = 0x87;	/* 2 MB on is 0 again */
	SYS(ioctl(vcpu.fd, KVM_TRANSLATE, &t));
	EQUAL(t.valid, 1);
	EQUAL(t.physical_address, 0x12345);
	t.linear_address = 5ull << 30;
	SYS(ioctl(vcpu.fd, KVM_TRANSLATE, &t));
	EQUAL(t.valid, 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
