/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * mmap(2) of a file of the Linux side: a device pager whose pages the Linux
 * side names at the first fault.  Each mmap(2) gets an object of its own, which
 * holds the file: the pages stay wired as long as any mapping shows them.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/fcntl.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mman.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/rwlock.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/pmap.h>
#include <vm/vm_extern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_pager.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_convert.h"
#include "lkc_host.h"

struct lkc_mapping {
	struct file	*fp;
	void		*lfile;
	lkc_u64		pgoff;		/* of the object's first page */
};

static int
mapping_ctor(void *handle __unused, vm_ooffset_t size __unused,
    vm_prot_t prot __unused, vm_ooffset_t foff __unused,
    struct ucred *cred __unused, u_short *color)
{

	*color = 0;
	return (0);
}

/*
 * A page fault that meets munmap(2) can be the object's last user, and has the
 * map locked.  The last reference of a file takes locks that come before that
 * one, so let another thread drop it, but not at exit: a process that has left
 * its address space holds no lock of it.
 */
static void
mapping_dtor(void *handle)
{
	struct lkc_mapping *mp;
	struct file *fp;

	mp = handle;
	fp = mp->fp;
	free(mp, M_LKC);
	if (curproc->p_vmspace == &vmspace0)
		fdrop(fp, curthread);
	else
		lkc_file_drop(fp);
}

/*
 * Entered and left with the object locked, *mres busy.  The page that is shown
 * belongs to the Linux side: put a fake page of its physical address in the
 * place of the one that the fault handler has allocated.
 */
static int
mapping_fault(vm_object_t object, vm_ooffset_t offset, int prot __unused,
    vm_page_t *mres)
{
	struct lkc_mapping *mp;
	vm_page_t page;
	lkc_u64 pa;
	int error;

	mp = object->handle;
	VM_OBJECT_WUNLOCK(object);
	lkc_task_enter();
	error = lkcl_file_mmap_page(mp->lfile, mp->pgoff + OFF_TO_IDX(offset),
	    &pa);
	if (error != 0) {
		VM_OBJECT_WLOCK(object);
		return (VM_PAGER_ERROR);	/* FAIL would mean a page of zeros */
	}
	if (((*mres)->flags & PG_FICTITIOUS) != 0) {
		page = *mres;
		VM_OBJECT_WLOCK(object);
		vm_page_updatefake(page, pa, object->memattr);
	} else {
		page = vm_page_getfake(pa, object->memattr);
		VM_OBJECT_WLOCK(object);
		vm_page_replace(page, object, (*mres)->pindex, *mres);
		*mres = page;
	}
	vm_page_valid(page);
	return (VM_PAGER_OK);
}

static const struct cdev_pager_ops mapping_ops = {
	.cdev_pg_fault = mapping_fault,
	.cdev_pg_ctor = mapping_ctor,
	.cdev_pg_dtor = mapping_dtor,
};

int
lkc_mmap(struct file *fp, void *lfile, vm_map_t map, vm_offset_t *addr,
    vm_size_t size, vm_prot_t prot, vm_prot_t cap_maxprot, int flags,
    vm_ooffset_t foff, struct thread *td)
{
	struct lkc_mapping *mp;
	vm_object_t object;
	vm_prot_t maxprot;
	int error, lprot;

	LKC_ASSERT_SLEEP();
	maxprot = cap_maxprot & VM_PROT_RW;
	if ((fp->f_flag & FWRITE) == 0)
		maxprot &= ~VM_PROT_WRITE;
	if ((prot & ~maxprot) != 0)
		return (EACCES);
	lprot = ((prot & VM_PROT_READ) != 0 ? 1 : 0) |
	    ((prot & VM_PROT_WRITE) != 0 ? 2 : 0);
	lkc_task_enter();
	error = lkcl_file_mmap(lfile, OFF_TO_IDX(foff), atop(size), lprot,
	    (flags & MAP_SHARED) != 0);
	if (error != 0)
		return (lkc_errno_from_linux(-error));

	if (!fhold(fp))
		return (ENFILE);
	mp = malloc(sizeof(*mp), M_LKC, M_WAITOK);
	mp->fp = fp;
	mp->lfile = lfile;
	mp->pgoff = OFF_TO_IDX(foff);
	object = cdev_pager_allocate(mp, OBJT_DEVICE, &mapping_ops, size, prot,
	    0, td->td_ucred);
	if (object == NULL) {
		free(mp, M_LKC);
		fdrop(fp, td);
		return (EINVAL);
	}
	error = vm_mmap_object(map, addr, size, prot, maxprot, flags, object,
	    0, FALSE, td);
	if (error != 0)
		vm_object_deallocate(object);
	return (error);
}
