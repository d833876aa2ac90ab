/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine: memory, interrupt controllers and timer of KVM.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <err.h>
#include <fcntl.h>
#include <string.h>

#include "kvmboot.h"

/* Three pages that Intel's processors want for real mode, below the APICs. */
#define	TSS_ADDRESS	0xfffbd000
#define	IDENTITY_MAP	0xfffbc000

void
vm_create(struct vm *vm, uint64_t size, int ncpus)
{
	struct kvm_userspace_memory_region slot = { .memory_size = size };
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity_map = IDENTITY_MAP;
	int i, version;

	if ((vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC)) == -1)
		err(1, "/dev/kvm");
	version = ioctl(vm->kvm, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION)
		errx(1, "KVM's interface is version %d, not %d", version,
		    KVM_API_VERSION);
	if ((vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0)) == -1)
		err(1, "creating a virtual machine");
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDRESS) == -1 ||
	    ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) == -1 ||
	    ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) == -1 ||
	    ioctl(vm->fd, KVM_CREATE_PIT2, &pit) == -1)
		err(1, "creating the interrupt controllers and the timer");

	vm->size = size;
	vm->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	if (vm->memory == MAP_FAILED)
		err(1, "guest memory");
	slot.userspace_addr = (uintptr_t)vm->memory;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot) == -1)
		err(1, "guest memory");
	vm->ncpus = ncpus;
	for (i = 0; i < ncpus; i++)
		vcpu_create(vm, i);
}

/* Where a part of guest memory is; ends the program if there is no such part. */
void *
vm_at(struct vm *vm, uint64_t address, uint64_t length)
{

	if (address > vm->size || length > vm->size - address)
		errx(1, "the guest needs more memory: %ju MB are not enough",
		    (uintmax_t)(vm->size / MIB));
	return (vm->memory + address);
}

/* Write the memory map that guests are to see; returns the number of entries. */
int
vm_memory_map(const struct vm *vm, struct range *map)
{

	map[0] = (struct range){ 0, GUEST_EBDA, 1 };
	map[1] = (struct range){ GUEST_EBDA, GUEST_HIGH - GUEST_EBDA, 2 };
	map[2] = (struct range){ GUEST_HIGH, vm->size - GUEST_HIGH, 1 };
	return (3);
}

void
vm_irq(struct vm *vm, int irq, bool level)
{
	struct kvm_irq_level line = { .irq = irq, .level = level };

	if (ioctl(vm->fd, KVM_IRQ_LINE, &line) == -1)
		err(1, "interrupt %d", irq);
}
