/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The whole state of a running VM goes to a new one, again and again; the
 * guest does not notice.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"

extern guest_code migrate_work, migrate_tick;

#define	MAX_VCPUS	2
#define	MAX_MSRS	256
#define	HOPS		8
#define	ROUNDS		400000

struct vcpu_state {
	struct kvm_regs		regs;
	struct kvm_sregs	sregs;
	struct kvm_xsave	xsave;
	struct kvm_xcrs		xcrs;
	struct kvm_debugregs	debugregs;
	struct kvm_lapic_state	lapic;
	struct kvm_mp_state	mp_state;
	struct kvm_vcpu_events	events;
	struct {
		struct kvm_msrs		head;
		struct kvm_msr_entry	entry[MAX_MSRS];
	} msrs;
};

struct vm_state {
	struct kvm_irqchip	chip[KVM_NR_IRQCHIPS];
	struct kvm_pit_state2	pit;
	struct kvm_clock_data	clock;
	struct vcpu_state	vcpu[MAX_VCPUS];
};

struct guest {
	struct vm	vm;
	struct vcpu	vcpu[MAX_VCPUS];
	int		n;
};

/* All MSRs of KVM's list. */
static void
list_msrs(struct vcpu_state *s)
{
	struct {
		struct kvm_msr_list	head;
		uint32_t		index[MAX_MSRS];
	} list = { .head.nmsrs = MAX_MSRS };
	uint32_t i;

	SYS(ioctl(kvm(), KVM_GET_MSR_INDEX_LIST, &list));
	s->msrs.head.nmsrs = list.head.nmsrs;
	for (i = 0; i < list.head.nmsrs; i++)
		s->msrs.entry[i].index = list.index[i];
}

static void
save(struct guest *g, struct vm_state *s)
{
	struct vcpu_state *v;
	int fd, i;

	for (i = 0; i < g->n; i++) {
		fd = g->vcpu[i].fd;
		v = &s->vcpu[i];
		list_msrs(v);
		SYS(ioctl(fd, KVM_GET_MP_STATE, &v->mp_state));
		SYS(ioctl(fd, KVM_GET_REGS, &v->regs));
		SYS(ioctl(fd, KVM_GET_SREGS, &v->sregs));
		SYS(ioctl(fd, KVM_GET_XSAVE, &v->xsave));
		if (has(KVM_CAP_XCRS))
			SYS(ioctl(fd, KVM_GET_XCRS, &v->xcrs));
		SYS(ioctl(fd, KVM_GET_DEBUGREGS, &v->debugregs));
		EQUAL(SYS(ioctl(fd, KVM_GET_MSRS, &v->msrs)),
		    v->msrs.head.nmsrs);
		SYS(ioctl(fd, KVM_GET_VCPU_EVENTS, &v->events));
		SYS(ioctl(fd, KVM_GET_LAPIC, &v->lapic));
	}
	for (i = 0; i < KVM_NR_IRQCHIPS; i++) {
		s->chip[i].chip_id = i;
		SYS(ioctl(g->vm.fd, KVM_GET_IRQCHIP, &s->chip[i]));
	}
	SYS(ioctl(g->vm.fd, KVM_GET_PIT2, &s->pit));
	SYS(ioctl(g->vm.fd, KVM_GET_CLOCK, &s->clock));
}

/* KVM may refuse to set one; then it must be as it was anyway. */
static void
restore_msrs(struct vcpu *vcpu, const struct vcpu_state *v)
{
	const struct kvm_msr_entry *msr;
	uint32_t i;

	for (i = 0; i < v->msrs.head.nmsrs; i++) {
		msr = &v->msrs.entry[i];
		if (msr_set(vcpu, msr->index, msr->data) == 1)
			continue;
		if (msr_of(vcpu, msr->index) != msr->data)
			FAIL("MSR %#x is lost", msr->index);
	}
}

static void
restore(struct guest *g, struct vm_state *s)
{
	struct vcpu_state *v;
	int fd, i;

	s->clock.flags = 0;
	SYS(ioctl(g->vm.fd, KVM_SET_CLOCK, &s->clock));
	SYS(ioctl(g->vm.fd, KVM_SET_PIT2, &s->pit));
	for (i = 0; i < KVM_NR_IRQCHIPS; i++)
		SYS(ioctl(g->vm.fd, KVM_SET_IRQCHIP, &s->chip[i]));
	for (i = 0; i < g->n; i++) {
		fd = g->vcpu[i].fd;
		v = &s->vcpu[i];
		SYS(ioctl(fd, KVM_SET_SREGS, &v->sregs));
		SYS(ioctl(fd, KVM_SET_REGS, &v->regs));
		if (has(KVM_CAP_XCRS))
			SYS(ioctl(fd, KVM_SET_XCRS, &v->xcrs));
		SYS(ioctl(fd, KVM_SET_XSAVE, &v->xsave));
		restore_msrs(&g->vcpu[i], v);
		SYS(ioctl(fd, KVM_SET_LAPIC, &v->lapic));
		SYS(ioctl(fd, KVM_SET_DEBUGREGS, &v->debugregs));
		SYS(ioctl(fd, KVM_SET_VCPU_EVENTS, &v->events));
		SYS(ioctl(fd, KVM_SET_MP_STATE, &v->mp_state));
	}
}

