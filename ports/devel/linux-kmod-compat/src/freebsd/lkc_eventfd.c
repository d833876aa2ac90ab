/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * eventfd(2), reached through its file operations.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/eventfd.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_host.h"

/*
 * Read or write the counter without ever sleeping for it, whatever the mode of
 * the descriptor is: with TDP_WAKEUP set an interruptible sleep returns EINTR
 * at once.  A wake-up of thr_wake(2) that uses the same flag is kept.
 */
static int
eventfd_io(struct file *fp, lkc_u64 *value, enum uio_rw rw)
{
	struct iovec iov;
	struct thread *td;
	struct uio uio;
	int error, woken;

	td = curthread;
	iov.iov_base = value;
	iov.iov_len = sizeof(*value);
	uio.uio_iov = &iov;
	uio.uio_iovcnt = 1;
	uio.uio_offset = -1;
	uio.uio_resid = sizeof(*value);
	uio.uio_segflg = UIO_SYSSPACE;
	uio.uio_rw = rw;
	uio.uio_td = td;

	woken = td->td_pflags & TDP_WAKEUP;
	td->td_pflags |= TDP_WAKEUP;
	if (rw == UIO_READ)
		error = fo_read(fp, &uio, td->td_ucred, 0, td);
	else
		error = fo_write(fp, &uio, td->td_ucred, 0, td);
	td->td_pflags = (td->td_pflags & ~TDP_WAKEUP) | woken;
	return (error);
}

void
lkc_eventfd_signal(void *hfile, lkc_u64 n)
{

	LKC_ASSERT_SLEEP();
	(void)eventfd_io(hfile, &n, UIO_WRITE);
}

lkc_u64
lkc_eventfd_take(void *hfile)
{
	lkc_u64 count;

	LKC_ASSERT_SLEEP();
	return (eventfd_io(hfile, &count, UIO_READ) == 0 ? count : 0);
}

/* The kernel says it only in what it tells fstat(1). */
int
lkc_eventfd_is_semaphore(void *hfile)
{
	struct file *fp;
	struct kinfo_file *kif;
	int semaphore;

	LKC_ASSERT_SLEEP();
	fp = hfile;
	kif = malloc(sizeof(*kif), M_LKC, M_WAITOK | M_ZERO);
	semaphore = fo_fill_kinfo(fp, kif, NULL) == 0 &&
	    (kif->kf_un.kf_eventfd.kf_eventfd_flags & EFD_SEMAPHORE) != 0;
	free(kif, M_LKC);
	return (semaphore);
}
