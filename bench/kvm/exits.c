/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an exit costs, as the guest sees it: cycles of its time-stamp counter
 * for each kind of exit, and for each page when memory is touched for the
 * first time.  Runs on FreeBSD and on Linux alike:
 *
 *	exits [batches [kind]]
 *
 * prints one line for each kind: its name, the least and the median of the
 * batches.  Memory is filled once, as often as there are batches if that is
 * named as the only kind.  The guests are 32-bit code without paging.
 */
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#define	MAX_BATCHES	100
#define	CPUID_ENTRIES	256
#define	PAGE		4096ul
#define	SUPERPAGE	(2ul << 20)

/* Guest-physical addresses; the guests below know them, too. */
#define	CODE		0x1000
#define	IDT		0x3000
#define	RESULT		0x4000
#define	ACKS		0x4008
#define	STACKS		0x6000		/* CPU n: n pages above, grows down */
#define	LOW_SIZE	0x10000
#define	FILL		0x40000000	/* memory that is touched */
#define	FILL_SIZE	(512ul << 20)

#define	PORT_USER	0x10
#define	PORT_DONE	0x11
#define	VECTOR		0x40

#define	APIC_X2		0xc00		/* enable and x2APIC mode */
#define	MSR_X2APIC_SPIV	0x80f

#define	OK(x) do {							\
	if ((x) == -1)							\
		err(1, "%d: %s", __LINE__, #x);				\
} while (0)

/*
 * Each guest counts ESI down.  START keeps the time in EBP:EDI, END writes what
 * has passed and tells the client.
 */
__asm__(
"	.text\n"
"	.macro START\n"
"	rdtsc\n"
"	mov	%eax, %edi\n"
"	mov	%edx, %ebp\n"
"	.endm\n"
"	.macro END\n"
"	rdtsc\n"
"	sub	%edi, %eax\n"
"	sbb	%ebp, %edx\n"
"	mov	%eax, 0x4000\n"
"	mov	%edx, 0x4004\n"
"	out	%al, $0x11\n"
"	.endm\n"
"	.macro IPI to\n"			/* through x2APIC's ICR */
"	mov	$0x830, %ecx\n"
"	mov	$0x4040, %eax\n"
"	mov	$\\to, %edx\n"
"	wrmsr\n"
"	.endm\n"
"	.macro EOI\n"
"	mov	$0x80b, %ecx\n"
"	xor	%eax, %eax\n"
"	xor	%edx, %edx\n"
"	wrmsr\n"
"	.endm\n"
"	.code32\n"

"	.globl	guest_cpuid, guest_port, guest_mmio, guest_ipi\n"
"	.globl	guest_wake, guest_spin, guest_halt, guest_fill\n"
"	.globl	handler_count, handler_reply, guests_end\n"
"	.globl	loop_cpuid, loop_port, loop_mmio, loop_fill\n"	/* for profile.py */
"guest_cpuid:\n"
"	START\n"
"loop_cpuid:\n"
"1:	xor	%eax, %eax\n"
"	cpuid\n"
"	dec	%esi\n"
"	jnz	1b\n"
"	END\n"
"guest_port:\n"
"	START\n"
"loop_port:\n"
"1:	in	$0x10, %al\n"
"	dec	%esi\n"
"	jnz	1b\n"
"	END\n"
"guest_mmio:\n"
"	START\n"
"loop_mmio:\n"
"1:	mov	0xd0000000, %eax\n"
"	dec	%esi\n"
"	jnz	1b\n"
"	END\n"
/* To a CPU that runs; it is done when that has counted. */
"guest_ipi:\n"
"	START\n"
"1:	mov	0x4008, %ebx\n"
"	IPI	1\n"
"2:	pause\n"
"	cmp	0x4008, %ebx\n"
"	je	2b\n"
"	dec	%esi\n"
"	jnz	1b\n"
"	END\n"
/* To a CPU that sleeps, and sleep until it replies: two wake-ups. */
"guest_wake:\n"
"	START\n"
"1:	mov	0x400c, %ebx\n"
"	IPI	1\n"
"2:	cli\n"
"	cmp	0x400c, %ebx\n"
"	jne	3f\n"
"	sti\n"
"	hlt\n"
"	jmp	2b\n"
"3:	dec	%esi\n"
"	jnz	1b\n"
"	END\n"
/* The other CPU: running, sleeping. */
"guest_spin:\n"
"	sti\n"
"1:	pause\n"
"	jmp	1b\n"
"guest_halt:\n"
"	sti\n"
"	hlt\n"
"	jmp	guest_halt\n"
/* Touch ESI pages, each for the first time. */
"guest_fill:\n"
"	START\n"
"	mov	$0x40000000, %ebx\n"
"loop_fill:\n"
"1:	mov	%esi, (%ebx)\n"
"	add	$4096, %ebx\n"
"	dec	%esi\n"
"	jnz	1b\n"
"	END\n"
/*
 * Interrupt handlers of CPU 0 and 1 (which replies when EBP is not 0).  The
 * interrupt ends first: with the reply CPU 0 may be done, and CPU 1 is stopped
 * wherever it is.
 */
"handler_count:\n"
"	push	%eax\n"
"	push	%ecx\n"
"	push	%edx\n"
"	EOI\n"
"	incl	0x400c\n"
"	jmp	1f\n"
"handler_reply:\n"
"	push	%eax\n"
"	push	%ecx\n"
"	push	%edx\n"
"	EOI\n"
"	incl	0x4008\n"
"	test	%ebp, %ebp\n"
"	jz	1f\n"
"	IPI	0\n"
"1:	pop	%edx\n"
"	pop	%ecx\n"
"	pop	%eax\n"
"	iret\n"
"guests_end:\n"
"	.code64\n");

