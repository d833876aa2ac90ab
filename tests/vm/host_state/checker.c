/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *	checker exits program microseconds
 *
 * lets a guest with registers of its own leave it that many times, and looks
 * whether the host's are as before.  The vCPU's thread has an LDT, an I/O
 * permission bitmap, a base of GS, registers of SSE and AVX in use, and a
 * watchpoint, which its parent has set by ptrace(2).  A signal comes every so
 * many microseconds.  On its CPU run by turns a second process, which looks at
 * its own registers, and the program, for 32 bits.  What programs cannot read
 * comes from the module peek: see peek.c.
 */
#include <sys/param.h>
#include <sys/cpuset.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <machine/cpufunc.h>
#include <machine/reg.h>
#include <machine/segments.h>
#include <machine/sysarch.h>

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "seen.h"

#define	MEMORY		0x200000
#define	PML4		0x1000
#define	PDPT		0x2000
#define	CODE		0x4000
#define	PAGE_DIR	0x8000
#define	NO_OWNER	0x80		/* a port that any value may go to */
#define	WATCH_8_BYTES	0x00090001	/* DR7: L0, on writes */
#define	VECTORS		16
#define	signature_TCG	0x54474354	/* "TCGT" */

extern const uint8_t guest[], guest_end[];
int	run(int fd, u_long request, const void *load, void *store);
void	load_upper(const void *), store_upper(void *);

static volatile uint64_t watched;
static volatile sig_atomic_t alarms, over;
static bool has_avx, on_tcg;

static void
pin(void)
{
	cpuset_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	OK(cpuset_setaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, -1, sizeof(set),
	    &set));
}

/* --- the process beside -------------------------------------------------- */

static void
end(int sig __unused)
{

	over = 1;
}

static void
neighbour(void)
{
	static uint64_t gs;
	static char first[STATE], text[STATE], copy[STATE];
	struct seen before, after;
	int i;

	signal(SIGTERM, end);
	make_different(&gs, 0x1fc0, 0x027f);
	look(&before);
	peek(first);
	for (i = 0; !over; i++) {
		look(&after);
		compare(&before, &after, "neighbour");
		if (i % 16 == 0) {
			peek(text);
			memcpy(copy, first, STATE);
			compare_text(copy, text, false, "neighbour");
		}
		sched_yield();
	}
	exit(0);
}

/* --- the guest ----------------------------------------------------------- */

static struct kvm_segment
segment(bool code)
{

	return ((struct kvm_segment){
		.selector = code ? 8 : 16, .type = code ? 11 : 3,
		.limit = 0xffffffff, .present = 1, .s = 1, .g = 1,
		.l = code, .db = !code,
	});
}

static int
make_vcpu(struct kvm_run **shared)
{
	struct kvm_userspace_memory_region slot = { .memory_size = MEMORY };
	struct kvm_regs regs = {
		.rip = CODE, .rsp = CODE, .rflags = 2, .rdi = has_rdtscp,
		.rsi = !on_tcg
	};
	struct {
		struct kvm_cpuid2	head;
		struct kvm_cpuid_entry2	entries[256];
	} cpuid = { .head.nent = nitems(cpuid.entries) };
	struct kvm_sregs sregs;
	uint8_t *memory;
	int kvm, vcpu, vm;
	long size;

	OK(kvm = open("/dev/kvm", O_RDWR));
	OK(vm = ioctl(kvm, KVM_CREATE_VM, 0));
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_ANON, -1, 0);
	MUST(memory != MAP_FAILED);
	*(uint64_t *)(memory + PML4) = PDPT | 7;
	*(uint64_t *)(memory + PDPT) = PAGE_DIR | 7;
	*(uint64_t *)(memory + PAGE_DIR) = 0x87;
	memcpy(memory + CODE, guest, guest_end - guest);
	slot.userspace_addr = (uintptr_t)memory;
	OK(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000l));
	OK(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot));
	OK(vcpu = ioctl(vm, KVM_CREATE_VCPU, 0l));
	OK(size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	*shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	MUST(*shared != MAP_FAILED);
	OK(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid));
	OK(ioctl(vcpu, KVM_SET_CPUID2, &cpuid));
	OK(ioctl(vcpu, KVM_GET_SREGS, &sregs));
	sregs.cs = segment(true);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment(false);
	sregs.cr0 = 0x80000033;		/* PG, PE, MP, ET, NE */
	sregs.cr3 = PML4;
	sregs.cr4 = 0x620;		/* PAE, OSFXSR, OSXMMEXCPT */
	sregs.efer = 0x500;		/* LME, LMA */
	OK(ioctl(vcpu, KVM_SET_SREGS, &sregs));
	OK(ioctl(vcpu, KVM_SET_REGS, &regs));
	return (vcpu);
}

static void
ticked(int sig __unused)
{

	alarms++;
}

