/* SPDX-License-Identifier: BSD-2-Clause */
/* Masks are 64 bits; bit N-1 is FreeBSD's signal N. */
#ifndef _LINUX_SIGNAL_H
#define	_LINUX_SIGNAL_H

#include <linux/bug.h>
#include <linux/list.h>
#include <linux/signal_types.h>
#include <linux/string.h>
static inline void sigemptyset(sigset_t *set)
{
	memset(set, 0, sizeof(*set));
}
#define sigmask(sig)	(1UL << ((sig) - 1))
static inline void sigdelsetmask(sigset_t *set, unsigned long mask)
{
	set->sig[0] &= ~mask;
}
int sigprocmask(int how, sigset_t *set, sigset_t *oldset);

#endif
