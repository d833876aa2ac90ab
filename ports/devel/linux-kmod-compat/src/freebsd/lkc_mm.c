/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Address spaces and the pages in them.
 *
 * A handle (struct lkc_mm) names an address space for as long as anybody holds
 * it, but does not keep the mappings: a mapping may hold a file that holds a
 * virtual machine that holds the handle, and the exit of the process must be
 * able to break that ring.  When the process that made the handle exits or
 * execs, the handle dies: it matches no process any more and its pages cannot
 * be reached.  (Processes that share an address space by rfork(2) share the
 * handle too, and its end, which also comes when its maker leaves them alone
 * with the address space: by another rfork(2), of which no event tells.)
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mman.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/refcount.h>
#include <sys/rwlock.h>
#include <sys/syscallsubr.h>
#include <sys/vmmeter.h>
#include <sys/sysent.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/pmap.h>
#include <vm/vm_extern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#include <machine/cpufunc.h>
#include <machine/psl.h>

#include "lkc_host.h"

struct lkc_mm {
	LIST_ENTRY(lkc_mm) link;
	struct proc	*owner;		/* NULL: dead */
	struct vmspace	*vm;		/* the owner's, while it lives */
	u_int		refs;
};

static LIST_HEAD(, lkc_mm) lkc_mm_list = LIST_HEAD_INITIALIZER(lkc_mm_list);
static struct mtx lkc_mm_mtx;
static eventhandler_tag lkc_mm_exit_tag, lkc_mm_exec_tag;

/* Pages that are held at a time; an array of them is on the stack. */
#define	HOLD_BATCH	32

/*
 * The owner still has the address space.  If not, the address may be another's
 * by now.
 */
static bool
mm_lives(const struct lkc_mm *mm)
{

	mtx_assert(&lkc_mm_mtx, MA_OWNED);
	return (mm->owner != NULL &&
	    atomic_load_ptr(&mm->owner->p_vmspace) == mm->vm);
}

struct lkc_mm *
lkc_mm_find(void)
{
	struct lkc_mm *fresh, *mm;
	struct proc *p;

	p = curproc;
	if ((p->p_flag & (P_SYSTEM | P_KPROC | P_WEXIT)) != 0)
		return (NULL);
	fresh = NULL;
	mtx_lock(&lkc_mm_mtx);
	for (;;) {
		LIST_FOREACH(mm, &lkc_mm_list, link)
			if (mm->vm == p->p_vmspace && mm_lives(mm)) {
				refcount_acquire(&mm->refs);
				break;
			}
		if (mm != NULL || fresh != NULL)
			break;
		mtx_unlock(&lkc_mm_mtx);
		fresh = malloc(sizeof(*fresh), M_LKC, M_WAITOK | M_ZERO);
		fresh->owner = p;
		fresh->vm = p->p_vmspace;
		refcount_init(&fresh->refs, 1);
		mtx_lock(&lkc_mm_mtx);
	}
	if (mm == NULL) {
		mm = fresh;
		fresh = NULL;
		LIST_INSERT_HEAD(&lkc_mm_list, mm, link);
	}
	mtx_unlock(&lkc_mm_mtx);
	free(fresh, M_LKC);
	return (mm);
}

/* Not dead, and still what lkc_mm_find() would give. */
bool
lkc_mm_is_current(const struct lkc_mm *mm)
{

	return (mm->vm == curproc->p_vmspace);
}

void
lkc_mm_release(struct lkc_mm *mm)
{

	mtx_lock(&lkc_mm_mtx);
	if (!refcount_release(&mm->refs)) {
		mtx_unlock(&lkc_mm_mtx);
		return;
	}
	if (mm->owner != NULL)
		LIST_REMOVE(mm, link);
	mtx_unlock(&lkc_mm_mtx);
	free(mm, M_LKC);
}

/* The mappings of p go away now. */
static void
mm_kill(struct proc *p)
{
	struct lkc_mm *mm, *next;

	mtx_lock(&lkc_mm_mtx);
	LIST_FOREACH_SAFE(mm, &lkc_mm_list, link, next)
		if (mm->owner == p) {
			LIST_REMOVE(mm, link);
			mm->owner = NULL;
			mm->vm = NULL;
		}
	mtx_unlock(&lkc_mm_mtx);
}

static void
mm_exit(void *arg __unused, struct proc *p)
{

	mm_kill(p);
}

static void
mm_exec(void *arg __unused, struct proc *p, struct image_params *imgp __unused)
{

	mm_kill(p);
}

