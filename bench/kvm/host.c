/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PID 1 of a Linux host: loads /modules/0, /modules/1 and so on, runs
 * /program with the number of batches, and leaves the emulator through its exit
 * device.  Says first where functions are, if it is asked to.
 */
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As few characters as will do: the serial port is slow. */
static void
print_symbols(void)
{
	char line[512], name[256], type;
	unsigned long address;
	FILE *f;

	if (mount("none", "/proc", "proc", 0, NULL) == -1 ||
	    (f = fopen("/proc/kallsyms", "r")) == NULL)
		err(1, "/proc/kallsyms");
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lx %c %255s", &address, &type, name) == 3 &&
		    (type == 't' || type == 'T') &&
		    strncmp(name, "__pfx_", 6) != 0)
			printf("%x %s\n", (unsigned int)address, name);
	fclose(f);
	puts("ready");
	fflush(stdout);
}

int
main(void)
{
	char *batches = getenv("batches");	/* of the command line */
	char *kind = getenv("kind");
	char name[32];
	int fd, i, status;
	pid_t pid;

	if (mount("none", "/dev", "devtmpfs", 0, NULL) == -1 ||
	    mount("none", "/sys", "sysfs", 0, NULL) == -1)
		err(1, "mount");
	for (i = 0;; i++) {
		snprintf(name, sizeof(name), "/modules/%d", i);
		if ((fd = open(name, O_RDONLY)) == -1)
			break;
		if (syscall(SYS_finit_module, fd, "", 0) == -1)
			warn("%s", name);
		close(fd);
	}
	if (getenv("symbols") != NULL)
		print_symbols();
	if ((pid = fork()) == 0) {
		execl("/program", "program", batches, kind, (char *)NULL);
		err(1, "/program");
	}
	waitpid(pid, &status, 0);
	printf("status %d\n", WEXITSTATUS(status));
	fflush(stdout);
	usleep(100000);			/* the serial port is slow */
	if (ioperm(0xf4, 4, 1) == -1)
		err(1, "ioperm");
	outl(0, 0xf4);
	return (1);
}
