/* SPDX-License-Identifier: BSD-2-Clause */
/* One object, nothing is exported. */
#ifndef _LKC_LINUX_EXPORT_H_
#define	_LKC_LINUX_EXPORT_H_

#include <linux/compiler.h>
#include <linux/linkage.h>
#include <linux/stringify.h>
#define EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_GPL(sym)
#define EXPORT_SYMBOL_NS(sym, ns)
#define EXPORT_SYMBOL_NS_GPL(sym, ns)
#define THIS_MODULE	((struct module *)0)

#endif
