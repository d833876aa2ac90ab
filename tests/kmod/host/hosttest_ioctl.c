/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the client asks for, by ioctl(2): a kernel test, or a primitive that
 * needs a process with its memory, descriptors and signals.
 */

#include "hosttest.h"
#include "hosttest_module.h"

void *kept_mm;
static void *watch, *watched;
static volatile unsigned int watch_calls;

static int (*const tests[])(void) = {
	test_critical, test_tasks, test_timers, test_locks, test_rcu, test_memory,
	test_cpus, test_msr_faults, test_files,
};

static long
trash_fpu(void)
{

	lkc_critical_enter();
	lkc_fpu_take();
	__asm __volatile("fninit; pcmpeqd %xmm0, %xmm0; pcmpeqd %xmm7, %xmm7;"
	    "fldpi; fldpi");
	lkc_fpu_drop();
	lkc_critical_exit();
	return (0);
}

static long
poke(void *mm, lkc_u64 uva)
{
	lkc_u64 pa;
	int error, wirings;

	error = lkc_user_hold(mm, uva, 1, 1, &pa);
	if (error != 0)
		return (error);
	wirings = lkc_page_wirings(pa);
	CHECK(wirings >= 1);
	lkc_page_hold(pa);
	CHECK(lkc_page_wirings(pa) == wirings + 1);
	CHECK(lkc_page_unhold_try(pa) == 1);
	CHECK(wirings > 1 || lkc_page_unhold_try(pa) == 0);
	*(lkc_u32 *)((char *)lkc_dmap_base() + pa) = HT_MARK;
	lkc_page_unhold(pa, 1);
	return (0);
}

static void
watch_fn(void *arg)
{

	/* In this order: the client writes again when it sees the count. */
	(void)lkc_eventfd_take(arg);
	watch_calls++;
}

static long
on_eventfd(unsigned int nr, int fd)
{
	void *hfile;
	long r;

	r = lkc_file_get(fd, &hfile);
	if (r != 0)
		return (r);
	if (!lkc_file_is_eventfd(hfile))
		r = -LKC_EINVAL;
	else if (nr == HT_EV_SIGNAL)
		lkc_eventfd_signal(hfile, 3);
	else if (nr == HT_EV_TAKE)
		r = lkc_eventfd_take(hfile);
	else {
		r = lkc_eventfd_watch(hfile, watch_fn, hfile, &watch);
		if (r == 0) {
			watched = hfile;
			return (0);
		}
	}
	lkc_file_put(hfile);
	return (r);
}

static long
copy_nofault(lkc_u64 uva)
{
	lkc_u32 word;
	int r;

	lkc_critical_enter();
	r = lkc_copyin_nofault(&word, uva, sizeof(word));
	lkc_critical_exit();
	return (r);
}

static long
cas(lkc_u64 uva)
{
	lkc_u32 old = 1;
	int r;

	r = lkc_cas_user32(uva, &old, 2);
	return (r == 1 ? 100 + (long)old : r);
}

long
lkcl_file_linux_ioctl(void *lfile __attribute__((unused)),
    unsigned int cmd __attribute__((unused)),
    unsigned long arg __attribute__((unused)))
{

	return (-LKC_ENOTTY);
}

long
lkcl_file_ioctl(void *lfile, unsigned int group, unsigned int nr,
    unsigned long arg)
{
	lkc_u64 uva;
	void *hfile;
	long r;
	int fd;

	if (group != 'T')
		return (-LKC_ENOTTY);
	switch (nr) {
	case HT_RUN:
		if (arg >= sizeof(tests) / sizeof(tests[0]))
			return (-LKC_ENOENT);
		return (tests[arg]());
	case HT_MKFD:
		return (make_fd(arg));
	case HT_CANCEL:
		r = lkc_fd_reserve(0, &fd, &hfile);
		if (r == 0)
			lkc_fd_cancel(fd, hfile);
		return (r);
	case HT_OBJECTS:
		return (objects);
	case HT_FPU:
		return (trash_fpu());
	case HT_POKE:
		return (poke(lkc_mm_current(), arg));
	case HT_NOFORK:
		return (lkc_user_nofork(lkc_mm_current(), arg, 4096));
	case HT_NOFAULT:
		return (copy_nofault(arg));
	case HT_CAS:
		return (cas(arg));
	case HT_EV_SIGNAL:
	case HT_EV_TAKE:
	case HT_EV_WATCH:
		return (on_eventfd(nr, arg));
	case HT_EV_CALLS:
		return (watch_calls);
	case HT_EV_SWITCH:
		lkc_eventfd_watch_switch(watch, arg);
		return (0);
	case HT_EV_DESERTED:
		return (lkc_eventfd_deserted(watch));
	case HT_EV_UNWATCH:
		lkc_eventfd_unwatch(watch);
		lkc_file_put(watched);
		return (0);
	case HT_MAP:
		r = lkc_user_map(4096, &uva);
		if (r == 0)
			r = lkc_copyout(arg, &uva, sizeof(uva));
		return (r);
	case HT_UNMAP:
		return (lkc_user_unmap(arg, 4096));
	case HT_MM_KEEP:
		if (kept_mm != NULL)
			lkc_mm_drop(kept_mm);
		kept_mm = lkc_mm_current();
		lkc_mm_hold(kept_mm);
		return (0);
	case HT_MM_SAME:
		return (kept_mm == lkc_mm_current());
	case HT_MM_HOLD:
		return (poke(kept_mm, arg));
	case HT_SLEEP:
		while (!lkc_signal_pending())
			lkc_task_park(LKC_FOREVER, 1);
		return (-LKC_EINTR);
	default:
		return (-LKC_ENOTTY);
	}
}
