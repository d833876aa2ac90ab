/* SPDX-License-Identifier: BSD-2-Clause */
/* Only the address of the TSS is asked for. */
#ifndef _LKC_ASM_CPU_ENTRY_AREA_H_
#define	_LKC_ASM_CPU_ENTRY_AREA_H_

struct cpu_entry_area {
	struct {
		char	x86_tss;
	} tss;
};
#define cpu_entry_stack(cpu)	((unsigned long *)NULL)	/* 32-bit only */
struct cpu_entry_area *get_cpu_entry_area(int cpu);

#endif
