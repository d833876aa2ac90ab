/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Machines as clients make and run them: VMs, slots, vCPUs, KVM_RUN.
 */
#include <sys/param.h>
#include <sys/mman.h>

#include <linux/kvm.h>
#include <stddef.h>

#include "fuzz.h"

void
op_create(struct worker *w)
{
	uint8_t *run;
	long fd;
	int at, vm;

	if (one_in(w, 3)) {
		fd = call(w, "KVM_CREATE_VM", any_fd(w, SYSTEM), KVM_CREATE_VM,
		    one_in(w, 20) ? odd_number(w) : 0);
		if (fd >= 0)
			take_fd(w, VM, fd);
		return;
	}
	vm = any_fd(w, VM);
	fd = call(w, "KVM_CREATE_VCPU", vm, KVM_CREATE_VCPU,
	    one_in(w, 10) ? odd_number(w) : below(w, 5));
	if (fd < 0)
		return;
	run = mmap(NULL, st.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	at = take_fd(w, VCPU, fd);
	run = atomic_exchange(&st.run[at], run == MAP_FAILED ? NULL : run);
	if (run != NULL)
		munmap(run, st.run_size);
}

void
op_memory(struct worker *w)
{
	struct kvm_userspace_memory_region2 r = { 0 };
	static const uint64_t gpas[] = {
		0, 0x100000, 0x200000, 0x400000, 0xfee00000, 0xfec00000,
		0xfffbc000, 0x100000000, 0xffffffff000, 0xffffffffff000,
	};

	r.slot = one_in(w, 20) ? odd_number(w) : below(w, 8);
	if (one_in(w, 6))
		r.slot |= 1 << 16;		/* SMM's address space */
	r.flags = one_in(w, 20) ? odd_number(w) : one_in(w, 2) ? 0 : below(w, 4);
	r.guest_phys_addr = one_in(w, 20) ? odd_number(w) : PICK(w, gpas);
	r.memory_size = one_in(w, 20) ? odd_number(w) : one_in(w, 3) ? 0 :
	    one_in(w, 3) ? below(w, ARENA / PAGE) * PAGE :
	    PICK(w, ((uint64_t[]){ PAGE, 0x200000, 0x400000, ARENA }));
	r.userspace_addr = one_in(w, 3) ? odd_address(w) : (uintptr_t)st.arena +
	    below(w, 4) * 0x200000;
	say(w, "slot %#x flags %#x gpa %#jx size %#jx hva %#jx", r.slot, r.flags,
	    (uintmax_t)r.guest_phys_addr, (uintmax_t)r.memory_size,
	    (uintmax_t)r.userspace_addr);
	if (one_in(w, 4))
		(void)call(w, "KVM_SET_USER_MEMORY_REGION2", any_fd(w, VM),
		    KVM_SET_USER_MEMORY_REGION2, (uintptr_t)&r);
	else
		(void)call(w, "KVM_SET_USER_MEMORY_REGION", any_fd(w, VM),
		    KVM_SET_USER_MEMORY_REGION, (uintptr_t)&r);
}

/* A machine as a client would make it, so that deeper code is reached. */
void
op_setup(struct worker *w)
{
	struct kvm_userspace_memory_region slot = {
		.memory_size = ARENA, .userspace_addr = (uintptr_t)st.arena,
	};
	struct kvm_pit_config pit = { 0 };
	union {
		struct kvm_cpuid2 list;
		uint8_t room[sizeof(struct kvm_cpuid2) +
		    128 * sizeof(struct kvm_cpuid_entry2)];
	} cpuid = { .list = { .nent = 128 } };
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	int at, i, n, vcpu, vm;
	uint8_t *run;

	vm = call(w, "KVM_CREATE_VM", any_fd(w, SYSTEM), KVM_CREATE_VM, 0);
	if (vm < 0)
		return;
	if (!one_in(w, 4))
		(void)call(w, "KVM_CREATE_IRQCHIP", vm, KVM_CREATE_IRQCHIP, 0);
	if (one_in(w, 2))
		(void)call(w, "KVM_CREATE_PIT2", vm, KVM_CREATE_PIT2,
		    (uintptr_t)&pit);
	if (one_in(w, 4))
		slot.flags = KVM_MEM_LOG_DIRTY_PAGES;
	(void)call(w, "slot 0", vm, KVM_SET_USER_MEMORY_REGION,
	    (uintptr_t)&slot);
	(void)call(w, "KVM_GET_SUPPORTED_CPUID", any_fd(w, SYSTEM),
	    KVM_GET_SUPPORTED_CPUID, (uintptr_t)&cpuid);
	for (i = 0, n = 1 + below(w, 2); i < n; i++) {
		vcpu = call(w, "KVM_CREATE_VCPU", vm, KVM_CREATE_VCPU, i);
		if (vcpu < 0)
			break;
		run = mmap(NULL, st.run_size, PROT_READ | PROT_WRITE,
		    MAP_SHARED, vcpu, 0);
		at = take_fd(w, VCPU, vcpu);
		run = atomic_exchange(&st.run[at], run == MAP_FAILED ? NULL : run);
		if (run != NULL)
			munmap(run, st.run_size);
		(void)call(w, "KVM_SET_CPUID2", vcpu, KVM_SET_CPUID2,
		    (uintptr_t)&cpuid);
		set_mode(w, vcpu);
		(void)call(w, "runnable", vcpu, KVM_SET_MP_STATE,
		    (uintptr_t)&runnable);
	}
	take_fd(w, VM, vm);
}

void
op_run(struct worker *w)
{
	struct kvm_run *run;
	int at, exits, fd;
	uint32_t reason;

	at = below(w, FDS);
	fd = st.fd[VCPU][at];
	if (fd < 0)
		at = 0, fd = any_fd(w, VCPU);
	if (one_in(w, 4))
		set_mode(w, fd);
	for (exits = 0; exits < 8; exits++) {
		w->can_recover = true;
		if (sigsetjmp(w->recover, 1) == 0) {
			run = (struct kvm_run *)st.run[at];
			if (run != NULL && one_in(w, 3))
				spoil(w, run, one_in(w, 2) ?
				    offsetof(struct kvm_run, padding) :
				    st.run_size);
			else if (run != NULL)
				run->immediate_exit = one_in(w, 10);
		}
		w->can_recover = false;
		atomic_fetch_add(&totals->runs, 1);
		if (call(w, "KVM_RUN", fd, KVM_RUN, 0) < 0)
			break;
		w->can_recover = true;
		if (sigsetjmp(w->recover, 1) == 0) {
			run = (struct kvm_run *)st.run[at];
			reason = run != NULL ? run->exit_reason : 0;
			atomic_fetch_add(&totals->reason[MIN(reason,
			    REASONS - 1)], 1);
			/* The answer to a read is anything. */
			if (run != NULL && one_in(w, 2))
				odd_bytes(w, run->mmio.data, 8);
		}
		w->can_recover = false;
	}
}
