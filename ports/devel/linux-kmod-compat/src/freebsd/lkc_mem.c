/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel memory: malloc(9), contiguous pages, the direct map, low memory.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/taskqueue.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/pmap.h>
#include <vm/vm_extern.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>
#include <vm/vm_phys.h>

#include <machine/cpufunc.h>
#include <machine/md_var.h>
#include <machine/psl.h>

#include "lkc_host.h"

MALLOC_DEFINE(M_LKC, "lkc", "Linux kernel module compatibility");

/* How often a contiguous run is looked for before a sleeper gives up. */
#define	CONTIG_TRIES	3

static eventhandler_tag lkc_lowmem_tag;
static struct task lkc_lowmem_task;

void *
lkc_malloc(lkc_size size, lkc_size align, int flags)
{
	int mflags;

	LKC_ASSERT_SLEEP();
	mflags = (flags & LKC_M_WAIT) != 0 ? M_WAITOK : M_NOWAIT;
	if ((flags & LKC_M_ZERO) != 0)
		mflags |= M_ZERO;
	align = MIN(align, PAGE_SIZE);
	return (malloc_aligned(MAX(size, 1), MAX(align, 16), M_LKC, mflags));
}

void
lkc_free(void *p)
{

	LKC_ASSERT_SLEEP();
	free(p, M_LKC);
}

/*
 * A page that user space gets to see may be wired by the kernel on behalf of
 * the user (memory of a guest, a pipe, physical I/O), which wants it valid.
 * Linux gives out pages with a private word of zero, and KVM relies on it to
 * tell the roots of shadow paging apart; the page queues leave a pointer there.
 */
static void
pages_own(vm_page_t m, u_long npages)
{
	u_long i;

	for (i = 0; i < npages; i++) {
		m[i].valid = VM_PAGE_BITS_ALL;
		m[i].plinks.memguard.p = 0;
	}
}

/* The last one to unwire a page without object frees it. */
static void
pages_disown(vm_page_t m)
{

	if (vm_page_unwire_noq(m))
		vm_page_free(m);
}

void *
lkc_pages_alloc(unsigned int order, int flags)
{
	vm_page_t m;
	vm_paddr_t high;
	u_long npages;
	int req, tries;

	LKC_ASSERT_SLEEP();
	npages = 1ul << order;
	high = (flags & LKC_M_BELOW4G) != 0 ? 0xffffffffu : ~(vm_paddr_t)0;
	req = VM_ALLOC_NORMAL | VM_ALLOC_WIRED;
	if ((flags & LKC_M_ZERO) != 0)
		req |= VM_ALLOC_ZERO;
	if (order == 0 && (flags & LKC_M_BELOW4G) == 0) {
		m = vm_page_alloc_noobj(req |
		    ((flags & LKC_M_WAIT) != 0 ? VM_ALLOC_WAITOK : 0));
		if (m == NULL)
			return (NULL);
		pages_own(m, npages);
		return ((void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)));
	}
	for (tries = 0;; tries++) {
		m = vm_page_alloc_noobj_contig(req, npages, 0, high,
		    ptoa(npages), 0, VM_MEMATTR_DEFAULT);
		if (m != NULL) {
			pages_own(m, npages);
			return ((void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)));
		}
		if ((flags & LKC_M_WAIT) == 0 || tries == CONTIG_TRIES)
			return (NULL);
		(void)vm_page_reclaim_contig(req, npages, 0, high,
		    ptoa(npages), 0);
	}
}

void
lkc_pages_free(void *p, unsigned int order)
{
	vm_page_t m;
	u_long i;

	LKC_ASSERT_SLEEP();
	if (p == NULL)
		return;
	m = PHYS_TO_VM_PAGE(DMAP_TO_PHYS((vm_offset_t)p));
	for (i = 0; i < 1ul << order; i++)
		pages_disown(&m[i]);
}

void *
lkc_vmap_alloc(lkc_size npages)
{
	vm_offset_t va;
	vm_page_t m;
	lkc_size i;

	LKC_ASSERT_SLEEP();
	va = kva_alloc(ptoa(npages));
	if (va == 0)
		return (NULL);
	for (i = 0; i < npages; i++) {
		m = vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_WIRED |
		    VM_ALLOC_ZERO | VM_ALLOC_WAITOK);
		pages_own(m, 1);
		pmap_qenter(va + ptoa(i), &m, 1);
	}
	*lkc_page_private(vtophys(va)) = npages;
	return ((void *)va);
}

void
lkc_vmap_free(void *p)
{
	vm_offset_t va;
	vm_page_t m;
	u_long i, npages;

	LKC_ASSERT_SLEEP();
	va = (vm_offset_t)p;
	npages = *lkc_page_private(vtophys(va));
	for (i = 0; i < npages; i++) {
		m = PHYS_TO_VM_PAGE(vtophys(va + ptoa(i)));
		pmap_qremove(va + ptoa(i), 1);
		pages_disown(m);
	}
	kva_free(va, ptoa(npages));
}

int
lkc_vmap_is(const void *p)
{
	vm_offset_t va;

	va = (vm_offset_t)p;
	return (va >= VM_MIN_KERNEL_ADDRESS &&
	    PHYS_TO_VM_PAGE(vtophys(va))->object == NULL);
}

unsigned long *
lkc_page_private(lkc_u64 pa)
{
	vm_page_t m;

	/*
	 * plinks belongs to the page queues, and a page that was allocated
	 * wired and without object is in none.
	 */
	m = PHYS_TO_VM_PAGE(pa);
	KASSERT(m != NULL && m->object == NULL,
	    ("%s: %#jx is not a page of ours", __func__, (uintmax_t)pa));
	return (&m->plinks.memguard.p);
}

void *
lkc_dmap_base(void)
{

	return ((void *)PHYS_TO_DMAP(0));
}

lkc_u64
lkc_dmap_size(void)
{

	return (dmaplimit);
}

lkc_u64
lkc_virt_to_phys(const void *p)
{

	return (vtophys(p));
}

int
lkc_phys_is_ram(lkc_u64 pa)
{
	vm_page_t m;

	m = PHYS_TO_VM_PAGE(pa);
	return (m != NULL && (m->flags & PG_FICTITIOUS) == 0);
}

/* The page daemon must not wait for us, nor for a task block to be allocated. */
static void
lowmem_task(void *arg __unused, int pending __unused)
{

	lkc_task_enter();
	lkcl_lowmem();
}

static void
lowmem_event(void *arg __unused, int flags __unused)
{

	taskqueue_enqueue(taskqueue_thread, &lkc_lowmem_task);
}

int
lkc_lowmem_enable(void)
{

	LKC_ASSERT_SLEEP();
	TASK_INIT(&lkc_lowmem_task, 0, lowmem_task, NULL);
	lkc_lowmem_tag = EVENTHANDLER_REGISTER(vm_lowmem, lowmem_event, NULL,
	    EVENTHANDLER_PRI_ANY);
	return (lkc_lowmem_tag == NULL ? -LKC_ENOMEM : 0);
}

void
lkc_lowmem_disable(void)
{

	LKC_ASSERT_SLEEP();
	EVENTHANDLER_DEREGISTER(vm_lowmem, lkc_lowmem_tag);
	taskqueue_drain(taskqueue_thread, &lkc_lowmem_task);
}
