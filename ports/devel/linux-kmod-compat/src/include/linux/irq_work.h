/* SPDX-License-Identifier: BSD-2-Clause */
/* Work from any context, done soon by a kernel thread instead of an interrupt. */
#ifndef _LKC_LINUX_IRQ_WORK_H_
#define	_LKC_LINUX_IRQ_WORK_H_

#include <linux/workqueue.h>
struct irq_work {
	void	(*func)(struct irq_work *);
	struct work_struct work;
};
void lx_irq_work_fn(struct work_struct *work);
static inline void init_irq_work(struct irq_work *irqw, void (*func)(struct irq_work *))
{
	irqw->func = func;
	INIT_WORK(&irqw->work, lx_irq_work_fn);
}
#define DEFINE_IRQ_WORK(name, fn)					\
struct irq_work name = {						\
	.func = fn,							\
	.work = __WORK_INITIALIZER(name.work, lx_irq_work_fn),		\
}
bool irq_work_queue(struct irq_work *irqw);
void irq_work_sync(struct irq_work *irqw);

#endif
