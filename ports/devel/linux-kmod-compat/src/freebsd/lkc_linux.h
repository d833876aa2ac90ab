/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How an ioctl(2) of a Linux program reaches a file of the module: by fo_ioctl()
 * with this command and a structure that begins as the argument of any command
 * without size.  Native programs cannot send it, since sys_ioctl() cuts a
 * command to 32 bits; other files do not know it, and find no size in it.
 */
#ifndef _LKC_LINUX_H_
#define	_LKC_LINUX_H_

#include <sys/ioccom.h>

#define	LKC_LINUX_IOCTL		(1ul << 32 | _IO(0xae, 0))

struct lkc_linux_ioctl {
	u_long	arg;
	u_int	cmd;		/* as the program has it */
};

#endif /* !_LKC_LINUX_H_ */
