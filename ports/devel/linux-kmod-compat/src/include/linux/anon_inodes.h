/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of the module, see files.c. */
#ifndef _LKC_LINUX_ANON_INODES_H_
#define	_LKC_LINUX_ANON_INODES_H_

#include <linux/types.h>
struct file_operations;
struct file;
int anon_inode_getfd(const char *name, const struct file_operations *fops,
    void *priv, int flags);
struct file *anon_inode_getfile(const char *name,
    const struct file_operations *fops, void *priv, int flags);
struct file *anon_inode_getfile_fmode(const char *name,
    const struct file_operations *fops, void *priv, int flags, fmode_t f_mode);

#endif
