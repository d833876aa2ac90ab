/* SPDX-License-Identifier: BSD-2-Clause */
/* asuser UID GID PROGRAM [ARGUMENT...]: run a program as somebody else, of that group alone. */
#include <sys/types.h>

#include <err.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	gid_t gid;

	if (argc < 4)
		errx(2, "usage: asuser uid gid program [argument ...]");
	gid = (gid_t)atoi(argv[2]);
	if (setgroups(1, &gid) != 0 || setgid(gid) != 0 ||
	    setuid((uid_t)atoi(argv[1])) != 0)
		err(1, "cannot become that user");
	execv(argv[3], argv + 3);
	err(1, "%s", argv[3]);
}
