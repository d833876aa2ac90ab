/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PID 1 of the test machine.  It mounts what a command needs, runs the one
 * command that the host asks for, hands back its status and the files that it
 * wrote, and leaves the emulator.
 *
 * Host and guest meet on the exchange disk (portkit/vm/exchange.py): the
 * request at its start, the answer at ANSWER_AT, then a tar archive.  The
 * first serial port is the kernel's console, the second the command's output.
 */

#include "freebsd.h"
#include "init.h"

#define	REQUEST_SIZE	65536
#define	ANSWER_AT	REQUEST_SIZE
#define	ARCHIVE_AT	(ANSWER_AT + BLOCK)
#define	TOKEN_SIZE	16
#define	ARGS_MAX	1024

#define	ANSWER_EXITED	1
#define	ANSWER_FAILED	2

#define	STATUS_NOT_EXECUTABLE	126
#define	STATUS_NOT_FOUND	127

struct request {
	char		magic[8];
	char		token[TOKEN_SIZE];
	uint32_t	argc;
	char		args[];		/* argc strings */
};

struct answer {
	char		magic[8];
	char		token[TOKEN_SIZE];
	uint32_t	kind;		/* ANSWER_* */
	uint32_t	status;		/* as a shell has it */
	uint64_t	archive;	/* bytes */
	char		message[256];	/* of ANSWER_FAILED */
};

static union {
	struct request	r;
	char		bytes[REQUEST_SIZE];
} request;

static int	exchange = -1;		/* the disk */

static char *const environment[] = {
	"PATH=/sbin:/bin:/usr/sbin:/usr/bin:/t", "HOME=/root", "USER=root",
	"LOGNAME=root", "SHELL=/bin/sh", "TERM=dumb", "TMPDIR=/tmp",
	"LD_LIBRARY_PATH=/t", NULL
};

void	start(void) __attribute__((noreturn));

void *
memcpy(void *to, const void *from, size_t length)
{
	void *d = to;

	__asm__ volatile("rep movsb"
	    : "+D" (d), "+S" (from), "+c" (length) : : "memory");
	return (to);
}

void *
memset(void *to, int byte, size_t length)
{
	void *d = to;

	__asm__ volatile("rep stosb"
	    : "+D" (d), "+c" (length) : "a" (byte) : "memory");
	return (to);
}

size_t
length_of(const char *text)
{
	size_t n;

	for (n = 0; text[n] != '\0'; n++)
		;
	return (n);
}

void
append(char *buffer, size_t size, const char *text)
{
	size_t n;

	for (n = length_of(buffer); *text != '\0' && n < size - 1; n++)
		buffer[n] = *text++;
	buffer[n] = '\0';
}

static void
append_number(char *buffer, size_t size, unsigned long number)
{
	char digits[24];
	char *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do {
		*--p = '0' + number % 10;
		number /= 10;
	} while (number != 0);
	append(buffer, size, p);
}

/* Leave QEMU through isa-debug-exit and Bochs through its shutdown port. */
static void
leave(void)
{
	static const char word[] = "Shutdown";
	size_t i;

	if (SYSCALL(open, "/dev/io", O_RDWR, 0, 0, 0) >= 0) {
		__asm__ volatile("outl %0, %1"
		    : : "a" (0), "Nd" ((uint16_t)0xf4));
		for (i = 0; i < sizeof(word) - 1; i++)
			__asm__ volatile("outb %0, %1"
			    : : "a" (word[i]), "d" ((uint16_t)0x8900));
	}
	SYSCALL(reboot, RB_POWEROFF | RB_NOSYNC, 0, 0, 0, 0);
	for (;;)
		;
}

