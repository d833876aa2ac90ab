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

#define	REQUEST_SIZE	65536
#define	ANSWER_AT	REQUEST_SIZE
#define	ARCHIVE_AT	(ANSWER_AT + 512)
#define	TOKEN_SIZE	16
#define	ARGS_MAX	1024
#define	BLOCK		512
#define	PATH_SIZE	4096
#define	NAME_SIZE	100		/* of a path in a ustar header */

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

struct ustar {
	char	name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
	char	chksum[8], typeflag, linkname[100], magic[6], version[2];
	char	uname[32], gname[32], devmajor[8], devminor[8], prefix[155];
	char	pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a tar header is one block");

static union {
	struct request	r;
	char		bytes[REQUEST_SIZE];
} request;

static int	exchange = -1;		/* the disk */
static int64_t	out_at = ARCHIVE_AT;	/* where out[] goes */
static char	out[65536];		/* of the archive */
static size_t	out_used;
static char	path[PATH_SIZE];	/* of the file being archived */

static char *const environment[] = {
	"PATH=/sbin:/bin:/usr/sbin:/usr/bin:/t", "HOME=/root", "USER=root",
	"LOGNAME=root", "SHELL=/bin/sh", "TERM=dumb", "TMPDIR=/tmp",
	"LD_LIBRARY_PATH=/t", NULL
};

void	start(void) __attribute__((noreturn));
void	*memcpy(void *, const void *, size_t);
void	*memset(void *, int, size_t);

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

static size_t
length_of(const char *text)
{
	size_t n;

	for (n = 0; text[n] != '\0'; n++)
		;
	return (n);
}

/* Append to a string in a buffer, as much of it as there is room for. */
static void
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
answer(uint32_t kind, uint32_t status, const char *message)
{
	static union {
		struct answer	a;
		char		block[BLOCK];
	} u;

	memcpy(u.a.magic, "pkvm-ans", sizeof(u.a.magic));
	memcpy(u.a.token, request.r.token, TOKEN_SIZE);
	u.a.kind = kind;
	u.a.status = status;
	u.a.archive = out_at - ARCHIVE_AT;
	append(u.a.message, sizeof(u.a.message), message);
	SYSCALL(pwrite, exchange, u.block, BLOCK, ANSWER_AT, 0);
	leave();
	__builtin_unreachable();
}

/* Report what the machine itself could not do; error is a negated errno. */
static void __attribute__((noreturn))
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
	answer(ANSWER_FAILED, 0, text);
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

static void
archive_flush(void)
{
	long n;

	n = SYSCALL(pwrite, exchange, out, out_used, out_at, 0);
	if (n != (long)out_used)
		fail("the results do not fit on the exchange disk:", path, n);
	out_at += out_used;
	out_used = 0;
}

/* Add to the archive; padding to whole blocks is the caller's. */
static void
archive_bytes(const char *data, size_t length)
{
	size_t n;

	for (; length > 0; data += n, length -= n) {
		n = sizeof(out) - out_used;
		if (n > length)
			n = length;
		memcpy(out + out_used, data, n);
		out_used += n;
		if (out_used == sizeof(out))
			archive_flush();
	}
}

static void
archive_pad(uint64_t length)
{
	static const char zeros[BLOCK];

	if (length % BLOCK != 0)
		archive_bytes(zeros, BLOCK - length % BLOCK);
}

static void
octal(char *field, size_t size, uint64_t number)
{

	for (field += size - 1; size > 1; size--) {
		*--field = '0' + number % 8;
		number /= 8;
	}
}

static void
archive_header(char type, const char *name, const char *link, uint64_t size,
    const struct stat *st)
{
	struct ustar h;
	const uint8_t *byte;
	unsigned int i, sum;

	memset(&h, 0, sizeof(h));
	memcpy(h.name, name, length_of(name));
	memcpy(h.linkname, link, length_of(link));
	octal(h.mode, sizeof(h.mode), st->st_mode & 07777);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), size);
	octal(h.mtime, sizeof(h.mtime), st->st_mtim.tv_sec);
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	h.typeflag = type;
	memset(h.chksum, ' ', sizeof(h.chksum));
	sum = 0;
	for (byte = (const void *)&h, i = 0; i < sizeof(h); i++)
		sum += byte[i];
	octal(h.chksum, sizeof(h.chksum) - 1, sum);
	archive_bytes((const void *)&h, sizeof(h));
}

