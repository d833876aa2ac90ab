// SPDX-License-Identifier: BSD-2-Clause
/*
 * What Linux knows about the processor: the feature words from CPUID, Linux's
 * own feature bits, and the list of hardware vulnerabilities.
 *
 * Where only a list of models tells whether a CPU is vulnerable, it is taken
 * to be, unless it says otherwise in IA32_ARCH_CAPABILITIES: that costs speed
 * on some, never safety.
 */
#include <linux/percpu.h>
#include <linux/string.h>
#include <linux/bitops.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/cpufeatures.h>
#include <asm/cpu_device_id.h>
#include <asm/intel-family.h>
#include <asm/processor.h>
#include <asm/cpu.h>
#include <asm/cpuid.h>
#include <asm/msr.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

struct cpuinfo_x86 boot_cpu_data __read_mostly;
DEFINE_PER_CPU(struct cpuinfo_x86, cpu_info);

/* Word of x86_capability, CPUID leaf, subleaf, register (0 EAX to 3 EDX). */
static const struct {
	u8	word;
	u8	reg;
	u32	leaf;
	u32	subleaf;
} cpuid_words[] = {
	{ CPUID_1_EDX,		3, 0x00000001, 0 },
	{ CPUID_1_ECX,		2, 0x00000001, 0 },
	{ CPUID_6_EAX,		0, 0x00000006, 0 },
	{ CPUID_7_0_EBX,	1, 0x00000007, 0 },
	{ CPUID_7_ECX,		2, 0x00000007, 0 },
	{ CPUID_7_EDX,		3, 0x00000007, 0 },
	{ CPUID_7_1_EAX,	0, 0x00000007, 1 },
	{ CPUID_D_1_EAX,	0, 0x0000000d, 1 },
	{ CPUID_8000_0001_EDX,	3, 0x80000001, 0 },
	{ CPUID_8000_0001_ECX,	2, 0x80000001, 0 },
#if LX_RELEASE < 702
	{ CPUID_8000_0007_EBX,	1, 0x80000007, 0 },
#endif
	{ CPUID_8000_0008_EBX,	1, 0x80000008, 0 },
	{ CPUID_8000_000A_EDX,	3, 0x8000000a, 0 },
	{ CPUID_8000_001F_EAX,	0, 0x8000001f, 0 },
	{ CPUID_8000_0021_EAX,	0, 0x80000021, 0 },
};

static const struct {
	const char	*id;
	u8		vendor;
} vendors[] = {
	{ "GenuineIntel", X86_VENDOR_INTEL },
	{ "AuthenticAMD", X86_VENDOR_AMD },
	{ "HygonGenuine", X86_VENDOR_HYGON },
	{ "CentaurHauls", X86_VENDOR_CENTAUR },
	{ "  Shanghai  ", X86_VENDOR_ZHAOXIN },
};

static bool is_intel(const struct cpuinfo_x86 *c)
{
	return c->x86_vendor == X86_VENDOR_INTEL;
}

static bool is_amd(const struct cpuinfo_x86 *c)
{
	return c->x86_vendor == X86_VENDOR_AMD || c->x86_vendor == X86_VENDOR_HYGON;
}

