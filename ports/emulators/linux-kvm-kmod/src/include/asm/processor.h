/* SPDX-License-Identifier: BSD-2-Clause */
/* GS base in the kernel is FreeBSD's struct pcpu: read it where it is. */
#ifndef _KVM_ASM_PROCESSOR_H_
#define	_KVM_ASM_PROCESSOR_H_

#define cpu_kernelmode_gs_base	lx_no_cpu_kernelmode_gs_base
#include_next <asm/processor.h>
#undef cpu_kernelmode_gs_base

#ifndef __ASSEMBLY__
u64 lx_rdmsr(u32 msr);
#define cpu_kernelmode_gs_base(cpu)	({ (void)(cpu); lx_rdmsr(MSR_GS_BASE); })
#endif

#endif
