/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * vCPUs: the modes of the processor that they start in, and their registers.
 */
#include <sys/mman.h>

#include <unistd.h>

#define	CLIENT_LIBRARY
#include "client.h"

/* Stubs for the 32 exceptions, VECTOR_SIZE bytes each, in vectors.S. */
extern guest_code long_vectors, protected_vectors;
#define	VECTOR_SIZE	16

/* A vCPU has all the features that KVM supports. */
static void
set_cpuid(struct vcpu *vcpu)
{
	struct cpuid cpuid = supported_cpuid();
	uint32_t i;

	for (i = 0; i < cpuid.head.nent; i++)
		if (cpuid.entries[i].function == 1) {
			cpuid.entries[i].ebx &= 0xffffff;
			cpuid.entries[i].ebx |= vcpu->id << 24;
			/* KVM leaves these two to the client. */
			cpuid.entries[i].ecx |= 1 << 21;	/* x2APIC */
			if (has(KVM_CAP_TSC_DEADLINE_TIMER))
				cpuid.entries[i].ecx |= 1 << 24;
		}
	SYS(ioctl(vcpu->fd, KVM_SET_CPUID2, &cpuid));
}

void
vcpu_open(struct vcpu *vcpu, struct vm *vm, int id)
{
	size_t size;

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = SYS(ioctl(vm->fd, KVM_CREATE_VCPU, (long)id));
	size = SYS(ioctl(kvm(), KVM_GET_VCPU_MMAP_SIZE, 0));
	vcpu->run = SYS(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    vcpu->fd, 0));
	set_cpuid(vcpu);
}

void
vcpu_close(struct vcpu *vcpu)
{

	SYS(munmap(vcpu->run, SYS(ioctl(kvm(), KVM_GET_VCPU_MMAP_SIZE, 0))));
	SYS(close(vcpu->fd));
}

void
vcpu_start(struct vcpu *vcpu, guest_code entry)
{
	struct kvm_regs regs = {
		.rip = (uintptr_t)entry,
		.rsp = STACKS - vcpu->id * 1024,
		.rflags = 2,
	};

	SYS(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

void
real_mode(struct vcpu *vcpu, guest_code entry)
{
	struct kvm_sregs sregs;

	sregs = sregs_of(vcpu);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	SYS(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	vcpu_start(vcpu, entry);
}

static struct kvm_segment
segment(int selector, int type)
{

	return ((struct kvm_segment){
		.selector = selector, .type = type, .limit = 0xffffffff,
		.present = 1, .s = 1, .g = 1,
		.l = selector == SEL_CODE64, .db = selector != SEL_CODE64,
	});
}

static void
descriptors(struct kvm_sregs *sregs, int code)
{

	sregs->cs = segment(code, 11);
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss =
	    segment(SEL_DATA, 3);
	sregs->tr = (struct kvm_segment){ .selector = SEL_TSS, .type = 11,
	    .base = TSS, .limit = 0x67, .present = 1 };
	sregs->gdt = (struct kvm_dtable){ .base = GDT, .limit = 0x3f };
	sregs->idt.base = IDT;
	sregs->idt.limit = (code == SEL_CODE64 ? 16 : 8) * 256 - 1;
}

static void
gate64(struct vm *vm, int vector, uint64_t handler)
{

	MEM64(vm, IDT + vector * 16) = (handler & 0xffff) | SEL_CODE64 << 16 |
	    0x8eull << 40 | handler >> 16 << 48;
	MEM64(vm, IDT + vector * 16 + 8) = handler >> 32;
}

void
gate(struct vm *vm, int vector, guest_code handler)
{

	gate64(vm, vector, (uintptr_t)handler);
}

void
real_gate(struct vm *vm, int vector, guest_code handler)
{

	MEM32(vm, IVT + vector * 4) = (uintptr_t)handler;
}

void
protected_mode(struct vcpu *vcpu, guest_code entry)
{
	struct kvm_sregs sregs;
	uint64_t handler;
	int i;

	sregs = sregs_of(vcpu);
	descriptors(&sregs, SEL_CODE32);
	sregs.cr0 = 0x33;		/* PE, MP, ET, NE */
	SYS(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	for (i = 0; i < 32; i++) {
		handler = (uintptr_t)protected_vectors + i * VECTOR_SIZE;
		MEM64(vcpu->vm, IDT + i * 8) = (handler & 0xffff) |
		    SEL_CODE32 << 16 | 0x8eull << 40 | handler >> 16 << 48;
	}
	vcpu_start(vcpu, entry);
}

void
long_mode(struct vcpu *vcpu, guest_code entry)
{
	struct kvm_sregs sregs;
	int i;

	sregs = sregs_of(vcpu);
	descriptors(&sregs, SEL_CODE64);
	sregs.cr3 = PML4;
	sregs.cr4 = 0x620;		/* PAE, OSFXSR, OSXMMEXCPT */
	sregs.efer = 0x500;		/* LME, LMA */
	sregs.cr0 = 0x80000033;		/* PG, PE, MP, ET, NE */
	SYS(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	for (i = 0; i < 32; i++)
		gate64(vcpu->vm, i, (uintptr_t)long_vectors + i * VECTOR_SIZE);
	vcpu_start(vcpu, entry);
}

/* The arguments of a guest, in the registers of a C function's. */
void
args(struct vcpu *vcpu, uint64_t rdi, uint64_t rsi, uint64_t rdx)
{
	struct kvm_regs regs;

	regs = regs_of(vcpu);
	regs.rdi = rdi;
	regs.rsi = rsi;
	regs.rdx = rdx;
	SYS(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

struct kvm_regs
regs_of(struct vcpu *vcpu)
{
	struct kvm_regs regs;

	SYS(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	return (regs);
}

struct kvm_sregs
sregs_of(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;

	SYS(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	return (sregs);
}

struct one_msr {
	struct kvm_msrs		head;
	struct kvm_msr_entry	entry;
};

uint64_t
msr_of(struct vcpu *vcpu, uint32_t index)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry.index = index };

	if (SYS(ioctl(vcpu->fd, KVM_GET_MSRS, &msr)) != 1)
		FAIL("MSR %#x cannot be read", index);
	return (msr.entry.data);
}

/* Number of MSRs that were set: 1, or 0 when KVM refuses. */
int
msr_set(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct one_msr msr = {
		.head.nmsrs = 1, .entry.index = index, .entry.data = value
	};

	return (SYS(ioctl(vcpu->fd, KVM_SET_MSRS, &msr)));
}
