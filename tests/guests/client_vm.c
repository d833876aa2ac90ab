/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * /dev/kvm, and virtual machines with what their guests need in memory.
 */
#include <sys/mman.h>

#include <cpuid.h>
#include <fcntl.h>
#include <unistd.h>

#define	CLIENT_LIBRARY
#include "client.h"

/* The guests' code, linked to run at IMAGE: see image.S. */
extern const uint8_t image[], image_end[];

int
kvm(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = SYS(open("/dev/kvm", O_RDWR | O_CLOEXEC));
	return (fd);
}

int
has(int capability)
{

	return (SYS(ioctl(kvm(), KVM_CHECK_EXTENSION, (long)capability)));
}

void
need(int capability, const char *name)
{

	if (!has(capability))
		skip("no %s", name);
}

struct cpuid
supported_cpuid(void)
{
	struct cpuid cpuid = { .head.nent = nitems(cpuid.entries) };

	SYS(ioctl(kvm(), KVM_GET_SUPPORTED_CPUID, &cpuid));
	return (cpuid);
}

/* QEMU's own processor; it has faults that Bochs and hardware do not have. */
bool
on_tcg(void)
{
	char vendor[13] = "";
	uint32_t eax, ebx, ecx, edx;

	__cpuid(0x40000000, eax, ebx, ecx, edx);
	memcpy(vendor, &ebx, 4);
	memcpy(vendor + 4, &ecx, 4);
	memcpy(vendor + 8, &edx, 4);
	return (strcmp(vendor, "TCGTCGTCGTCG") == 0);
}

void *
pages(size_t size)
{

	return (SYS(mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_PRIVATE, -1, 0)));
}

int
vm_slot(struct vm *vm, unsigned int slot, unsigned int flags, uint64_t gpa,
    uint64_t size, void *from)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)from,
	};

	return (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region));
}

/* Page tables, descriptors and handlers for the modes below. */
static void
furnish(struct vm *vm)
{
	static const uint64_t gdt[] = {
		[SEL_CODE64 / 8] = 0x00af9b000000ffff,
		[SEL_DATA / 8] = 0x00cf93000000ffff,
		[SEL_CODE32 / 8] = 0x00cf9b000000ffff,
		[SEL_CODE16 / 8] = 0x00009b000000ffff,
		[SEL_DATA16 / 8] = 0x000093000000ffff,
		[SEL_TSS / 8] = 0x0000890000000067 | (uint64_t)TSS << 16,
		[SEL_TSS / 8 + 1] = 0,
	};
	uint64_t i;

	memcpy(vm->mem + IMAGE, image, image_end - image);
	memcpy(vm->mem + GDT, gdt, sizeof(gdt));
	MEM64(vm, PML4) = PDPT | 7;
	for (i = 0; i < 4; i++)
		MEM64(vm, PDPT + i * 8) = (PAGE_DIRS + i * 4096) | 7;
	for (i = 0; i < 2048; i++)
		MEM64(vm, PAGE_DIRS + i * 8) = i << 21 | 0x87;
	for (i = 0; i < 1024; i++)
		MEM32(vm, PAGE_DIR32 + i * 4) = i << 22 | 0x87;
}

void
vm_open(struct vm *vm, int flags)
{
	struct kvm_pit_config pit = { 0 };

	vm->fd = SYS(ioctl(kvm(), KVM_CREATE_VM, 0));
	if (flags & (VM_IRQCHIP | VM_PIT))
		SYS(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0));
	if (flags & VM_PIT)
		SYS(ioctl(vm->fd, KVM_CREATE_PIT2, &pit));
	/* VMX keeps what it needs for real mode here. */
	SYS(ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000l));
	vm->mem = pages(MEMORY);
	furnish(vm);
	SYS(vm_slot(vm, 0, flags & VM_LOG ? KVM_MEM_LOG_DIRTY_PAGES : 0, 0,
	    MEMORY, vm->mem));
}

void
vm_close(struct vm *vm)
{

	SYS(close(vm->fd));
	SYS(munmap(vm->mem, MEMORY));
}
