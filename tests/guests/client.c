/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The library that client.h describes, and main():
 *
 *	guests [-t seconds] [-x case:reason ...] [case ...]
 *
 * runs the cases whose names begin with an argument (or all) and prints one
 * line of TAP for each.  What -x names is skipped for the reason given.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cpuid.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"

#define	SKIPPED		77	/* exit status of a case */
#define	REASON		200

SET_DECLARE(cases, struct test_case);

/* The guests' code, linked to run at IMAGE: see image.S. */
extern const uint8_t image[], image_end[];
/* Stubs for the 32 exceptions, VECTOR_SIZE bytes each, in vectors.S. */
extern guest_code long_vectors, protected_vectors;
#define	VECTOR_SIZE	16

static char *reason;		/* shared with the process of a case */
int case_line;

/* --- cases -------------------------------------------------------------- */

void
fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (strcmp(file, __FILE__) == 0)
		printf("# line %d: ", case_line);
	else
		printf("# line %d: ", line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

void
skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, REASON, fmt, ap);
	va_end(ap);
	_exit(SKIPPED);
}

void
note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static bool
run_case(int number, const struct test_case *c, unsigned int seconds)
{
	pid_t pid;
	int status;

	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		alarm(seconds);
		c->run();
		fflush(stdout);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("# not over after %u seconds\n", seconds);
	else if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	if (status == 0) {
		printf("ok %d - %s\n", number, c->name);
		return (true);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
		printf("ok %d - %s # SKIP %s\n", number, c->name, reason);
		return (true);
	}
	printf("not ok %d - %s\n", number, c->name);
	return (false);
}

static bool
chosen(const struct test_case *c, char **names)
{

	if (*names == NULL)
		return (true);
	for (; *names != NULL; names++)
		if (strncmp(c->name, *names, strlen(*names)) == 0)
			return (true);
	return (false);
}

/* Why a case is left out, or NULL. */
static const char *
left_out(const struct test_case *c, char **out, int count)
{
	size_t length;
	int i;

	length = strlen(c->name);
	for (i = 0; i < count; i++)
		if (strncmp(out[i], c->name, length) == 0 &&
		    out[i][length] == ':')
			return (out[i] + length + 1);
	return (NULL);
}

int
main(int argc, char **argv)
{
	static const struct rlimit no_cores;
	struct test_case **c;
	char *out[argc];
	const char *why;
	unsigned int seconds;
	int bad, n, opt, outs;

	setrlimit(RLIMIT_CORE, &no_cores);
	seconds = 60;
	outs = 0;
	while ((opt = getopt(argc, argv, "t:x:")) != -1)
		if (opt == 't')
			seconds = atoi(optarg);
		else if (opt == 'x')
			out[outs++] = optarg;
		else
			errx(2, "usage: guests [-t seconds]"
			    " [-x case:reason ...] [case ...]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	reason = mmap(NULL, REASON, PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_SHARED, -1, 0);
	if (reason == MAP_FAILED)
		err(1, "mmap");
	bad = n = 0;
	SET_FOREACH(c, cases) {
		if (!chosen(*c, argv + optind))
			continue;
		why = left_out(*c, out, outs);
		if (why != NULL)
			printf("ok %d - %s # SKIP %s\n", ++n, (*c)->name, why);
		else if (!run_case(++n, *c, seconds))
			bad++;
	}
	printf("1..%d\n", n);
	return (bad != 0);
}

/* --- virtual machines --------------------------------------------------- */

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

/* --- vCPUs -------------------------------------------------------------- */

/* A vCPU has all the features that KVM supports. */
static void
set_cpuid(struct vcpu *vcpu)
{
	struct cpuid cpuid = supported_cpuid();
	uint32_t i;

	for (i = 0; i < cpuid.head.nent; i++)
		if (cpuid.entries[i].function == 1) {
			cpuid.entries[i].ebx &= 0xffffff;
			cpuid.entries[i].ebx |= vcpu->id << 24;
			/* KVM leaves these two to the client. */
			cpuid.entries[i].ecx |= 1 << 21;	/* x2APIC */
			if (has(KVM_CAP_TSC_DEADLINE_TIMER))
				cpuid.entries[i].ecx |= 1 << 24;
		}
	SYS(ioctl(vcpu->fd, KVM_SET_CPUID2, &cpuid));
}

void
vcpu_open(struct vcpu *vcpu, struct vm *vm, int id)
{
	size_t size;

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = SYS(ioctl(vm->fd, KVM_CREATE_VCPU, (long)id));
	size = SYS(ioctl(kvm(), KVM_GET_VCPU_MMAP_SIZE, 0));
	vcpu->run = SYS(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    vcpu->fd, 0));
	set_cpuid(vcpu);
}

