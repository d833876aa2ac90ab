/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Suspends the machine to memory, like acpiconf(8); says what came of it.
 */
#include <sys/types.h>
#include <sys/ioctl.h>
#include <dev/acpica/acpiio.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>

int
main(void)
{
	int fd, state = 3;

	if ((fd = open("/dev/acpi", O_RDWR)) == -1)
		err(1, "/dev/acpi");
	if (ioctl(fd, ACPIIO_REQSLPSTATE, &state) == -1)
		err(1, "suspend");
	printf("awake\n");
	return (0);
}
