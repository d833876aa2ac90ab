/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files: objects of the Linux side behind FreeBSD descriptors, and references
 * to any file.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/capsicum.h>
#include <sys/fcntl.h>
#include <sys/file.h>
#include <sys/filedesc.h>
#include <sys/filio.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/refcount.h>
#include <sys/stat.h>
#include <sys/sysent.h>
#include <sys/taskqueue.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_convert.h"
#include "lkc_host.h"
#include "lkc_file.h"
#include "lkc_linux.h"

struct lkc_file {
	void		*lfile;
	const char	*name;
	struct task	drop;
};

static fo_rdwr_t	lkc_fo_read;
static fo_ioctl_t	lkc_fo_ioctl;
static fo_stat_t	lkc_fo_stat;
static fo_close_t	lkc_fo_close;
static fo_seek_t	lkc_fo_seek;
static fo_fill_kinfo_t	lkc_fo_fill_kinfo;
static fo_mmap_t	lkc_fo_mmap;

static struct fileops lkc_fileops = {
	.fo_read = lkc_fo_read,
	.fo_write = invfo_rdwr,
	.fo_truncate = invfo_truncate,
	.fo_ioctl = lkc_fo_ioctl,
	.fo_poll = invfo_poll,
	.fo_kqfilter = invfo_kqfilter,
	.fo_stat = lkc_fo_stat,
	.fo_close = lkc_fo_close,
	.fo_chmod = invfo_chmod,
	.fo_chown = invfo_chown,
	.fo_sendfile = invfo_sendfile,
	.fo_seek = lkc_fo_seek,
	.fo_fill_kinfo = lkc_fo_fill_kinfo,
	.fo_mmap = lkc_fo_mmap,
	/* Seekable allows pread(2), which readers of statistics use. */
	.fo_flags = DFLAG_PASSABLE | DFLAG_SEEKABLE,
};

int
lkc_ioctl(void *lfile, u_long com, caddr_t data, struct thread *td)
{
	struct lkc_linux_ioctl *linux_arg;
	unsigned int group, nr;
	long result;

	if (com == FIONBIO || com == FIOASYNC)
		return (0);
	linux_arg = com == LKC_LINUX_IOCTL ? (void *)data : NULL;
	if (linux_arg == NULL && !lkc_ioctl_decode(com, &group, &nr))
		return (ENOTTY);
	/* A descriptor that a 64-bit program passed on. */
	if (lkc_user_is_32bit())
		return (EINVAL);
	lkc_task_enter();
	result = linux_arg != NULL ?
	    lkcl_file_linux_ioctl(lfile, linux_arg->cmd, linux_arg->arg) :
	    lkcl_file_ioctl(lfile, group, nr, *(unsigned long *)data);
	if (result < 0)
		return (lkc_errno_from_linux(-result));
	td->td_retval[0] = result;
	return (0);
}

static int
lkc_fo_ioctl(struct file *fp, u_long com, void *data,
    struct ucred *active_cred __unused, struct thread *td)
{
	struct lkc_file *lf;

	lf = fp->f_data;
	return (lkc_ioctl(lf->lfile, com, data, td));
}

static int
lkc_fo_read(struct file *fp, struct uio *uio,
    struct ucred *active_cred __unused, int flags, struct thread *td)
{
	struct iovec *iov;
	struct lkc_file *lf;
	lkc_s64 off;
	long done;
	size_t len;

	if (uio->uio_segflg != UIO_USERSPACE)
		return (EINVAL);
	lf = fp->f_data;
	lkc_task_enter();
	done = 0;
	foffset_lock_uio(fp, uio, flags);
	while (uio->uio_resid > 0) {
		iov = uio->uio_iov;
		if (iov->iov_len == 0) {
			uio->uio_iov++;
			uio->uio_iovcnt--;
			continue;
		}
		len = MIN(iov->iov_len, (size_t)uio->uio_resid);
		off = uio->uio_offset;
		done = lkcl_file_read(lf->lfile,
		    (lkc_u64)(uintptr_t)iov->iov_base, len, &off);
		if (done <= 0)
			break;
		iov->iov_base = (char *)iov->iov_base + done;
		iov->iov_len -= done;
		uio->uio_resid -= done;
		uio->uio_offset = off;
		if ((size_t)done < len)
			break;
	}
	foffset_unlock_uio(fp, uio, flags);
	return (done < 0 ? lkc_errno_from_linux(-done) : 0);
}