/* Give the answer to the host and leave. */
static void __attribute__((noreturn))
answer(uint32_t kind, uint32_t status, uint64_t archive, const char *message)
{
	static union {
		struct answer	a;
		char		block[BLOCK];
	} u;

	memcpy(u.a.magic, "pkvm-ans", sizeof(u.a.magic));
	memcpy(u.a.token, request.r.token, TOKEN_SIZE);
	u.a.kind = kind;
	u.a.status = status;
	u.a.archive = archive;
	append(u.a.message, sizeof(u.a.message), message);
	SYSCALL(pwrite, exchange, u.block, BLOCK, ANSWER_AT, 0);
	leave();
	__builtin_unreachable();
}

void
fail(const char *what, const char *which, long error)
{
	char text[256] = "";

	append(text, sizeof(text), what);
	append(text, sizeof(text), " ");
	append(text, sizeof(text), which);
	if (error < 0) {
		append(text, sizeof(text), ": errno ");
		append_number(text, sizeof(text), -error);
	}
	SYSCALL(write, 2, "portkit init: ", 14, 0, 0);
	SYSCALL(write, 2, text, length_of(text), 0, 0);
	SYSCALL(write, 2, "\n", 1, 0, 0);
	answer(ANSWER_FAILED, 0, 0, text);
}

static long
mount(const char *type, const char *from, const char *on, int flags)
{
	const char *names[] = {
		"fstype", type, "fspath", on, "from", from, "rw", NULL
	};
	struct iovec iov[8];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		iov[i].iov_base = (void *)(uintptr_t)names[i];
		iov[i].iov_len = names[i] != NULL ? length_of(names[i]) + 1 : 0;
	}
	return (SYSCALL(nmount, iov, 8, flags, 0, 0));
}

static void
must_mount(const char *type, const char *from, const char *on, int flags)
{
	long error;

	error = mount(type, from, on, flags);
	if (error < 0)
		fail("cannot mount", on, error);
}

/* A variable of the kernel's environment, which the host wrote. */
static void
setting(const char *name, char *value, size_t size)
{
	long error;

	memset(value, 0, size);
	error = SYSCALL(kenv, KENV_GET, name, value, size - 1, 0);
	if (error < 0)
		fail("the kernel environment lacks", name, error);
}

static void
open_console(void)
{
	struct termios t;
	int fd;

	fd = SYSCALL(open, "/dev/console", O_RDWR, 0, 0, 0);
	for (; fd >= 0 && fd < 2; fd++)
		SYSCALL(dup2, fd, fd + 1, 0, 0, 0);
	if (SYSCALL(ioctl, 0, TIOCGETA, &t, 0, 0) == 0) {
		t.c_oflag = 0;
		SYSCALL(ioctl, 0, TIOCSETA, &t, 0, 0);
	}
}

static void
read_request(void)
{
	char device[64];
	long n;

	setting("portkit.exchange", device, sizeof(device));
	exchange = SYSCALL(open, device, O_RDWR, 0, 0, 0);
	if (exchange < 0)
		fail("cannot open", device, exchange);
	n = SYSCALL(pread, exchange, request.bytes, REQUEST_SIZE, 0, 0);
	if (n != REQUEST_SIZE)
		fail("cannot read", device, n);
	request.bytes[REQUEST_SIZE - 1] = '\0';
	if (request.r.argc == 0 || request.r.argc >= ARGS_MAX)
		fail("no request on", device, 0);
}

/* The serial port that takes the command's output, as it is. */
static int
open_output(void)
{
	static const char device[] = "/dev/cuau1";
	struct termios t;
	long error;
	int fd;

	/* The callout device: to open it needs no carrier. */
	fd = SYSCALL(open, device, O_RDWR, 0, 0, 0);
	if (fd < 0)
		fail("cannot open", device, fd);
	error = SYSCALL(ioctl, fd, TIOCGETA, &t, 0, 0);
	t.c_iflag = t.c_oflag = t.c_lflag = 0;
	t.c_cflag = CS8 | CREAD | CLOCAL;
	t.c_ispeed = t.c_ospeed = B115200;
	if (error == 0)
		error = SYSCALL(ioctl, fd, TIOCSETA, &t, 0, 0);
	if (error < 0)
		fail("cannot set up", device, error);
	return (fd);
}

