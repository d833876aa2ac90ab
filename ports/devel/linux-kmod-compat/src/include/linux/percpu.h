/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies per CPU in the module's own memory, see percpu.c. */
#ifndef __LINUX_PERCPU_H
#define	__LINUX_PERCPU_H

#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/types.h>
#include <linux/cpumask.h>
#include <asm/percpu.h>
void __percpu *__alloc_percpu(size_t size, size_t align);
void free_percpu(void __percpu *ptr);
#define alloc_percpu(type)						\
	((typeof(type) __percpu *)__alloc_percpu(sizeof(type), __alignof__(type)))
#define alloc_percpu_gfp(type, gfp)	alloc_percpu(type)

#endif
