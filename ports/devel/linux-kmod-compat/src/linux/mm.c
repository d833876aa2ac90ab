// SPDX-License-Identifier: BSD-2-Clause
/*
 * Address spaces and the user pages of guests.
 *
 * FreeBSD has no MMU notifiers, so a page that a guest may reach is wired from
 * its first use until the memslot goes.  The pin table of the address space
 * remembers it; its entry owns one wiring, which counts against the system's
 * limit for users.  Callers of get_user_pages() get a wiring of their own.
 *
 * Wiring is for writing wherever the mapping allows it, also for reads: a
 * later copy-on-write would give process and guest different pages.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/moduleparam.h>
#include <linux/spinlock.h>
#include <lkc/block.h>
#include <lkc/pintable.h>
#include "lkc_bridge.h"

/*
 * Pin the whole 2 MB block around the first page that is touched, so that the
 * guest can be given a large mapping.  Costs memory for sparsely used guests.
 */
static bool pin_blocks = true;
module_param(pin_blocks, bool, 0644);

#define BLOCK_PAGES	(PMD_SIZE / PAGE_SIZE)

struct mm_range {
	struct list_head	link;
	u64			start, end;
};

static LIST_HEAD(all_mms);
static DEFINE_SPINLOCK(all_mms_lock);

/* --- life --------------------------------------------------------------- */

static struct mm_struct *find_mm(void *vmspace)
{
	struct mm_struct *mm;

	list_for_each_entry(mm, &all_mms, lx_link)
		if (mm->lx_vmspace == vmspace && refcount_inc_not_zero(&mm->lx_refs))
			return mm;
	return NULL;
}

static void mm_free(struct mm_struct *mm)
{
	lkc_sx_destroy(&mm->lx_pin_lock);
	if (mm->lx_pins)
		lx_pin_table_free(mm->lx_pins);
	kfree(mm);
}

static struct mm_struct *mm_new(void *vmspace)
{
	struct mm_struct *mm = kzalloc(sizeof(*mm), GFP_KERNEL);

	if (!mm)
		return NULL;
	lkc_sx_init(&mm->lx_pin_lock, "lkc pins");
	refcount_set(&mm->lx_refs, 1);
	INIT_LIST_HEAD(&mm->lx_ranges);
	INIT_LIST_HEAD(&mm->lx_notifiers);
	mm->lx_vmspace = vmspace;
	mm->lx_pins = lx_pin_table_new();
	if (!mm->lx_pins) {
		mm_free(mm);
		return NULL;
	}
	return mm;
}

/* The mm_struct of an address space, made if need be, with a reference; NULL without memory. */
struct mm_struct *lx_mm_of(void *vmspace)
{
	struct mm_struct *mm, *new;

	spin_lock(&all_mms_lock);
	mm = find_mm(vmspace);
	spin_unlock(&all_mms_lock);
	if (mm)
		return mm;
	new = mm_new(vmspace);
	if (!new)
		return NULL;
	spin_lock(&all_mms_lock);
	mm = find_mm(vmspace);
	if (!mm) {
		mm = new;
		new = NULL;
		lkc_mm_hold(vmspace);
		list_add(&mm->lx_link, &all_mms);
	}
	spin_unlock(&all_mms_lock);
	if (new)
		mm_free(new);
	return mm;
}

void mmgrab(struct mm_struct *mm)
{
	refcount_inc(&mm->lx_refs);
}

void mmdrop(struct mm_struct *mm)
{
	if (!refcount_dec_and_test(&mm->lx_refs))
		return;
	spin_lock(&all_mms_lock);
	list_del(&mm->lx_link);
	spin_unlock(&all_mms_lock);
	LX_BLOCKING_VOID(lkc_mm_drop(mm->lx_vmspace));
	mm_free(mm);
}

/* --- pages -------------------------------------------------------------- */

