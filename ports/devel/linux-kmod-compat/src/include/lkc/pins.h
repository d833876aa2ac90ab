/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pinned pages of an address space (pins.c), for get_user_pages().
 */
#ifndef _LKC_PINS_H_
#define	_LKC_PINS_H_

#include <linux/types.h>

struct mm_struct;

/* The pinned page of uva with a wiring for the caller, or 0.  flags: FOLL_*. */
u64	lx_pinned_page(struct mm_struct *mm, u64 uva, unsigned int flags);
/* uva is in the range of a memslot. [sleep] */
bool	lx_in_memslot(struct mm_struct *mm, u64 uva);
/* Pin the page of uva, which is in a memslot's range, if it is not. [sleep] */
int	lx_pin(struct mm_struct *mm, u64 uva, unsigned int flags);

#endif
