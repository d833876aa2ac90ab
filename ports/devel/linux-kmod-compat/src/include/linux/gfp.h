/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages come from FreeBSD's page allocator, by their direct map address. */
#ifndef __LINUX_GFP_H
#define	__LINUX_GFP_H

#include <linux/gfp_types.h>
#include <linux/types.h>
struct page;
struct page *alloc_pages(gfp_t gfp, unsigned int order);
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
unsigned long get_zeroed_page(gfp_t gfp);
void free_pages(unsigned long addr, unsigned int order);
void __free_pages(struct page *page, unsigned int order);
#define alloc_page(gfp)				alloc_pages(gfp, 0)
#define alloc_pages_node(node, gfp, order)	({ (void)(node); alloc_pages(gfp, order); })
#define __alloc_pages_node(node, gfp, order)	alloc_pages_node(node, gfp, order)
#define __get_free_page(gfp)			__get_free_pages(gfp, 0)
#define free_page(addr)				free_pages(addr, 0)
#define __free_page(page)			__free_pages(page, 0)
static inline bool gfpflags_allow_blocking(const gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

#endif
