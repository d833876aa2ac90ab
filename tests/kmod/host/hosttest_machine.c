/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tests of what belongs to the machine: memory, processors, MSRs, the FPU; and
 * of what the host says about the process that calls, and its files.
 */

#include "hosttest_module.h"

int
test_memory(void)
{
	lkc_u64 pa;
	lkc_u8 *p, *q;
	unsigned int i, order;

	for (i = 1; i < 100000; i = i * 3 + 1) {
		p = lkc_malloc(i, 64, LKC_M_WAIT | LKC_M_ZERO);
		CHECK(((lkc_size)p & 63) == 0);
		CHECK(p[0] == 0 && p[i - 1] == 0);
		p[0] = p[i - 1] = 0xff;
		lkc_free(p);
	}
	lkc_free(NULL);
	for (order = 0; order < 5; order++) {
		p = lkc_pages_alloc(order, LKC_M_WAIT | LKC_M_ZERO);
		q = lkc_pages_alloc(order, LKC_M_WAIT | LKC_M_BELOW4G);
		CHECK(p != NULL && q != NULL);
		pa = lkc_virt_to_phys(p);
		CHECK((pa & ((4096ull << order) - 1)) == 0);
		CHECK(p == (lkc_u8 *)lkc_dmap_base() + pa);
		CHECK(lkc_phys_is_ram(pa) && pa < lkc_dmap_size());
		CHECK(lkc_virt_to_phys(q) < 0x100000000ull);
		CHECK(p[(4096 << order) - 1] == 0);
		for (i = 0; i < 1u << order; i++)
			*lkc_page_private(pa + 4096 * i) = 0x1000 + i;
		for (i = 0; i < 1u << order; i++)
			CHECK(*lkc_page_private(pa + 4096 * i) == 0x1000 + i);
		lkc_pages_free(q, order);
		lkc_pages_free(p, order);
	}
	CHECK(!lkc_phys_is_ram(1ull << 51));
	return (0);
}

struct census {
	volatile lkc_u64 seen[LKC_MAXCPU / 64];
	volatile unsigned int wrong;
};

static void
census_fn(void *arg)
{
	struct census *c = arg;
	unsigned long flags;
	unsigned int cpu;

	cpu = lkc_cpu_id();
	__atomic_fetch_or(&c->seen[cpu / 64], 1ull << cpu % 64,
	    __ATOMIC_SEQ_CST);
	__asm __volatile("pushfq; popq %0" : "=r" (flags));
	if ((flags & 0x200) != 0)
		c->wrong++;
}

/*
 * A write that every processor of its vendor refuses: AMD's host save area at
 * an odd address, Intel's FS base outside of the canonical range.
 */
static lkc_u32 refused_msr;
static lkc_u64 refused_value;

static void
refused_fn(void *arg)
{

	if (lkc_wrmsr_safe(refused_msr, refused_value) == -LKC_EIO)
		__atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
}

/* #GP of an MSR is an error in a thread, in a section, and in a cross call. */
int
test_msr_faults(void)
{
	lkc_u64 all[LKC_MAXCPU / 64] = { 0 }, value;
	unsigned int cpu, eax, ebx, ecx, edx;
	int cpus, faults;

	__asm __volatile("cpuid" : "=a" (eax), "=b" (ebx), "=c" (ecx),
	    "=d" (edx) : "0" (0));
	refused_msr = ecx == 0x444d4163 ? 0xc0010117 : 0xc0000100;
	refused_value = ecx == 0x444d4163 ? 1 : 1ull << 63;
	cpus = faults = 0;
	for (cpu = 0; cpu < lkc_cpu_limit(); cpu++)
		if (lkc_cpu_present(cpu)) {
			all[cpu / 64] |= 1ull << cpu % 64;
			cpus++;
		}
	refused_fn(&faults);
	CHECK(faults == 1);
	lkc_critical_enter();
	refused_fn(&faults);
	lkc_critical_exit();
	CHECK(faults == 2);
	lkc_cpu_call(all, LKC_MAXCPU / 64, refused_fn, &faults);
	CHECK(faults == 2 + cpus);
	/* What was recovered from leaves the next fault of a copy harmless. */
	CHECK(lkc_copyin(&value, 8, sizeof(value)) == -LKC_EFAULT);
	return (0);
}

int
test_cpus(void)
{
	struct census *c;
	lkc_u64 all[LKC_MAXCPU / 64] = { 0 }, value;
	unsigned int cpu;
	int error, vector;

	c = lkc_malloc(sizeof(*c), 8, LKC_M_WAIT | LKC_M_ZERO);
	for (cpu = 0; cpu < lkc_cpu_limit(); cpu++)
		if (lkc_cpu_present(cpu))
			all[cpu / 64] |= 1ull << cpu % 64;
	lkc_cpu_call(all, LKC_MAXCPU / 64, census_fn, c);
	for (cpu = 0; cpu < LKC_MAXCPU / 64; cpu++)
		CHECK(c->seen[cpu] == all[cpu]);
	CHECK(c->wrong == 0);
	lkc_free(c);

	vector = lkc_vector_alloc();
	CHECK(vector > 31 && vector < 256);
	for (cpu = 0; cpu < lkc_cpu_limit(); cpu++) {
		if (!lkc_cpu_present(cpu))
			continue;
		lkc_cpu_bind(cpu);
		CHECK(lkc_cpu_id() == cpu);
		lkc_cpu_unbind();
		lkc_cpu_kick(cpu);
		lkc_cpu_send_vector(cpu, vector);
	}
	lkc_vector_free(vector);
	CHECK(lkc_cpu_limit() == 1 || lkc_cpu_apicid(0) != lkc_cpu_apicid(1));

	CHECK(lkc_rdmsr_safe(0xc0000080, &value) == 0 && (value & 0x400) != 0);
	/* An emulator may answer for any register; what counts is to return. */
	error = lkc_rdmsr_safe(0xdeadbeef, &value);
	CHECK(error == 0 || error == -LKC_EIO);
	error = lkc_wrmsr_safe(0xdeadbeef, 0);
	CHECK(error == 0 || error == -LKC_EIO);
	return (0);
}

int
test_files(void)
{
	struct lkc_fpu_info fpu;
	void *hfile;

	CHECK(lkc_file_get(-1, &hfile) == -LKC_EBADF);
	CHECK(lkc_file_get(0, &hfile) == 0);
	lkc_file_ref(hfile);
	lkc_file_put(hfile);
	lkc_file_put(hfile);
	lkc_fpu_info(&fpu);
	CHECK(fpu.size >= 512 && fpu.mxcsr_mask != 0);
	CHECK(lkc_privileged() == 1);
	CHECK(lkc_user_limit() > 0x10000);
	CHECK(!lkc_user_is_32bit());
	return (0);
}
