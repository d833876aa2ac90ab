/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical memory is reached through the direct map. */
#ifndef _LKC_LINUX_IO_H_
#define	_LKC_LINUX_IO_H_

#include <linux/types.h>
#include <asm/io.h>
enum {
	MEMREMAP_WB = 1,
};
/* NULL outside the direct map. */
void *memremap(resource_size_t offset, size_t size, unsigned long flags);
void memunmap(void *addr);

#endif
