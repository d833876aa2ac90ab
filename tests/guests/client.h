/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the clients here share: virtual machines of one memory slot, vCPUs in
 * a mode of the processor, and cases that pass, fail or are skipped.
 *
 * A case runs in a process of its own.  CHECK() and its kin end it at the first
 * thing that is not as it should be, and say what.  The library itself is in
 * client_*.c.
 */
#ifndef _CLIENT_H_
#define	_CLIENT_H_

#include <sys/param.h>
#include <sys/ioctl.h>
#include <sys/linker_set.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <linux/kvm.h>

#include "guest.h"

/* --- cases -------------------------------------------------------------- */

struct test_case {
	const char	*name;		/* subject.what */
	void		(*run)(void);
};

#define	CASE(subject, what)						\
	static void case_##subject##_##what(void);			\
	static struct test_case entry_##subject##_##what = {		\
		#subject "." #what, case_##subject##_##what		\
	};								\
	DATA_SET(cases, entry_##subject##_##what);			\
	static void							\
	case_##subject##_##what(void)

void	fail(int line, const char *fmt, ...) __dead2 __printflike(2, 3);
void	skip(const char *fmt, ...) __dead2 __printflike(1, 2);
void	note(const char *fmt, ...) __printflike(1, 2);

/*
 * Functions of the library that can fail a case are called through HERE, which
 * notes where for the message.
 */
extern int case_line;
#define	HERE	(void)(case_line = __LINE__)
#ifdef CLIENT_LIBRARY
#define	FAIL(...)	fail(case_line, __VA_ARGS__)
#else
#define	FAIL(...)	fail(__LINE__, __VA_ARGS__)
#endif
#define	CHECK(x) do {							\
	if (!(x))							\
		FAIL("not so: %s", #x);					\
} while (0)
#define	EQUAL(a, b) do {						\
	uint64_t a_ = (uint64_t)(a), b_ = (uint64_t)(b);		\
									\
	if (a_ != b_)							\
		FAIL("%s is %#jx, not %#jx", #a, (uintmax_t)a_,		\
		    (uintmax_t)b_);					\
} while (0)
/* A system call that must work; its value. */
#define	SYS(x) ({							\
	__typeof__(x) r_ = (x);						\
									\
	if ((intptr_t)r_ == -1)						\
		FAIL("%s: %s", #x, strerror(errno));			\
	r_;								\
})
/* One that must not. */
#define	REFUSED(x, error) do {						\
	errno = 0;							\
	if ((intptr_t)(x) != -1)					\
		FAIL("not refused: %s", #x);				\
	if (errno != (error))						\
		FAIL("%s: %s, not %s", #x, strerror(errno), #error);	\
} while (0)

/* --- virtual machines --------------------------------------------------- */

struct vm {
	int		fd;
	uint8_t		*mem;		/* slot 0 */
};

struct vcpu {
	int		fd;
	int		id;
	struct kvm_run	*run;
	struct vm	*vm;
};

/* What vectors.S leaves at FAULT when a guest takes an exception. */
struct fault {
	uint64_t	vector, error, rip, cr2;
};

#define	VM_IRQCHIP	1	/* PICs, I/O APIC and local APICs in the kernel */
#define	VM_PIT		2	/* and the timer */
#define	VM_LOG		4	/* slot 0 logs dirty pages */

int	kvm(void);			/* descriptor of /dev/kvm */
int	has(int capability);		/* KVM_CHECK_EXTENSION of /dev/kvm */
void	need(int capability, const char *name);
#define	NEED(cap)	need(cap, #cap)

struct cpuid {
	struct kvm_cpuid2	head;
	struct kvm_cpuid_entry2	entries[256];
};
struct cpuid supported_cpuid(void);	/* all that KVM can give a guest */

bool	on_tcg(void);

void	vm_open(struct vm *vm, int flags);
void	vm_close(struct vm *vm);
int	vm_slot(struct vm *vm, unsigned int slot, unsigned int flags,
	    uint64_t gpa, uint64_t size, void *from);
void	*pages(size_t size);		/* anonymous memory for a slot */
#define	MEM8(vm, gpa)	(*(volatile uint8_t *)((vm)->mem + (gpa)))
#define	MEM16(vm, gpa)	(*(volatile uint16_t *)((vm)->mem + (gpa)))
#define	MEM32(vm, gpa)	(*(volatile uint32_t *)((vm)->mem + (gpa)))
#define	MEM64(vm, gpa)	(*(volatile uint64_t *)((vm)->mem + (gpa)))
#define	FAULT_OF(vm)	((struct fault *)((vm)->mem + FAULT))

/* --- vCPUs -------------------------------------------------------------- */

/* Symbols of the guests' image are addresses in the guest. */
typedef const char guest_code[];

void	vcpu_open(struct vcpu *vcpu, struct vm *vm, int id);
void	vcpu_close(struct vcpu *vcpu);
void	real_mode(struct vcpu *vcpu, guest_code entry);
void	protected_mode(struct vcpu *vcpu, guest_code entry);
void	long_mode(struct vcpu *vcpu, guest_code entry);
void	vcpu_start(struct vcpu *vcpu, guest_code entry);	/* mode as it is */
void	gate(struct vm *vm, int vector, guest_code handler);	/* long mode */
void	real_gate(struct vm *vm, int vector, guest_code handler);

void	args(struct vcpu *vcpu, uint64_t rdi, uint64_t rsi, uint64_t rdx);

struct kvm_regs regs_of(struct vcpu *vcpu);
struct kvm_sregs sregs_of(struct vcpu *vcpu);
uint64_t msr_of(struct vcpu *vcpu, uint32_t index);
int	msr_set(struct vcpu *vcpu, uint32_t index, uint64_t value);

unsigned int vcpu_run(struct vcpu *vcpu);	/* to the next exit: its reason */
uint32_t run_to_out(struct vcpu *vcpu, int port);	/* value written */
uint32_t run_to_fault(struct vcpu *vcpu, int vector);	/* its error code */
void	run_to(struct vcpu *vcpu, unsigned int reason);
#define	vcpu_run(vcpu)			(HERE, vcpu_run(vcpu))
#define	run_to_out(vcpu, port)		(HERE, run_to_out(vcpu, port))
#define	run_to_fault(vcpu, vector)	(HERE, run_to_fault(vcpu, vector))
#define	run_to(vcpu, reason)		(HERE, run_to(vcpu, reason))
const char *describe(struct vcpu *vcpu);	/* the exit just taken */

/* A thread for a vCPU; kick() ends its KVM_RUN with EINTR. */
pthread_t thread(void *(*run)(void *), void *arg);
void	kick(pthread_t thread);
void	join(pthread_t thread);

#endif /* !_CLIENT_H_ */
