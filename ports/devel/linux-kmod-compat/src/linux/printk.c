// SPDX-License-Identifier: BSD-2-Clause
/* Messages, warnings, formatted strings, privileges, random numbers. */
#include <linux/printk.h>
#include <linux/kern_levels.h>
#include <linux/bug.h>
#include <linux/sprintf.h>
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/random.h>
#include <linux/stdarg.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

/* KERN_SOH and a digit before the text; KERN_CONT has none. */
int vprintk(const char *fmt, va_list ap)
{
	int level = LKC_LOG_WARNING;

	if (fmt[0] == KERN_SOH_ASCII && fmt[1]) {
		level = fmt[1] >= '0' && fmt[1] <= '7' ? fmt[1] - '0' : LKC_LOG_INFO;
		fmt += 2;
	}
	lkc_vlog(level, fmt, ap);
	return 0;
}

int _printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
	return 0;
}

/* Logging takes no lock that a caller could hold. */
int _printk_deferred(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
	return 0;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	return lkc_vsnprintf(buf, size, fmt, ap);
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}

int sprintf(char *buf, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, INT_MAX, fmt, ap);
	va_end(ap);
	return len;
}

int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, PAGE_SIZE, fmt, ap);
	va_end(ap);
	return min_t(int, len, PAGE_SIZE - 1);
}

void warn_slowpath_fmt(const char *file, int line, unsigned int taint,
    const char *fmt, ...)
{
	va_list ap;

	pr_warn("WARNING: %s:%d\n", file, line);
	if (fmt) {
		va_start(ap, fmt);
		lkc_vlog(LKC_LOG_WARNING, fmt, ap);
		va_end(ap);
	}
	lkc_backtrace();
}

void lx_bug(const char *file, int line)
{
	lkc_panic("kernel BUG at %s:%d", file, line);
}

bool capable(int cap)
{
	return lkc_privileged();
}

/* Uniform in [0, ceil): what would favour small numbers is drawn again. */
u32 __get_random_u32_below(u32 ceil)
{
	u64 product;

	do
		product = (u64)LX_BLOCKING(lkc_random()) * ceil;
	while ((u32)product < -ceil % ceil);
	return product >> 32;
}