extern const uint8_t guest_cpuid[], guest_port[], guest_mmio[], guest_ipi[],
    guest_wake[], guest_spin[], guest_halt[], guest_fill[], handler_count[],
    handler_reply[], guests_end[];

static const struct kind {
	const char	*name;
	const uint8_t	*guest;
	const uint8_t	*other;		/* what the second CPU runs */
	uint32_t	 count;
	uint32_t	 events;	/* in each round */
} kinds[] = {
	{ "cpuid", guest_cpuid, NULL, 2000, 1 },
	{ "port", guest_port, NULL, 2000, 1 },
	{ "mmio", guest_mmio, NULL, 2000, 1 },
	{ "wake", guest_wake, guest_halt, 100, 2 },
	{ "ipi", guest_ipi, guest_spin, 100, 1 },
};

static const char *only;
static int kvm, vm, vcpus[2];
static struct kvm_run *runs[2];
static uint8_t *low;
static volatile bool stopping;

static bool
wanted(const char *name)
{

	return (only == NULL || strcmp(name, only) == 0);
}

static uint32_t
place(const uint8_t *code)
{

	return (CODE + (code - guest_cpuid));
}

static void
add_slot(int slot, uint64_t at, void *memory, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .guest_phys_addr = at, .memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	OK(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
}

static void *
anonymous(uint64_t size)
{
	void *p;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON,
	    -1, 0);
	if (p == MAP_FAILED)
		err(1, "%ju bytes", (uintmax_t)size);
	return (p);
}

static void
set_gate(const uint8_t *handler, int cpu)
{
	uint64_t *gate = (uint64_t *)(low + IDT + cpu * 0x800 + VECTOR * 8);
	uint64_t at = place(handler);

	*gate = (at & 0xffff) | 0x8ull << 16 | 0x8e00ull << 32 |
	    (at >> 16) << 48;
}

static void
create_vcpu(int id, struct kvm_cpuid2 *cpuid)
{
	uint64_t msrs[(sizeof(struct kvm_msrs) +
	    sizeof(struct kvm_msr_entry)) / 8] = { 0 };
	struct kvm_msrs *spiv = (struct kvm_msrs *)msrs;
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 8, .type = 0xb, .present = 1,
		.s = 1, .g = 1, .db = 1,
	}, data = code;
	struct kvm_sregs sregs;
	int size;

	OK(vcpus[id] = ioctl(vm, KVM_CREATE_VCPU, (long)id));
	OK(size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	runs[id] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    vcpus[id], 0);
	if (runs[id] == MAP_FAILED)
		err(1, "mmap of a vCPU");
	OK(ioctl(vcpus[id], KVM_SET_CPUID2, cpuid));
	OK(ioctl(vcpus[id], KVM_GET_SREGS, &sregs));
	data.selector = 16;
	data.type = 0x3;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 |= 1;
	sregs.gdt.base = CODE - 32;
	sregs.gdt.limit = 23;
	sregs.idt.base = IDT + id * 0x800;
	sregs.idt.limit = 0x7ff;
	sregs.apic_base |= APIC_X2;
	OK(ioctl(vcpus[id], KVM_SET_SREGS, &sregs));
	spiv->nmsrs = 1;
	spiv->entries[0].index = MSR_X2APIC_SPIV;
	spiv->entries[0].data = 0x1ff;
	if (ioctl(vcpus[id], KVM_SET_MSRS, spiv) != 1)
		err(1, "enabling the APIC of CPU %d", id);
}

