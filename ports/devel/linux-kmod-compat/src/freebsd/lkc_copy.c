/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Copies from and to the user memory of the current process.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_host.h"

static inline void *
user_ptr(lkc_u64 uva)
{

	return ((void *)(uintptr_t)uva);
}

int
lkc_copyin(void *dst, lkc_u64 src, lkc_size len)
{

	LKC_ASSERT_SLEEP();
	return (copyin(user_ptr(src), dst, len) == 0 ? 0 : -LKC_EFAULT);
}

int
lkc_copyout(lkc_u64 dst, const void *src, lkc_size len)
{

	LKC_ASSERT_SLEEP();
	return (copyout(src, user_ptr(dst), len) == 0 ? 0 : -LKC_EFAULT);
}

/*
 * The trap handler honours the fault recovery of these two only outside
 * interrupts; in one, user memory is out of reach.
 */
int
lkc_copyin_nofault(void *dst, lkc_u64 src, lkc_size len)
{

	if (curthread->td_intr_nesting_level != 0)
		return (-LKC_EFAULT);
	return (copyin_nofault(user_ptr(src), dst, len) == 0 ? 0 :
	    -LKC_EFAULT);
}

int
lkc_copyout_nofault(lkc_u64 dst, const void *src, lkc_size len)
{

	if (curthread->td_intr_nesting_level != 0)
		return (-LKC_EFAULT);
	return (copyout_nofault(src, user_ptr(dst), len) == 0 ? 0 :
	    -LKC_EFAULT);
}

int
lkc_cas_user32(lkc_u64 uva, lkc_u32 *old, lkc_u32 new)
{
	uint32_t seen;
	int rv;

	LKC_ASSERT_SLEEP();
	if ((uva & (sizeof(uint32_t) - 1)) != 0)
		return (-LKC_EFAULT);
	/* 1 with an unchanged value is a failure without cause: again. */
	do {
		rv = casueword32(user_ptr(uva), *old, &seen, new);
	} while (rv == 1 && seen == *old);
	if (rv == -1)
		return (-LKC_EFAULT);
	if (seen == *old)
		return (0);
	*old = seen;
	return (1);
}

int
lkc_cas_user64(lkc_u64 uva, lkc_u64 *old, lkc_u64 new)
{
	u_long seen;
	int rv;

	LKC_ASSERT_SLEEP();
	if ((uva & (sizeof(u_long) - 1)) != 0)
		return (-LKC_EFAULT);
	do {
		rv = casueword(user_ptr(uva), *old, &seen, new);
	} while (rv == 1 && seen == *old);
	if (rv == -1)
		return (-LKC_EFAULT);
	if (seen == *old)
		return (0);
	*old = seen;
	return (1);
}
