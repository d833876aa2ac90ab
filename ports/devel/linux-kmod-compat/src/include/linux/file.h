/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of the current process, see files.c. */
#ifndef _LKC_LINUX_FILE_H_
#define	_LKC_LINUX_FILE_H_

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/errno.h>
struct fd {
	struct file *file;
};
#define fd_file(f)	((f).file)
#define fd_empty(f)	(!(f).file)
#define EMPTY_FD	(struct fd){ NULL }
struct fd fdget(unsigned int fd);
void fdput(struct fd f);
struct file *fget(unsigned int fd);
void fput(struct file *file);
int get_unused_fd_flags(unsigned int flags);
void put_unused_fd(unsigned int fd);
void fd_install(unsigned int fd, struct file *file);
DEFINE_CLASS(fd, struct fd, fdput(_T), fdget(fd), int fd)

#endif
