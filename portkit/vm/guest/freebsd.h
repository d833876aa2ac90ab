/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of FreeBSD's system call interface on amd64 that PID 1 uses.  It
 * has been stable since FreeBSD 13, so that one program starts every kernel
 * and neither its headers nor its libc are needed to build it.
 */

#ifndef _FREEBSD_H_
#define	_FREEBSD_H_

#include <stddef.h>
#include <stdint.h>

#define	SYS_exit		1
#define	SYS_fork		2
#define	SYS_read		3
#define	SYS_write		4
#define	SYS_open		5
#define	SYS_close		6
#define	SYS_wait4		7
#define	SYS_chdir		12
#define	SYS_chmod		15
#define	SYS_kill		37
#define	SYS_ioctl		54
#define	SYS_reboot		55
#define	SYS_readlink		58
#define	SYS_execve		59
#define	SYS_dup2		90
#define	SYS_setsid		147
#define	SYS_clock_gettime	232
#define	SYS_nmount		378
#define	SYS_kenv		390
#define	SYS_pread		475
#define	SYS_pwrite		476
#define	SYS_fstatat		552
#define	SYS_getdirentries	554

#define	ENOENT		2
#define	ENOTDIR		20
#define	O_RDONLY	0x0000
#define	O_RDWR		0x0002
#define	O_NOFOLLOW	0x0100
#define	O_DIRECTORY	0x20000
#define	AT_FDCWD	(-100)
#define	AT_SYMLINK_NOFOLLOW	0x0200
#define	SIGKILL		9
#define	CLOCK_REALTIME	0
#define	KENV_GET	0
#define	RB_NOSYNC	0x0004
#define	RB_POWEROFF	0x4000
#define	MNT_UPDATE	0x00010000
#define	MNT_ASYNC	0x00000040

#define	S_IFMT		0170000
#define	S_IFDIR		0040000
#define	S_IFREG		0100000
#define	S_IFLNK		0120000

/* sys/ttycom.h and sys/_termios.h */
#define	TIOCGETA	0x402c7413
#define	TIOCSETA	0x802c7414
#define	TIOCDRAIN	0x2000745e
#define	CS8		0x00000300
#define	CREAD		0x00000800
#define	CLOCAL		0x00008000
#define	B115200		115200

struct termios {
	uint32_t	c_iflag, c_oflag, c_cflag, c_lflag;
	uint8_t		c_cc[20];
	uint32_t	c_ispeed, c_ospeed;
};

struct timespec {
	int64_t		tv_sec;
	long		tv_nsec;
};

struct iovec {
	void		*iov_base;
	size_t		 iov_len;
};

struct stat {
	uint64_t	st_dev, st_ino, st_nlink;
	uint16_t	st_mode;
	int16_t		st_padding0;
	uint32_t	st_uid, st_gid;
	int32_t		st_padding1;
	uint64_t	st_rdev;
	struct timespec	st_atim, st_mtim, st_ctim, st_birthtim;
	int64_t		st_size, st_blocks;
	int32_t		st_blksize;
	uint32_t	st_flags;
	uint64_t	st_gen, st_spare[10];
};

struct dirent {
	uint64_t	d_fileno;
	int64_t		d_off;
	uint16_t	d_reclen;
	uint8_t		d_type, d_pad0;
	uint16_t	d_namlen, d_pad1;
	char		d_name[];
};

/*
 * One system call.  Returns what it returns, or the negated errno.
 */
static inline long
syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	uint8_t failed;

	__asm__ volatile("syscall; setc %b1"
	    : "+a" (number), "=&b" (failed), "+d" (c), "+r" (r10), "+r" (r8),
	      "+r" (r9), "+D" (a), "+S" (b)
	    : : "rcx", "r11", "memory", "cc");
	return (failed ? -number : number);
}

#define	SYSCALL(name, a, b, c, d, e)					\
	syscall6(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d),	\
	    (long)(e), 0)

#endif /* !_FREEBSD_H_ */
