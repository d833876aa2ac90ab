/* SPDX-License-Identifier: BSD-2-Clause */
/* Features are tested in a bitmap that cpufeature.c fills, not by patched code. */
#ifndef _LKC_ASM_CPUFEATURE_H_
#define	_LKC_ASM_CPUFEATURE_H_

#include <asm/processor.h>
#ifndef __ASSEMBLY__
#include <asm/asm.h>
#include <linux/bitops.h>

enum cpuid_leafs {
	CPUID_1_EDX,
	CPUID_8000_0001_EDX,
	CPUID_8086_0001_EDX,
	CPUID_LNX_1,
	CPUID_1_ECX,
	CPUID_C000_0001_EDX,
	CPUID_8000_0001_ECX,
	CPUID_LNX_2,
	CPUID_LNX_3,
	CPUID_7_0_EBX,
	CPUID_D_1_EAX,
	CPUID_LNX_4,
	CPUID_7_1_EAX,
	CPUID_8000_0008_EBX,
	CPUID_6_EAX,
	CPUID_8000_000A_EDX,
	CPUID_7_ECX,
#if LX_RELEASE >= 702
	CPUID_LNX_6,
#else
	CPUID_8000_0007_EBX,
#endif
	CPUID_7_EDX,
	CPUID_8000_001F_EAX,
	CPUID_8000_0021_EAX,
	CPUID_LNX_5,
	NR_CPUID_WORDS,
};

/* Named otherwise by later releases. */
#ifndef X86_FEATURE_USE_IBPB
#define X86_FEATURE_USE_IBPB			X86_FEATURE_IBPB
#define X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT	X86_FEATURE_CLEAR_BHB_VMEXIT
#endif

#define MAX_CPU_FEATURES	(NCAPINTS * 32)

#define cpu_has(c, bit)		test_bit(bit, (unsigned long *)((c)->x86_capability))
#define this_cpu_has(bit)	cpu_has(&boot_cpu_data, bit)
#define boot_cpu_has(bit)	cpu_has(&boot_cpu_data, bit)
#define cpu_feature_enabled(bit) boot_cpu_has(bit)
#define static_cpu_has(bit)	boot_cpu_has(bit)
#define set_cpu_cap(c, bit)	set_bit(bit, (unsigned long *)((c)->x86_capability))
#define setup_force_cpu_cap(bit) set_cpu_cap(&boot_cpu_data, bit)
#define setup_clear_cpu_cap(bit) clear_bit(bit, (unsigned long *)boot_cpu_data.x86_capability)

#define cpu_has_bug(c, bit)	cpu_has(c, bit)
#define static_cpu_has_bug(bit)	boot_cpu_has(bit)
#define boot_cpu_has_bug(bit)	boot_cpu_has(bit)
#define boot_cpu_set_bug(bit)	setup_force_cpu_cap(bit)
#endif

#endif
