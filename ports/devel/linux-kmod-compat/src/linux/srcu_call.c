// SPDX-License-Identifier: BSD-2-Clause
/*
 * Callbacks after a grace period of sleepable RCU.  They run in a work item of
 * the structure, so that a reader that sleeps for long delays no others.
 */
#include <linux/srcu.h>
#include <linux/llist.h>
#include <linux/workqueue.h>

static void srcu_run_callbacks(struct work_struct *work)
{
	struct srcu_struct *ssp = container_of(work, struct srcu_struct, work);
	struct llist_node *node = llist_del_all(&ssp->callbacks);
	struct rcu_head *head;

	if (!node)
		return;
	synchronize_srcu(ssp);
	node = llist_reverse_order(node);
	while (node) {
		head = (struct rcu_head *)node;
		node = node->next;
		head->func(head);
	}
}

void lx_srcu_call_init(struct srcu_struct *ssp)
{
	init_llist_head(&ssp->callbacks);
	INIT_WORK(&ssp->work, srcu_run_callbacks);
}

void call_srcu(struct srcu_struct *ssp, struct rcu_head *head, rcu_callback_t func)
{
	head->func = func;
	llist_add((struct llist_node *)head, &ssp->callbacks);
	queue_work(system_wq, &ssp->work);
}

/* A callback that was added before is in the work that is queued or running. */
void srcu_barrier(struct srcu_struct *ssp)
{
	flush_work(&ssp->work);
}