/* In the child: become the command.  Says what is wrong as a shell would. */
static void __attribute__((noreturn))
become_command(int output)
{
	static const char *const directories[] = {
		"/sbin/", "/bin/", "/usr/sbin/", "/usr/bin/", "/t/", ""
	};
	static char *args[ARGS_MAX];
	char program[PATH_SIZE], *p;
	long error, status;
	uint32_t i;
	int has_slash, null;

	p = request.r.args;
	for (i = 0; i < request.r.argc; i++) {
		if (p >= request.bytes + REQUEST_SIZE)
			break;
		args[i] = p;
		p += length_of(p) + 1;
	}
	SYSCALL(setsid, 0, 0, 0, 0, 0);
	null = SYSCALL(open, "/dev/null", O_RDONLY, 0, 0, 0);
	SYSCALL(dup2, null, 0, 0, 0, 0);
	SYSCALL(dup2, output, 1, 0, 0, 0);
	SYSCALL(dup2, output, 2, 0, 0, 0);
	for (i = 3; i < 16; i++)
		SYSCALL(close, i, 0, 0, 0, 0);
	SYSCALL(chdir, "/t", 0, 0, 0, 0);

	has_slash = 0;
	for (p = args[0]; *p != '\0'; p++)
		has_slash |= *p == '/';
	status = STATUS_NOT_FOUND;
	for (i = has_slash ? 5 : 0; i < (has_slash ? 6 : 5); i++) {
		program[0] = '\0';
		append(program, sizeof(program), directories[i]);
		append(program, sizeof(program), args[0]);
		error = SYSCALL(execve, program, args, environment, 0, 0);
		if (error != -ENOENT && error != -ENOTDIR)
			status = STATUS_NOT_EXECUTABLE;
	}
	SYSCALL(write, 2, args[0], length_of(args[0]), 0, 0);
	if (status == STATUS_NOT_FOUND)
		SYSCALL(write, 2, ": not found\n", 12, 0, 0);
	else
		SYSCALL(write, 2, ": cannot be executed\n", 21, 0, 0);
	for (;;)
		SYSCALL(exit, status, 0, 0, 0, 0);
}

/* Run the command to its end, and end what it left behind. */
static uint32_t
run_command(int output)
{
	long child, pid;
	int status;

	child = SYSCALL(fork, 0, 0, 0, 0, 0);
	if (child < 0)
		fail("cannot", "fork", child);
	if (child == 0)
		become_command(output);
	do {
		pid = SYSCALL(wait4, -1, &status, 0, 0, 0);
	} while (pid != child && pid > 0);
	SYSCALL(kill, -1, SIGKILL, 0, 0, 0);
	SYSCALL(ioctl, output, TIOCDRAIN, 0, 0, 0);
	if ((status & 0177) == 0)
		return (status >> 8 & 0xff);
	return (128 + (status & 0177));
}

void
start(void)
{
	struct timespec now;
	char device[64];
	uint32_t status;
	int output;

	SYSCALL(setsid, 0, 0, 0, 0, 0);
	open_console();
	read_request();
	setting("portkit.root", device, sizeof(device));
	must_mount("ufs", device, "/", MNT_UPDATE | MNT_ASYNC);
	must_mount("tmpfs", "tmpfs", "/tmp", 0);
	SYSCALL(chmod, "/tmp", 01777, 0, 0, 0);
	mount("procfs", "proc", "/proc", 0);	/* a kernel may lack it */
	setting("portkit.t", device, sizeof(device));
	must_mount("ufs", device, "/t", MNT_ASYNC);
	output = open_output();

	/* File times are coarse: what is a second too old comes along. */
	SYSCALL(clock_gettime, CLOCK_REALTIME, &now, 0, 0, 0);
	status = run_command(output);
	answer(ANSWER_EXITED, status,
	    archive_changes(exchange, ARCHIVE_AT, "/t", now.tv_sec - 1), "");
}
