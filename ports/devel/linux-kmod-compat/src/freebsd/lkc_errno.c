/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Error numbers.  Up to 34 both systems agree, but for EDEADLK and EAGAIN.
 */

#include <sys/errno.h>

#include "lkc_convert.h"

#define	LINUX_EDEADLK		35
#define	LINUX_ERESTARTSYS	512
#define	LINUX_ERESTARTNOINTR	513
#define	LINUX_ERESTARTNOHAND	514
#define	LINUX_ENOIOCTLCMD	515
#define	LINUX_ENOTSUPP		524

/* Index: FreeBSD's number.  Zero: the two agree, or Linux has no such error. */
static const unsigned char to_linux[] = {
	[EDEADLK] = LINUX_EDEADLK,
	[EAGAIN] = LKC_EAGAIN,
	[EINPROGRESS] = 115,
	[EALREADY] = 114,
	[ENOTSOCK] = 88,
	[EDESTADDRREQ] = 89,
	[EMSGSIZE] = 90,
	[EPROTOTYPE] = 91,
	[ENOPROTOOPT] = 92,
	[EPROTONOSUPPORT] = 93,
	[ESOCKTNOSUPPORT] = 94,
	[EOPNOTSUPP] = LKC_EOPNOTSUPP,
	[EPFNOSUPPORT] = 96,
	[EAFNOSUPPORT] = 97,
	[EADDRINUSE] = 98,
	[EADDRNOTAVAIL] = 99,
	[ENETDOWN] = 100,
	[ENETUNREACH] = 101,
	[ENETRESET] = 102,
	[ECONNABORTED] = 103,
	[ECONNRESET] = 104,
	[ENOBUFS] = 105,
	[EISCONN] = 106,
	[ENOTCONN] = 107,
	[ESHUTDOWN] = 108,
	[ETOOMANYREFS] = 109,
	[ETIMEDOUT] = 110,
	[ECONNREFUSED] = 111,
	[ELOOP] = 40,
	[ENAMETOOLONG] = 36,
	[EHOSTDOWN] = 112,
	[EHOSTUNREACH] = 113,
	[ENOTEMPTY] = 39,
	[EUSERS] = 87,
	[EDQUOT] = 122,
	[ESTALE] = 116,
	[EREMOTE] = 66,
	[ENOLCK] = 37,
	[ENOSYS] = 38,
	[EIDRM] = 43,
	[ENOMSG] = 42,
	[EOVERFLOW] = 75,
	[ECANCELED] = 125,
	[EILSEQ] = 84,
	[EBADMSG] = 74,
	[EMULTIHOP] = 72,
	[ENOLINK] = 67,
	[EPROTO] = 71,
	[ENOTRECOVERABLE] = 131,
	[EOWNERDEAD] = 130,
	[EINTEGRITY] = 117,
};

/* Below this the numbers agree unless the table says otherwise. */
#define	COMMON_LIMIT	35

int
lkc_errno_to_linux(int error)
{

	switch (error) {
	case ERESTART:
		return (LINUX_ERESTARTSYS);
	case EPROCLIM:
		return (LKC_EAGAIN);
	case ENOTCAPABLE:
	case ECAPMODE:
		return (LKC_EPERM);
	}
	if (error >= 0 && error < (int)sizeof(to_linux) &&
	    to_linux[error] != 0)
		return (to_linux[error]);
	return (error >= 0 && error < COMMON_LIMIT ? error : LKC_EIO);
}

int
lkc_errno_from_linux(int error)
{
	int i;

	switch (error) {
	case LINUX_ERESTARTSYS:
	case LINUX_ERESTARTNOINTR:
		return (ERESTART);
	case LINUX_ERESTARTNOHAND:
		return (EINTR);
	case LINUX_ENOIOCTLCMD:
		return (ENOTTY);
	case LINUX_ENOTSUPP:
		return (EOPNOTSUPP);
	}
	for (i = 0; i < (int)sizeof(to_linux); i++)
		if (to_linux[i] == error && error != 0)
			return (i);
	return (error >= 0 && error < COMMON_LIMIT ? error : EIO);
}
