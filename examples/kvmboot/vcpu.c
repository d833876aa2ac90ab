/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A virtual CPU: what it says of itself, how it starts, its exits.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvmboot.h"

#define	CPUID_ENTRIES	256
#define	CPUID1_HYPERVISOR	(1u << 31)	/* ECX */
#define	CPUID1_TSC_DEADLINE	(1u << 24)	/* ECX */

#define	CR0_PE		0x00000001ull
#define	CR0_ET		0x00000010ull
#define	CR0_NE		0x00000020ull
#define	CR0_PG		0x80000000ull
#define	CR4_PAE		0x00000020ull
#define	EFER_LME	0x00000100ull
#define	EFER_LMA	0x00000400ull

#define	PG_V_RW		0x3
#define	PG_PS		0x80

#define	SEL_CODE	0x10			/* as Linux's boot protocol says */
#define	SEL_DATA	0x18

static void
set_cpuid(struct vcpu *cpu)
{
	struct kvm_cpuid_entry2 *e;
	struct kvm_cpuid2 *cpuid;
	uint32_t i;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(*e));
	if (cpuid == NULL)
		err(1, NULL);
	cpuid->nent = CPUID_ENTRIES;
	if (ioctl(cpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == -1)
		err(1, "KVM_GET_SUPPORTED_CPUID");
	for (i = 0; i < cpuid->nent; i++) {
		e = &cpuid->entries[i];
		switch (e->function) {
		case 0x1:
			/* Local APIC's number, CPUs in this package. */
			e->ebx = (e->ebx & 0xffff) | (uint32_t)cpu->id << 24 |
			    1u << 16;
			e->ecx |= CPUID1_HYPERVISOR;
			if (ioctl(cpu->vm->kvm, KVM_CHECK_EXTENSION,
			    KVM_CAP_TSC_DEADLINE_TIMER) == 1)
				e->ecx |= CPUID1_TSC_DEADLINE;
			break;
		case 0xb:
		case 0x1f:
			e->edx = cpu->id;
			break;
		}
	}
	if (ioctl(cpu->fd, KVM_SET_CPUID2, cpuid) == -1)
		err(1, "KVM_SET_CPUID2");
	free(cpuid);
}

void
vcpu_create(struct vm *vm, int id)
{
	struct vcpu *cpu = &vm->cpus[id];
	int size;

	cpu->vm = vm;
	cpu->id = id;
	if ((cpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (long)id)) == -1)
		err(1, "creating CPU %d", id);
	if ((size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0)) == -1)
		err(1, "KVM_GET_VCPU_MMAP_SIZE");
	cpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    cpu->fd, 0);
	if (cpu->run == MAP_FAILED)
		err(1, "mapping the state of CPU %d", id);
	set_cpuid(cpu);
}

/*
 * Map the first 4 GB one to one, and the last 2 GB of the address space, where
 * FreeBSD's kernel runs, to the first 2.
 */
static void
write_tables(struct vm *vm)
{
	uint64_t *high, *low, *pd, *pml4;
	uint64_t i;

	pml4 = vm_at(vm, GUEST_TABLES, 7 * 4096);
	low = pml4 + 512;
	high = low + 512;
	pd = high + 512;
	memset(pml4, 0, 3 * 4096);
	pml4[0] = (GUEST_TABLES + 1 * 4096) | PG_V_RW;
	pml4[511] = (GUEST_TABLES + 2 * 4096) | PG_V_RW;
	for (i = 0; i < 4; i++)
		low[i] = (GUEST_TABLES + (3 + i) * 4096) | PG_V_RW;
	high[510] = low[0];
	high[511] = low[1];
	for (i = 0; i < 4 * 512; i++)
		pd[i] = i * 2 * MIB | PG_PS | PG_V_RW;
}