void *
lkc_mm_current(void)
{

	return (lkc_task_mm());
}

void
lkc_mm_hold(void *mm)
{

	refcount_acquire(&((struct lkc_mm *)mm)->refs);
}

void
lkc_mm_drop(void *mm)
{

	LKC_ASSERT_SLEEP();
	lkc_mm_release(mm);
}

/*
 * A reference to the address space itself, or NULL when it is gone.  As
 * vmspace_acquire_ref(9), but of the handle's space and no other: the lock keeps
 * the owner from exit and exec, not from rfork(2).  A struct vmspace is never
 * given back to the system, so the count can be looked at.
 */
struct vmspace *
lkc_mm_vmspace(struct lkc_mm *mm)
{
	struct vmspace *vm;
	bool lives;

	mtx_lock(&lkc_mm_mtx);
	vm = mm->vm;
	if (!mm_lives(mm) || !refcount_acquire_if_not_zero(&vm->vm_refcnt))
		vm = NULL;
	lives = mm_lives(mm);
	mtx_unlock(&lkc_mm_mtx);
	if (vm != NULL && !lives) {
		vmspace_free(vm);
		vm = NULL;
	}
	return (vm);
}

/*
 * A page of a device has no wire count that lasts; guest memory must be real
 * memory.
 */
static bool
page_is_memory(vm_page_t m)
{

	return ((m->flags & PG_FICTITIOUS) == 0 &&
	    PHYS_TO_VM_PAGE(VM_PAGE_TO_PHYS(m)) == m);
}

int
lkc_user_hold(void *mm, lkc_u64 uva, unsigned int npages, int write,
    lkc_u64 *pa)
{
	vm_page_t ma[HOLD_BATCH];
	struct vmspace *vm;
	vm_prot_t prot;
	unsigned int done, i, n;
	bool bad;

	LKC_ASSERT_SLEEP();
	if ((uva & PAGE_MASK) != 0 || (vm = lkc_mm_vmspace(mm)) == NULL)
		return (-LKC_EFAULT);
	prot = VM_PROT_READ | (write ? VM_PROT_WRITE : 0);
	bad = false;
	for (done = 0; done < npages && !bad; done += n) {
		n = MIN(npages - done, HOLD_BATCH);
		if (vm_fault_quick_hold_pages(&vm->vm_map,
		    uva + ptoa((vm_offset_t)done), ptoa(n), prot, ma,
		    HOLD_BATCH) != n) {
			bad = true;
			break;
		}
		for (i = 0; i < n; i++)
			bad |= !page_is_memory(ma[i]);
		for (i = 0; i < n; i++)
			if (bad)
				vm_page_unwire(ma[i], PQ_ACTIVE);
			else
				pa[done + i] = VM_PAGE_TO_PHYS(ma[i]);
		if (bad)
			break;
	}
	vmspace_free(vm);
	if (bad) {
		while (done > 0)
			lkc_page_unhold(pa[--done], 0);
		return (-LKC_EFAULT);
	}
	return (0);
}

void
lkc_page_hold(lkc_u64 pa)
{
	vm_page_t m;
	u_int old __diagused;

	/*
	 * vm_page_wire() wants the lock of the page's object, for the case
	 * that the page is not wired yet.  This one is.
	 */
	m = PHYS_TO_VM_PAGE(pa);
	old = atomic_fetchadd_int(&m->ref_count, 1);
	KASSERT(VPRC_WIRE_COUNT(old) > 0,
	    ("%s: page %#jx was not wired", __func__, (uintmax_t)pa));
}

/*
 * Memory that has been unmapped has no object any more, and a file that has
 * been truncated leaves wired pages invalid: neither is to be written back.
 * The object's lock keeps both from happening meanwhile; a stale pointer can
 * be locked, since objects are never given back to the system.
 */
static void
page_dirtied(vm_page_t m)
{
	vm_object_t object;

	/* Unmanaged pages are the kernel's own and never paged out. */
	if ((m->oflags & VPO_UNMANAGED) != 0)
		return;
	while ((object = atomic_load_ptr(&m->object)) != NULL) {
		VM_OBJECT_RLOCK(object);
		if (m->object == object) {
			if (vm_page_all_valid(m))
				vm_page_dirty(m);
			VM_OBJECT_RUNLOCK(object);
			break;
		}
		VM_OBJECT_RUNLOCK(object);
	}
}

