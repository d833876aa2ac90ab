/* SPDX-License-Identifier: BSD-2-Clause */
/* One FreeBSD module holds all: module_init() and module_exit() become named
 * functions for its glue to call, references go to FreeBSD's unload check. */
#ifndef _LINUX_MODULE_H
#define	_LINUX_MODULE_H

#include <linux/list.h>
#include <linux/stat.h>
#include <linux/compiler.h>
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/stringify.h>
#include <linux/kobject.h>
#include <linux/moduleparam.h>
#include <linux/export.h>
struct module;
#define MODULE_LICENSE(license)
#define MODULE_AUTHOR(author)
#define MODULE_DESCRIPTION(description)
#define MODULE_ALIAS(alias)
#define MODULE_ALIAS_MISCDEV(minor)
#define MODULE_DEVICE_TABLE(type, name)
#define MODULE_IMPORT_NS(ns)
#undef module_init
#undef module_exit
#define module_init(fn)	int lx_init_##fn(void); int lx_init_##fn(void) { return fn(); }
#define module_exit(fn)	void lx_exit_##fn(void); void lx_exit_##fn(void) { fn(); }
bool try_module_get(struct module *module);
void module_put(struct module *module);
void __module_get(struct module *module);

#endif
