// SPDX-License-Identifier: BSD-2-Clause
/* Module parameters: text in, text out, as in Linux. */
#include <linux/moduleparam.h>
#include <linux/module.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/sprintf.h>
#include <linux/slab.h>
#include <linux/limits.h>
#include <linux/mutex.h>
#include "lkc_bridge.h"

extern const struct kernel_param __start_lx_params[], __stop_lx_params[];

unsigned int lkcl_param_count(void)
{
	return __stop_lx_params - __start_lx_params;
}

void lkcl_param_info(unsigned int i, struct lkc_param *info)
{
	const struct kernel_param *kp = &__start_lx_params[i];

	info->module = kp->module;
	info->name = kp->name;
	info->desc = NULL;
	info->writable = (kp->perm & 0222) != 0;
}

/* One get or set at a time, as on Linux; sysctl(9) does not see to it. */
static DEFINE_MUTEX(param_lock);

/* Linux's get functions are promised a page, and end with a newline. */
int lkcl_param_get(unsigned int i, char *buf, lkc_size size)
{
	const struct kernel_param *kp = &__start_lx_params[i];
	char *page;
	int len;

	if (!kp->ops->get)
		return -EPERM;
	page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	mutex_lock(&param_lock);
	len = kp->ops->get(page, kp);
	mutex_unlock(&param_lock);
	if (len > 0 && page[len - 1] == '\n')
		len--;
	if (len >= 0 && len < size) {
		memcpy(buf, page, len);
		buf[len] = '\0';
	} else if (len >= 0) {
		len = -E2BIG;
	}
	kfree(page);
	return len;
}

int lkcl_param_set(unsigned int i, const char *value)
{
	const struct kernel_param *kp = &__start_lx_params[i];
	int err;

	if (!kp->ops->set)
		return -EPERM;
	mutex_lock(&param_lock);
	err = kp->ops->set(value, kp);
	mutex_unlock(&param_lock);
	return err;
}

#define INTEGER_PARAM(name, type, format, parse)				\
int param_set_##name(const char *val, const struct kernel_param *kp);		\
int param_get_##name(char *buffer, const struct kernel_param *kp);		\
int param_set_##name(const char *val, const struct kernel_param *kp)		\
{										\
	return parse(val, 0, (type *)kp->arg);					\
}										\
int param_get_##name(char *buffer, const struct kernel_param *kp)		\
{										\
	return sprintf(buffer, format "\n", *(type *)kp->arg);			\
}										\
const struct kernel_param_ops param_ops_##name = {				\
	.set = param_set_##name,						\
	.get = param_get_##name,						\
}

INTEGER_PARAM(int, int, "%i", kstrtoint);
INTEGER_PARAM(uint, unsigned int, "%u", kstrtouint);
INTEGER_PARAM(ushort, unsigned short, "%hu", kstrtou16);

int param_set_bool(const char *val, const struct kernel_param *kp)
{
	return kstrtobool(val ? val : "1", kp->arg);
}

int param_get_bool(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%c\n", *(bool *)kp->arg ? 'Y' : 'N');
}

const struct kernel_param_ops param_ops_bool = {
	.set = param_set_bool,
	.get = param_get_bool,
};

/* A bool kept in an int. */
int param_set_bint(const char *val, const struct kernel_param *kp)
{
	bool b;
	int err = kstrtobool(val, &b);

	if (!err)
		*(int *)kp->arg = b;
	return err;
}

const struct kernel_param_ops param_ops_bint = {
	.set = param_set_bint,
	.get = param_get_int,
};

/* Equal but for one newline at the end. */
bool sysfs_streq(const char *s1, const char *s2)
{
	while (*s1 && *s1 == *s2) {
		s1++;
		s2++;
	}
	if (*s1 == *s2)
		return true;
	return (!*s1 && *s2 == '\n' && !s2[1]) || (*s1 == '\n' && !s1[1] && !*s2);
}

/* --- references to the module ------------------------------------------- */

bool try_module_get(struct module *module)
{
	lkc_module_ref();
	return true;
}

void __module_get(struct module *module)
{
	lkc_module_ref();
}

void module_put(struct module *module)
{
	lkc_module_unref();
}
