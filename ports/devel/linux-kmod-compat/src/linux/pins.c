// SPDX-License-Identifier: BSD-2-Clause
/*
 * The user pages of guests.
 *
 * FreeBSD has no MMU notifiers, so a page that a guest may reach is wired from
 * its first use until the memslot goes.  The pin table of the address space
 * remembers it; its entry owns one wiring, which counts against the system's
 * limit for users.
 *
 * Wiring is for writing wherever the mapping allows it, also for reads: a
 * later copy-on-write would give process and guest different pages.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/moduleparam.h>
#include <lkc/block.h>
#include <lkc/pins.h>
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

/* --- pages -------------------------------------------------------------- */

static bool entry_serves(u64 entry, unsigned int flags)
{
	return (entry & LX_PIN_PRESENT) &&
	    (!(flags & FOLL_WRITE) || (entry & LX_PIN_WRITE));
}

u64 lx_pinned_page(struct mm_struct *mm, u64 uva, unsigned int flags)
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

int lx_pin(struct mm_struct *mm, u64 uva, unsigned int flags)
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

bool lx_in_memslot(struct mm_struct *mm, u64 uva)
{
	bool ret;

	lkc_sx_slock(&mm->lx_pin_lock);
	ret = range_of(mm, uva, uva + PAGE_SIZE) != NULL;
	lkc_sx_sunlock(&mm->lx_pin_lock);
	return ret;
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
