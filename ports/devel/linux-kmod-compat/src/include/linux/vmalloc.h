/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_VMALLOC_H_
#define	_LKC_LINUX_VMALLOC_H_

#include <linux/types.h>
#include <linux/slab.h>
#include <linux/overflow.h>
/* The first is of whole pages, which may be shown to user space. */
void *vzalloc(unsigned long size);
#define __vmalloc(size, gfp)	kmalloc(size, gfp)
#define vcalloc(n, size)	kzalloc(array_size(n, size), GFP_KERNEL)
#define __vcalloc(n, size, gfp)	kzalloc(array_size(n, size), gfp)
void vfree(const void *addr);
struct page *vmalloc_to_page(const void *addr);

#endif
