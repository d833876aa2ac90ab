// SPDX-License-Identifier: BSD-2-Clause
/* Kernel memory: malloc(9), caches, pages, the direct map, shrinkers. */
#include <linux/slab.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <linux/shrinker.h>
#include <linux/mutex.h>
#include <linux/radix-tree.h>
#include <linux/xarray.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

/* Above it an allocation may fail instead of waiting for memory for ever. */
#define WAIT_LIMIT	(64 * 1024)
/* A larger size is a caller's overflow or a user's nonsense. */
#define SIZE_LIMIT	INT_MAX

unsigned long page_offset_base;
static u64 direct_map_size;

static int lx_flags(gfp_t gfp, size_t size)
{
	int flags = 0;

	if ((gfp & __GFP_DIRECT_RECLAIM) && size <= WAIT_LIMIT)
		flags |= LKC_M_WAIT;
	if (gfp & __GFP_ZERO)
		flags |= LKC_M_ZERO;
	if (gfp & (__GFP_DMA32 | __GFP_DMA))
		flags |= LKC_M_BELOW4G;
	return flags;
}

/* FreeBSD's allocators cannot be entered with a lock held: fail, as may be. */
static void *lx_malloc(size_t size, size_t align, gfp_t gfp)
{
	if (size > SIZE_LIMIT || !lx_can_block())
		return NULL;
	if (size < sizeof(struct llist_node))
		size = sizeof(struct llist_node);	/* see reaper.c */
	return LX_BLOCKING(lkc_malloc(size, align, lx_flags(gfp, size)));
}

void *kmalloc(size_t size, gfp_t gfp)
{
	return lx_malloc(size, sizeof(void *) * 2, gfp);
}

void kfree(const void *obj)
{
	if (IS_ERR_OR_NULL(obj))
		return;
	if (lkc_critical_nest() == 0 && !irqs_disabled())
		lkc_free((void *)obj);
	else
		lx_defer_free((void *)obj);
}

/* --- pages -------------------------------------------------------------- */

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	if (!lx_can_block())
		return 0;
	return (unsigned long)LX_BLOCKING(lkc_pages_alloc(order,
	    lx_flags(gfp, PAGE_SIZE << order)));
}

unsigned long get_zeroed_page(gfp_t gfp)
{
	return __get_free_pages(gfp | __GFP_ZERO, 0);
}

/* A page is named by its address, see asm-generic/memory_model.h. */
struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	return (struct page *)__get_free_pages(gfp, order);
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (!addr)
		return;
	if (lkc_critical_nest() == 0 && !irqs_disabled())
		lkc_pages_free((void *)addr, order);
	else
		lx_defer_free_pages((void *)addr, order);
}

void __free_pages(struct page *page, unsigned int order)
{
	free_pages((unsigned long)page, order);
}

unsigned long *lx_page_private(struct page *page)
{
	return lkc_page_private(__pa(page));
}

/* --- caches ------------------------------------------------------------- */

/*
 * Objects of more than half a page are allocated as pages: the hardware may be
 * given the physical address of a part of them (vcpu_vmx), which must be
 * contiguous.
 */
struct kmem_cache {
	unsigned int	size;
	unsigned int	align;
	int		order;		/* -1: from malloc */
	void		(*ctor)(void *);
};

struct kmem_cache *lx_cache_create(const char *name, unsigned int size,
    unsigned int align, void (*ctor)(void *))
{
	struct kmem_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (!cache)
		return NULL;
	cache->size = size;
	cache->align = max_t(unsigned int, align, 16);
	cache->order = size > PAGE_SIZE / 2 ? get_order(size) : -1;
	cache->ctor = ctor;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	kfree(cache);
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *obj;

	if (cache->order >= 0)
		obj = (void *)__get_free_pages(gfp, cache->order);
	else
		obj = lx_malloc(cache->size, cache->align, gfp);
	if (obj && cache->ctor)
		cache->ctor(obj);
	return obj;
}

void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	if (cache->order >= 0)
		free_pages((unsigned long)obj, cache->order);
	else
		kfree(obj);
}

/* --- addresses ---------------------------------------------------------- */

unsigned long lx_pa(const volatile void *va)
{
	unsigned long offset = (unsigned long)va - page_offset_base;

	if (likely(offset < direct_map_size))
		return offset;
	return lkc_virt_to_phys((const void *)va);
}

void *vzalloc(unsigned long size)
{
	if (!size || size > SIZE_LIMIT)
		return NULL;
	return LX_BLOCKING(lkc_vmap_alloc(DIV_ROUND_UP(size, PAGE_SIZE)));
}

void vfree(const void *addr)
{
	if (addr && lkc_vmap_is(addr))
		LX_BLOCKING_VOID(lkc_vmap_free((void *)addr));
	else
		kfree(addr);
}

struct page *vmalloc_to_page(const void *addr)
{
	return pfn_to_page(__pa(addr) >> PAGE_SHIFT);
}

void *memremap(resource_size_t offset, size_t size, unsigned long flags)
{
	if (offset >= direct_map_size || size > direct_map_size - offset)
		return NULL;
	return __va(offset);
}

void memunmap(void *addr) {}

/* --- shrinkers ---------------------------------------------------------- */

static LIST_HEAD(shrinkers);
static DEFINE_MUTEX(shrinker_lock);

struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (shrinker)
		INIT_LIST_HEAD(&shrinker->lx_link);
	return shrinker;
}

void shrinker_register(struct shrinker *shrinker)
{
	mutex_lock(&shrinker_lock);
	list_add_tail(&shrinker->lx_link, &shrinkers);
	mutex_unlock(&shrinker_lock);
}

void shrinker_free(struct shrinker *shrinker)
{
	if (!shrinker)
		return;
	mutex_lock(&shrinker_lock);
	list_del(&shrinker->lx_link);
	mutex_unlock(&shrinker_lock);
	kfree(shrinker);
}

/* FreeBSD says that memory is short, not how much: ask for an eighth. */
void lkcl_lowmem(void)
{
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL };
	struct shrinker *shrinker;
	unsigned long count;

	mutex_lock(&shrinker_lock);
	list_for_each_entry(shrinker, &shrinkers, lx_link) {
		count = shrinker->count_objects(shrinker, &sc);
		if (count == 0 || count == SHRINK_STOP)
			continue;
		sc.nr_to_scan = sc.nr_scanned = max(count / 8, 1UL);
		shrinker->scan_objects(shrinker, &sc);
	}
	mutex_unlock(&shrinker_lock);
}

/* --- start -------------------------------------------------------------- */

extern struct kmem_cache *radix_tree_node_cachep;	/* of lib/xarray.c */
static void *zero_page;

void *lx_zero_page(void)
{
	return zero_page;
}

/* lib/xarray.c takes new nodes to be empty. */
static void radix_tree_node_ctor(void *obj)
{
	struct xa_node *node = obj;

	memset(node, 0, sizeof(*node));
	INIT_LIST_HEAD(&node->private_list);
}

int lx_memory_init(void)
{
	page_offset_base = (unsigned long)lkc_dmap_base();
	direct_map_size = lkc_dmap_size();
	zero_page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!zero_page)
		return -ENOMEM;
	radix_tree_node_cachep = lx_cache_create("radix_tree_node",
	    sizeof(struct xa_node), 64, radix_tree_node_ctor);
	if (!radix_tree_node_cachep)
		return -ENOMEM;
	return lkc_lowmem_enable();
}

void lx_memory_exit(void)
{
	lkc_lowmem_disable();
	kmem_cache_destroy(radix_tree_node_cachep);
	free_page((unsigned long)zero_page);
}
