/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors of the host are allocated at load, not fixed. */
#ifndef _LKC_ASM_IRQ_VECTORS_H_
#define	_LKC_ASM_IRQ_VECTORS_H_

#include_next <asm/irq_vectors.h>
#undef POSTED_INTR_VECTOR
#undef POSTED_INTR_WAKEUP_VECTOR
#undef POSTED_INTR_NESTED_VECTOR
#ifndef __ASSEMBLY__
extern int lx_posted_intr_vector, lx_posted_intr_wakeup_vector,
    lx_posted_intr_nested_vector;
#define POSTED_INTR_VECTOR		lx_posted_intr_vector
#define POSTED_INTR_WAKEUP_VECTOR	lx_posted_intr_wakeup_vector
#define POSTED_INTR_NESTED_VECTOR	lx_posted_intr_nested_vector
#endif

#endif