/* A header before the header, for a name or link that is too long for it. */
static const char *
archive_long(char type, const char *text, const struct stat *st)
{
	size_t length;

	length = length_of(text);
	if (length < NAME_SIZE)
		return (text);
	archive_header(type, "././@LongLink", "", length + 1, st);
	archive_bytes(text, length + 1);
	archive_pad(length + 1);
	return ("see-long-name");
}

static void
archive_contents(uint64_t size)
{
	static char buffer[65536];
	uint64_t left;
	long n;
	int fd;

	fd = SYSCALL(open, path, O_RDONLY | O_NOFOLLOW, 0, 0, 0);
	for (left = size; left > 0; left -= n) {
		n = SYSCALL(read, fd, buffer,
		    left < sizeof(buffer) ? left : sizeof(buffer), 0, 0);
		if (n <= 0)
			fail("cannot read", path, n);
		archive_bytes(buffer, n);
	}
	archive_pad(size);
	SYSCALL(close, fd, 0, 0, 0, 0);
}

static void
archive_file(const struct stat *st)
{
	static char target[PATH_SIZE];
	const char *link, *name;
	long n;

	name = path + sizeof("/t/") - 1;
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		name = archive_long('L', name, st);
		archive_header('0', name, "", st->st_size, st);
		archive_contents(st->st_size);
		break;
	case S_IFDIR:
		name = archive_long('L', name, st);
		archive_header('5', name, "", 0, st);
		break;
	case S_IFLNK:
		n = SYSCALL(readlink, path, target, sizeof(target) - 1, 0, 0);
		if (n < 0)
			fail("cannot read", path, n);
		target[n] = '\0';
		link = archive_long('K', target, st);
		name = archive_long('L', name, st);
		archive_header('2', name, link, 0, st);
		break;
	}
}

/* Archive what is below path and has changed since a time, in seconds. */
static void
archive_changes(int64_t since)
{
	char entries[8192] __attribute__((aligned(8)));
	const struct dirent *d;
	struct stat st;
	size_t length;
	long at, error, n;
	int fd;

	length = length_of(path);
	fd = SYSCALL(open, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, 0, 0);
	if (fd < 0)
		fail("cannot open", path, fd);
	while ((n = SYSCALL(getdirentries, fd, entries, sizeof(entries), 0,
	    0)) > 0) {
		for (at = 0; at < n; at += d->d_reclen) {
			d = (const void *)(entries + at);
			if (d->d_fileno == 0 || (d->d_name[0] == '.' &&
			    (d->d_namlen == 1 ||
			    (d->d_namlen == 2 && d->d_name[1] == '.'))))
				continue;
			if (length + 1 + d->d_namlen >= sizeof(path))
				fail("a path is too long below", path, 0);
			append(path, sizeof(path), "/");
			append(path, sizeof(path), d->d_name);
			error = SYSCALL(fstatat, AT_FDCWD, path, &st,
			    AT_SYMLINK_NOFOLLOW, 0);
			if (error < 0)
				fail("cannot examine", path, error);
			if (st.st_ctim.tv_sec >= since)
				archive_file(&st);
			if ((st.st_mode & S_IFMT) == S_IFDIR)
				archive_changes(since);
			path[length] = '\0';
		}
	}
	if (n < 0)
		fail("cannot read", path, n);
	SYSCALL(close, fd, 0, 0, 0, 0);
}

static void
archive_end(void)
{
	static const char zeros[2 * BLOCK];

	archive_bytes(zeros, sizeof(zeros));
	archive_flush();
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
	append(path, sizeof(path), "/t");
	archive_changes(now.tv_sec - 1);
	archive_end();
	answer(ANSWER_EXITED, status, "");
}
