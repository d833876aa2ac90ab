/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the suite uses of FreeBSD's C library, on Linux.  The suite runs there on
 * Linux's own KVM, to tell this port's faults from the emulator's.
 */
#include <sys/param.h>
#include <sys/mman.h>

#define	__dead2			__attribute__((__noreturn__))
#define	__printflike(a, b)	__attribute__((__format__(__printf__, a, b)))
#define	__unused		__attribute__((__unused__))
#define	nitems(x)		(sizeof(x) / sizeof((x)[0]))
#define	MAP_ALIGNED(n)		0
#define	SHM_ANON		NULL
#define	shm_open(name, flags, mode)	memfd_create("memory", 0)
