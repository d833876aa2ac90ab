/* SPDX-License-Identifier: BSD-2-Clause */
/* No debugfs: creation fails, which callers accept.  Statistics are read from the stats fd. */
#ifndef _LKC_LINUX_DEBUGFS_H_
#define	_LKC_LINUX_DEBUGFS_H_

#include <linux/fs.h>
#include <linux/err.h>
struct dentry;
struct seq_file {
	void	*private;
};
static inline struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)
{
	return ERR_PTR(-ENODEV);
}
static inline struct dentry *debugfs_create_file(const char *name, umode_t mode,
    struct dentry *parent, void *data, const struct file_operations *fops)
{
	return ERR_PTR(-ENODEV);
}
static inline struct dentry *debugfs_lookup(const char *name, struct dentry *parent)
{
	return NULL;
}
static inline bool debugfs_initialized(void)
{
	return false;
}
static inline void debugfs_remove(struct dentry *dentry) {}
static inline void debugfs_remove_recursive(struct dentry *dentry) {}
static inline char *dentry_path_raw(const struct dentry *dentry, char *buf, int len)
{
	return ERR_PTR(-ENODEV);
}
static inline int simple_attr_open(struct inode *inode, struct file *file,
    int (*get)(void *, u64 *), int (*set)(void *, u64), const char *fmt)
{
	return -ENODEV;
}
static inline int simple_attr_release(struct inode *inode, struct file *file)
{
	return 0;
}
#define __simple_attr_check_format(fmt, args...) do {} while (0)
#define simple_attr_read	NULL
#define simple_attr_write	NULL
/* Only for files that debugfs_create_file() refused to make. */
#define seq_read		NULL
#define seq_lseek		NULL
static inline int single_release(struct inode *inode, struct file *file)
{
	return 0;
}
static inline int single_open(struct file *file, int (*show)(struct seq_file *, void *),
    void *data)
{
	return -ENODEV;
}
static inline __printf(2, 3) void seq_printf(struct seq_file *m, const char *fmt, ...) {}
#define DEFINE_SIMPLE_ATTRIBUTE(name, get, set, fmt)				\
static const struct file_operations __maybe_unused name;			\
static void *const __maybe_unused name##_refs[] = { get, set }

#endif