bool pfn_valid(unsigned long pfn)
{
	return lkc_phys_is_ram((u64)pfn << PAGE_SHIFT);
}

int page_count(struct page *page)
{
	return lkc_page_wirings(__pa(page));
}

void get_page(struct page *page)
{
	lkc_page_hold(__pa(page));
}

bool get_page_unless_zero(struct page *page)
{
	u64 pa = __pa(page);

	if (lkc_page_wirings(pa) == 0)
		return false;
	lkc_page_hold(pa);
	return true;
}

void put_page(struct page *page)
{
	u64 pa = __pa(page);

	if (lkc_page_unhold_try(pa))
		return;
	if (lx_can_block())
		LX_BLOCKING_VOID(lkc_page_unhold(pa, 0));
	else
		lx_defer_unhold(pa);
}

/* --- pinning ------------------------------------------------------------ */

static bool entry_serves(u64 entry, unsigned int flags)
{
	return (entry & LX_PIN_PRESENT) &&
	    (!(flags & FOLL_WRITE) || (entry & LX_PIN_WRITE));
}

/* The pinned page of uva with a wiring for the caller, or 0. */
static u64 pinned_page(struct mm_struct *mm, u64 uva, unsigned int flags)
{
	u64 entry;

	rcu_read_lock();
	entry = lx_pin_lookup(mm->lx_pins, uva);
	if (!entry_serves(entry, flags))
		entry = 0;
	else
		lkc_page_hold(entry & LX_PIN_PA);
	rcu_read_unlock();
	return entry & LX_PIN_PA;
}

static struct mm_range *range_of(struct mm_struct *mm, u64 start, u64 end)
{
	struct mm_range *range;

	list_for_each_entry(range, &mm->lx_ranges, link)
		if (range->start <= start && end <= range->end)
			return range;
	return NULL;
}

static void invalidate(struct mm_struct *mm, u64 start, u64 end)
{
	struct mmu_notifier_range range = {
		.mm = mm,
		.start = start,
		.end = end,
		.event = MMU_NOTIFY_UNMAP,
	};
	struct mmu_notifier *mn;

	list_for_each_entry(mn, &mm->lx_notifiers, lx_link)
		mn->ops->invalidate_range_start(mn, &range);
	list_for_each_entry(mn, &mm->lx_notifiers, lx_link)
		mn->ops->invalidate_range_end(mn, &range);
}

static void release_pin(u64 pa, bool writable)
{
	lkc_page_unhold(pa, writable);
	lkc_wired_uncharge(1);
}

/*
 * Nothing of [start, end) is pinned any more.  What caches addresses of it, in
 * any VM, hears of it as of an munmap in Linux.
 */
static void forget(struct mm_struct *mm, u64 start, u64 end)
{
	if (!lx_pin_kill(mm->lx_pins, start, end))
		return;
	invalidate(mm, start, end);
	lkc_rcu_wait();
	lx_pin_reap(mm->lx_pins, start, end, release_pin);
}

/* Give a wiring to the table.  Replaces a page that was pinned for reading. */
static int set_pin(struct mm_struct *mm, u64 uva, u64 pa, bool write)
{
	u64 old = lx_pin_lookup(mm->lx_pins, uva);
	int err;

	if (old && (old & LX_PIN_PA) != pa) {
		/* The process has got another page here since: follow it. */
		forget(mm, uva, uva + PAGE_SIZE);
		old = 0;
	}
	err = old ? 0 : lkc_wired_charge(1);
	if (!err) {
		err = lx_pin_set(mm->lx_pins, uva, pa | LX_PIN_PRESENT |
		    (write ? LX_PIN_WRITE : 0) | (old & LX_PIN_WRITE));
		if (err)
			lkc_wired_uncharge(1);
	}
	if (err || old)
		lkc_page_unhold(pa, write);
	return err;
}

