/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_VMALLOC_H_
#define	_LKC_LINUX_VMALLOC_H_

#include <linux/types.h>
#include <linux/slab.h>
#include <linux/overflow.h>
#define vmalloc(size)		kmalloc(size, GFP_KERNEL)
#define vzalloc(size)		kzalloc(size, GFP_KERNEL)
#define __vmalloc(size, gfp)	kmalloc(size, gfp)
#define vcalloc(n, size)	vzalloc(array_size(n, size))
#define __vcalloc(n, size, gfp)	kzalloc(array_size(n, size), gfp)
#define vfree(addr)		kfree(addr)
struct page *vmalloc_to_page(const void *addr);

#endif
