/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A hypervisor in a guest runs a guest of its own.
 */
#include "client.h"

extern guest_code nested_calls_svm, nested_calls_vmx, nested_svm, nested_vmx;

#define	ROUNDS		500
#define	VMCB		FREE
#define	SAVE_AREA	(FREE + 0x1000)
#define	VMXON_REGION	FREE
#define	VMCS		(FREE + 0x1000)
#define	FIELDS		(FREE + 0x2000)
#define	EPT		(FREE + 0x3000)	/* two levels, and four of the third */

#define	VMCALL		18		/* exit reason */
#define	VMMCALL		0x81

static bool
has_vendor(uint32_t function, uint32_t bit, bool in_ecx)
{
	struct cpuid cpuid = supported_cpuid();
	uint32_t i;

	for (i = 0; i < cpuid.head.nent; i++)
		if (cpuid.entries[i].function == function)
			return (((in_ecx ? cpuid.entries[i].ecx :
			    cpuid.entries[i].edx) >> bit & 1) != 0);
	return (false);
}

/* --- SVM ----------------------------------------------------------------- */

static void
put_segment(struct vm *vm, int at, const struct kvm_segment *s)
{
	uint64_t vmcb = VMCB + at;

	MEM16(vm, vmcb) = s->selector;
	MEM16(vm, vmcb + 2) = s->type | s->s << 4 | s->dpl << 5 |
	    s->present << 7 | s->avl << 8 | s->l << 9 | s->db << 10 |
	    s->g << 11;
	MEM32(vm, vmcb + 4) = s->limit;
	MEM64(vm, vmcb + 8) = s->base;
}

static void
run_svm(bool nested_paging)
{
	struct kvm_sregs sregs;
	struct vcpu vcpu;
	struct vm vm;

	if (!has_vendor(0x80000001, 2, true))
		skip("KVM offers no SVM to guests");
	if (nested_paging && !has_vendor(0x8000000a, 0, false))
		skip("KVM offers no nested paging to guests");
	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, nested_svm);
	sregs = sregs_of(&vcpu);
	MEM32(&vm, VMCB + 0x00c) = 1u << 31;	/* intercept SHUTDOWN */
	MEM32(&vm, VMCB + 0x010) = 3;		/* VMRUN, VMMCALL */
	MEM32(&vm, VMCB + 0x058) = 1;		/* ASID */
	MEM64(&vm, VMCB + 0x090) = nested_paging;
	MEM64(&vm, VMCB + 0x0b0) = PML4;
	put_segment(&vm, 0x400, &sregs.es);
	put_segment(&vm, 0x410, &sregs.cs);
	put_segment(&vm, 0x420, &sregs.ss);
	put_segment(&vm, 0x430, &sregs.ds);
	put_segment(&vm, 0x490, &sregs.tr);
	MEM32(&vm, VMCB + 0x464) = sregs.gdt.limit;
	MEM64(&vm, VMCB + 0x468) = sregs.gdt.base;
	MEM32(&vm, VMCB + 0x484) = sregs.idt.limit;
	MEM64(&vm, VMCB + 0x488) = sregs.idt.base;
	MEM64(&vm, VMCB + 0x4d0) = sregs.efer | 0x1000;	/* SVME */
	MEM64(&vm, VMCB + 0x548) = sregs.cr4;
	MEM64(&vm, VMCB + 0x550) = sregs.cr3;
	MEM64(&vm, VMCB + 0x558) = sregs.cr0;
	MEM64(&vm, VMCB + 0x560) = 0x400;	/* DR7 */
	MEM64(&vm, VMCB + 0x568) = 0xffff0ff0;	/* DR6 */
	MEM64(&vm, VMCB + 0x570) = 2;		/* RFLAGS */
	MEM64(&vm, VMCB + 0x578) = (uintptr_t)nested_calls_svm;
	MEM64(&vm, VMCB + 0x5d8) = STACKS - 1024;
	MEM64(&vm, VMCB + 0x668) = 0x0007040600070406;	/* PAT */
	args(&vcpu, VMCB, SAVE_AREA, ROUNDS);
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(MEM64(&vm, DATA + 8), VMMCALL);
	EQUAL(MEM32(&vm, DATA), ROUNDS);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(nested, svm)
{

	run_svm(false);
}

CASE(nested, svm_paging)
{

	run_svm(true);
}

/* --- VMX ----------------------------------------------------------------- */

static uint64_t field_at;

static void
field(struct vm *vm, uint64_t number, uint64_t value)
{

	MEM64(vm, field_at) = number;
	MEM64(vm, field_at + 8) = value;
	field_at += 16;
}

/* What an MSR allows of wanted controls, with those that it requires. */
static uint64_t
controls(struct vcpu *vcpu, uint32_t msr, uint32_t wanted)
{
	uint64_t limits;

	limits = msr_of(vcpu, msr);
	return ((wanted | (uint32_t)limits) & limits >> 32);
}