static void
guest_open(struct guest *g, int n)
{
	int i;

	g->n = n;
	vm_open(&g->vm, VM_PIT);
	for (i = 0; i < n; i++)
		vcpu_open(&g->vcpu[i], &g->vm, i);
}

static void
guest_close(struct guest *g)
{
	int i;

	for (i = 0; i < g->n; i++)
		vcpu_close(&g->vcpu[i]);
	vm_close(&g->vm);
}

static volatile int running, finished;

/* Until it is done, or kicked; then all I/O is completed. */
static void *
run_on(void *arg)
{
	struct vcpu *vcpu;
	int r;

	vcpu = arg;
	while ((r = ioctl(vcpu->fd, KVM_RUN, 0)) == 0) {
		if (vcpu->run->exit_reason != KVM_EXIT_IO ||
		    vcpu->run->io.port != PORT_DONE)
			FAIL("%s", describe(vcpu));
		__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
		break;
	}
	if (r == -1)
		CHECK(errno == EINTR);
	vcpu->run->immediate_exit = 1;
	REFUSED(ioctl(vcpu->fd, KVM_RUN, 0), EINTR);
	__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
	return (NULL);
}

/* One stretch of running, with or without an end. */
static void
run_some(struct guest *g, bool to_the_end)
{
	pthread_t threads[MAX_VCPUS];
	bool ended[MAX_VCPUS];
	int i;

	running = g->n;
	for (i = 0; i < g->n; i++) {
		g->vcpu[i].run->immediate_exit = 0;
		ended[i] = MEM32(&g->vm, DATA + i * 64 + 24) != 0;
		if (ended[i])
			__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
		else
			threads[i] = thread(run_on, &g->vcpu[i]);
	}
	if (!to_the_end) {
		usleep(20000);
		while (running > 0) {
			for (i = 0; i < g->n; i++)
				if (!ended[i])
					pthread_kill(threads[i], SIGUSR1);
			usleep(5000);
		}
	}
	for (i = 0; i < g->n; i++)
		if (!ended[i])
			join(threads[i]);
}

/*
 * The guest's work: a sum of integers in registers, one in XMM, one by x87, and
 * ticks of the local APIC's timer.
 */
static void
travel(int n)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct guest from, to;
	struct vm_state *s;
	int hop, i;

	s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	guest_open(&from, n);
	gate(&from.vm, 0x40, migrate_tick);
	for (i = 0; i < n; i++) {
		SYS(ioctl(from.vcpu[i].fd, KVM_SET_MP_STATE, &runnable));
		long_mode(&from.vcpu[i], migrate_work);
		args(&from.vcpu[i], ROUNDS, DATA + i * 64, 0);
	}
	for (hop = 0; hop < HOPS; hop++) {
		run_some(&from, false);
		save(&from, s);
		guest_open(&to, n);
		memcpy(to.vm.mem, from.vm.mem, MEMORY);
		restore(&to, s);
		guest_close(&from);
		from = to;
		for (i = 0; i < n; i++)
			from.vcpu[i].vm = &from.vm;
	}
	run_some(&from, true);
	EQUAL(finished, n);
	for (i = 0; i < n; i++) {
		EQUAL(MEM64(&from.vm, DATA + i * 64),
		    (uint64_t)ROUNDS * (ROUNDS + 1) / 2);
		EQUAL(MEM64(&from.vm, DATA + i * 64 + 8), 3 * ROUNDS);
		EQUAL(MEM64(&from.vm, DATA + i * 64 + 16), 5 * ROUNDS);
		CHECK(MEM32(&from.vm, DATA + i * 64 + 32) > 0);
	}
	guest_close(&from);
}

CASE(migrate, one_vcpu)
{

	travel(1);
}

CASE(migrate, two_vcpus)
{

	travel(2);
}

/* Halted, with the timer that is to wake it still running. */
CASE(migrate, halted)
{
	struct guest from, to;
	struct vm_state *s;

	s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	guest_open(&from, 1);
	gate(&from.vm, 0x40, migrate_tick);
	long_mode(&from.vcpu[0], migrate_work);
	args(&from.vcpu[0], 1, DATA, 0);
	run_to_out(&from.vcpu[0], PORT_DONE);
	/* After its work the guest halts, and is done again at the next tick. */
	from.vcpu[0].run->immediate_exit = 1;
	REFUSED(ioctl(from.vcpu[0].fd, KVM_RUN, 0), EINTR);
	save(&from, s);
	s->vcpu[0].mp_state.mp_state = KVM_MP_STATE_HALTED;
	guest_open(&to, 1);
	memcpy(to.vm.mem, from.vm.mem, MEMORY);
	restore(&to, s);
	guest_close(&from);
	run_to_out(&to.vcpu[0], PORT_DONE);
	CHECK(MEM32(&to.vm, DATA + 32) > 0);
	guest_close(&to);
}
