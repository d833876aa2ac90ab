/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capmode PROGRAM [ARGUMENT...]: run a program in capability mode. The run-time linker is started
 * instead of it, with descriptors of what it may open: the program and the directories of libraries.
 */
#include <sys/capsicum.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int
opened(const char *path, int flags)
{
	int fd;

	if ((fd = open(path, flags)) == -1)
		err(1, "%s", path);
	return (fd);
}

int
main(int argc, char *argv[])
{
	char libraries[32], program[16];
	char *words[argc + 4], *environment[] = { libraries, NULL };
	int i, linker;

	if (argc < 2)
		errx(2, "usage: capmode program [argument ...]");
	linker = opened("/libexec/ld-elf.so.1", O_RDONLY);
	snprintf(libraries, sizeof(libraries), "LD_LIBRARY_PATH_FDS=%d:%d",
	    opened("/lib", O_DIRECTORY), opened("/usr/lib", O_DIRECTORY));
	snprintf(program, sizeof(program), "%d", opened(argv[1], O_RDONLY));
	words[0] = "ld-elf.so.1";
	words[1] = "-f";
	words[2] = program;
	words[3] = "--";
	for (i = 1; i <= argc; i++)
		words[3 + i] = argv[i];
	if (cap_enter() != 0)
		err(1, "cap_enter");
	fexecve(linker, words, environment);
	err(1, "fexecve");
}
