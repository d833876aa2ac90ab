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

struct leaf {
	u64	entry[FANOUT];
	bool	huge;		/* see lx_pin_level() */
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

static bool leaf_is_huge(const struct leaf *leaf)
{
	u64 first = leaf->entry[0];
	int i;

	if (!(first & LX_PIN_PRESENT) || (first & LX_PIN_DEAD) ||
	    (first & LX_PIN_PA & (BLOCK_SIZE - 1)))
		return 0;
	for (i = 1; i < FANOUT; i++)
		if (leaf->entry[i] != first + ((u64)i << PAGE_BITS))
			return 0;
	return 1;
}

u64 lx_pin_lookup(struct lx_pin_table *table, u64 uva)
{
	struct leaf *leaf = find_leaf(table, uva);
	u64 entry = leaf ? load(leaf->entry[slot_of(uva, 0)]) : 0;

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
	store(leaf->huge, 0);
	store(leaf->entry[slot_of(uva, 0)], entry);
	/* Blocks are filled upwards: only the last page can complete one. */
	if (leaf->entry[0] && leaf->entry[FANOUT - 1] && leaf_is_huge(leaf))
		store(leaf->huge, 1);
	return 0;
}

int lx_pin_level(struct lx_pin_table *table, u64 uva)
{
	struct leaf *leaf = find_leaf(table, uva);

	if (!leaf)
		return 0;
	if (load(leaf->huge))
		return LX_PIN_2M;
	return lx_pin_lookup(table, uva) ? LX_PIN_4K : 0;
}

/* Call fn for each entry of [start, end), skipping what has no leaf. */
static void for_each_entry(struct lx_pin_table *table, u64 start, u64 end,
    void (*fn)(struct leaf *leaf, u64 *entry, void (*release)(u64, bool)),
    void (*release)(u64, bool))
{
	struct leaf *leaf;
	u64 uva, next;

	for (uva = start; uva < end; uva = next) {
		next = (uva | (BLOCK_SIZE - 1)) + 1;
		leaf = find_leaf(table, uva);
		if (!leaf)
			continue;
		if (next > end)
			next = end;
		for (; uva < next; uva += 1ULL << PAGE_BITS)
			fn(leaf, &leaf->entry[slot_of(uva, 0)], release);
	}
}

static void kill_entry(struct leaf *leaf, u64 *entry, void (*release)(u64, bool))
{
	if (!*entry)
		return;
	store(leaf->huge, 0);
	store(*entry, *entry | LX_PIN_DEAD);
}

void lx_pin_kill(struct lx_pin_table *table, u64 start, u64 end)
{
	for_each_entry(table, start, end, kill_entry, 0);
}

static void reap_entry(struct leaf *leaf, u64 *entry, void (*release)(u64, bool))
{
	u64 old = *entry;

	if (!(old & LX_PIN_DEAD))
		return;
	store(*entry, 0);
	release(old & LX_PIN_PA, old & LX_PIN_WRITE);
}

void lx_pin_reap(struct lx_pin_table *table, u64 start, u64 end,
    void (*release)(u64 pa, bool writable))
{
	for_each_entry(table, start, end, reap_entry, release);
}
