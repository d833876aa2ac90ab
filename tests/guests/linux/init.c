/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PID 1 of the Linux machine: loads KVM, runs the suite on the second serial
 * port, and ends the emulator.  From the kernel's command line: PARAMETERS of
 * the vendor's module, and the arguments GUESTS; both with commas for blanks.
 */
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define	WORDS	256

static void
load(const char *path, const char *parameters)
{
	int fd;

	if ((fd = open(path, O_RDONLY)) == -1)
		return;			/* this kernel has it built in */
	if (syscall(SYS_finit_module, fd, parameters, 0) != 0)
		perror(path);
	close(fd);
}

static void
use_serial_port(void)
{
	struct termios mode;
	int fd;

	if ((fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY)) == -1) {
		perror("ttyS1");
		return;
	}
	tcgetattr(fd, &mode);
	cfmakeraw(&mode);
	cfsetspeed(&mode, B115200);
	mode.c_cflag |= CLOCAL;
	tcsetattr(fd, TCSANOW, &mode);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

static void
run(char *arguments)
{
	char *argv[WORDS] = { "/guests" };
	int n;

	for (n = 1; n < WORDS - 1; n++, arguments = NULL)
		if ((argv[n] = strtok(arguments, ",")) == NULL)
			break;
	execv(argv[0], argv);
	perror(argv[0]);
	_exit(1);
}

int
main(void)
{
	const char *end;
	char parameters[200] = "", *p;

	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	use_serial_port();
	snprintf(parameters, sizeof(parameters), "%s",
	    getenv("PARAMETERS") != NULL ? getenv("PARAMETERS") : "");
	for (p = parameters; *p != '\0'; p++)
		if (*p == ',')
			*p = ' ';
	load("/irqbypass.ko", "");
	load("/kvm.ko", "");
	load("/kvm-intel.ko", parameters);
	if (access("/dev/kvm", F_OK) != 0)
		load("/kvm-amd.ko", parameters);
	if (fork() == 0)
		run(getenv("GUESTS") != NULL ? getenv("GUESTS") : "");
	wait(NULL);
	tcdrain(STDOUT_FILENO);
	iopl(3);
	for (end = "Shutdown"; *end != '\0'; end++)	/* Bochs */
		outb(*end, 0x8900);
	outl(1, 0xf4);					/* QEMU */
	for (;;)
		pause();
}
