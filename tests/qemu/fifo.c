/* SPDX-License-Identifier: BSD-2-Clause */
/* fifo NAME: what mkfifo(1) does, which a small base lacks. */
#include <sys/stat.h>

#include <err.h>

int
main(int argc, char *argv[])
{
	if (argc != 2)
		errx(2, "usage: fifo name");
	if (mkfifo(argv[1], 0600) != 0)
		err(1, "%s", argv[1]);
	return (0);
}
