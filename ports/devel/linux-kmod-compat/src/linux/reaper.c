// SPDX-License-Identifier: BSD-2-Clause
/*
 * The reaper thread: RCU callbacks after their grace period, and objects that
 * were freed where FreeBSD's allocators must not be entered.
 */
#include <linux/rcupdate.h>
#include <linux/llist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/gfp.h>
#include <linux/container_of.h>
#include <linux/xarray.h>
#include <linux/radix-tree.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

static struct task_struct *reaper;
static bool reaper_stop;

/* A freed object is its own list node; pages also keep their order. */
struct dead_pages {
	struct llist_node	node;
	unsigned long		order;
};
struct dead_hold {
	struct llist_node	node;
	u64			pa;
};

static LLIST_HEAD(rcu_list);
static LLIST_HEAD(dead_objects);
static LLIST_HEAD(dead_page_list);
static LLIST_HEAD(dead_holds);
static LLIST_HEAD(spare_holds);		/* nodes for dead_holds */
#define SPARE_HOLDS	256
static atomic_t spare_hold_count = ATOMIC_INIT(0);
static DEFINE_SPINLOCK(spare_lock);	/* llist_del_first has one caller at a time */

static void reaper_add(struct llist_node *node, struct llist_head *list)
{
	if (llist_add(node, list) && reaper)
		lkc_task_unpark(reaper);
}

void lx_defer_free(void *obj)
{
	reaper_add(obj, &dead_objects);
}

void lx_defer_free_pages(void *addr, unsigned int order)
{
	struct dead_pages *dead = addr;

	dead->order = order;
	reaper_add(&dead->node, &dead_page_list);
}

void lx_defer_unhold(u64 pa)
{
	struct llist_node *node;
	struct dead_hold *hold;
	unsigned long flags;

	spin_lock_irqsave(&spare_lock, flags);
	node = llist_del_first(&spare_holds);
	spin_unlock_irqrestore(&spare_lock, flags);
	/* Better a page that stays wired than one that is freed in use. */
	if (WARN_ON_ONCE(!node))
		return;
	atomic_dec(&spare_hold_count);
	hold = container_of(node, struct dead_hold, node);
	hold->pa = pa;
	reaper_add(&hold->node, &dead_holds);
}

static void refill_spare_holds(void)
{
	struct dead_hold *hold;

	while (atomic_read(&spare_hold_count) < SPARE_HOLDS) {
		hold = lkc_malloc(sizeof(*hold), sizeof(void *), LKC_M_WAIT);
		llist_add(&hold->node, &spare_holds);
		atomic_inc(&spare_hold_count);
	}
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	head->func = func;
	reaper_add((struct llist_node *)head, &rcu_list);
}

static bool run_rcu_callbacks(void)
{
	struct llist_node *node = llist_del_all(&rcu_list);
	struct rcu_head *head;

	if (!node)
		return false;
	lkc_rcu_wait();
	node = llist_reverse_order(node);
	while (node) {
		head = (struct rcu_head *)node;
		node = node->next;
		/* kfree_rcu() stores the offset of the head in the object. */
		if ((unsigned long)head->func < PAGE_SIZE)
			kfree((char *)head - (unsigned long)head->func);
		else
			head->func(head);
	}
	return true;
}

static bool free_dead(void)
{
	struct llist_node *node, *next;
	bool did = false;

	for (node = llist_del_all(&dead_objects); node; node = next) {
		next = node->next;
		lkc_free(node);
		did = true;
	}
	for (node = llist_del_all(&dead_page_list); node; node = next) {
		next = node->next;
		lkc_pages_free(node, container_of(node, struct dead_pages, node)->order);
		did = true;
	}
	for (node = llist_del_all(&dead_holds); node; node = next) {
		next = node->next;
		lkc_page_unhold(container_of(node, struct dead_hold, node)->pa, 0);
		lkc_free(node);
		did = true;
	}
	return did;
}

static void reaper_main(void *arg)
{
	bool did;

	for (;;) {
		did = free_dead();
		did |= run_rcu_callbacks();
		refill_spare_holds();
		if (did)
			continue;
		if (READ_ONCE(reaper_stop))
			return;
		lkc_task_park(LKC_FOREVER, 0);
	}
}

int lx_reaper_init(void)
{
	void *task;
	int err;

	refill_spare_holds();
	reaper_stop = false;
	err = lkc_thread_start(reaper_main, NULL, "lkc reaper", &task);
	if (!err)
		reaper = task;
	return err;
}

/* What was queued before is done when this returns. */
void lx_reaper_exit(void)
{
	struct llist_node *node, *next;

	WRITE_ONCE(reaper_stop, true);
	lkc_task_unpark(reaper);
	lkc_thread_join(reaper);
	reaper = NULL;
	for (node = llist_del_all(&spare_holds); node; node = next) {
		next = node->next;
		lkc_free(node);
	}
	atomic_set(&spare_hold_count, 0);
}

void synchronize_rcu(void)
{
	LX_BLOCKING_VOID(lkc_rcu_wait());
}

struct rcu_barrier_wait {
	struct rcu_head	head;
	void		*task;
	bool		done;
};

static void rcu_barrier_done(struct rcu_head *head)
{
	struct rcu_barrier_wait *wait = container_of(head, struct rcu_barrier_wait, head);
	void *task = wait->task;

	smp_store_release(&wait->done, true);	/* wait may be gone from here on */
	lkc_task_unpark(task);
}

void rcu_barrier(void)
{
	struct rcu_barrier_wait wait = { .task = current };

	call_rcu(&wait.head, rcu_barrier_done);
	lx_block_begin();
	while (!smp_load_acquire(&wait.done))
		lkc_task_park(LKC_FOREVER, 0);
	lx_block_end();
}

/* The node cache that lib/xarray.c shares with lib/radix-tree.c. */
extern void radix_tree_node_rcu_free(struct rcu_head *head);
extern struct kmem_cache *radix_tree_node_cachep;
struct kmem_cache *radix_tree_node_cachep;

void radix_tree_node_rcu_free(struct rcu_head *head)
{
	struct xa_node *node = container_of(head, struct xa_node, rcu_head);

	kmem_cache_free(radix_tree_node_cachep, node);
}
