/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The arithmetic of the host border: error and signal numbers, ioctl command
 * words and time.  Pure functions without kernel headers, so that they are tested in user
 * space.
 */
#ifndef _LKC_CONVERT_H_
#define	_LKC_CONVERT_H_

#include "lkc_bridge.h"

#define	LKC_NS_PER_S	1000000000ULL
#define	LKC_SBT_MAX	0x7fffffffffffffffLL

/*
 * errno of FreeBSD to a Linux error (> 0), and back.  A number that the other
 * system lacks becomes EIO.
 */
int	lkc_errno_to_linux(int error);
int	lkc_errno_from_linux(int error);

/*
 * FreeBSD's number of a signal that a Linux program numbers so; 0 if there is
 * none.
 */
int	lkc_signal_from_linux(int number);

/*
 * A command word that carries neither size nor direction is one of ours:
 * _IOC(IOC_VOID, group, nr, 0).  The kernel then passes the third argument of
 * ioctl(2) untouched.  True and the two bytes, or false.
 */
static inline int
lkc_ioctl_decode(unsigned long com, unsigned int *group, unsigned int *nr)
{

	if ((com & 0xffff0000ul) != 0x20000000ul || (com >> 32) != 0)
		return (0);
	*group = (com >> 8) & 0xff;
	*nr = com & 0xff;
	return (1);
}

/*
 * Nanoseconds to sbintime_t (seconds in 32.32 fixed point), rounded up: a
 * timer must not fire before its time.  What does not fit is "never".
 */
static inline lkc_s64
lkc_ns_to_sbt(lkc_u64 ns)
{
	lkc_u64 frac, sec;

	sec = ns / LKC_NS_PER_S;
	frac = ((ns % LKC_NS_PER_S) << 32) + LKC_NS_PER_S - 1;
	frac /= LKC_NS_PER_S;
	if (sec >= 0x7fffffff)
		return (LKC_SBT_MAX);
	return ((lkc_s64)((sec << 32) + frac));
}

/* The reverse, rounded down.  sbt is not negative. */
static inline lkc_u64
lkc_sbt_to_ns(lkc_s64 sbt)
{
	lkc_u64 t = (lkc_u64)sbt;

	return ((t >> 32) * LKC_NS_PER_S +
	    (((t & 0xffffffffu) * LKC_NS_PER_S) >> 32));
}

#endif /* !_LKC_CONVERT_H_ */
