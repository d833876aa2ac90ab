/* SPDX-License-Identifier: BSD-2-Clause */
/* Without patched code the speculation barrier must be there always. */
#include_next <asm/barrier.h>
#undef barrier_nospec
#define barrier_nospec()	asm volatile("lfence" ::: "memory")
