/* SPDX-License-Identifier: BSD-2-Clause */
/* User memory is pinned, not mapped: see pins.c for what stands behind each call. */
#ifndef _LINUX_MM_H
#define	_LINUX_MM_H

#include <linux/errno.h>
#include <linux/bug.h>
#include <linux/mmdebug.h>
#include <linux/uaccess.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/atomic.h>
#include <linux/mm_types.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/pgtable.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/bitfield.h>
#include <linux/percpu.h>
#include <linux/interrupt.h>
#include <linux/shrinker.h>
#include <linux/percpu_counter.h>
#include <linux/moduleparam.h>
#include <linux/module.h>
#include <linux/capability.h>
#include <linux/cc_platform.h>
#include <linux/io.h>
#include <uapi/linux/fcntl.h>
#include <asm/spec-ctrl.h>

#define VM_READ		0x0001UL
#define VM_WRITE	0x0002UL
#define VM_EXEC		0x0004UL
#define VM_SHARED	0x0008UL
#define VM_PFNMAP	0x0400UL
#define VM_IO		0x4000UL

#define PAGE_ALIGN(addr)	ALIGN(addr, PAGE_SIZE)
#define PAGE_ALIGN_DOWN(addr)	ALIGN_DOWN(addr, PAGE_SIZE)
#define PAGE_ALIGNED(addr)	IS_ALIGNED((unsigned long)(addr), PAGE_SIZE)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define untagged_addr(addr)	(addr)

/* --- pages: see asm-generic/memory_model.h --- */
#define page_address(page)	((void *)(page))
#define page_to_virt(page)	page_address(page)
unsigned long *lx_page_private(struct page *page);
#define page_private(page)		(*lx_page_private(page))
#define set_page_private(page, v)	(*lx_page_private(page) = (v))
bool pfn_valid(unsigned long pfn);
/* 0 only for a page that is not wired by this module or process any more. */
int page_count(struct page *page);
void get_page(struct page *page);
bool get_page_unless_zero(struct page *page);
void put_page(struct page *page);
/* Done when the pin table lets go of a page that was pinned for writing. */
static inline void SetPageDirty(struct page *page) {}
static inline void mark_page_accessed(struct page *page) {}	/* wired anyway */
/* Pages with a page structure are plain memory; others are no pages here. */
#define PageReserved(page)		false
#define is_zone_device_page(page)	false
#define PageCompound(page)		false
#define compound_head(page)		(page)
/* The module's own page of zeros; no process has it mapped. */
void *lx_zero_page(void);
#define ZERO_PAGE(vaddr)		((struct page *)lx_zero_page())
#define zero_pfn(addr)			page_to_pfn(ZERO_PAGE(addr))
#define my_zero_pfn(addr)		zero_pfn(addr)
#define is_zero_pfn(pfn)		((pfn) == zero_pfn(0))

/* --- user memory --- */
#define FOLL_WRITE		0x001
#define FOLL_GET		0x004
#define FOLL_NOWAIT		0x020
#define FOLL_HWPOISON		0x100
#define FOLL_INTERRUPTIBLE	0x800
#define FOLL_HONOR_NUMA_FAULT	0
long get_user_pages(unsigned long start, unsigned long nr, unsigned int flags,
    struct page **pages);
long get_user_pages_unlocked(unsigned long start, unsigned long nr,
    struct page **pages, unsigned int flags);
long get_user_pages_remote(struct mm_struct *mm, unsigned long start,
    unsigned long nr, unsigned int flags, struct page **pages, int *locked);
int get_user_pages_fast(unsigned long start, int nr, unsigned int flags,
    struct page **pages);
bool get_user_page_fast_only(unsigned long addr, unsigned int flags,
    struct page **page);
int get_user_pages_fast_only(unsigned long start, int nr, unsigned int flags,
    struct page **pages);
/* Every reference is a wiring: there is no other way to hold a user's page. */
#define pin_user_pages_fast(start, nr, flags, pages)			\
	get_user_pages_fast(start, nr, flags, pages)
#define pin_user_pages_unlocked(start, nr, pages, flags)		\
	get_user_pages_unlocked(start, nr, pages, flags)
#define unpin_user_page(page)		put_page(page)
/* Pages of a memslot; on return without error the range is registered. */
int mm_pin_range(struct mm_struct *mm, unsigned long start, unsigned long npages);
void mm_unpin_range(struct mm_struct *mm, unsigned long start, unsigned long npages);

/* There are no VMAs to find: callers report a bad address. */
static inline struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	return NULL;
}
static inline struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	return NULL;
}
static inline void mmap_read_lock(struct mm_struct *mm) {}
static inline void mmap_read_unlock(struct mm_struct *mm) {}
static inline unsigned long vma_kernel_pagesize(struct vm_area_struct *vma)
{
	return PAGE_SIZE;
}
static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}
/* Mappings without page structures (device memory) are refused. */
struct follow_pfnmap_args {
	struct vm_area_struct *vma;
	unsigned long	address;
	unsigned long	pfn;
	bool		writable;
};
static inline int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	return -EINVAL;
}
static inline void follow_pfnmap_end(struct follow_pfnmap_args *args) {}
static inline int fixup_user_fault(struct mm_struct *mm, unsigned long address,
    unsigned int fault_flags, bool *unlocked)
{
	return -EFAULT;
}
unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len,
    unsigned long prot, unsigned long flag, unsigned long offset);
int vm_munmap(unsigned long start, size_t len);
/* FreeBSD raises SIGBUS for poisoned pages itself; never called. */
static inline void send_sig_mceerr(int code, void __user *addr, short lsb,
    struct task_struct *t) {}

/* --- the rest --- */
/* Physical contiguity decides kvfree's way only; lx memory has one free. */
static inline bool is_vmalloc_addr(const void *addr)
{
	return false;
}
#define might_fault()				might_sleep()
#define mod_lruvec_page_state(page, idx, n)	do {} while (0)
#define NR_SECONDARY_PAGETABLE			0
#define numa_node_id()				0
#define object_is_on_stack(obj)			lkc_on_stack(obj)
__printf(2, 3) int sysfs_emit(char *buf, const char *fmt, ...);
extern unsigned int mxcsr_feature_mask;

#endif
