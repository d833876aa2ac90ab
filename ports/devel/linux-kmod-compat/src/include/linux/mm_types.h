/* SPDX-License-Identifier: BSD-2-Clause */
/* One mm_struct per FreeBSD vmspace that uses the module, with the table of
 * its pinned pages (pins.c).  There are no VMAs of user mappings; the type exists
 * for mmap of the module's own files. */
#ifndef _LINUX_MM_TYPES_H
#define	_LINUX_MM_TYPES_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>
#include <linux/refcount.h>
#include "lkc_bridge.h"

struct page;
struct file;
struct lx_pin_table;

struct mm_struct {
	struct list_head	lx_link;	/* all mm_structs */
	refcount_t		lx_refs;
	void			*lx_vmspace;	/* held */
	struct lkc_sx		lx_pin_lock;	/* pins, ranges: writers */
	struct lx_pin_table	*lx_pins;
	struct list_head	lx_ranges;	/* of memslots */
	struct list_head	lx_notifiers;
};

struct vm_operations_struct;
struct vm_area_struct {
	unsigned long	vm_start, vm_end;
	unsigned long	vm_pgoff;
	unsigned long	vm_flags;
	const struct vm_operations_struct *vm_ops;
	struct file	*vm_file;
	void		*vm_private_data;
};
struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long	pgoff;
	struct page	*page;
};
typedef unsigned int vm_fault_t;
#define VM_FAULT_SIGBUS	0x2
struct vm_operations_struct {
	vm_fault_t	(*fault)(struct vm_fault *vmf);
};
enum fault_flag {
	FAULT_FLAG_WRITE	= 1 << 0,
};

#endif
