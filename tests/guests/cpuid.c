/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CPUID: what KVM supports, and what a guest sees of it.
 */
#include "client.h"

extern guest_code cpuid_leaf;

static const struct kvm_cpuid_entry2 *
find(const struct cpuid *cpuid, uint32_t function)
{
	uint32_t i;

	for (i = 0; i < cpuid->head.nent; i++)
		if (cpuid->entries[i].function == function)
			return (&cpuid->entries[i]);
	FAIL("no leaf %#x", function);
}

/* Runs CPUID in the guest: EAX, EBX, ECX, EDX. */
static void
ask(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	struct kvm_regs regs;

	long_mode(vcpu, cpuid_leaf);
	regs = regs_of(vcpu);
	regs.rax = leaf;
	regs.rcx = subleaf;
	SYS(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
	run_to_out(vcpu, PORT_DONE);
	memcpy(out, vcpu->vm->mem + DATA, 16);
}

CASE(cpuid, supported)
{
	struct cpuid cpuid = supported_cpuid();

	CHECK(cpuid.head.nent > 10);
	CHECK(find(&cpuid, 0x80000001)->edx & 1 << 29);		/* long mode */
	CHECK(find(&cpuid, 1)->ecx & 1 << 21);			/* x2APIC */
	EQUAL(memcmp(&find(&cpuid, 0x40000000)->ebx, "KVMKVMKVM\0\0\0", 12), 0);
	cpuid.head.nent = 1;
	REFUSED(ioctl(kvm(), KVM_GET_SUPPORTED_CPUID, &cpuid), E2BIG);
}

CASE(cpuid, guest_sees_what_was_set)
{
	struct cpuid cpuid = supported_cpuid(), back = { .head.nent = 256 };
	const struct kvm_cpuid_entry2 *leaf;
	struct vcpu vcpu;
	struct vm vm;
	uint32_t out[4];

	leaf = find(&cpuid, 0);
	memcpy((void *)(uintptr_t)&leaf->ebx, "FreeUNIXBSD ", 12);
	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	SYS(ioctl(vcpu.fd, KVM_SET_CPUID2, &cpuid));
	SYS(ioctl(vcpu.fd, KVM_GET_CPUID2, &back));
	EQUAL(back.head.nent, cpuid.head.nent);
	ask(&vcpu, 0, 0, out);
	EQUAL(out[0], leaf->eax);
	EQUAL(memcmp(&out[1], "FreeUNIXBSD ", 12), 0);
	ask(&vcpu, 0x40000000, 0, out);
	EQUAL(memcmp(&out[1], "KVMKVMKVM\0\0\0", 12), 0);
	/* OSXSAVE follows CR4, whatever was set. */
	ask(&vcpu, 1, 0, out);
	EQUAL(out[2] >> 27 & 1, 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* After the first KVM_RUN a vCPU's CPUID stays as it is. */
CASE(cpuid, fixed_once_it_ran)
{
	struct cpuid cpuid = { .head.nent = 256 };
	struct vcpu vcpu;
	struct vm vm;
	uint32_t out[4];

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	ask(&vcpu, 0, 0, out);
	SYS(ioctl(vcpu.fd, KVM_GET_CPUID2, &cpuid));
	SYS(ioctl(vcpu.fd, KVM_SET_CPUID2, &cpuid));	/* the same again */
	cpuid.entries[0].eax ^= 1;
	REFUSED(ioctl(vcpu.fd, KVM_SET_CPUID2, &cpuid), EINVAL);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
