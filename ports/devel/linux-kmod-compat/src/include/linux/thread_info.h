/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LINUX_THREAD_INFO_H
#define	_LINUX_THREAD_INFO_H

#include <linux/types.h>
#include <linux/limits.h>
#include <linux/bug.h>
#include <linux/bitops.h>
#include <asm/current.h>
#include <asm/page.h>
struct thread_info {
	unsigned long	flags;
};
#define current_thread_info()	((struct thread_info *)current)
#define TIF_NEED_FPU_LOAD	14
#define test_thread_flag(flag)	test_bit(flag, &current_thread_info()->flags)
#define set_thread_flag(flag)	set_bit(flag, &current_thread_info()->flags)
#define clear_thread_flag(flag)	clear_bit(flag, &current_thread_info()->flags)
#define check_object_size(ptr, n, to_user)	do {} while (0)
static __always_inline bool check_copy_size(const void *addr, size_t bytes, bool is_source)
{
	return true;
}

#endif
