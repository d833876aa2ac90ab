/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first thing a KVM client does: open /dev/kvm and ask for the version of
 * the interface.  Prints the version; exits with 0 when both worked.
 */

#include <sys/ioctl.h>
#include <sys/ioccom.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>

#define	KVM_GET_API_VERSION	_IO(0xae, 0x00)

int
main(void)
{
	int fd, version;

	fd = open("/dev/kvm", O_RDWR);
	if (fd < 0)
		err(1, "/dev/kvm");
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version < 0)
		err(1, "KVM_GET_API_VERSION");
	printf("%d\n", version);
	return (0);
}
