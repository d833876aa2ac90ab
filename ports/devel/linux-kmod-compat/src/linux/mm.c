// SPDX-License-Identifier: BSD-2-Clause
/*
 * Address spaces, references to pages, mappings made by the kernel.
 */
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <lkc/block.h>
#include <lkc/pintable.h>
#include "lkc_bridge.h"

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
