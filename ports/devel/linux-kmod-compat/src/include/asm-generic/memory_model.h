/* SPDX-License-Identifier: BSD-2-Clause */
/* struct page * is the direct map address of the page; nothing dereferences it. */
#ifndef _LKC_ASM_GENERIC_MEMORY_MODEL_H_
#define	_LKC_ASM_GENERIC_MEMORY_MODEL_H_

struct page;
#define page_to_pfn(p)		((unsigned long)__pa(p) >> PAGE_SHIFT)
#define pfn_to_page(n)		((struct page *)__va((unsigned long)(n) << PAGE_SHIFT))
#if LX_RELEASE >= 702	/* before, in asm/io.h */
#define page_to_phys(p)		__pa(p)
#endif
#define __page_to_pfn		page_to_pfn
#define __pfn_to_page		pfn_to_page
#define __pfn_to_phys(pfn)	((phys_addr_t)(pfn) << PAGE_SHIFT)
#define __phys_to_pfn(p)	((unsigned long)((p) >> PAGE_SHIFT))

#endif
