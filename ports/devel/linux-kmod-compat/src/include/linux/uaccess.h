/* SPDX-License-Identifier: BSD-2-Clause */
/* User memory of the current process.  Inside a loaded vCPU a copy is first
 * tried without faults; if it needs one, the vCPU is put for the time (uaccess.c). */
#ifndef __LINUX_UACCESS_H__
#define	__LINUX_UACCESS_H__

#include <linux/types.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/slab.h>
#include <linux/sched.h>
#include <linux/overflow.h>
#include <linux/err.h>

/* Bytes not copied: 0 or all of n, FreeBSD does not tell where it stopped. */
unsigned long copy_from_user(void *to, const void __user *from, unsigned long n);
unsigned long copy_to_user(void __user *to, const void *from, unsigned long n);
unsigned long __copy_from_user_inatomic(void *to, const void __user *from, unsigned long n);
long copy_to_user_nofault(void __user *to, const void *from, size_t n);
unsigned long clear_user(void __user *to, unsigned long n);
void *memdup_user(const void __user *src, size_t len);
void *vmemdup_user(const void __user *src, size_t len);
#define __copy_from_user	copy_from_user
#define __copy_to_user		copy_to_user
static inline int copy_struct_from_user(void *dst, size_t ksize, const void __user *src,
    size_t usize)
{
	return -EOPNOTSUPP;
}

/* Copies that may not sleep until enabled again. */
static inline void pagefault_disable(void)
{
	current->lx_nofault++;
}
static inline void pagefault_enable(void)
{
	current->lx_nofault--;
}

bool lx_access_ok(const void __user *addr, unsigned long size);
#define access_ok(addr, size)	lx_access_ok((const void __user *)(addr), size)

#define get_user(x, ptr) ({						\
	__typeof__(*(ptr)) __gu;					\
	int __gu_err = copy_from_user(&__gu, ptr, sizeof(__gu)) ? -EFAULT : 0; \
									\
	(x) = __gu_err ? (__typeof__(x))0 : (__typeof__(x))__gu;	\
	__gu_err;							\
})
#define put_user(x, ptr) ({						\
	__typeof__(*(ptr)) __pu = (__typeof__(*(ptr)))(x);		\
									\
	copy_to_user(ptr, &__pu, sizeof(__pu)) ? -EFAULT : 0;		\
})
#define __get_user(x, ptr)	get_user(x, ptr)
#define __put_user(x, ptr)	put_user(x, ptr)

#define user_access_begin(ptr, len)	access_ok(ptr, len)
#define user_access_end()		do {} while (0)
#define unsafe_get_user(x, ptr, label) do {				\
	if (get_user(x, ptr))						\
		goto label;						\
} while (0)
#define unsafe_put_user(x, ptr, label) do {				\
	if (put_user(x, ptr))						\
		goto label;						\
} while (0)

/* 0 exchanged, 1 other value (now in *old), -EFAULT; size 1, 2, 4 or 8. */
int lx_cmpxchg_user(void __user *ptr, void *old, u64 new, int size);
#define __try_cmpxchg_user(ptr, oldp, new, label)			\
	lx_cmpxchg_user(ptr, oldp, (u64)(new), sizeof(*(ptr)))
/* Exchange a byte: 0 and the old value in *val, or -EFAULT. */
int user_xchg_u8(u8 __user *ptr, u8 *val);

#endif
