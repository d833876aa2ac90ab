/* SPDX-License-Identifier: BSD-2-Clause */
/* The branch prediction barrier tests its feature at run time. */
#define indirect_branch_prediction_barrier	lx_no_indirect_branch_prediction_barrier
#include_next <asm/nospec-branch.h>
#undef indirect_branch_prediction_barrier
#ifndef __ASSEMBLY__
void indirect_branch_prediction_barrier(void);
#endif