static void
create_vm(void)
{
	struct kvm_cpuid2 *cpuid;
	uint32_t i;
	int id;

	OK(vm = ioctl(kvm, KVM_CREATE_VM, 0));
	OK(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000));
	OK(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	low = anonymous(LOW_SIZE);
	memcpy(low + CODE, guest_cpuid, guests_end - guest_cpuid);
	((uint64_t *)(low + CODE - 32))[1] = 0x00cf9b000000ffffull;
	((uint64_t *)(low + CODE - 32))[2] = 0x00cf93000000ffffull;
	set_gate(handler_count, 0);
	set_gate(handler_reply, 1);
	add_slot(0, 0, low, LOW_SIZE);
	cpuid = calloc(1, sizeof(*cpuid) +
	    CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	if (cpuid == NULL)
		err(1, NULL);
	cpuid->nent = CPUID_ENTRIES;
	OK(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
	for (id = 0; id < 2; id++) {
		for (i = 0; i < cpuid->nent; i++)
			if (cpuid->entries[i].function == 1)
				cpuid->entries[i].ebx =
				    (cpuid->entries[i].ebx & 0xffffff) |
				    (uint32_t)id << 24;
		create_vcpu(id, cpuid);
	}
	free(cpuid);
}

static void
set_regs(int cpu, const uint8_t *code, uint32_t count, uint32_t rbp)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_regs regs = {
		.rip = place(code), .rsi = count, .rbp = rbp, .rflags = 2,
		.rsp = STACKS + (cpu + 1) * PAGE,
	};

	OK(ioctl(vcpus[cpu], KVM_SET_REGS, &regs));
	OK(ioctl(vcpus[cpu], KVM_SET_MP_STATE, &runnable));	/* not halted */
}

static void
interrupted(int sig)
{

	(void)sig;
}

/* Until the guest says that it is done, or is stopped. */
static void *
run(void *arg)
{
	int cpu = (intptr_t)arg;
	struct kvm_run *r = runs[cpu];

	while (!stopping) {
		if (ioctl(vcpus[cpu], KVM_RUN, 0) == -1) {
			if (errno != EINTR && errno != EAGAIN)
				err(1, "KVM_RUN");
			continue;
		}
		if (r->exit_reason == KVM_EXIT_IO && r->io.port == PORT_DONE)
			break;
		if (r->exit_reason != KVM_EXIT_MMIO &&
		    (r->exit_reason != KVM_EXIT_IO || r->io.port != PORT_USER))
			errx(1, "CPU %d: exit %u", cpu, r->exit_reason);
	}
	return (NULL);
}

static uint64_t
measure(const struct kind *kind)
{
	pthread_t other;

	set_regs(0, kind->guest, kind->count, 0);
	stopping = false;
	if (kind->other != NULL) {
		runs[1]->immediate_exit = 0;
		set_regs(1, kind->other, 0, kind->events > 1);
		if (pthread_create(&other, NULL, run, (void *)1) != 0)
			errx(1, "no thread");
	}
	run(NULL);
	if (kind->other != NULL) {
		stopping = true;
		runs[1]->immediate_exit = 1;
		pthread_kill(other, SIGUSR1);
		pthread_join(other, NULL);
	}
	return (*(uint64_t *)(low + RESULT));
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return ((*x > *y) - (*x < *y));
}

static void
print(const char *name, uint64_t *results, int batches, uint64_t events)
{

	qsort(results, batches, sizeof(*results), compare);
	printf("%s %ju %ju\n", name, (uintmax_t)(results[0] / events),
	    (uintmax_t)(results[batches / 2] / events));
	fflush(stdout);
}

/*
 * Cycles for each page of 4 KB in a guest that fills memory, which the host has
 * not touched before, or has, with 2 MB pages if it is willing.
 */
static void
fill(const char *name, bool touched)
{
	struct kind kind = { name, guest_fill, NULL, FILL_SIZE / PAGE, 1 };
	uint8_t *memory;
	uint64_t result;

	if (!wanted(name))
		return;
	memory = anonymous(FILL_SIZE + SUPERPAGE);
	memory = (uint8_t *)(((uintptr_t)memory + SUPERPAGE - 1) &
	    ~(SUPERPAGE - 1));
#ifdef MADV_HUGEPAGE
	OK(madvise(memory, FILL_SIZE, MADV_HUGEPAGE));
#endif
	if (touched)
		memset(memory, 1, FILL_SIZE);
	add_slot(1, FILL, memory, FILL_SIZE);
	result = measure(&kind);
	print(name, &result, 1, kind.count);
	add_slot(1, FILL, memory, 0);
	OK(munmap(memory, FILL_SIZE));
}

int
main(int argc, char *argv[])
{
	struct sigaction sa = { .sa_handler = interrupted };
	uint64_t results[MAX_BATCHES];
	const struct kind *kind;
	int batches, i;

	batches = argc > 1 ? atoi(argv[1]) : 10;
	if (batches < 1 || batches > MAX_BATCHES)
		errx(2, "1 to %d batches", MAX_BATCHES);
	only = argc > 2 ? argv[2] : NULL;
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(kvm = open("/dev/kvm", O_RDWR));
	create_vm();
	for (kind = kinds; kind < kinds + sizeof(kinds) / sizeof(kinds[0]);
	    kind++) {
		if (!wanted(kind->name))
			continue;
		if (kind->other == guest_spin &&
		    sysconf(_SC_NPROCESSORS_ONLN) < 2)
			continue;	/* would wait for the scheduler */
		measure(kind);		/* warms up */
		for (i = 0; i < batches; i++)
			results[i] = measure(kind);
		print(kind->name, results, batches,
		    (uint64_t)kind->count * kind->events);
	}
	for (i = 0; i < (only != NULL ? batches : 1); i++) {
		fill("fill-new", false);
		fill("fill-touched", true);
	}
	return (0);
}
