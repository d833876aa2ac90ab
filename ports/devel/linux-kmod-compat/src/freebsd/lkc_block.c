/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Blocks of 2 MB that are wired as one, so that a guest's page tables can map
 * them by one entry, and cheaply.
 *
 * A block is looked for, and made, in the object behind the mapping, as one of
 * FreeBSD's superpage reservations: its pages are neighbours in
 * vm_page_array[].  Only anonymous memory is served, and nothing is waited for;
 * all else is left to the page faults of lkc_user_hold().
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
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

#include "lkc_host.h"

#define	BLOCK_PAGES	(NBPDR / PAGE_SIZE)

/* Could m be the page that pages of the block follow, or be itself one? */
static bool
in_place(vm_page_t m, vm_page_t first, unsigned int i)
{

	if (i > 0)
		return (m == first + i);
	return ((VM_PAGE_TO_PHYS(m) & (NBPDR - 1)) == 0 &&
	    PHYS_TO_VM_PAGE(VM_PAGE_TO_PHYS(m) + ptoa(BLOCK_PAGES - 1)) ==
	    m + BLOCK_PAGES - 1);
}

/* Page pindex of object, which has none: invalid, busy and wired, or NULL. */
static vm_page_t
page_make(vm_object_t object, vm_pindex_t pindex, vm_page_t first,
    unsigned int i)
{
	vm_page_t m;

	if (object->backing_object != NULL ||
	    vm_pager_has_page(object, pindex, NULL, NULL))
		return (NULL);
	m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_WIRED |
	    VM_ALLOC_ZERO);
	if (m != NULL && !in_place(m, first, i)) {
		(void)vm_page_unwire_noq(m);
		vm_page_free(m);
		m = NULL;
	}
	return (m);
}

/* Wire the pages from pindex on, and return how many; *firstp is the first. */
static unsigned int
block_wire(vm_object_t object, vm_pindex_t pindex, vm_page_t *firstp)
{
	vm_page_t first, m;
	unsigned int i;

	VM_OBJECT_ASSERT_WLOCKED(object);
	first = NULL;
	for (i = 0; i < BLOCK_PAGES; i++) {
		m = first + i;
		if (i == 0 || m->object != object || m->pindex != pindex + i) {
			m = vm_page_lookup(object, pindex + i);
			if (m == NULL) {
				m = page_make(object, pindex + i, first, i);
				if (m == NULL)
					break;
				if (i == 0)
					first = m;
				continue;
			}
			if (!in_place(m, first, i))
				break;
			first = m - i;
		}
		if (vm_page_busied(m) || !vm_page_all_valid(m))
			break;
		vm_page_wire(m);
	}
	*firstp = first;
	return (i);
}

int
lkc_block_hold(void *mm, lkc_u64 uva, lkc_u64 *pa)
{
	struct vmspace *vm;
	vm_map_entry_t entry;
	vm_map_t map;
	vm_object_t object;
	vm_page_t first;
	vm_pindex_t pindex;
	vm_prot_t prot;
	boolean_t wired;
	unsigned int i, n;

	LKC_ASSERT_SLEEP();
	if ((uva & (NBPDR - 1)) != 0 || (vm = lkc_mm_vmspace(mm)) == NULL)
		return (-LKC_EFAULT);
	map = &vm->vm_map;
	if (vm_map_lookup(&map, uva, VM_PROT_READ | VM_PROT_WRITE, &entry,
	    &object, &pindex, &prot, &wired) != KERN_SUCCESS) {
		vmspace_free(vm);
		return (-LKC_EFAULT);
	}
	n = 0;
	first = NULL;
	if (entry->end - uva >= NBPDR && (object->flags & OBJ_ANON) != 0) {
		VM_OBJECT_WLOCK(object);
		/* As vm_fault(9): a reservation is to fit the addresses. */
		vm_object_color(object, atop(uva) - pindex);
		n = block_wire(object, pindex, &first);
		VM_OBJECT_WUNLOCK(object);
	}
	/* Invalid pages are those that were made here. */
	for (i = 0; i < n; i++) {
		if (!vm_page_none_valid(first + i))
			continue;
		if ((first[i].flags & PG_ZERO) == 0)
			pmap_zero_page(first + i);
		vm_page_valid(first + i);
		vm_page_xunbusy(first + i);
	}
	vm_map_lookup_done(map, entry);
	vmspace_free(vm);
	if (n == BLOCK_PAGES) {
		*pa = VM_PAGE_TO_PHYS(first);
		return (0);
	}
	for (i = 0; i < n; i++)
		vm_page_unwire(first + i, PQ_ACTIVE);
	return (-LKC_EFAULT);
}
