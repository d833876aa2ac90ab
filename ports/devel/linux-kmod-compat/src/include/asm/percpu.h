/* SPDX-License-Identifier: BSD-2-Clause */
/* No %gs: FreeBSD's is struct pcpu.  The offset of this CPU comes from an array. */
#ifndef _LKC_ASM_PERCPU_H_
#define	_LKC_ASM_PERCPU_H_

#ifdef __ASSEMBLY__
/*
 * Assembly sees the initial copy of a variable.  The only one it reads is
 * x86_spec_ctrl_current, which the glue keeps equal everywhere.
 */
#define PER_CPU_VAR(var)	var(%rip)
#else
#include <linux/types.h>

unsigned long lkc_cpu_local(const unsigned long *array);
#define __my_cpu_offset		lkc_cpu_local(__per_cpu_offset)
#include <asm-generic/percpu.h>

#define this_cpu_read_const(var)	(*raw_cpu_ptr(&(var)))
#define this_cpu_read_stable(var)	raw_cpu_read(var)
#define x86_this_cpu_test_bit(nr, addr)	test_bit(nr, raw_cpu_ptr(addr))
#define DECLARE_INIT_PER_CPU(var)	extern typeof(var) init_per_cpu__##var
#define init_per_cpu_var(var)		init_per_cpu__##var
#define DECLARE_EARLY_PER_CPU(type, name)		DECLARE_PER_CPU(type, name)
#define DECLARE_EARLY_PER_CPU_READ_MOSTLY(type, name)	DECLARE_PER_CPU_READ_MOSTLY(type, name)
#define DEFINE_EARLY_PER_CPU(type, name, init)		DEFINE_PER_CPU(type, name) = init
#define early_per_cpu(name, cpu)	per_cpu(name, cpu)
#endif

#endif
