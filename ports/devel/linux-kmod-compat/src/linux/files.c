// SPDX-License-Identifier: BSD-2-Clause
/* Files, descriptors and the character device; what FreeBSD calls for them. */
#include <linux/fs.h>
#include <linux/file.h>
#include <linux/anon_inodes.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

static struct file *file_new(const char *name, const struct file_operations *fops,
    void *priv, int flags)
{
	struct file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return NULL;
	file->f_op = fops;
	file->private_data = priv;
	file->f_flags = flags;
	refcount_set(&file->lx_refs, 1);
	strscpy(file->lx_name, name, sizeof(file->lx_name));
	return file;
}

static void file_free(struct file *file)
{
	if (file->lx_mm)
		mmdrop(file->lx_mm);
	kfree(file);
}

static bool wants_write(const struct file *file)
{
	return (file->f_flags & O_ACCMODE) != O_RDONLY;
}

/* --- descriptors -------------------------------------------------------- */

struct file *anon_inode_getfile(const char *name, const struct file_operations *fops,
    void *priv, int flags)
{
	struct file *file = file_new(name, fops, priv, flags);

	if (!file)
		return ERR_PTR(-ENOMEM);
	/* Most calls will be made there: see set_mm(). */
	file->lx_mm = current->mm;
	if (file->lx_mm)
		mmgrab(file->lx_mm);
	return file;
}

int anon_inode_getfd(const char *name, const struct file_operations *fops,
    void *priv, int flags)
{
	struct file *file = anon_inode_getfile(name, fops, priv, flags);
	void *hfile;
	int err, fd;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = LX_BLOCKING(lkc_fd_reserve(!!(flags & O_CLOEXEC), &fd, &hfile));
	if (err) {
		file_free(file);
		return err;
	}
	LX_BLOCKING_VOID(lkc_fd_attach(fd, hfile, file, file->lx_name, wants_write(file)));
	return fd;
}

struct file *anon_inode_getfile_fmode(const char *name,
    const struct file_operations *fops, void *priv, int flags, fmode_t f_mode)
{
	struct file *file = anon_inode_getfile(name, fops, priv, flags);

	if (!IS_ERR(file))
		file->f_mode |= f_mode;
	return file;
}

/*
 * Linux reserves a number, makes a file, and joins them.  On FreeBSD number and
 * host file come together; the thread remembers the pair.
 */
int get_unused_fd_flags(unsigned int flags)
{
	struct task_struct *task = current;
	int err, fd;

	if (task->lx_fd >= 0)
		return -EMFILE;
	err = LX_BLOCKING(lkc_fd_reserve(!!(flags & O_CLOEXEC), &fd, &task->lx_fd_file));
	if (err)
		return err;
	task->lx_fd = fd;
	return fd;
}

void put_unused_fd(unsigned int fd)
{
	struct task_struct *task = current;

	if (WARN_ON(task->lx_fd != fd))
		return;
	task->lx_fd = -1;
	LX_BLOCKING_VOID(lkc_fd_cancel(fd, task->lx_fd_file));
}

void fd_install(unsigned int fd, struct file *file)
{
	struct task_struct *task = current;

	if (WARN_ON(task->lx_fd != fd))
		return;
	task->lx_fd = -1;
	LX_BLOCKING_VOID(lkc_fd_attach(fd, task->lx_fd_file, file, file->lx_name,
	    wants_write(file)));
}

/* A file of someone else is wrapped: f_op is NULL, lx_hfile the host's file. */
struct file *fget(unsigned int fd)
{
	struct file *file;
	void *hfile;

	if (LX_BLOCKING(lkc_file_get(fd, &hfile)))
		return NULL;
	file = file_new("", NULL, NULL, 0);
	if (!file) {
		LX_BLOCKING_VOID(lkc_file_put(hfile));
		return NULL;
	}
	file->lx_hfile = hfile;
	return file;
}

struct file *get_file(struct file *file)
{
	refcount_inc(&file->lx_refs);
	return file;
}

/* The last one to let go releases; for a descriptor that is its last close(2). */
void fput(struct file *file)
{
	if (!refcount_dec_and_test(&file->lx_refs))
		return;
	if (file->lx_hfile)
		LX_BLOCKING_VOID(lkc_file_put(file->lx_hfile));
	else if (file->f_op->release)
		file->f_op->release(NULL, file);
	file_free(file);
}

struct fd fdget(unsigned int fd)
{
	return (struct fd){ fget(fd) };
}

void fdput(struct fd f)
{
	if (f.file)
		fput(f.file);
}

loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
	return 0;
}

/* --- the device --------------------------------------------------------- */