static struct kvm_segment
segment(struct vm *vm, uint16_t selector, uint8_t type)
{
	struct kvm_segment s = {
		.limit = 0xffffffff, .selector = selector, .type = type,
		.present = 1, .s = 1, .g = 1,
		.l = selector == SEL_CODE, .db = selector != SEL_CODE,
	};
	uint64_t *gdt = vm_at(vm, GUEST_GDT, SEL_DATA + 8);

	gdt[selector / 8] = 0x000f00000000ffffull | (uint64_t)type << 40 |
	    (uint64_t)(s.s << 4 | s.present << 7) << 40 |
	    (uint64_t)(s.l << 1 | s.db << 2 | s.g << 3) << 52;
	return (s);
}

/* Put the first CPU into 64-bit mode at a kernel's entry point. */
void
vcpu_enter(struct vcpu *cpu, const struct entry *entry)
{
	struct kvm_regs regs = {
		.rip = entry->rip, .rsp = entry->rsp, .rsi = entry->rsi,
		.rflags = 2,
	};
	struct kvm_segment code, data;
	struct kvm_sregs sregs;

	write_tables(cpu->vm);
	code = segment(cpu->vm, SEL_CODE, 0xb);
	data = segment(cpu->vm, SEL_DATA, 0x3);
	if (ioctl(cpu->fd, KVM_GET_SREGS, &sregs) == -1)
		err(1, "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt.base = GUEST_GDT;
	sregs.gdt.limit = SEL_DATA + 7;
	sregs.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	sregs.cr3 = GUEST_TABLES;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	if (ioctl(cpu->fd, KVM_SET_SREGS, &sregs) == -1)
		err(1, "KVM_SET_SREGS");
	if (ioctl(cpu->fd, KVM_SET_REGS, &regs) == -1)
		err(1, "KVM_SET_REGS");
}

static void
explain_failure(struct vcpu *cpu)
{
	struct kvm_run *run = cpu->run;
	struct kvm_regs regs;

	if (ioctl(cpu->fd, KVM_GET_REGS, &regs) == -1)
		memset(&regs, 0, sizeof(regs));
	switch (run->exit_reason) {
	case KVM_EXIT_SHUTDOWN:
		stop(1, "triple fault on CPU %d at %#jx", cpu->id,
		    (uintmax_t)regs.rip);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		stop(1, "CPU %d cannot enter the guest at %#jx: reason %#jx",
		    cpu->id, (uintmax_t)regs.rip, (uintmax_t)
		    run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		stop(1, "KVM gave up on CPU %d at %#jx: error %u, %#jx %#jx",
		    cpu->id, (uintmax_t)regs.rip, run->internal.suberror,
		    (uintmax_t)run->internal.data[0],
		    (uintmax_t)run->internal.data[1]);
		break;
	default:
		stop(1, "CPU %d at %#jx: unexpected exit %u", cpu->id,
		    (uintmax_t)regs.rip, run->exit_reason);
	}
}

/* Run until the machine is stopped: a vCPU's thread. */
void *
vcpu_run(void *arg)
{
	struct vcpu *cpu = arg;
	struct kvm_run *run = cpu->run;
	uint8_t *data;
	uint32_t i;

	while (!run->immediate_exit) {
		if (ioctl(cpu->fd, KVM_RUN, 0) == -1) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			stop(1, "CPU %d: %s", cpu->id, strerror(errno));
			break;
		}
		cpu->exits[run->exit_reason % MAX_EXIT]++;
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			data = (uint8_t *)run + run->io.data_offset;
			for (i = 0; i < run->io.count; i++)
				port_access(cpu->vm, run->io.port,
				    run->io.direction == KVM_EXIT_IO_OUT,
				    data + i * run->io.size, run->io.size);
			break;
		case KVM_EXIT_MMIO:
			/* Nothing is there: what floats reads as ones. */
			if (!run->mmio.is_write)
				memset(run->mmio.data, 0xff, run->mmio.len);
			break;
		default:
			explain_failure(cpu);
			return (NULL);
		}
	}
	return (NULL);
}