static void
guest_segment(struct vm *vm, int n, const struct kvm_segment *s)
{

	field(vm, 0x800 + n * 2, s->selector);
	field(vm, 0x4800 + n * 2, s->limit);
	field(vm, 0x4814 + n * 2, s->type | s->s << 4 | s->dpl << 5 |
	    s->present << 7 | s->l << 13 | s->db << 14 | s->g << 15);
	field(vm, 0x6806 + n * 2, s->base);
}

static void
put_fields(struct vm *vm, struct vcpu *vcpu, bool ept)
{
	static const struct kvm_segment *segments[6];
	struct kvm_sregs sregs;
	uint64_t i;

	sregs = sregs_of(vcpu);
	sregs.cr4 |= 0x2000;			/* VMXE */
	field(vm, 0x4000, controls(vcpu, 0x481, 0));
	field(vm, 0x4002, controls(vcpu, 0x482, ept ? 1u << 31 : 0));
	if (ept) {
		field(vm, 0x401e, controls(vcpu, 0x48b, 2));
		field(vm, 0x201a, EPT | 3 << 3 | 6);	/* 4 levels, WB */
		MEM64(vm, EPT) = (EPT + 0x1000) | 7;
		for (i = 0; i < 4; i++)
			MEM64(vm, EPT + 0x1000 + i * 8) =
			    (EPT + 0x2000 + i * 4096) | 7;
		for (i = 0; i < 2048; i++)	/* WB, pages of 2 MB */
			MEM64(vm, EPT + 0x2000 + i * 8) = i << 21 | 0xb7;
	}
	field(vm, 0x400c, controls(vcpu, 0x483, 1 << 9));	/* 64-bit host */
	field(vm, 0x4012, controls(vcpu, 0x484, 1 << 9));	/* and guest */
	field(vm, 0x2800, ~0ull);		/* VMCS link pointer */
	segments[0] = &sregs.es;
	segments[1] = &sregs.cs;
	segments[2] = &sregs.ss;
	segments[3] = &sregs.ds;
	segments[4] = &sregs.fs;
	segments[5] = &sregs.gs;
	for (i = 0; i < nitems(segments); i++) {
		guest_segment(vm, i, segments[i]);
		field(vm, 0xc00 + i * 2, segments[i]->selector);
	}
	field(vm, 0x4820, 1 << 16);		/* no LDT */
	guest_segment(vm, 7, &sregs.tr);
	field(vm, 0xc0c, sregs.tr.selector);
	field(vm, 0x6c0a, sregs.tr.base);
	field(vm, 0x4810, sregs.gdt.limit);
	field(vm, 0x6816, sregs.gdt.base);
	field(vm, 0x6c0c, sregs.gdt.base);
	field(vm, 0x4812, sregs.idt.limit);
	field(vm, 0x6818, sregs.idt.base);
	field(vm, 0x6c0e, sregs.idt.base);
	field(vm, 0x6800, sregs.cr0);
	field(vm, 0x6c00, sregs.cr0);
	field(vm, 0x6802, sregs.cr3);
	field(vm, 0x6c02, sregs.cr3);
	field(vm, 0x6804, sregs.cr4);
	field(vm, 0x6c04, sregs.cr4);
	field(vm, 0x681a, 0x400);		/* DR7 */
	field(vm, 0x681c, STACKS - 1024);
	field(vm, 0x681e, (uintptr_t)nested_calls_vmx);
	field(vm, 0x6820, 2);			/* RFLAGS */
	MEM64(vm, field_at) = ~0ull;
}

static void
run_vmx(bool ept)
{
	struct vcpu vcpu;
	struct vm vm;

	if (!has_vendor(1, 5, true))
		skip("KVM offers no VMX to guests");
	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	EQUAL(msr_set(&vcpu, 0x3a, 5), 1);	/* IA32_FEATURE_CONTROL */
	if (ept && (msr_of(&vcpu, 0x482) >> 63 == 0 ||
	    (msr_of(&vcpu, 0x48b) >> 33 & 1) == 0))
		skip("KVM offers no EPT to guests");
	long_mode(&vcpu, nested_vmx);
	MEM32(&vm, VMXON_REGION) = MEM32(&vm, VMCS) = msr_of(&vcpu, 0x480);
	MEM64(&vm, FIELDS) = VMXON_REGION;
	MEM64(&vm, FIELDS + 8) = VMCS;
	MEM64(&vm, FIELDS + 16) = ROUNDS;
	field_at = FIELDS + 24;
	put_fields(&vm, &vcpu, ept);
	args(&vcpu, FIELDS, 0, 0);
	run_to_out(&vcpu, PORT_DONE);
	EQUAL(MEM64(&vm, DATA + 8), VMCALL);
	EQUAL(MEM32(&vm, DATA), ROUNDS);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(nested, vmx)
{

	run_vmx(false);
}

CASE(nested, vmx_ept)
{

	run_vmx(true);
}
