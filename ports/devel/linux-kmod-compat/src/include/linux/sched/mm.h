/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_SCHED_MM_H_
#define	_LKC_LINUX_SCHED_MM_H_

#include <linux/sched.h>
struct mm_struct;
struct mm_struct *lx_mm_of(void *vmspace);
void mmgrab(struct mm_struct *mm);
void mmdrop(struct mm_struct *mm);
/* That the address space is gone is found out by who reaches into it. */
static inline bool mmget_not_zero(struct mm_struct *mm)
{
	mmgrab(mm);
	return true;
}
static inline void mmput(struct mm_struct *mm)
{
	mmdrop(mm);
}
#define might_alloc(gfp)	do {} while (0)

#endif
