/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What makes an instruction of the host fault on Linux, where an exception
 * table catches it.  FreeBSD has none, so KVM must not let it come to that:
 * the emulator's DIV and FWAIT, MSRs, XSAVE areas, MXCSR.
 *
 * A guest has an instruction emulated by a prefix that KVM knows when its
 * parameter force_emulation_prefix is set.
 */
#include <sys/sysctl.h>

#include "client.h"

#define	EACH_DIVISION(f)						\
	f(div8) f(div16) f(div32) f(div64)				\
	f(idiv8) f(idiv16) f(idiv32) f(idiv64)
#define	DECLARE(name)							\
	extern guest_code attack_##name, attack_##name##_emulated;
EACH_DIVISION(DECLARE)
extern guest_code attack_div_memory, attack_fwait, attack_fxrstor,
    attack_msrs, attack_skip, attack_nothing, attack_sse, attack_xsetbv;

static void
emulation_prefix(void)
{

	if (sysctlbyname("hw.kvm.force_emulation_prefix", NULL, NULL, "1", 2) != 0)
		skip("hw.kvm.force_emulation_prefix cannot be set");
}

/* Runs a division: 1 and its results in regs, or 0 for #DE. */
static int
divide(struct vcpu *vcpu, guest_code code, const uint64_t in[3],
    struct kvm_regs *out)
{
	struct kvm_run *run;
	struct kvm_regs regs;