void
vcpu_close(struct vcpu *vcpu)
{

	SYS(munmap(vcpu->run, SYS(ioctl(kvm(), KVM_GET_VCPU_MMAP_SIZE, 0))));
	SYS(close(vcpu->fd));
}

void
vcpu_start(struct vcpu *vcpu, guest_code entry)
{
	struct kvm_regs regs = {
		.rip = (uintptr_t)entry,
		.rsp = STACKS - vcpu->id * 1024,
		.rflags = 2,
	};

	SYS(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

void
real_mode(struct vcpu *vcpu, guest_code entry)
{
	struct kvm_sregs sregs;

	sregs = sregs_of(vcpu);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	SYS(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	vcpu_start(vcpu, entry);
}

static struct kvm_segment
segment(int selector, int type)
{

	return ((struct kvm_segment){
		.selector = selector, .type = type, .limit = 0xffffffff,
		.present = 1, .s = 1, .g = 1,
		.l = selector == SEL_CODE64, .db = selector != SEL_CODE64,
	});
}

static void
descriptors(struct kvm_sregs *sregs, int code)
{

	sregs->cs = segment(code, 11);
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss =
	    segment(SEL_DATA, 3);
	sregs->tr = (struct kvm_segment){ .selector = SEL_TSS, .type = 11,
	    .base = TSS, .limit = 0x67, .present = 1 };
	sregs->gdt = (struct kvm_dtable){ .base = GDT, .limit = 0x3f };
	sregs->idt.base = IDT;
	sregs->idt.limit = (code == SEL_CODE64 ? 16 : 8) * 256 - 1;
}

static void
gate64(struct vm *vm, int vector, uint64_t handler)
{

	MEM64(vm, IDT + vector * 16) = (handler & 0xffff) | SEL_CODE64 << 16 |
	    0x8eull << 40 | handler >> 16 << 48;
	MEM64(vm, IDT + vector * 16 + 8) = handler >> 32;
}

void
gate(struct vm *vm, int vector, guest_code handler)
{

	gate64(vm, vector, (uintptr_t)handler);
}

void
real_gate(struct vm *vm, int vector, guest_code handler)
{

	MEM32(vm, IVT + vector * 4) = (uintptr_t)handler;
}

void
protected_mode(struct vcpu *vcpu, guest_code entry)
{
	struct kvm_sregs sregs;
	uint64_t handler;
	int i;

	sregs = sregs_of(vcpu);
	descriptors(&sregs, SEL_CODE32);
	sregs.cr0 = 0x33;		/* PE, MP, ET, NE */
	SYS(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	for (i = 0; i < 32; i++) {
		handler = (uintptr_t)protected_vectors + i * VECTOR_SIZE;
		MEM64(vcpu->vm, IDT + i * 8) = (handler & 0xffff) |
		    SEL_CODE32 << 16 | 0x8eull << 40 | handler >> 16 << 48;
	}
	vcpu_start(vcpu, entry);
}

void
long_mode(struct vcpu *vcpu, guest_code entry)
{
	struct kvm_sregs sregs;
	int i;

	sregs = sregs_of(vcpu);
	descriptors(&sregs, SEL_CODE64);
	sregs.cr3 = PML4;
	sregs.cr4 = 0x620;		/* PAE, OSFXSR, OSXMMEXCPT */
	sregs.efer = 0x500;		/* LME, LMA */
	sregs.cr0 = 0x80000033;		/* PG, PE, MP, ET, NE */
	SYS(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	for (i = 0; i < 32; i++)
		gate64(vcpu->vm, i, (uintptr_t)long_vectors + i * VECTOR_SIZE);
	vcpu_start(vcpu, entry);
}

/* The arguments of a guest, in the registers of a C function's. */
void
args(struct vcpu *vcpu, uint64_t rdi, uint64_t rsi, uint64_t rdx)
{
	struct kvm_regs regs;

	regs = regs_of(vcpu);
	regs.rdi = rdi;
	regs.rsi = rsi;
	regs.rdx = rdx;
	SYS(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

struct kvm_regs
regs_of(struct vcpu *vcpu)
{
	struct kvm_regs regs;

	SYS(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	return (regs);
}

struct kvm_sregs
sregs_of(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;

	SYS(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	return (sregs);
}

struct one_msr {
	struct kvm_msrs		head;
	struct kvm_msr_entry	entry;
};

uint64_t
msr_of(struct vcpu *vcpu, uint32_t index)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry.index = index };

	if (SYS(ioctl(vcpu->fd, KVM_GET_MSRS, &msr)) != 1)
		FAIL("MSR %#x cannot be read", index);
	return (msr.entry.data);
}

/* Number of MSRs that were set: 1, or 0 when KVM refuses. */
int
msr_set(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct one_msr msr = {
		.head.nmsrs = 1, .entry.index = index, .entry.data = value
	};

	return (SYS(ioctl(vcpu->fd, KVM_SET_MSRS, &msr)));
}

/* --- running ------------------------------------------------------------ */

const char *
describe(struct vcpu *vcpu)
{
	static char text[200];
	struct kvm_run *run;
	struct kvm_regs regs;
	struct fault *f;

	run = vcpu->run;
	f = FAULT_OF(vcpu->vm);
	regs = regs_of(vcpu);
	if (run->exit_reason == KVM_EXIT_IO && run->io.port == PORT_FAULT)
		snprintf(text, sizeof(text),
		    "exception %ju, error %#jx, at %#jx, CR2 %#jx",
		    (uintmax_t)f->vector, (uintmax_t)f->error,
		    (uintmax_t)f->rip, (uintmax_t)f->cr2);
	else if (run->exit_reason == KVM_EXIT_IO)
		snprintf(text, sizeof(text), "I/O at port %#x, rip %#jx",
		    run->io.port, (uintmax_t)regs.rip);
	else if (run->exit_reason == KVM_EXIT_MMIO)
		snprintf(text, sizeof(text), "MMIO at %#jx, rip %#jx",
		    (uintmax_t)run->mmio.phys_addr, (uintmax_t)regs.rip);
	else if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		snprintf(text, sizeof(text), "internal error %u, rip %#jx",
		    run->internal.suberror, (uintmax_t)regs.rip);
	else
		snprintf(text, sizeof(text), "exit %u, rip %#jx",
		    run->exit_reason, (uintmax_t)regs.rip);
	return (text);
}

unsigned int
(vcpu_run)(struct vcpu *vcpu)
{

	/* EAGAIN: it has been started by another vCPU, and may run now. */
	while (ioctl(vcpu->fd, KVM_RUN, 0) == -1)
		if (errno != EAGAIN)
			FAIL("KVM_RUN: %s", strerror(errno));
	return (vcpu->run->exit_reason);
}

void
(run_to)(struct vcpu *vcpu, unsigned int reason)
{

	if ((vcpu_run)(vcpu) != reason)
		FAIL("%s, not exit %u", describe(vcpu), reason);
}

uint32_t
(run_to_out)(struct vcpu *vcpu, int port)
{
	struct kvm_run *run;
	uint32_t value;

	run = vcpu->run;
	if ((vcpu_run)(vcpu) != KVM_EXIT_IO || run->io.port != port ||
	    run->io.direction != KVM_EXIT_IO_OUT)
		FAIL("%s, not OUT to port %#x", describe(vcpu), port);
	value = 0;
	memcpy(&value, (uint8_t *)run + run->io.data_offset,
	    MIN(run->io.size, sizeof(value)));
	return (value);
}

uint32_t
(run_to_fault)(struct vcpu *vcpu, int vector)
{
	struct fault *f;

	f = FAULT_OF(vcpu->vm);
	(run_to_out)(vcpu, PORT_FAULT);
	if (f->vector != (uint64_t)vector)
		FAIL("%s, not exception %d", describe(vcpu), vector);
	return (f->error);
}

/* --- threads ------------------------------------------------------------ */

static void
kicked(int sig __unused)
{
}

pthread_t
thread(void *(*run)(void *), void *arg)
{
	struct sigaction sa = { .sa_handler = kicked };
	pthread_t new;

	SYS(sigaction(SIGUSR1, &sa, NULL));
	CHECK(pthread_create(&new, NULL, run, arg) == 0);
	return (new);
}

void
kick(pthread_t thread)
{

	CHECK(pthread_kill(thread, SIGUSR1) == 0);
}

void
join(pthread_t thread)
{

	CHECK(pthread_join(thread, NULL) == 0);
}
