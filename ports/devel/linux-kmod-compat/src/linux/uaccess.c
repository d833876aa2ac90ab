// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copies from and to the current process.  With a vCPU loaded the thread is in
 * a critical section, where a page fault cannot be served: try without one,
 * and if that fails, put the vCPU for the time of the copy.
 */
#include <linux/uaccess.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

static bool may_fault(void)
{
	return !current->lx_nofault && lx_can_block();
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long n)
{
	u64 uva = (u64)from;

	if (!n || (lkc_critical_nest() && !lkc_copyin_nofault(to, uva, n)))
		return 0;
	if (may_fault() && !LX_BLOCKING(lkc_copyin(to, uva, n)))
		return 0;
	memset(to, 0, n);	/* as in Linux: no stale stack or heap gets out */
	return n;
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long n)
{
	u64 uva = (u64)to;

	if (!n || (lkc_critical_nest() && !lkc_copyout_nofault(uva, from, n)))
		return 0;
	if (may_fault() && !LX_BLOCKING(lkc_copyout(uva, from, n)))
		return 0;
	return n;
}

unsigned long __copy_from_user_inatomic(void *to, const void __user *from, unsigned long n)
{
	return lkc_copyin_nofault(to, (u64)from, n) ? n : 0;
}

long copy_to_user_nofault(void __user *to, const void *from, size_t n)
{
	return lkc_copyout_nofault((u64)to, from, n) ? -EFAULT : 0;
}

unsigned long clear_user(void __user *to, unsigned long n)
{
	const void *zeros = lx_zero_page();
	unsigned long chunk;

	while (n) {
		chunk = min(n, PAGE_SIZE);
		if (copy_to_user(to, zeros, chunk))
			break;
		to += chunk;
		n -= chunk;
	}
	return n;
}

void *memdup_user(const void __user *src, size_t len)
{
	void *p = kmalloc(len, GFP_KERNEL);

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(p, src, len)) {
		kfree(p);
		return ERR_PTR(-EFAULT);
	}
	return p;
}

void *vmemdup_user(const void __user *src, size_t len)
{
	return memdup_user(src, len);
}

bool lx_access_ok(const void __user *addr, unsigned long size)
{
	u64 limit = lkc_user_limit();

	return size <= limit && (u64)addr <= limit - size;
}

/*
 * FreeBSD exchanges words of 4 and 8 bytes; smaller ones are exchanged inside
 * the aligned word that holds them.
 */
static int cas_small(u64 uva, unsigned int *old, unsigned int new, int size)
{
	unsigned int shift = (uva & 3) * 8;
	u32 mask = (size == 1 ? 0xffU : 0xffffU) << shift;
	u32 word, seen;
	int ret;

	if (copy_from_user(&word, (void __user *)(uva & ~3ULL), sizeof(word)))
		return -EFAULT;
	for (;;) {
		if ((word & mask) >> shift != *old) {
			*old = (word & mask) >> shift;
			return 1;
		}
		seen = word;
		ret = LX_BLOCKING(lkc_cas_user32(uva & ~3ULL, &seen,
		    (word & ~mask) | (new << shift)));
		if (ret <= 0)
			return ret;
		word = seen;	/* a neighbour may have changed: try again */
	}
}

int lx_cmpxchg_user(void __user *ptr, void *old, u64 new, int size)
{
	u64 uva = (u64)ptr;
	unsigned int small;
	int ret;

	if (uva & (size - 1) || !lx_access_ok(ptr, size) || !may_fault())
		return -EFAULT;
	switch (size) {
	case 1:
		small = *(u8 *)old;
		ret = cas_small(uva, &small, (u8)new, 1);
		*(u8 *)old = small;
		return ret;
	case 2:
		small = *(u16 *)old;
		ret = cas_small(uva, &small, (u16)new, 2);
		*(u16 *)old = small;
		return ret;
	case 4:
		return LX_BLOCKING(lkc_cas_user32(uva, old, new));
	case 8:
		return LX_BLOCKING(lkc_cas_user64(uva, old, new));
	}
	return -EFAULT;
}

int user_xchg_u8(u8 __user *ptr, u8 *val)
{
	u8 old = 0;
	int ret;

	do {
		ret = lx_cmpxchg_user(ptr, &old, *val, 1);
	} while (ret > 0);
	if (!ret)
		*val = old;
	return ret;
}
