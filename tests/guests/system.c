/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptors and what they answer, before any guest runs.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"

CASE(system, version)
{

	EQUAL(ioctl(kvm(), KVM_GET_API_VERSION, 0), KVM_API_VERSION);
	REFUSED(ioctl(kvm(), KVM_GET_API_VERSION, 1), EINVAL);
}

CASE(system, capabilities)
{
	struct vm vm;

	CHECK(has(KVM_CAP_USER_MEMORY));
	CHECK(has(KVM_CAP_IRQCHIP));
	CHECK(has(KVM_CAP_NR_MEMSLOTS) >= 509);
	CHECK(has(KVM_CAP_MAX_VCPUS) >= has(KVM_CAP_NR_VCPUS));
	EQUAL(has(0x7fff), 0);
	vm_open(&vm, 0);
	EQUAL(ioctl(vm.fd, KVM_CHECK_EXTENSION, (long)KVM_CAP_NR_MEMSLOTS),
	    has(KVM_CAP_NR_MEMSLOTS));
	vm_close(&vm);
}

/* Each kind of descriptor knows its own commands only. */
CASE(system, wrong_descriptor)
{
	struct vm vm;
	struct vcpu vcpu;

	REFUSED(ioctl(kvm(), KVM_RUN, 0), ENOTTY);
	REFUSED(ioctl(kvm(), KVM_CREATE_VCPU, 0), ENOTTY);
	vm_open(&vm, 0);
	REFUSED(ioctl(vm.fd, KVM_RUN, 0), ENOTTY);
	REFUSED(ioctl(vm.fd, KVM_CREATE_VM, 0), ENOTTY);
	REFUSED(ioctl(vm.fd, _IO(KVMIO, 0xff), 0), ENOTTY);
	vcpu_open(&vcpu, &vm, 0);
	REFUSED(ioctl(vcpu.fd, KVM_CREATE_VCPU, 1), ENOTTY);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

CASE(system, bad_arguments)
{
	struct vm vm;
	struct vcpu vcpu;

	REFUSED(ioctl(kvm(), KVM_CREATE_VM, 0xff), EINVAL);
	vm_open(&vm, 0);
	REFUSED(ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, NULL), EFAULT);
	REFUSED(ioctl(vm.fd, KVM_CREATE_VCPU, -1l), EINVAL);
	vcpu_open(&vcpu, &vm, 0);
	REFUSED(ioctl(vm.fd, KVM_CREATE_VCPU, 0), EEXIST);
	REFUSED(ioctl(vcpu.fd, KVM_SET_REGS, (void *)-4096l), EFAULT);
	REFUSED(ioctl(vcpu.fd, KVM_RUN, 1), EINVAL);
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* kvm_run can be mapped, and mapped again; nothing lies behind its pages. */
CASE(system, kvm_run)
{
	struct kvm_run *again;
	volatile uint8_t *behind;
	struct vcpu vcpu;
	struct vm vm;
	size_t size;
	pid_t pid;
	int status;

	size = SYS(ioctl(kvm(), KVM_GET_VCPU_MMAP_SIZE, 0));
	CHECK(size >= sizeof(struct kvm_run) && size % 4096 == 0);
	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	again = SYS(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    vcpu.fd, 0));
	vcpu.run->immediate_exit = 5;
	EQUAL(again->immediate_exit, 5);
	SYS(munmap(again, size));
	behind = SYS(mmap(NULL, 4096, PROT_READ, MAP_SHARED, vcpu.fd,
	    1l << 30));
	pid = SYS(fork());
	if (pid == 0)
		_exit(*behind);
	SYS(waitpid(pid, &status, 0));
	EQUAL(status & 0x7f, SIGBUS);
	SYS(munmap((void *)(uintptr_t)behind, 4096));
	vcpu_close(&vcpu);
	vm_close(&vm);
}

/* The VM lives as long as one of its descriptors or mappings does. */
CASE(system, close_order)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&vcpu, &vm, 0);
	SYS(close(vm.fd));
	CHECK(regs_of(&vcpu).rflags & 2);
	SYS(close(vcpu.fd));
	vcpu.run->immediate_exit = 1;
	EQUAL(vcpu.run->immediate_exit, 1);
}

/* A child would share pages that KVM holds, then part with the guest's. */
CASE(system, fork)
{
	struct vm vm;
	pid_t pid;
	int status;

	vm_open(&vm, 0);
	pid = SYS(fork());
	if (pid == 0)
		_exit(MEM8(&vm, 0));
	SYS(waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	vm_close(&vm);
}

/* The ioctls of a VM are for the process that made it. */
CASE(system, other_process)
{
	struct vcpu vcpu;
	struct vm vm;
	pid_t pid;
	int status;

	vm_open(&vm, 0);
	vcpu_open(&vcpu, &vm, 0);
	pid = SYS(fork());
	if (pid == 0) {
		REFUSED(ioctl(vm.fd, KVM_CREATE_VCPU, 1), EIO);
		REFUSED(ioctl(vcpu.fd, KVM_RUN, 0), EIO);
		_exit(0);
	}
	SYS(waitpid(pid, &status, 0));
	EQUAL(status, 0);
	vcpu_close(&vcpu);
	vm_close(&vm);
}