/* The block as one piece, if nothing of it is pinned yet. */
static int pin_whole(struct mm_struct *mm, u64 start)
{
	unsigned int i;
	lkc_u64 pa;
	int err;

	if (!lx_pin_none(mm->lx_pins, start))
		return -EBUSY;
	if (lkc_wired_charge(BLOCK_PAGES))
		return -ENOMEM;
	err = lkc_block_hold(mm->lx_vmspace, start, &pa);
	if (!err) {
		err = lx_pin_set_block(mm->lx_pins, start,
		    pa | LX_PIN_PRESENT | LX_PIN_WRITE);
		for (i = 0; err && i < BLOCK_PAGES; i++)
			lkc_page_unhold(pa + i * PAGE_SIZE, 0);
	}
	if (err)
		lkc_wired_uncharge(BLOCK_PAGES);
	return err;
}

/* The pages of the block one by one.  pa has room for them. */
static int pin_pages(struct mm_struct *mm, u64 start, lkc_u64 *pa)
{
	unsigned int i;
	int err = 0;

	if (lkc_user_hold(mm->lx_vmspace, start, BLOCK_PAGES, 1, pa))
		return -EFAULT;
	for (i = 0; i < BLOCK_PAGES; i++) {
		if (err)
			lkc_page_unhold(pa[i], 0);
		else
			err = set_pin(mm, start + i * PAGE_SIZE, pa[i], true);
	}
	return err;
}

static int pin_block(struct mm_struct *mm, u64 start)
{
	lkc_u64 *pa;
	int err;

	if (!pin_whole(mm, start))
		return 0;
	pa = kmalloc_array(BLOCK_PAGES, sizeof(*pa), GFP_KERNEL);
	if (!pa)
		return -ENOMEM;
	err = pin_pages(mm, start, pa);
	kfree(pa);
	return err;
}

static int pin_one(struct mm_struct *mm, u64 uva, unsigned int flags)
{
	bool write = true;
	lkc_u64 pa;

	if (lkc_user_hold(mm->lx_vmspace, uva, 1, 1, &pa)) {
		if (flags & FOLL_WRITE)
			return -EFAULT;
		write = false;
		if (lkc_user_hold(mm->lx_vmspace, uva, 1, 0, &pa))
			return -EFAULT;
	}
	return set_pin(mm, uva, pa, write);
}

/* Pin the page of uva, which is in a memslot's range, if it is not. [sleep] */
static int pin(struct mm_struct *mm, u64 uva, unsigned int flags)
{
	u64 block = uva & ~((u64)PMD_SIZE - 1);
	int err = -EFAULT;

	lkc_sx_xlock(&mm->lx_pin_lock);
	if (entry_serves(lx_pin_lookup(mm->lx_pins, uva), flags)) {
		err = 0;
	} else if (range_of(mm, uva, uva + PAGE_SIZE)) {
		if (pin_blocks && range_of(mm, block, block + PMD_SIZE))
			err = pin_block(mm, block);
		if (err)
			err = pin_one(mm, uva, flags);
	}
	lkc_sx_xunlock(&mm->lx_pin_lock);
	return err;
}

/* A page outside all memslots is wired for the caller only. */
static u64 hold_stray(struct mm_struct *mm, u64 uva, unsigned int flags)
{
	lkc_u64 pa;

	if (lkc_user_hold(mm->lx_vmspace, uva, 1, !!(flags & FOLL_WRITE), &pa))
		return 0;
	return pa;
}