static void identify(struct cpuinfo_x86 *c)
{
	u32 eax, ebx, ecx, edx, regs[4];
	unsigned int i;

	c->cpuid_level = cpuid_eax(0);
	cpuid(0, &eax, &ebx, &ecx, &edx);
	memcpy(c->x86_vendor_id, &ebx, 4);
	memcpy(c->x86_vendor_id + 4, &edx, 4);
	memcpy(c->x86_vendor_id + 8, &ecx, 4);
	c->x86_vendor = X86_VENDOR_UNKNOWN;
	for (i = 0; i < ARRAY_SIZE(vendors); i++)
		if (!memcmp(c->x86_vendor_id, vendors[i].id, 12))
			c->x86_vendor = vendors[i].vendor;

	cpuid(1, &eax, &ebx, &ecx, &edx);
	c->x86 = (eax >> 8) & 0xf;
	if (c->x86 == 0xf)
		c->x86 += (eax >> 20) & 0xff;
	c->x86_model = (eax >> 4) & 0xf;
	if (c->x86 >= 6)
		c->x86_model += ((eax >> 16) & 0xf) << 4;
	c->x86_stepping = eax & 0xf;
	c->x86_clflush_size = ((ebx >> 8) & 0xff) * 8;

	c->extended_cpuid_level = cpuid_eax(0x80000000);
	for (i = 0; i < ARRAY_SIZE(cpuid_words); i++) {
		u32 leaf = cpuid_words[i].leaf;

		if (leaf > (leaf & 0x80000000 ? c->extended_cpuid_level : c->cpuid_level))
			continue;
		if (leaf == 7 && cpuid_words[i].subleaf > cpuid_eax(7))
			continue;
		cpuid_count(leaf, cpuid_words[i].subleaf, &regs[0], &regs[1],
		    &regs[2], &regs[3]);
		c->x86_capability[cpuid_words[i].word] = regs[cpuid_words[i].reg];
	}
	if (c->extended_cpuid_level >= 0x80000007)
		c->x86_power = cpuid_edx(0x80000007);
	c->x86_phys_bits = 36;
	c->x86_virt_bits = 48;
	if (c->extended_cpuid_level >= 0x80000008) {
		eax = cpuid_eax(0x80000008);
		c->x86_phys_bits = eax & 0xff;
		c->x86_virt_bits = (eax >> 8) & 0xff;
	}
	c->x86_cache_bits = c->x86_phys_bits;
}

/* Features that the host kernel must have enabled to be there for a guest. */
static void limit_to_host(struct cpuinfo_x86 *c)
{
	struct lkc_fpu_info fpu;
	unsigned long cr4 = native_read_cr4();

	lkc_fpu_info(&fpu);
	if (!fpu.xcr0) {
		clear_bit(X86_FEATURE_XSAVE, (unsigned long *)c->x86_capability);
		clear_bit(X86_FEATURE_AVX, (unsigned long *)c->x86_capability);
	}
	/* No host save area has supervisor components. */
	clear_bit(X86_FEATURE_XSAVES, (unsigned long *)c->x86_capability);
	clear_bit(X86_FEATURE_XFD, (unsigned long *)c->x86_capability);
	if (!(cr4 & X86_CR4_PKE))
		clear_bit(X86_FEATURE_PKU, (unsigned long *)c->x86_capability);
	else
		set_cpu_cap(c, X86_FEATURE_OSPKE);
	if (!(cr4 & X86_CR4_LA57))
		clear_bit(X86_FEATURE_LA57, (unsigned long *)c->x86_capability);
	clear_bit(X86_FEATURE_SHSTK, (unsigned long *)c->x86_capability);
	clear_bit(X86_FEATURE_IBT, (unsigned long *)c->x86_capability);
	clear_bit(X86_FEATURE_SGX, (unsigned long *)c->x86_capability);
	/* Nothing handles its #AC and #DB in the host. */
	clear_bit(X86_FEATURE_BUS_LOCK_DETECT, (unsigned long *)c->x86_capability);
}

