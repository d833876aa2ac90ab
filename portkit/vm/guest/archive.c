/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What changed in the test machine, as a tar archive on the exchange disk.
 */

#include "freebsd.h"
#include "init.h"

#define	NAME_SIZE	100		/* of a path in a ustar header */

struct ustar {
	char	name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
	char	chksum[8], typeflag, linkname[100], magic[6], version[2];
	char	uname[32], gname[32], devmajor[8], devminor[8], prefix[155];
	char	pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a tar header is one block");

static int	disk;
static int64_t	out_at;			/* where out[] goes on it */
static char	out[65536];
static size_t	out_used;
static char	path[PATH_SIZE];	/* of the file being archived */
static size_t	top_length;		/* of what the archive leaves out */

static void
flush(void)
{
	long n;

	n = SYSCALL(pwrite, disk, out, out_used, out_at, 0);
	if (n != (long)out_used)
		fail("the results do not fit on the exchange disk:", path, n);
	out_at += out_used;
	out_used = 0;
}

/* Padding to whole blocks is the caller's. */
static void
put_bytes(const char *data, size_t length)
{
	size_t n;

	for (; length > 0; data += n, length -= n) {
		n = sizeof(out) - out_used;
		if (n > length)
			n = length;
		memcpy(out + out_used, data, n);
		out_used += n;
		if (out_used == sizeof(out))
			flush();
	}
}

static void
put_padding(uint64_t length)
{
	static const char zeros[BLOCK];

	if (length % BLOCK != 0)
		put_bytes(zeros, BLOCK - length % BLOCK);
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
put_header(char type, const char *name, const char *link, uint64_t size,
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
	put_bytes((const void *)&h, sizeof(h));
}

/* A header before the header, for a name or link that is too long for it. */
static const char *
put_long(char type, const char *text, const struct stat *st)
{
	size_t length;

	length = length_of(text);
	if (length < NAME_SIZE)
		return (text);
	put_header(type, "././@LongLink", "", length + 1, st);
	put_bytes(text, length + 1);
	put_padding(length + 1);
	return ("see-long-name");
}

static void
put_contents(uint64_t size)
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
		put_bytes(buffer, n);
	}
	put_padding(size);
	SYSCALL(close, fd, 0, 0, 0, 0);
}

static void
put_file(const struct stat *st)
{
	static char target[PATH_SIZE];
	const char *link, *name;
	long n;

	name = path + top_length;
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		name = put_long('L', name, st);
		put_header('0', name, "", st->st_size, st);
		put_contents(st->st_size);
		break;
	case S_IFDIR:
		name = put_long('L', name, st);
		put_header('5', name, "", 0, st);
		break;
	case S_IFLNK:
		n = SYSCALL(readlink, path, target, sizeof(target) - 1, 0, 0);
		if (n < 0)
			fail("cannot read", path, n);
		target[n] = '\0';
		link = put_long('K', target, st);
		name = put_long('L', name, st);
		put_header('2', name, link, 0, st);
		break;
	}
}

/* What is below path and has changed since. */
static void
put_changes(int64_t since)
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
				put_file(&st);
			if ((st.st_mode & S_IFMT) == S_IFDIR)
				put_changes(since);
			path[length] = '\0';
		}
	}
	if (n < 0)
		fail("cannot read", path, n);
	SYSCALL(close, fd, 0, 0, 0, 0);
}

uint64_t
archive_changes(int onto, int64_t at, const char *top, int64_t since)
{
	static const char zeros[2 * BLOCK];

	disk = onto;
	out_at = at;
	append(path, sizeof(path), top);
	top_length = length_of(path) + 1;
	put_changes(since);
	put_bytes(zeros, sizeof(zeros));
	flush();
	return (out_at - at);
}
