/* SPDX-License-Identifier: BSD-2-Clause */
/* The block of the current FreeBSD thread, see struct task_struct. */
#ifndef _ASM_X86_CURRENT_H
#define	_ASM_X86_CURRENT_H

#ifndef __ASSEMBLY__
#include <linux/compiler.h>
#include <asm/percpu.h>

struct task_struct;
/* A function has one current thread: the compiler need not ask twice. */
void *lkc_task_self(void) __attribute__((__const__));
/* Declared for inlines of asm/processor.h that are never called. */
struct pcpu_hot {
	unsigned long	top_of_stack;
};
DECLARE_PER_CPU(struct pcpu_hot, pcpu_hot);
#define const_pcpu_hot	pcpu_hot
#define current		((struct task_struct *)lkc_task_self())
#endif

#endif