static void linux_features(struct cpuinfo_x86 *c)
{
	set_cpu_cap(c, X86_FEATURE_ALWAYS);
	set_cpu_cap(c, X86_FEATURE_CPUID);
	set_cpu_cap(c, X86_FEATURE_NOPL);
	set_cpu_cap(c, X86_FEATURE_LFENCE_RDTSC);
	if (c->x86_power & BIT(8)) {
		set_cpu_cap(c, X86_FEATURE_CONSTANT_TSC);
		set_cpu_cap(c, X86_FEATURE_NONSTOP_TSC);
	}
	if (is_amd(c))
		set_cpu_cap(c, X86_FEATURE_VMMCALL);
	else
		set_cpu_cap(c, X86_FEATURE_VMCALL);
	if (c->x86_phys_bits && is_amd(c) && c->x86 >= 0x17)
		set_cpu_cap(c, X86_FEATURE_ZEN);

	/* Two vendors' names for the same abilities, under Linux's own. */
	if (cpu_has(c, X86_FEATURE_SPEC_CTRL)) {
		set_cpu_cap(c, X86_FEATURE_IBRS);
		set_cpu_cap(c, X86_FEATURE_IBPB);
		set_cpu_cap(c, X86_FEATURE_MSR_SPEC_CTRL);
	}
	if (cpu_has(c, X86_FEATURE_INTEL_STIBP))
		set_cpu_cap(c, X86_FEATURE_STIBP);
	if (cpu_has(c, X86_FEATURE_SPEC_CTRL_SSBD)) {
		set_cpu_cap(c, X86_FEATURE_SSBD);
		set_cpu_cap(c, X86_FEATURE_MSR_SPEC_CTRL);
	}
	if (cpu_has(c, X86_FEATURE_AMD_IBRS)) {
		set_cpu_cap(c, X86_FEATURE_IBRS);
		set_cpu_cap(c, X86_FEATURE_MSR_SPEC_CTRL);
	}
	if (cpu_has(c, X86_FEATURE_AMD_IBPB))
		set_cpu_cap(c, X86_FEATURE_IBPB);
	if (cpu_has(c, X86_FEATURE_AMD_STIBP)) {
		set_cpu_cap(c, X86_FEATURE_STIBP);
		set_cpu_cap(c, X86_FEATURE_MSR_SPEC_CTRL);
	}
	if (cpu_has(c, X86_FEATURE_AMD_SSBD)) {
		set_cpu_cap(c, X86_FEATURE_SSBD);
		set_cpu_cap(c, X86_FEATURE_MSR_SPEC_CTRL);
		clear_bit(X86_FEATURE_VIRT_SSBD, (unsigned long *)c->x86_capability);
	}
	if (cpu_has(c, X86_FEATURE_IBPB)) {
		set_cpu_cap(c, X86_FEATURE_USE_IBPB);
		set_cpu_cap(c, X86_FEATURE_IBPB_EXIT_TO_USER);
	}
	/* SSBD through other registers than SPEC_CTRL is not for guests here. */
	clear_bit(X86_FEATURE_VIRT_SSBD, (unsigned long *)c->x86_capability);
}

