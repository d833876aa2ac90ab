/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * No wake-up of KVM_RUN is lost: a vCPU that sleeps or is about to is woken in
 * each way that there is, thousands of times, by somebody who waits for the
 * effect before the next one and gives no second push.
 */
#include <sys/eventfd.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

#define	TIMES		2000
#define	SECONDS		30	/* until a wake-up counts as lost */
#define	IRQ		5
#define	IRQ_VECTOR	13	/* of the PIC's IRQ 5, as the guest sets it */
#define	APIC_VECTOR	0x40

/* So that a wake-up meets the vCPU at another moment each time. */
static void
wait_a_little(void)
{
	volatile int n;

	for (n = random() % 3000; n > 0; n--)
		;
}

static bool
in_time(time_t start)
{

	sched_yield();
	return (time(NULL) - start < SECONDS);
}

/* The guest's counter moves, without anybody's help; what: for the message. */
static void
await_step(struct vm *vm, uint16_t before, const char *what, int n)
{
	time_t start = time(NULL);

	while (MEM16(vm, DATA) == before)
		if (!in_time(start))
			FAIL("%s %d did not wake the guest", what, n);
}

static void
by_interrupt(const char *what, void (*post)(struct vm *, int), int fd)
{
	struct runner r;
	struct vm *vm, machine;
	uint16_t before;
	int i;

	vm = &machine;
	vm_open(vm, VM_IRQCHIP);
	if (fd >= 0) {
		struct kvm_irqfd irqfd = { .fd = fd, .gsi = IRQ };

		SYS(ioctl(vm->fd, KVM_IRQFD, &irqfd));
	}
	real_gate(vm, IRQ_VECTOR, pic_irq);
	start_runner(&r, vm, 0, pic);
	await_step(vm, 0, "the start", 0);
	for (i = 0; i < TIMES; i++) {
		before = MEM16(vm, DATA);
		post(vm, fd);
		await_step(vm, before, what, i);
		wait_a_little();
	}
	EQUAL(MEM16(vm, DATA), TIMES + 1);
	end_runner(&r);
	vm_close(vm);
}

static void
raise_line(struct vm *vm, int fd __unused)
{
	struct kvm_irq_level line = { .irq = IRQ, .level = 1 };

	SYS(ioctl(vm->fd, KVM_IRQ_LINE, &line));
	line.level = 0;
	SYS(ioctl(vm->fd, KVM_IRQ_LINE, &line));
}

CASE(wake, by_interrupt_line)
{

	by_interrupt("line", raise_line, -1);
}

static void
write_event(struct vm *vm __unused, int fd)
{
	uint64_t one = 1;

	EQUAL(write(fd, &one, sizeof(one)), sizeof(one));
}

CASE(wake, by_irqfd)
{

	by_interrupt("event", write_event, SYS(eventfd(0, EFD_NONBLOCK)));
}

static void
start_long(struct runner *r, struct vm *vm, int id, guest_code entry,
    uint64_t rdi, uint64_t rsi)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };

	vcpu_open(&r->vcpu, vm, id);
	long_mode(&r->vcpu, entry);
	args(&r->vcpu, rdi, rsi, 0);
	SYS(ioctl(r->vcpu.fd, KVM_SET_MP_STATE, &runnable));
}

/* The guest's own timer, which ends before, while and after it goes to sleep. */
CASE(wake, by_timer)
{
	struct runner r;
	struct vm vm;
	int i;

	vm_open(&vm, VM_IRQCHIP);
	start_long(&r, &vm, 0, timer, 0, 0);
	gate(&vm, APIC_VECTOR, apic_irq);
	restart_runner(&r);
	for (i = 0; i < TIMES; i++)
		await_step(&vm, MEM16(&vm, DATA), "tick", i);
	end_runner(&r);
	vm_close(&vm);
}

/* Two vCPUs wake each other, so that one of them sleeps at any time. */
CASE(wake, by_another_vcpu)
{
	struct runner r[2];
	struct vm vm;
	int i;

	vm_open(&vm, VM_IRQCHIP);
	for (i = 0; i < 2; i++)
		start_long(&r[i], &vm, i, ping, i, !i);
	gate(&vm, APIC_VECTOR, apic_irq);
	for (i = 0; i < 2; i++)
		restart_runner(&r[i]);
	for (i = 0; i < TIMES; i++)
		await_step(&vm, MEM16(&vm, DATA), "ping", i);
	for (i = 0; i < 2; i++)
		end_runner(&r[i]);
	vm_close(&vm);
}

/* --- signals ------------------------------------------------------------ */

static struct vcpu kicked_vcpu;
static atomic_uint taken;		/* signals that have ended a KVM_RUN */
static atomic_bool enough;
static bool masked;

/* As QEMU does it: what comes before KVM_RUN makes KVM_RUN end at once. */
static void
leave_at_once(int sig __unused)
{

	kicked_vcpu.run->immediate_exit = 1;
}

static void *
run_and_count(void *arg __unused)
{
	struct timespec now = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	while (!enough) {
		REFUSED(ioctl(kicked_vcpu.fd, KVM_RUN, 0), EINTR);
		if (masked && sigtimedwait(&set, NULL, &now) != SIGUSR1)
			continue;
		if (!masked && kicked_vcpu.run->immediate_exit == 0)
			FAIL("KVM_RUN ended without a signal");
		kicked_vcpu.run->immediate_exit = 0;
		atomic_fetch_add(&taken, 1);
	}
	return (NULL);
}

static void
by_signal(guest_code guest, bool with_mask)
{
	struct {
		struct kvm_signal_mask	head;
		uint8_t			set[8];
	} none = { .head.len = 8 };
	struct sigaction sa = { .sa_handler = leave_at_once };
	sigset_t set;
	pthread_t runner;
	struct vm vm;
	unsigned int before;
	time_t start;
	int i;

	masked = with_mask;
	vm_open(&vm, VM_IRQCHIP);
	vcpu_open(&kicked_vcpu, &vm, 0);
	real_mode(&kicked_vcpu, guest);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (with_mask) {
		SYS(sigprocmask(SIG_BLOCK, &set, NULL));	/* threads inherit it */
		SYS(ioctl(kicked_vcpu.fd, KVM_SET_SIGNAL_MASK, &none));
	}
	SYS(sigaction(SIGUSR1, &sa, NULL));
	CHECK(pthread_create(&runner, NULL, run_and_count, NULL) == 0);
	for (i = 0; i < TIMES; i++) {
		before = taken;
		enough = i == TIMES - 1;
		CHECK(pthread_kill(runner, SIGUSR1) == 0);
		for (start = time(NULL); taken == before;)
			if (!in_time(start))
				FAIL("signal %d did not end KVM_RUN", i);
		wait_a_little();
	}
	CHECK(pthread_join(runner, NULL) == 0);
	EQUAL(taken, TIMES);
	vcpu_close(&kicked_vcpu);
	vm_close(&vm);
}

CASE(wake, by_signal_while_halted)
{

	by_signal(halt, false);
}

CASE(wake, by_signal_while_running)
{

	by_signal(count, false);
}

CASE(wake, by_masked_signal_while_halted)
{

	by_signal(halt, true);
}

CASE(wake, by_masked_signal_while_running)
{

	by_signal(count, true);
}