/* An LDT, and a TSS of the process's own. */
static void
make_tables(void)
{
	struct user_segment_descriptor data = {
		.sd_type = SDT_MEMRWA, .sd_dpl = SEL_UPL, .sd_p = 1,
		.sd_lolimit = 0xffff, .sd_hilimit = 0xf, .sd_def32 = 1,
		.sd_gran = 1
	};
	struct i386_ldt_args ldt = {
		.start = LDT_AUTO_ALLOC, .descs = &data, .num = 1
	};
	struct i386_ioperm_args ports = {
		.start = NO_OWNER, .length = 1, .enable = 1
	};

	OK(sysarch(I386_SET_LDT, &ldt));
	OK(sysarch(I386_SET_IOPERM, &ports));
}

static void
vcpu_thread(long exits, long every)
{
	static uint64_t gs;
	static char before[STATE], after[STATE], copy[STATE];
	static uint8_t load[VECTORS][16], store[VECTORS][16];
	const struct itimerval often = { { 0, every }, { 0, every } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa = { .sa_handler = ticked };
	struct kvm_run *shared;
	struct seen seen[2];
	long done;
	int error, i, vcpu;

	make_tables();
	make_different(&gs, 0x1f80 | 0x6000, 0x037f | 0x0c00);
	watched = 1;			/* the watchpoint works */
	vcpu = make_vcpu(&shared);
	for (i = 0; i < VECTORS; i++)
		memset(load[i], 0x40 + i, sizeof(load[i]));
	OK(sigaction(SIGALRM, &sa, NULL));
	look(&seen[0]);
	MUST(seen[0].ldt != 0);
	peek(before);
	OK(setitimer(ITIMER_REAL, &often, NULL));
	for (done = 0; done < exits;) {
		if (has_avx)
			load_upper(load[7]);
		error = run(vcpu, KVM_RUN, load, store);
		MUST(memcmp(load, store, sizeof(load)) == 0);
		if (has_avx) {
			store_upper(store);
			for (i = 0; i < VECTORS; i++)
				MUST(memcmp(store[i], load[7], 16) == 0);
			__asm__ volatile ("vzeroupper");
		}
		look(&seen[1]);
		compare(&seen[0], &seen[1], "the vCPU's thread");
		outb(NO_OWNER, 0);	/* its TSS is whole */
		MUST(error == 0 || error == EINTR);
		if (error == EINTR)
			continue;
		MUST(shared->exit_reason == KVM_EXIT_IO);
		done += BATCH + 1;
		if (done / BATCH % 16 == 0) {
			peek(after);
			memcpy(copy, before, STATE);
			compare_text(copy, after, true, "the vCPU's thread");
		}
	}
	OK(setitimer(ITIMER_REAL, &never, NULL));
	watched = 2;			/* it still does */
	printf("%ld exits, signals: %s\n", done, alarms > 0 ? "yes" : "no");
	exit(0);
}

/* --- the parent ---------------------------------------------------------- */

/* Lets the traced process run to its end; how often its watchpoint was hit. */
static int
trace(pid_t pid)
{
	struct dbreg regs;
	int hits = 0, sig, status;

	OK(waitpid(pid, &status, 0));
	MUST(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	OK(ptrace(PT_GETDBREGS, pid, (caddr_t)&regs, 0));
	regs.dr[0] = (uintptr_t)&watched;
	regs.dr[7] = WATCH_8_BYTES;
	OK(ptrace(PT_SETDBREGS, pid, (caddr_t)&regs, 0));
	for (sig = 0;; sig = WSTOPSIG(status)) {
		if (sig == SIGTRAP) {
			hits++;
			sig = 0;
		}
		OK(ptrace(PT_CONTINUE, pid, (caddr_t)1, sig));
		OK(waitpid(pid, &status, 0));
		if (!WIFSTOPPED(status))
			break;
	}
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return (hits);
}

int
main(int argc, char **argv)
{
	uint32_t eax, ebx, ecx, edx;
	pid_t beside, narrow, traced;
	int status;

	MUST(argc == 4);
	__cpuid(1, eax, ebx, ecx, edx);
	has_avx = (ecx & bit_AVX) != 0 && (ecx & bit_OSXSAVE) != 0;
	__cpuid(0x80000001, eax, ebx, ecx, edx);
	has_rdtscp = (edx & 1 << 27) != 0;
	/*
	 * QEMU's own processor loses the host's watchpoint when a guest has
	 * one, and then ends by signal 11.
	 */
	__cpuid(0x40000000, eax, ebx, ecx, edx);
	on_tcg = ebx == signature_TCG;
	setvbuf(stdout, NULL, _IOLBF, 0);
	pin();
	OK(narrow = fork());
	if (narrow == 0) {
		execl(argv[2], argv[2], NULL);
		err(1, "%s", argv[2]);
	}
	OK(beside = fork());
	if (beside == 0)
		neighbour();
	OK(traced = fork());
	if (traced == 0) {
		OK(ptrace(PT_TRACE_ME, 0, NULL, 0));
		raise(SIGSTOP);
		vcpu_thread(atol(argv[1]), atol(argv[3]));
	}
	MUST(trace(traced) == 2);
	OK(kill(beside, SIGTERM));
	OK(waitpid(beside, &status, 0));
	if (status != 0)
		errx(1, "neighbour: status %#x", status);
	/* It cannot catch a signal: still there means nothing was wrong. */
	MUST(waitpid(narrow, NULL, WNOHANG) == 0);
	OK(kill(narrow, SIGKILL));
	printf("host state: as before\n");
	return (0);
}
