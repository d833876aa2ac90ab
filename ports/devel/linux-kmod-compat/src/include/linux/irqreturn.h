/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_IRQRETURN_H_
#define	_LKC_LINUX_IRQRETURN_H_

enum irqreturn {
	IRQ_NONE,
	IRQ_HANDLED,
};
typedef enum irqreturn irqreturn_t;

#endif
