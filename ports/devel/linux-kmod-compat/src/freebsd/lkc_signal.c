/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Linux's signal numbers, as FreeBSD's emulation of Linux maps them: by meaning
 * up to 31, the real-time ones in order.
 */

#include <sys/types.h>
#include <sys/signal.h>

#include "lkc_convert.h"

#define	LINUX_SIGPWR	30
#define	LINUX_SIGRTMIN	32
#define	LINUX_SIGRTMAX	64

int
lkc_signal_from_linux(int number)
{
	/* 16 is SIGSTKFLT, which nothing sends. */
	static const unsigned char low[LINUX_SIGRTMIN] = {
		[1] = SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT,
		SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE,
		SIGALRM, SIGTERM, 0, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP,
		SIGTTIN, SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF,
		SIGWINCH, SIGIO, 0, SIGSYS,
	};

	if (number < 1 || number > LINUX_SIGRTMAX)
		return (0);
	if (number >= LINUX_SIGRTMIN)
		return (SIGRTMIN + number - LINUX_SIGRTMIN);
	if (number == LINUX_SIGPWR)
		return (SIGRTMIN + LINUX_SIGRTMAX - LINUX_SIGRTMIN + 1);
	return (low[number]);
}
