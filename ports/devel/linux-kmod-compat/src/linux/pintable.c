// SPDX-License-Identifier: BSD-2-Clause
/*
 * See lkc/pintable.h.  A radix tree of 9 bits per level like the processor's
 * own page tables, 5 levels, so that every user address has a place.  Nodes
 * are freed only with the table.
 */
#ifdef __KERNEL__
#include <linux/slab.h>
#include <linux/errno.h>
#include <linux/compiler.h>
#include <asm/barrier.h>
#include <asm/rwonce.h>
#define node_alloc(size)	kzalloc(size, GFP_KERNEL)
#define node_free(node)		kfree(node)
#define load(p)			smp_load_acquire(&(p))
#define store(p, v)		smp_store_release(&(p), v)
#else
#include <errno.h>
#include <stdlib.h>
#define node_alloc(size)	calloc(1, size)
#define node_free(node)		free(node)
#define load(p)			__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define store(p, v)		__atomic_store_n(&(p), v, __ATOMIC_RELEASE)
#endif
#include <lkc/pintable.h>

#define FANOUT		512
#define PAGE_BITS	12
#define LEVEL_BITS	9
#define LEVELS		5	/* the leaf is level 0 */
#define UVA_BITS	(PAGE_BITS + LEVELS * LEVEL_BITS)
#define BLOCK_SIZE	(1ULL << (PAGE_BITS + LEVEL_BITS))

/*
 * With LX_PIN_BLOCK in the first entry, that one stands for all: the others are
 * alike and contiguous, and are not looked at.
 */
struct leaf {
	u64	entry[FANOUT];
};

struct node {
	void	*slot[FANOUT];
};

struct lx_pin_table {
	struct node root;
};

static unsigned int slot_of(u64 uva, int level)
{
	return (uva >> (PAGE_BITS + level * LEVEL_BITS)) & (FANOUT - 1);
}

struct lx_pin_table *lx_pin_table_new(void)
{
	return node_alloc(sizeof(struct lx_pin_table));
}

static void free_node(struct node *node, int level)
{
	int i;

	for (i = 0; i < FANOUT; i++) {
		if (!node->slot[i])
			continue;
		if (level > 1)
			free_node(node->slot[i], level - 1);
		node_free(node->slot[i]);
	}
}

void lx_pin_table_free(struct lx_pin_table *table)
{
	free_node(&table->root, LEVELS - 1);
	node_free(table);
}

static struct leaf *find_leaf(struct lx_pin_table *table, u64 uva)
{
	struct node *node = &table->root;
	int level;

	if (uva >> UVA_BITS)
		return 0;
	for (level = LEVELS - 1; level > 0 && node; level--)
		node = load(node->slot[slot_of(uva, level)]);
	return (struct leaf *)node;
}

static struct leaf *make_leaf(struct lx_pin_table *table, u64 uva)
{
	struct node *node = &table->root;
	void *child;
	int level;

	for (level = LEVELS - 1; level > 0; level--) {
		child = node->slot[slot_of(uva, level)];
		if (!child) {
			child = node_alloc(level == 1 ? sizeof(struct leaf) :
			    sizeof(struct node));
			if (!child)
				return 0;
			store(node->slot[slot_of(uva, level)], child);
		}
		node = child;
	}
	return (struct leaf *)node;
}

static u64 entry_of_block(u64 first, unsigned int i)
{
	return (first & ~LX_PIN_BLOCK) + ((u64)i << PAGE_BITS);
}

static bool is_block(const struct leaf *leaf)
{
	u64 first = leaf->entry[0];
	unsigned int i;

	if (!(first & LX_PIN_PRESENT) || (first & LX_PIN_DEAD) ||
	    (first & LX_PIN_PA & (BLOCK_SIZE - 1)))
		return 0;
	for (i = 1; i < FANOUT; i++)
		if (leaf->entry[i] != entry_of_block(first, i))
			return 0;
	return 1;
}

/* Let each entry stand for itself.  Lookups find the same all the time. */
static void split(struct leaf *leaf)
{
	u64 first = leaf->entry[0];
	unsigned int i;

	if (!(first & LX_PIN_BLOCK))
		return;
	for (i = 1; i < FANOUT; i++)
		store(leaf->entry[i], entry_of_block(first, i));
	store(leaf->entry[0], first & ~LX_PIN_BLOCK);
}