static u64 arch_capabilities(const struct cpuinfo_x86 *c)
{
	u64 caps = 0;

	if (cpu_has(c, X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl_safe(MSR_IA32_ARCH_CAPABILITIES, &caps);
	return caps;
}

static void vulnerabilities(struct cpuinfo_x86 *c)
{
	u64 caps = arch_capabilities(c);
	bool fb_no = (caps & ARCH_CAP_SBDR_SSDP_NO) && (caps & ARCH_CAP_FBSDP_NO) &&
	    (caps & ARCH_CAP_PSDP_NO);

	set_cpu_cap(c, X86_BUG_SPECTRE_V1);
	set_cpu_cap(c, X86_BUG_SPECTRE_V2);
	if (!(caps & ARCH_CAP_SSB_NO) && !cpu_has(c, X86_FEATURE_AMD_SSB_NO))
		set_cpu_cap(c, X86_BUG_SPEC_STORE_BYPASS);
	set_cpu_cap(c, X86_BUG_SPECTRE_V2);
	set_cpu_cap(c, X86_BUG_NULL_SEG);
	if (cpu_has(c, X86_FEATURE_NULL_SEL_CLR_BASE))
		clear_bit(X86_BUG_NULL_SEG, (unsigned long *)c->x86_capability);

	if (is_intel(c)) {
		if (!(caps & ARCH_CAP_RDCL_NO)) {
			set_cpu_cap(c, X86_BUG_CPU_MELTDOWN);
			if (!(caps & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH))
				set_cpu_cap(c, X86_BUG_L1TF);
		}
		if (!(caps & ARCH_CAP_MDS_NO))
			set_cpu_cap(c, X86_BUG_MDS);
		if (!(caps & ARCH_CAP_TAA_NO) && (cpu_has(c, X86_FEATURE_RTM) ||
		    (caps & ARCH_CAP_TSX_CTRL_MSR)))
			set_cpu_cap(c, X86_BUG_TAA);
		if (!(caps & ARCH_CAP_PSCHANGE_MC_NO))
			set_cpu_cap(c, X86_BUG_ITLB_MULTIHIT);
		if (!fb_no)
			set_cpu_cap(c, X86_BUG_MMIO_STALE_DATA);
		if (!(caps & ARCH_CAP_RFDS_NO))
			set_cpu_cap(c, X86_BUG_RFDS);
		if (!(caps & ARCH_CAP_GDS_NO) && cpu_has(c, X86_FEATURE_AVX2))
			set_cpu_cap(c, X86_BUG_GDS);
		if (!(caps & ARCH_CAP_BHI_NO))
			set_cpu_cap(c, X86_BUG_BHI);
		if (!(caps & ARCH_CAP_ITS_NO))
			set_cpu_cap(c, X86_BUG_ITS);
		if ((caps & ARCH_CAP_IBRS_ALL) && !(caps & ARCH_CAP_PBRSB_NO))
			set_cpu_cap(c, X86_BUG_EIBRS_PBRSB);
	} else if (is_amd(c)) {
		if (!cpu_has(c, X86_FEATURE_SRSO_NO))
			set_cpu_cap(c, X86_BUG_SRSO);
		if (c->x86 == 0x17 || c->x86 == 0x18)
			set_cpu_cap(c, X86_BUG_SMT_RSB);
		if (!cpu_has(c, X86_FEATURE_TSA_SQ_NO) || !cpu_has(c, X86_FEATURE_TSA_L1_NO))
			set_cpu_cap(c, X86_BUG_TSA);
	}

	/* The guest entry code's own measures. */
	set_cpu_cap(c, X86_FEATURE_RSB_VMEXIT);
	if (cpu_has(c, X86_FEATURE_MD_CLEAR) && (cpu_has(c, X86_BUG_MDS) ||
	    cpu_has(c, X86_BUG_TAA) || cpu_has(c, X86_BUG_MMIO_STALE_DATA) ||
	    cpu_has(c, X86_BUG_RFDS))) {
		set_cpu_cap(c, X86_FEATURE_CLEAR_CPU_BUF);
		set_cpu_cap(c, X86_FEATURE_CLEAR_CPU_BUF_VM);
	}
	if (cpu_has(c, X86_BUG_TSA) && cpu_has(c, X86_FEATURE_VERW_CLEAR))
		set_cpu_cap(c, X86_FEATURE_CLEAR_CPU_BUF_VM);
	if (cpu_has(c, X86_BUG_BHI))
		set_cpu_cap(c, X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT);
}

/*
 * The firmware may have left VMX unlocked: enable and lock it, as FreeBSD's
 * own hypervisor does.  Runs on each CPU.
 */
static void enable_vmx(struct cpuinfo_x86 *c)
{
	u64 ctl, want = FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX;

	if (!cpu_has(c, X86_FEATURE_VMX))
		return;
	if (!rdmsrl_safe(MSR_IA32_FEAT_CTL, &ctl)) {
		if (!(ctl & FEAT_CTL_LOCKED) && !wrmsrl_safe(MSR_IA32_FEAT_CTL, ctl | want))
			ctl |= want;
		set_cpu_cap(c, X86_FEATURE_MSR_IA32_FEAT_CTL);
		if ((ctl & want) == want)
			return;
	}
	clear_bit(X86_FEATURE_VMX, (unsigned long *)c->x86_capability);
}

int lx_cpufeature_init(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct cpuinfo_x86 *c = per_cpu_ptr(&cpu_info, cpu);

		lkc_cpu_bind(cpu);
		identify(c);
		limit_to_host(c);
		linux_features(c);
		vulnerabilities(c);
		enable_vmx(c);
		lkc_cpu_unbind();
		if (cpu == cpumask_first(cpu_online_mask))
			boot_cpu_data = *c;
	}
	return 0;
}

unsigned int x86_family(unsigned int sig)
{
	unsigned int family = (sig >> 8) & 0xf;

	return family == 0xf ? family + ((sig >> 20) & 0xff) : family;
}

unsigned int x86_model(unsigned int sig)
{
	unsigned int model = (sig >> 4) & 0xf;

	return x86_family(sig) >= 6 ? model + (((sig >> 16) & 0xf) << 4) : model;
}

const struct x86_cpu_id *x86_match_cpu(const struct x86_cpu_id *match)
{
	const struct x86_cpu_id *m;
	struct cpuinfo_x86 *c = &boot_cpu_data;

	for (m = match; m->flags & X86_CPU_ID_FLAG_ENTRY_VALID; m++) {
		if (m->vendor != X86_VENDOR_ANY && m->vendor != c->x86_vendor)
			continue;
		if (m->family != X86_FAMILY_ANY && m->family != c->x86)
			continue;
		if (m->model != X86_MODEL_ANY && m->model != c->x86_model)
			continue;
		if (m->steppings != X86_STEPPING_ANY &&
		    !(BIT(c->x86_stepping) & m->steppings))
			continue;
		if (m->feature != X86_FEATURE_ANY && !cpu_has(c, m->feature))
			continue;
		return m;
	}
	return NULL;
}
