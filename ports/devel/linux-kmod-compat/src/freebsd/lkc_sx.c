/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Sleeping locks: sx(9) in storage that the Linux side embeds.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/proc.h>
#include <sys/sx.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_host.h"

CTASSERT(sizeof(struct sx) <= sizeof(struct lkc_sx));
CTASSERT(__alignof(struct sx) <= __alignof(struct lkc_sx));

static inline struct sx *
host_sx(struct lkc_sx *sx)
{

	return ((struct sx *)sx);
}

void
lkc_sx_init(struct lkc_sx *sx, const char *name)
{

	LKC_ASSERT_THREAD();
	/*
	 * Linux initialises a lock in memory that it does not always clear;
	 * SX_NEW keeps WITNESS from taking old contents for a live lock.
	 */
	sx_init_flags(host_sx(sx), name, SX_NEW | SX_DUPOK);
}

void
lkc_sx_destroy(struct lkc_sx *sx)
{

	LKC_ASSERT_THREAD();
	sx_destroy(host_sx(sx));
}

void
lkc_sx_xlock(struct lkc_sx *sx)
{

	LKC_ASSERT_SLEEP();
	sx_xlock(host_sx(sx));
}

int
lkc_sx_xlock_sig(struct lkc_sx *sx)
{

	LKC_ASSERT_SLEEP();
	return (sx_xlock_sig(host_sx(sx)) == 0 ? 0 : -LKC_EINTR);
}

int
lkc_sx_try_xlock(struct lkc_sx *sx)
{

	LKC_ASSERT_THREAD();
	return (sx_try_xlock(host_sx(sx)) != 0);
}

void
lkc_sx_xunlock(struct lkc_sx *sx)
{

	LKC_ASSERT_THREAD();
	sx_xunlock(host_sx(sx));
}

void
lkc_sx_slock(struct lkc_sx *sx)
{

	LKC_ASSERT_SLEEP();
	sx_slock(host_sx(sx));
}

int
lkc_sx_try_slock(struct lkc_sx *sx)
{

	LKC_ASSERT_THREAD();
	return (sx_try_slock(host_sx(sx)) != 0);
}

void
lkc_sx_sunlock(struct lkc_sx *sx)
{

	LKC_ASSERT_THREAD();
	sx_sunlock(host_sx(sx));
}

int
lkc_sx_xlocked(struct lkc_sx *sx)
{
	uintptr_t x;

	x = atomic_load_ptr(&host_sx(sx)->sx_lock);
	return ((x & SX_LOCK_SHARED) == 0);
}
