/* SPDX-License-Identifier: BSD-2-Clause */
/* All memory is in the direct map. */
#ifndef _LKC_LINUX_HIGHMEM_H_
#define	_LKC_LINUX_HIGHMEM_H_

#include <linux/mm.h>
#define kmap(page)		page_address(page)
#define kunmap(page)		do {} while (0)
#define kmap_local_page(page)	page_address(page)
#define kunmap_local(addr)	do {} while (0)

#endif