static bool in_memslot(struct mm_struct *mm, u64 uva)
{
	bool ret;

	lkc_sx_slock(&mm->lx_pin_lock);
	ret = range_of(mm, uva, uva + PAGE_SIZE) != NULL;
	lkc_sx_sunlock(&mm->lx_pin_lock);
	return ret;
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
	pa = pinned_page(mm, uva, flags);
	while (!pa) {
		lx_block_begin();
		if (!in_memslot(mm, uva)) {
			pa = hold_stray(mm, uva, flags);
			lx_block_end();
			if (!pa)
				return -EFAULT;
			break;
		}
		if (pin(mm, uva, flags)) {
			lx_block_end();
			return -EFAULT;
		}
		pa = pinned_page(mm, uva, flags);
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
		pa = pinned_page(current->mm, (start & PAGE_MASK) + i * PAGE_SIZE, flags);
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

int lx_host_level(struct mm_struct *mm, unsigned long hva)
{
	return lx_pin_level(mm->lx_pins, hva);
}

/* --- memslots ----------------------------------------------------------- */

/*
 * For a new memslot.  What another slot has pinned here need not be what the
 * process has here by now, least of all if that slot's VM is about to go: all
 * is looked up again.
 */
int mm_pin_range(struct mm_struct *mm, unsigned long start, unsigned long npages)
{
	struct mm_range *range = kmalloc(sizeof(*range), GFP_KERNEL);
	u64 len = (u64)npages << PAGE_SHIFT;

	if (!range)
		return -ENOMEM;
	if (lkc_user_nofork(mm->lx_vmspace, start, len)) {
		kfree(range);
		return -EINVAL;
	}
	range->start = start;
	range->end = start + len;
	lkc_sx_xlock(&mm->lx_pin_lock);
	list_add(&range->link, &mm->lx_ranges);
	forget(mm, range->start, range->end);
	lkc_sx_xunlock(&mm->lx_pin_lock);
	return 0;
}

/* Call fn for the parts of [start, end) that no registered range covers. */
static void for_each_uncovered(struct mm_struct *mm, u64 start, u64 end,
    void (*fn)(struct mm_struct *mm, u64 start, u64 end))
{
	struct mm_range *range;
	u64 next;

	while (start < end) {
		next = end;
		list_for_each_entry(range, &mm->lx_ranges, link) {
			if (range->start <= start && start < range->end)
				break;
			if (range->start > start && range->start < next)
				next = range->start;
		}
		if (!list_entry_is_head(range, &mm->lx_ranges, link)) {
			start = range->end;
			continue;
		}
		fn(mm, start, next);
		start = next;
	}
}

/* The caller has removed the memslot. */
void mm_unpin_range(struct mm_struct *mm, unsigned long start, unsigned long npages)
{
	u64 end = start + ((u64)npages << PAGE_SHIFT);
	struct mm_range *range;

	lx_block_begin();
	lkc_sx_xlock(&mm->lx_pin_lock);
	list_for_each_entry(range, &mm->lx_ranges, link)
		if (range->start == start && range->end == end)
			break;
	if (!list_entry_is_head(range, &mm->lx_ranges, link)) {
		list_del(&range->link);
		kfree(range);
		for_each_uncovered(mm, start, end, forget);
	}
	lkc_sx_xunlock(&mm->lx_pin_lock);
	lx_block_end();
}

int mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *mm)
{
	lkc_sx_xlock(&mm->lx_pin_lock);
	list_add(&mn->lx_link, &mm->lx_notifiers);
	lkc_sx_xunlock(&mm->lx_pin_lock);
	return 0;
}

void mmu_notifier_unregister(struct mmu_notifier *mn, struct mm_struct *mm)
{
	lkc_sx_xlock(&mm->lx_pin_lock);
	list_del(&mn->lx_link);
	lkc_sx_xunlock(&mm->lx_pin_lock);
	/* As in Linux: the last call of a notifier. */
	if (mn->ops->release)
		mn->ops->release(mn, mm);
}

/* --- mappings made by the kernel ---------------------------------------- */

unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len,
    unsigned long prot, unsigned long flag, unsigned long offset)
{
	lkc_u64 uva;
	int err;

	if (file || addr || offset)
		return -EINVAL;
	err = LX_BLOCKING(lkc_user_map(len, &uva));
	return err ? err : uva;
}

int vm_munmap(unsigned long start, size_t len)
{
	return LX_BLOCKING(lkc_user_unmap(start, len));
}
