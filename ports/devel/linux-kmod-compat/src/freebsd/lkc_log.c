/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages, backtraces, panics, privileges, random numbers.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kdb.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/priv.h>
#include <sys/proc.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>
#include <machine/stdarg.h>

#include "lkc_host.h"

void
lkc_vlog(int level, const char *fmt, __builtin_va_list ap)
{

	if (level < LKC_LOG_DEBUG || bootverbose)
		vprintf(fmt, ap);
}

int
lkc_vsnprintf(char *buf, lkc_size size, const char *fmt, __builtin_va_list ap)
{

	return (vsnprintf(buf, size, fmt, ap));
}

void
lkc_backtrace(void)
{

	kdb_backtrace();
}

void
lkc_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vpanic(fmt, ap);
}

int
lkc_privileged(void)
{

	LKC_ASSERT_SLEEP();
	return (priv_check(curthread, PRIV_DRIVER) == 0);
}

lkc_u32
lkc_random(void)
{

	LKC_ASSERT_SLEEP();
	return (arc4random());
}