int misc_register(struct miscdevice *misc)
{
	return lkc_dev_create(misc->name, misc, &misc->lx_dev);
}

void misc_deregister(struct miscdevice *misc)
{
	lkc_dev_destroy(misc->lx_dev);
}

/* --- called by the FreeBSD side ----------------------------------------- */

/*
 * current->mm for the time of one call into the module.  known: what the caller
 * holds meanwhile, or NULL; nothing is searched or counted if it is the one.
 */
static void set_mm(struct mm_struct *known)
{
	void *vmspace = lkc_mm_current();

	if (known && known->lx_vmspace == vmspace)
		current->mm = known;
	else
		current->mm = vmspace ? lx_mm_of(vmspace) : NULL;
}

static void drop_mm(struct mm_struct *known)
{
	struct mm_struct *mm = current->mm;

	current->mm = NULL;
	if (mm && mm != known)
		mmdrop(mm);
}

int lkcl_dev_open(void *ldev, void **lfile)
{
	struct miscdevice *misc = ldev;
	struct file *file = file_new(misc->name, misc->fops, NULL, O_RDWR);
	int err = 0;

	if (!file)
		return -ENOMEM;
	set_mm(NULL);
	if (misc->fops->open)
		err = misc->fops->open(NULL, file);
	drop_mm(NULL);
	if (err)
		kfree(file);
	else
		*lfile = file;
	return err;
}

long lkcl_file_linux_ioctl(void *lfile, unsigned int cmd, unsigned long arg)
{
	struct file *file = lfile;
	long ret;

	if (!file->f_op->unlocked_ioctl)
		return -ENOTTY;
	set_mm(file->lx_mm);
	if (!current->mm)
		return -ENXIO;	/* a process of the kernel, or init(8) */
	ret = lx_ioctl(file, cmd, arg);
	if (current->lx_notifier)
		lkc_panic("ioctl %#x returns with a vCPU loaded", cmd);
	drop_mm(file->lx_mm);
	return ret;
}

long lkcl_file_ioctl(void *lfile, unsigned int group, unsigned int nr, unsigned long arg)
{
	unsigned int cmd = lx_ioctl_command(lfile, group, nr);

	return cmd ? lkcl_file_linux_ioctl(lfile, cmd, arg) : -ENOTTY;
}

long lkcl_file_read(void *lfile, lkc_u64 uva, lkc_size len, lkc_s64 *off)
{
	struct file *file = lfile;
	loff_t pos = *off;
	long ret;

	if (!file->f_op->read)
		return -EINVAL;
	set_mm(file->lx_mm);
	ret = file->f_op->read(file, (char __user *)uva, len, &pos);
	drop_mm(file->lx_mm);
	*off = pos;
	return ret;
}

/* There is no VMA; one is made up that says what was asked for. */
static int ask_mmap(struct file *file, struct vm_area_struct *vma, u64 pgoff,
    u64 npages, unsigned long vm_flags)
{
	if (!file->f_op->mmap)
		return -ENODEV;
	if (npages >> (BITS_PER_LONG - PAGE_SHIFT - 1))
		return -EINVAL;
	*vma = (struct vm_area_struct) {
		.vm_end = npages << PAGE_SHIFT,
		.vm_pgoff = pgoff,
		.vm_flags = vm_flags,
		.vm_file = file,
	};
	return file->f_op->mmap(file, vma);
}

int lkcl_file_mmap(void *lfile, lkc_u64 pgoff, lkc_u64 npages, int prot, int shared)
{
	struct vm_area_struct vma;

	return ask_mmap(lfile, &vma, pgoff, npages, (prot & 1 ? VM_READ : 0) |
	    (prot & 2 ? VM_WRITE : 0) | (prot & 4 ? VM_EXEC : 0) |
	    (shared ? VM_SHARED : 0));
}

int lkcl_file_mmap_page(void *lfile, lkc_u64 pgoff, lkc_u64 *pa)
{
	struct vm_area_struct vma;
	struct vm_fault vmf = { .vma = &vma, .pgoff = pgoff };

	if (ask_mmap(lfile, &vma, pgoff, 1, VM_READ | VM_SHARED) || !vma.vm_ops ||
	    vma.vm_ops->fault(&vmf) || !vmf.page)
		return -EFAULT;
	*pa = __pa(vmf.page);
	put_page(vmf.page);	/* the file's own reference is enough */
	return 0;
}

/*
 * The last reference may also go in the middle of another call of this thread:
 * a descriptor that another thread closes while it is looked at.
 */
void lkcl_file_release(void *lfile)
{
	struct mm_struct *outer = current->mm;

	set_mm(NULL);
	fput(lfile);
	drop_mm(NULL);
	current->mm = outer;
}