int
lkc_page_unhold_try(lkc_u64 pa)
{
	vm_page_t m;
	u_int old;

	m = PHYS_TO_VM_PAGE(pa);
	KASSERT(m != NULL && vm_page_wired(m),
	    ("%s: page %#jx is not wired", __func__, (uintmax_t)pa));
	/*
	 * vm_page_unwire_noq() would also drop the last wiring and lose the
	 * page from its queue; only the count of several may go down here.
	 */
	old = atomic_load_int(&m->ref_count);
	do {
		if (VPRC_WIRE_COUNT(old) <= 1)
			return (0);
	} while (!atomic_fcmpset_int(&m->ref_count, &old, old - 1));
	return (1);
}

void
lkc_page_unhold(lkc_u64 pa, int dirty)
{
	vm_page_t m;

	LKC_ASSERT_SLEEP();
	m = PHYS_TO_VM_PAGE(pa);
	KASSERT(m != NULL && vm_page_wired(m),
	    ("%s: page %#jx is not wired", __func__, (uintmax_t)pa));
	if (dirty)
		page_dirtied(m);
	vm_page_unwire(m, PQ_ACTIVE);
}

int
lkc_page_wirings(lkc_u64 pa)
{
	vm_page_t m;

	m = PHYS_TO_VM_PAGE(pa);
	return (m == NULL ? 0 : VPRC_WIRE_COUNT(atomic_load_int(&m->ref_count)));
}

int
lkc_wired_charge(unsigned int npages)
{
	u_long wired;

	wired = vm_user_wire_count;
	do {
		if (wired + npages > vm_page_max_user_wired)
			return (-LKC_ENOMEM);
	} while (!atomic_fcmpset_long(&vm_user_wire_count, &wired,
	    wired + npages));
	return (0);
}

void
lkc_wired_uncharge(unsigned int npages)
{

	atomic_subtract_long(&vm_user_wire_count, npages);
}

int
lkc_user_nofork(void *mm, lkc_u64 uva, lkc_u64 len)
{
	struct vmspace *vm;
	int rv;

	LKC_ASSERT_SLEEP();
	if (uva + len < uva || (vm = lkc_mm_vmspace(mm)) == NULL)
		return (-LKC_EINVAL);
	rv = vm_map_inherit(&vm->vm_map, trunc_page(uva),
	    round_page(uva + len), VM_INHERIT_NONE);
	vmspace_free(vm);
	return (rv == KERN_SUCCESS ? 0 : -LKC_EINVAL);
}

int
lkc_user_map(lkc_u64 len, lkc_u64 *uva)
{
	struct thread *td;
	vm_offset_t addr;
	int error;

	LKC_ASSERT_SLEEP();
	td = curthread;
	addr = 0;
	error = vm_mmap_object(&td->td_proc->p_vmspace->vm_map, &addr,
	    round_page(len), VM_PROT_RW, VM_PROT_ALL, MAP_PRIVATE | MAP_ANON,
	    NULL, 0, FALSE, td);
	*uva = addr;
	return (error == 0 ? 0 : -LKC_ENOMEM);
}

int
lkc_user_unmap(lkc_u64 uva, lkc_u64 len)
{

	LKC_ASSERT_SLEEP();
	return (kern_munmap(curthread, uva, len) == 0 ? 0 : -LKC_EINVAL);
}

lkc_u64
lkc_user_limit(void)
{

	return (vm_map_max(&curproc->p_vmspace->vm_map));
}

int
lkc_user_is_32bit(void)
{

	return (SV_CURPROC_FLAG(SV_ILP32) != 0);
}

int
lkc_mm_start(void)
{

	mtx_init(&lkc_mm_mtx, "lkc mm", NULL, MTX_DEF);
	lkc_mm_exit_tag = EVENTHANDLER_REGISTER(process_exit, mm_exit, NULL,
	    EVENTHANDLER_PRI_ANY);
	lkc_mm_exec_tag = EVENTHANDLER_REGISTER(process_exec, mm_exec, NULL,
	    EVENTHANDLER_PRI_ANY);
	return (0);
}

void
lkc_mm_stop(void)
{

	EVENTHANDLER_DEREGISTER(process_exec, lkc_mm_exec_tag);
	EVENTHANDLER_DEREGISTER(process_exit, lkc_mm_exit_tag);
	KASSERT(LIST_EMPTY(&lkc_mm_list), ("%s: handles left", __func__));
	mtx_destroy(&lkc_mm_mtx);
}