static int
lkc_fo_stat(struct file *fp __unused, struct stat *sb,
    struct ucred *active_cred __unused)
{

	memset(sb, 0, sizeof(*sb));
	sb->st_mode = S_IFREG | S_IRUSR | S_IWUSR;
	return (0);
}

static int
lkc_fo_seek(struct file *fp __unused, off_t offset __unused,
    int whence __unused, struct thread *td __unused)
{

	return (ESPIPE);
}

static int
lkc_fo_fill_kinfo(struct file *fp, struct kinfo_file *kif,
    struct filedesc *fdp __unused)
{
	struct lkc_file *lf;

	lf = fp->f_data;
	kif->kf_type = KF_TYPE_UNKNOWN;
	strlcpy(kif->kf_path, lf->name, sizeof(kif->kf_path));
	return (0);
}

static int
lkc_fo_mmap(struct file *fp, vm_map_t map, vm_offset_t *addr, vm_size_t size,
    vm_prot_t prot, vm_prot_t cap_maxprot, int flags, vm_ooffset_t foff,
    struct thread *td)
{
	struct lkc_file *lf;

	lf = fp->f_data;
	return (lkc_mmap(fp, lf->lfile, map, addr, size, prot, cap_maxprot,
	    flags, foff, td));
}

static int
lkc_fo_close(struct file *fp, struct thread *td __unused)
{
	struct lkc_file *lf;

	/* What the Linux side lets go of takes locks that come before any. */
	WITNESS_WARN(WARN_GIANTOK, NULL, "%s", __func__);
	lf = fp->f_data;
	fp->f_ops = &badfileops;
	fp->f_data = NULL;
	lkc_task_enter();
	lkcl_file_release(lf->lfile);
	free(lf, M_LKC);
	lkc_module_unref();
	return (0);
}

static void
file_drop(void *arg, int pending)
{

	while (pending-- > 0)
		fdrop((struct file *)arg, curthread);
}

void
lkc_file_drop(struct file *fp)
{
	struct lkc_file *lf;

	lf = fp->f_data;
	taskqueue_enqueue(taskqueue_thread, &lf->drop);
}

int
lkc_fd_reserve(int cloexec, int *fd, void **hfile)
{
	struct file *fp;
	int error;

	LKC_ASSERT_SLEEP();
	error = falloc(curthread, &fp, fd, cloexec ? O_CLOEXEC : 0);
	if (error != 0)
		return (-lkc_errno_to_linux(error));
	*hfile = fp;
	return (0);
}

void
lkc_fd_attach(int fd __unused, void *hfile, void *lfile, const char *name,
    int writable)
{
	struct file *fp;
	struct lkc_file *lf;

	LKC_ASSERT_SLEEP();
	fp = hfile;
	lf = malloc(sizeof(*lf), M_LKC, M_WAITOK);
	lf->lfile = lfile;
	lf->name = name;
	TASK_INIT(&lf->drop, 0, file_drop, fp);
	lkc_module_ref();
	finit(fp, FREAD | (writable ? FWRITE : 0), DTYPE_DEV, lf,
	    &lkc_fileops);
	/*
	 * If another thread has closed the descriptor meanwhile, this is the
	 * last reference, and our caller may hold locks, as KVM does when it
	 * makes a vCPU.
	 */
	if (!refcount_release_if_not_last(&fp->f_count))
		lkc_file_drop(fp);
}

void
lkc_fd_cancel(int fd, void *hfile)
{
	struct file *fp;

	LKC_ASSERT_SLEEP();
	fp = hfile;
	fdclose(curthread, fp, fd);
	fdrop(fp, curthread);
}

int
lkc_file_get(int fd, void **hfile)
{
	cap_rights_t rights;
	struct file *fp;

	LKC_ASSERT_SLEEP();
	cap_rights_init(&rights, CAP_READ, CAP_WRITE, CAP_EVENT);
	if (fget(curthread, fd, &rights, &fp) != 0)
		return (-LKC_EBADF);
	*hfile = fp;
	return (0);
}

void
lkc_file_ref(void *hfile)
{
	bool held __diagused;

	held = fhold((struct file *)hfile);
	KASSERT(held, ("%s: too many references", __func__));
}

void
lkc_file_put(void *hfile)
{
	struct file *fp;

	LKC_ASSERT_SLEEP();
	fp = hfile;
	fdrop(fp, curthread);
}

int
lkc_file_is_eventfd(void *hfile)
{

	return (((struct file *)hfile)->f_type == DTYPE_EVENTFD);
}
