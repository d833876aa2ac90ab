// SPDX-License-Identifier: BSD-2-Clause
/*
 * get_user_pages() and its like.  Callers get a wiring of their own.
 */
#include <linux/mm.h>
#include <lkc/block.h>
#include <lkc/pins.h>
#include "lkc_bridge.h"

/* A page outside all memslots is wired for the caller only. */
static u64 hold_stray(struct mm_struct *mm, u64 uva, unsigned int flags)
{
	lkc_u64 pa;

	if (lkc_user_hold(mm->lx_vmspace, uva, 1, !!(flags & FOLL_WRITE), &pa))
		return 0;
	return pa;
}

/*
 * FOLL_NOWAIT is not honoured: the page is always waited for.  So KVM never
 * starts an asynchronous page fault.
 */
static long get_page_of(struct mm_struct *mm, u64 uva, unsigned int flags,
    struct page **page)
{
	u64 pa;

	uva &= PAGE_MASK;
	pa = lx_pinned_page(mm, uva, flags);
	while (!pa) {
		lx_block_begin();
		if (!lx_in_memslot(mm, uva)) {
			pa = hold_stray(mm, uva, flags);
			lx_block_end();
			if (!pa)
				return -EFAULT;
			break;
		}
		if (lx_pin(mm, uva, flags)) {
			lx_block_end();
			return -EFAULT;
		}
		pa = lx_pinned_page(mm, uva, flags);
		lx_block_end();
	}
	*page = pfn_to_page(pa >> PAGE_SHIFT);
	return 1;
}

static long get_pages_of(struct mm_struct *mm, u64 start, unsigned long nr,
    unsigned int flags, struct page **pages)
{
	unsigned long i;

	if (!mm)
		return -EFAULT;
	for (i = 0; i < nr; i++)
		if (get_page_of(mm, start + i * PAGE_SIZE, flags, &pages[i]) != 1)
			return i ? i : -EFAULT;
	return nr;
}

long get_user_pages(unsigned long start, unsigned long nr, unsigned int flags,
    struct page **pages)
{
	struct page *page;

	if (pages)
		return get_pages_of(current->mm, start, nr, flags, pages);
	/* Only to find out whether there is a page. */
	if (nr != 1 || get_pages_of(current->mm, start, 1, flags, &page) != 1)
		return -EFAULT;
	put_page(page);
	return 1;
}

long get_user_pages_unlocked(unsigned long start, unsigned long nr,
    struct page **pages, unsigned int flags)
{
	return get_pages_of(current->mm, start, nr, flags, pages);
}

long get_user_pages_remote(struct mm_struct *mm, unsigned long start,
    unsigned long nr, unsigned int flags, struct page **pages, int *locked)
{
	struct page *page;
	long ret = -EFAULT;

	if (pages)
		return get_pages_of(mm, start, nr, flags, pages);
	if (nr == 1 && (ret = get_pages_of(mm, start, 1, flags, &page)) == 1)
		put_page(page);
	return ret;
}

int get_user_pages_fast(unsigned long start, int nr, unsigned int flags,
    struct page **pages)
{
	return get_pages_of(current->mm, start, nr, flags, pages);
}

int get_user_pages_fast_only(unsigned long start, int nr, unsigned int flags,
    struct page **pages)
{
	u64 pa;
	int i;

	for (i = 0; current->mm && i < nr; i++) {
		pa = lx_pinned_page(current->mm, (start & PAGE_MASK) + i * PAGE_SIZE, flags);
		if (!pa)
			break;
		pages[i] = pfn_to_page(pa >> PAGE_SHIFT);
	}
	return i;
}

bool get_user_page_fast_only(unsigned long addr, unsigned int flags, struct page **page)
{
	return get_user_pages_fast_only(addr, 1, flags, page) == 1;
}
