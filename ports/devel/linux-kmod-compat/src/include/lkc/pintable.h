/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of pinned pages of one address space: user address to physical
 * page.  Plain C, also built for the host by the tests.
 *
 * Lookups need no lock, but must be inside an RCU section: an entry that is
 * removed stays readable until its pages are released a grace period later.
 * All other functions need the caller's lock.
 */
#ifndef _LKC_PINTABLE_H_
#define	_LKC_PINTABLE_H_

#ifndef __KERNEL__
#include <stdbool.h>
#include <stdint.h>
typedef uint64_t u64;
#else
#include <linux/types.h>
#endif

struct lx_pin_table;

/* An entry: physical page address, and these bits.  0: nothing pinned. */
#define LX_PIN_PRESENT	0x1ULL
#define LX_PIN_WRITE	0x2ULL		/* wired for writing */
#define LX_PIN_DEAD	0x4ULL		/* unpublished, not yet released */
#define LX_PIN_BLOCK	0x8ULL		/* of the table itself */
#define LX_PIN_PA	(~0xfffULL)

/* What a 2 MB aligned block can be mapped as by the guest's page tables. */
enum lx_pin_level {
	LX_PIN_4K = 1,
	LX_PIN_2M = 2,
};

struct lx_pin_table *lx_pin_table_new(void);		/* NULL: no memory */
/* No entry may be left. */
void	lx_pin_table_free(struct lx_pin_table *table);

/* The entry of uva, 0 if none or dead. */
u64	lx_pin_lookup(struct lx_pin_table *table, u64 uva);
/* Set the entry of uva; 0, -ENOMEM, or -EINVAL for a non-canonical address. */
int	lx_pin_set(struct lx_pin_table *table, u64 uva, u64 entry);
/* No page of the block of uva is pinned. */
bool	lx_pin_none(struct lx_pin_table *table, u64 uva);
/*
 * Set the 512 entries of the block at uva, of which none is set, at once; entry
 * is the first one, and its page aligned as a block.  Errors as lx_pin_set().
 */
int	lx_pin_set_block(struct lx_pin_table *table, u64 uva, u64 entry);
/*
 * LX_PIN_2M if all 512 pages of the block are pinned, alike and contiguous
 * from an aligned physical address; LX_PIN_4K if uva is pinned; else 0.
 */
int	lx_pin_level(struct lx_pin_table *table, u64 uva);
/* Make the entries of [start, end) dead: lookups find them no more.  True if there was one. */
bool	lx_pin_kill(struct lx_pin_table *table, u64 start, u64 end);
/* Remove dead entries of [start, end), calling release(pa, writable). */
void	lx_pin_reap(struct lx_pin_table *table, u64 start, u64 end,
	    void (*release)(u64 pa, bool writable));

#endif
