/* SPDX-License-Identifier: BSD-2-Clause */
/* FreeBSD does not tell when user pages go away; pages are wired instead.
 * The one event that notifiers get is the end of a memslot's range. */
#ifndef _LINUX_MMU_NOTIFIER_H
#define	_LINUX_MMU_NOTIFIER_H

#include <linux/types.h>
#include <linux/mm_types.h>
#include <linux/srcu.h>
#include <linux/interval_tree.h>
struct mmu_notifier;
enum mmu_notifier_event {
	MMU_NOTIFY_UNMAP,
	MMU_NOTIFY_CLEAR,
};
struct mmu_notifier_range {
	struct mm_struct *mm;
	unsigned long	start, end;
	unsigned int	flags;
	enum mmu_notifier_event event;
};
#if LX_RELEASE >= 702
typedef bool lx_young_t;
#else
typedef int lx_young_t;
#endif
struct mmu_notifier_ops {
	void	(*release)(struct mmu_notifier *, struct mm_struct *);
	lx_young_t (*clear_flush_young)(struct mmu_notifier *, struct mm_struct *,
		    unsigned long, unsigned long);
	lx_young_t (*clear_young)(struct mmu_notifier *, struct mm_struct *,
		    unsigned long, unsigned long);
	lx_young_t (*test_young)(struct mmu_notifier *, struct mm_struct *,
		    unsigned long);
	int	(*invalidate_range_start)(struct mmu_notifier *,
		    const struct mmu_notifier_range *);
	void	(*invalidate_range_end)(struct mmu_notifier *,
		    const struct mmu_notifier_range *);
};
struct mmu_notifier {
	const struct mmu_notifier_ops *ops;
	struct list_head lx_link;
};
int mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *mm);
void mmu_notifier_unregister(struct mmu_notifier *mn, struct mm_struct *mm);
static inline bool mmu_notifier_range_blockable(const struct mmu_notifier_range *range)
{
	return true;
}

#endif
