/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc(9).  Objects larger than a page that the hardware is given the address
 * of are physically contiguous: all caches, and the page allocator. */
#ifndef _LINUX_SLAB_H
#define	_LINUX_SLAB_H

#include <linux/types.h>
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#define SLAB_ACCOUNT		0
#define SLAB_HWCACHE_ALIGN	0
#define SLAB_PANIC		0
struct kmem_cache;
struct kmem_cache *lx_cache_create(const char *name, unsigned int size,
    unsigned int align, void (*ctor)(void *));
#define kmem_cache_create(name, size, align, flags, ctor)		\
	lx_cache_create(name, size, align, ctor)
#define kmem_cache_create_usercopy(name, size, align, flags, off, len, ctor) \
	({ (void)(off); (void)(len); lx_cache_create(name, size, align, ctor); })
#define KMEM_CACHE(type, flags)						\
	lx_cache_create(#type, sizeof(struct type), __alignof__(struct type), NULL)
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *obj);
void kmem_cache_destroy(struct kmem_cache *cache);
#define kmem_cache_zalloc(cache, gfp)	kmem_cache_alloc(cache, (gfp) | __GFP_ZERO)
#define kmem_cache_alloc_lru(cache, lru, gfp) kmem_cache_alloc(cache, gfp)

void *kmalloc(size_t size, gfp_t gfp);
void kfree(const void *obj);
/* Physical contiguity is never promised by FreeBSD's malloc: both are one. */
#define kvmalloc(size, gfp)		kmalloc(size, gfp)
#define kvfree(obj)			kfree(obj)
#define kzalloc(size, gfp)		kmalloc(size, (gfp) | __GFP_ZERO)
#define kvzalloc(size, gfp)		kzalloc(size, gfp)
#define kmalloc_node(size, gfp, node)	kmalloc(size, gfp)
#define kzalloc_node(size, gfp, node)	kzalloc(size, gfp)
#define kmalloc_array(n, size, gfp)	kmalloc(array_size(n, size), gfp)
#define kmalloc_array_node(n, size, gfp, node) kmalloc_array(n, size, gfp)
#define kvmalloc_array(n, size, gfp)	kmalloc(array_size(n, size), gfp)
#define kcalloc(n, size, gfp)		kzalloc(array_size(n, size), gfp)
#define kvcalloc(n, size, gfp)		kzalloc(array_size(n, size), gfp)

/* By type, or by a variable of the type; GFP_KERNEL unless flags follow. */
#define __lx_gfp(none, gfp, ...)	gfp
#define lx_gfp(...)			__lx_gfp(, ##__VA_ARGS__, GFP_KERNEL)
#define kmalloc_objs(t, n, gfp...)					\
	((typeof(t) *)kmalloc_array(n, sizeof(t), lx_gfp(gfp)))
#define kzalloc_objs(t, n, gfp...)					\
	((typeof(t) *)kcalloc(n, sizeof(t), lx_gfp(gfp)))
#define kmalloc_obj(t, gfp...)		kmalloc_objs(t, 1, ##gfp)
#define kzalloc_obj(t, gfp...)		kzalloc_objs(t, 1, ##gfp)
#define kvmalloc_objs(t, n, gfp...)	kmalloc_objs(t, n, ##gfp)
#define kvzalloc_objs(t, n, gfp...)	kzalloc_objs(t, n, ##gfp)
#define kvzalloc_obj(t, gfp...)		kzalloc_objs(t, 1, ##gfp)
#define kmalloc_flex(t, member, n, gfp...)				\
	((typeof(t) *)kmalloc(struct_size_t(typeof(t), member, n), lx_gfp(gfp)))
#define kzalloc_flex(t, member, n, gfp...)				\
	((typeof(t) *)kzalloc(struct_size_t(typeof(t), member, n), lx_gfp(gfp)))

DEFINE_FREE(kfree, void *, if (!IS_ERR_OR_NULL(_T)) kfree(_T))

#endif
