/* SPDX-License-Identifier: BSD-2-Clause */
/* The direct map is FreeBSD's, and objects outside it (module data, large
 * allocations) have physical addresses too. */
#ifndef _LKC_ASM_PAGE_H_
#define	_LKC_ASM_PAGE_H_

#define clear_page	lx_no_clear_page	/* calls assembly that is not built */
#include_next <asm/page.h>
#undef clear_page
#ifndef __ASSEMBLY__
unsigned long lx_pa(const volatile void *va);
static inline void clear_page(void *page)
{
	__builtin_memset(page, 0, PAGE_SIZE);
}
#undef __pa
#undef __pa_nodebug
#undef __pa_symbol
#define __pa(x)			lx_pa((const volatile void *)(x))
#define __pa_nodebug(x)		__pa(x)
#define __pa_symbol(x)		__pa(&(x))
#undef virt_to_page
#define virt_to_page(kaddr)	pfn_to_page(__pa(kaddr) >> PAGE_SHIFT)
#undef virt_addr_valid
#define virt_addr_valid(kaddr)	true
#endif

#endif