	long_mode(vcpu, code);
	regs = regs_of(vcpu);
	regs.rax = in[0];
	regs.rdx = in[1];
	regs.rcx = in[2];
	SYS(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
	run_to(vcpu, KVM_EXIT_IO);
	run = vcpu->run;
	*out = regs_of(vcpu);
	if (run->io.port == PORT_FAULT) {
		EQUAL(FAULT_OF(vcpu->vm)->vector, 0);
		return (0);
	}
	EQUAL(run->io.port, PORT_DONE);
	return (1);
}

/* The emulator divides as the processor does, and faults as it does. */
CASE(attacks, divide)
{
	static const struct {
		const char	*name;
		guest_code	*native, *emulated;
	} kinds[] = {
#define	KIND(n)	{ #n, &attack_##n, &attack_##n##_emulated },
		EACH_DIVISION(KIND)
	};
	static const uint64_t numbers[][3] = {
		{ 100, 0, 7 }, { 5, 0, 0 }, { ~0ull, ~0ull, ~0ull },
		{ 0, 1, 1 }, { ~0ull, 0, 1 }, { 1ull << 63, ~0ull, ~0ull },
		{ 0x80000000, 0xffffffff, 0xffffffff },
		{ 0x8000, 0xffff, 0xffff }, { 0xff80, 0, 0xff },
		{ 0x8000, 0, 0x7f }, { -100ull, -1ull, 7 },
		{ -100ull, -1ull, -7ull }, { 100, 0, -7ull },
		{ 0x123456789abcdef0, 0x0fedcba987654321, 0x7edcba9876543210 },
		{ 0, 1ull << 63, 1 }, { 1, ~0ull >> 1, 1ull << 63 },
	};
	struct kvm_regs native, emulated;
	struct vcpu vcpu;
	struct vm vm;
	size_t i, k;
	int r;

	emulation_prefix();
	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	for (k = 0; k < nitems(kinds); k++)
		for (i = 0; i < nitems(numbers); i++) {
			r = divide(&vcpu, *kinds[k].native, numbers[i], &native);
			if (divide(&vcpu, *kinds[k].emulated, numbers[i],
			    &emulated) != r || native.rax != emulated.rax ||
			    native.rdx != emulated.rdx)
				FAIL("%s of numbers %zu: emulated otherwise",
				    kinds[k].name, i);
		}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* The same without a parameter: the divisor is not memory. */
CASE(attacks, divide_by_client)
{
	static const uint32_t divisors[] = { 0, 1, 0xffffffff };
	struct vcpu vcpu;
	struct vm vm;
	size_t i;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < nitems(divisors); i++) {
		long_mode(&vcpu, attack_div_memory);
		run_to(&vcpu, KVM_EXIT_MMIO);
		memcpy(vcpu.run->mmio.data, &divisors[i], 4);
		if (divisors[i] == 0xffffffff)
			EQUAL(run_to_out(&vcpu, PORT_DONE), 0x100000001 / 0xffffffffu);
		else
			run_to_fault(&vcpu, 0);		/* 0, or too large */
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* MMX in the emulator begins with FWAIT. */
CASE(attacks, fwait)
{
	struct vcpu vcpu;
	struct vm vm;

	emulation_prefix();
	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, attack_fwait);
	run_to_out(&vcpu, PORT_STEP);		/* nothing pending: no fault */
	run_to_fault(&vcpu, 16);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* FXRSTOR in the emulator (32-bit only), with each bit of MXCSR. */
CASE(attacks, fxrstor)
{
	struct vcpu vcpu;
	struct vm vm;
	int bit;

	emulation_prefix();
	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	for (bit = 0; bit < 32; bit++) {
		protected_mode(&vcpu, attack_fxrstor);
		args(&vcpu, 0x1f80 ^ 1u << bit, FREE, 0);
		run_to(&vcpu, KVM_EXIT_IO);
		if (bit >= 16 && bit != 17)
			EQUAL(vcpu.run->io.port, PORT_FAULT);
		else if (bit < 16 && bit != 6)
			EQUAL(vcpu.run->io.port, PORT_DONE);
		if (vcpu.run->io.port == PORT_FAULT)
			EQUAL(FAULT_OF(&vm)->vector, 13);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Bad values that the client puts in must be refused, or be harmless. */
CASE(attacks, client_fpu)
{
	struct kvm_fpu fpu;
	struct vcpu vcpu;
	struct vm vm;
	int bit;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	for (bit = 0; bit < 32; bit++) {
		SYS(ioctl(vcpu.fd, KVM_GET_FPU, &fpu));
		fpu.mxcsr = 0x1f80 ^ 1u << bit;
		fpu.fsw = fpu.fcw = 0xffff;
		fpu.last_opcode = 0xffff;
		fpu.last_ip = fpu.last_dp = ~0ull;
		memset(fpu.fpr, 0xff, sizeof(fpu.fpr));
		(void)ioctl(vcpu.fd, KVM_SET_FPU, &fpu);
		long_mode(&vcpu, attack_sse);
		run_to(&vcpu, KVM_EXIT_IO);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* Offsets in an XSAVE area: MXCSR, its mask, the header. */
#define	MXCSR		24
#define	HEADER		512

CASE(attacks, xsave)
{
	static uint8_t good[sizeof(struct kvm_xsave)], bad[sizeof(good)];
	struct vcpu vcpu;
	struct vm vm;
	int at, bit;

	if (!has(KVM_CAP_XCRS))
		skip("the processor has no XSAVE");
	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, attack_sse);
	run_to(&vcpu, KVM_EXIT_IO);
	SYS(ioctl(vcpu.fd, KVM_GET_XSAVE, good));
	for (bit = 16; bit < 32; bit++) {
		memcpy(bad, good, sizeof(bad));
		bad[HEADER] |= 3;
		bad[MXCSR + bit / 8] |= 1 << bit % 8;
		if (bit != 17)
			REFUSED(ioctl(vcpu.fd, KVM_SET_XSAVE, bad), EINVAL);
	}
	memcpy(bad, good, sizeof(bad));
	memset(bad + HEADER, 0xff, 8);			/* unknown components */
	REFUSED(ioctl(vcpu.fd, KVM_SET_XSAVE, bad), EINVAL);
	for (at = HEADER + 8; at < HEADER + 64; at++) {	/* compact, reserved */
		memcpy(bad, good, sizeof(bad));
		bad[at] = 0x80;
		REFUSED(ioctl(vcpu.fd, KVM_SET_XSAVE, bad), EINVAL);
	}
	memset(bad, 0xff, sizeof(bad));
	REFUSED(ioctl(vcpu.fd, KVM_SET_XSAVE, bad), EINVAL);
	long_mode(&vcpu, attack_sse);
	run_to(&vcpu, KVM_EXIT_IO);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* XCR0 with bits that do not go together, or that the host does not have. */
CASE(attacks, xcr0)
{
	static const uint64_t bad[] = { 0, 2, 5, 1ull << 63, ~0ull, 0x21, 0x80007 };
	struct kvm_xcrs xcrs = { .nr_xcrs = 1 };
	struct kvm_sregs sregs;
	struct vcpu vcpu;
	struct vm vm;
	size_t i;

	if (!has(KVM_CAP_XCRS))
		skip("the processor has no XSAVE");
	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < nitems(bad); i++) {
		xcrs.xcrs[0].value = bad[i];
		REFUSED(ioctl(vcpu.fd, KVM_SET_XCRS, &xcrs), EINVAL);
		long_mode(&vcpu, attack_xsetbv);
		sregs = sregs_of(&vcpu);
		sregs.cr4 |= 1 << 18;
		SYS(ioctl(vcpu.fd, KVM_SET_SREGS, &sregs));
		args(&vcpu, bad[i], 0, 0);
		run_to_fault(&vcpu, 13);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* --- MSRs --------------------------------------------------------------- */

static const uint64_t values[] = {
	1, ~0ull, 0x0000800000000000, 0xaaaaaaaaaaaaaaaa,
};

static const struct {
	uint32_t	from, to;
} ranges[] = {
	{ 0x0, 0x20 }, { 0x34, 0x4f }, { 0x79, 0x1ff }, { 0x200, 0x2ff },
	{ 0x480, 0x493 }, { 0x560, 0x590 }, { 0x6a0, 0x6e1 },
	{ 0x800, 0x840 }, { 0xd90, 0xdb0 }, { 0xe00, 0xe01 },
	{ 0x4b564d00, 0x4b564d08 }, { 0xc0000080, 0xc0000105 },
	{ 0xc0010000, 0xc0010140 },
};

/* The guest writes each value to each MSR and puts the old one back. */
CASE(attacks, msr_by_guest)
{
	struct vcpu vcpu;
	struct vm vm;
	size_t i, v;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	for (i = 0; i < nitems(ranges); i++)
		for (v = 0; v < nitems(values); v++) {
			long_mode(&vcpu, attack_msrs);
			gate(&vm, 13, attack_skip);
			args(&vcpu, ranges[i].from, ranges[i].to, values[v]);
			run_to_out(&vcpu, PORT_DONE);
		}
	CHECK(MEM32(&vm, DATA) > 500);		/* most are #GP */
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* The client sets them, and the processor gets to see what KVM took. */
CASE(attacks, msr_by_client)
{
	struct {
		struct kvm_msr_list	head;
		uint32_t		index[512];
	} list = { .head.nmsrs = 512 };
	struct vcpu vcpu;
	struct vm vm;
	uint64_t old;
	uint32_t i;
	size_t v;

	SYS(ioctl(kvm(), KVM_GET_MSR_INDEX_LIST, &list));
	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	long_mode(&vcpu, attack_nothing);
	for (i = 0; i < list.head.nmsrs; i++) {
		old = msr_of(&vcpu, list.index[i]);
		for (v = 0; v < nitems(values); v++)
			if (msr_set(&vcpu, list.index[i], values[v]) == 1)
				(void)ioctl(vcpu.fd, KVM_RUN, 0);
		(void)msr_set(&vcpu, list.index[i], old);
	}
	vcpu_close(&vcpu);
	vm_close(&vm);
}