u64 lx_pin_lookup(struct lx_pin_table *table, u64 uva)
{
	struct leaf *leaf = find_leaf(table, uva);
	unsigned int i = slot_of(uva, 0);
	u64 entry;

	if (!leaf)
		return 0;
	entry = load(leaf->entry[0]);
	entry = entry & LX_PIN_BLOCK ? entry_of_block(entry, i) : load(leaf->entry[i]);
	return entry & LX_PIN_DEAD ? 0 : entry;
}

int lx_pin_set(struct lx_pin_table *table, u64 uva, u64 entry)
{
	struct leaf *leaf;

	if (uva >> UVA_BITS)
		return -EINVAL;
	leaf = make_leaf(table, uva);
	if (!leaf)
		return -ENOMEM;
	split(leaf);
	store(leaf->entry[slot_of(uva, 0)], entry);
	/* Blocks are filled upwards: only the last page can complete one. */
	if (leaf->entry[0] && leaf->entry[FANOUT - 1] && is_block(leaf))
		store(leaf->entry[0], leaf->entry[0] | LX_PIN_BLOCK);
	return 0;
}

bool lx_pin_none(struct lx_pin_table *table, u64 uva)
{
	struct leaf *leaf = find_leaf(table, uva);
	unsigned int i;

	for (i = 0; leaf && i < FANOUT; i++)
		if (leaf->entry[i])
			return 0;
	return 1;
}

int lx_pin_set_block(struct lx_pin_table *table, u64 uva, u64 entry)
{
	struct leaf *leaf;

	if (uva >> UVA_BITS || uva & (BLOCK_SIZE - 1))
		return -EINVAL;
	leaf = make_leaf(table, uva);
	if (!leaf)
		return -ENOMEM;
	store(leaf->entry[0], entry | LX_PIN_BLOCK);
	return 0;
}

int lx_pin_level(struct lx_pin_table *table, u64 uva)
{
	struct leaf *leaf = find_leaf(table, uva);

	if (!leaf || !lx_pin_lookup(table, uva))
		return 0;
	return load(leaf->entry[0]) & LX_PIN_BLOCK ? LX_PIN_2M : LX_PIN_4K;
}

/*
 * Call fn for each leaf and its entries from first to last in [start, end).
 * True if one of the calls returned it.
 */
static bool for_each_leaf(struct lx_pin_table *table, u64 start, u64 end,
    bool (*fn)(struct leaf *leaf, unsigned int first, unsigned int last,
    void (*release)(u64, bool)), void (*release)(u64, bool))
{
	struct leaf *leaf;
	u64 uva, next;
	bool any = 0;

	for (uva = start; uva < end; uva = next) {
		next = (uva | (BLOCK_SIZE - 1)) + 1;
		leaf = find_leaf(table, uva);
		if (next > end)
			next = end;
		if (leaf)
			any |= fn(leaf, slot_of(uva, 0), slot_of(next - 1, 0), release);
	}
	return any;
}

static bool kill_entries(struct leaf *leaf, unsigned int first, unsigned int last,
    void (*release)(u64, bool))
{
	unsigned int i;
	bool any = 0;

	if (leaf->entry[0] & LX_PIN_BLOCK && first == 0 && last == FANOUT - 1)
		last = 0;
	else
		split(leaf);
	for (i = first; i <= last; i++) {
		if (!leaf->entry[i])
			continue;
		store(leaf->entry[i], leaf->entry[i] | LX_PIN_DEAD);
		any = 1;
	}
	return any;
}

bool lx_pin_kill(struct lx_pin_table *table, u64 start, u64 end)
{
	return for_each_leaf(table, start, end, kill_entries, 0);
}

static bool reap_entries(struct leaf *leaf, unsigned int first, unsigned int last,
    void (*release)(u64, bool))
{
	unsigned int i;
	u64 old;

	if (leaf->entry[0] & LX_PIN_DEAD)
		split(leaf);
	for (i = first; i <= last; i++) {
		old = leaf->entry[i];
		if (!(old & LX_PIN_DEAD))
			continue;
		store(leaf->entry[i], 0);
		release(old & LX_PIN_PA, old & LX_PIN_WRITE);
	}
	return 0;
}

void lx_pin_reap(struct lx_pin_table *table, u64 start, u64 end,
    void (*release)(u64 pa, bool writable))
{
	for_each_leaf(table, start, end, reap_entries, release);
}
