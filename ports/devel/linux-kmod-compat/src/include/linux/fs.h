/* SPDX-License-Identifier: BSD-2-Clause */
/* Files as far as a driver with its own file types needs them. */
#ifndef _LINUX_FS_H
#define	_LINUX_FS_H

#include <linux/types.h>
#include <linux/errno.h>
#include <linux/stat.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/percpu-defs.h>
#include <uapi/linux/fcntl.h>

struct dentry;
struct inode;
struct module;
struct poll_table_struct;

struct path {
	struct dentry *dentry;
};
struct file {
	const struct file_operations *f_op;	/* NULL: not made by this module */
	void		*private_data;
	fmode_t		f_mode;
	unsigned int	f_flags;
	struct path	f_path;
	void		*lx_hfile;		/* of a foreign file */
	refcount_t	lx_refs;		/* a descriptor holds one */
	struct mm_struct *lx_mm;		/* held: where it was made, or NULL */
	const void	*lx_commands;		/* lx_ioctl_command()'s, from lx_name */
	char		lx_name[28];
};
struct inode {
	void		*i_private;
};
struct file_operations {
	struct module	*owner;
	loff_t		(*llseek)(struct file *, loff_t, int);
	ssize_t		(*read)(struct file *, char __user *, size_t, loff_t *);
	ssize_t		(*write)(struct file *, const char __user *, size_t, loff_t *);
	__poll_t	(*poll)(struct file *, struct poll_table_struct *);
	long		(*unlocked_ioctl)(struct file *, unsigned int, unsigned long);
	long		(*compat_ioctl)(struct file *, unsigned int, unsigned long);
	int		(*mmap)(struct file *, struct vm_area_struct *);
	int		(*open)(struct inode *, struct file *);
	int		(*release)(struct inode *, struct file *);
};
#define FMODE_PREAD	((__force fmode_t)(1 << 3))
#define FMODE_PWRITE	((__force fmode_t)(1 << 4))
struct file *get_file(struct file *file);
/* 32-bit programs are refused before a driver sees them. */
#define compat_ptr_ioctl	NULL
static inline int nonseekable_open(struct inode *inode, struct file *file)
{
	return 0;
}
loff_t noop_llseek(struct file *file, loff_t offset, int whence);
static inline struct inode *file_inode(const struct file *file)
{
	return NULL;
}
static inline void dput(struct dentry *dentry) {}

#endif
