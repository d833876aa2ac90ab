/* SPDX-License-Identifier: BSD-2-Clause */
/* Parameters are collected in a section; FreeBSD shows them as sysctls and tunables. */
#ifndef _LKC_LINUX_MODULEPARAM_H_
#define	_LKC_LINUX_MODULEPARAM_H_

#include <linux/export.h>
#include <linux/init.h>
#include <linux/stringify.h>
#include <linux/kernel.h>
struct module;
struct kernel_param;
struct kernel_param_ops {
	unsigned int	flags;
	int		(*set)(const char *val, const struct kernel_param *kp);
	int		(*get)(char *buffer, const struct kernel_param *kp);
	void		(*free)(void *arg);
};
#define KERNEL_PARAM_OPS_FL_NOARG	(1 << 0)
struct kernel_param {
	const char	*module;
	const char	*name;
	const struct kernel_param_ops *ops;
	u16		perm;
	void		*arg;
};
#define __lx_param(pname, pops, parg, pperm)				\
static const struct kernel_param __used __section("lx_params")		\
__aligned(sizeof(void *)) __lx_param_##pname = {			\
	.module = KBUILD_MODNAME, .name = #pname, .ops = pops,		\
	.arg = parg, .perm = pperm,					\
}
#define module_param_named(name, value, type, perm)			\
	__lx_param(name, &param_ops_##type, &(value), perm)
#define module_param(name, type, perm)	module_param_named(name, name, type, perm)
#define module_param_cb(name, ops, arg, perm)	__lx_param(name, ops, arg, perm)
#define module_param_unsafe(name, type, perm)	module_param(name, type, perm)
#define MODULE_PARM_DESC(name, desc)
#define __MODULE_PARM_TYPE(name, type)
#define __MODULE_INFO(tag, name, info)

extern const struct kernel_param_ops param_ops_bool, param_ops_bint,
    param_ops_int, param_ops_uint, param_ops_ushort;
int param_set_bool(const char *val, const struct kernel_param *kp);
int param_get_bool(char *buffer, const struct kernel_param *kp);
int param_set_bint(const char *val, const struct kernel_param *kp);
int param_set_uint(const char *val, const struct kernel_param *kp);
int param_get_uint(char *buffer, const struct kernel_param *kp);
#endif
