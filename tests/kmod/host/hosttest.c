/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A module that stands where the Linux side stands and puts the host
 * primitives through their contracts, in a real kernel.  Like the Linux side
 * it knows the bridge only; hosttest_module.c is its FreeBSD frame.
 */

#include "lkc_bridge.h"
#include "hosttest.h"

#define	NULL	((void *)0)
#define	MS	1000000ull

int	hosttest_start(void);
void	hosttest_stop(void);

struct object {
	int	is_device;
	void	*page;			/* what mmap shows */
};

static unsigned int objects;
static void *device;
static void *kept_mm;
static void *watch, *watched;
static volatile unsigned int watch_calls;

static void
say(const char *fmt, ...)
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	lkc_vlog(LKC_LOG_INFO, fmt, ap);
	__builtin_va_end(ap);
}

#define	CHECK(cond) do {						\
	if (!(cond)) {							\
		say("hosttest: %s:%d: %s\n", __func__, __LINE__, #cond); \
		return (-LKC_EIO);					\
	}								\
} while (0)

/* --- kernel tests ------------------------------------------------------- */

static int
test_critical(void)
{
	unsigned long flags;
	int nest;

	nest = lkc_critical_nest();
	CHECK(nest == 0);
	lkc_critical_enter();
	lkc_section_enter();
	CHECK(lkc_critical_nest() == 2);
	/* With interrupts off a level goes without a thread switch. */
	__asm __volatile("pushfq; popq %0; cli" : "=r" (flags) : : "memory");
	lkc_critical_enter();
	lkc_critical_exit();
	CHECK(lkc_critical_nest() == 2);
	__asm __volatile("pushq %0; popfq" : : "r" (flags) : "memory", "cc");
	lkc_section_leave();
	lkc_critical_exit();
	CHECK(lkc_critical_nest() == 0);
	lkc_yield();
	CHECK(!lkc_signal_pending());
	return (0);
}

struct parker {
	volatile int	stage;
	volatile int	stop;
};

static void
parker_main(void *arg)
{
	struct parker *p = arg;

	while (!p->stop) {
		lkc_task_park(LKC_FOREVER, 0);
		p->stage++;
	}
}

static int
test_tasks(void)
{
	struct parker p = { 0, 0 };
	lkc_u64 t0;
	void *self, *task;
	int i;

	self = lkc_task_self();
	CHECK(self == lkc_task_self());
	CHECK(lkc_task_runnable(self));
	/* A wake-up before the sleep is kept, but only one. */
	lkc_task_unpark(self);
	lkc_task_unpark(self);
	lkc_task_park(LKC_FOREVER, 0);
	t0 = lkc_clock_mono_ns();
	lkc_task_park(20 * MS, 0);
	CHECK(lkc_clock_mono_ns() - t0 >= 20 * MS);

	CHECK(lkc_thread_start(parker_main, &p, "parker", &task) == 0);
	CHECK(task != self);
	for (i = 0; i < 1000; i++) {
		int stage = p.stage;

		lkc_task_unpark(task);
		while (p.stage == stage)
			lkc_yield();
	}
	p.stop = 1;
	lkc_task_unpark(task);
	lkc_thread_join(task);
	return (0);
}

struct ticker {
	struct lkc_timer timer;
	volatile unsigned int ticks;
	unsigned int	want;
	volatile lkc_u64 due, early;
};

static void
ticker_fire(void *arg)
{
	struct ticker *t = arg;
	lkc_u64 now;

	lkc_rcu_enter();
	now = lkc_clock_mono_ns();
	if (now < t->due)
		t->early++;
	if (++t->ticks < t->want) {
		t->due += MS;
		lkc_timer_start(&t->timer, t->due);
	}
	lkc_rcu_exit();
}

static int
test_timers(void)
{
	struct ticker t = { .want = 20 };
	lkc_u64 mono, real, tsc, tsc2;

	lkc_timer_init(&t.timer, ticker_fire, &t);
	CHECK(lkc_timer_stop(&t.timer) == 0);
	t.due = lkc_clock_mono_ns() + 5 * MS;
	lkc_timer_start(&t.timer, t.due);
	while (t.ticks < t.want)
		lkc_task_park(MS, 0);
	lkc_timer_drain(&t.timer);
	CHECK(t.ticks == t.want);
	CHECK(t.early == 0);
	CHECK(lkc_timer_stop(&t.timer) == 0);

	lkc_timer_start(&t.timer, lkc_clock_mono_ns() + 10000 * MS);
	CHECK(lkc_timer_stop(&t.timer) == 1);
	lkc_timer_start(&t.timer, ~0ull);	/* never */
	lkc_timer_drain(&t.timer);
	CHECK(t.ticks == t.want);

	lkc_clock_snapshot(&tsc, &mono, &real);
	CHECK(real > mono);
	CHECK(lkc_clock_mono_ns() >= mono);
	lkc_task_park(10 * MS, 0);
	lkc_clock_snapshot(&tsc2, &mono, &real);
	CHECK(tsc2 > tsc && lkc_tsc_khz() != 0);
	return (0);
}

static int
test_locks(void)
{
	struct lkc_sx sx;

	lkc_sx_init(&sx, "hosttest");
	CHECK(!lkc_sx_xlocked(&sx));
	lkc_sx_xlock(&sx);
	CHECK(lkc_sx_xlocked(&sx));
	CHECK(!lkc_sx_try_slock(&sx));
	lkc_sx_xunlock(&sx);
	lkc_sx_slock(&sx);
	CHECK(!lkc_sx_xlocked(&sx));
	CHECK(!lkc_sx_try_xlock(&sx));
	lkc_sx_sunlock(&sx);
	CHECK(lkc_sx_xlock_sig(&sx) == 0);
	lkc_sx_xunlock(&sx);
	lkc_critical_enter();
	CHECK(lkc_sx_try_xlock(&sx));
	lkc_critical_exit();
	lkc_sx_xunlock(&sx);
	lkc_sx_destroy(&sx);
	return (0);
}

struct reading {
	unsigned int	*volatile shown;	/* in slots; 0 when taken back */
	unsigned int	slots[2];
	volatile unsigned int stale, seen, ticks, stop;
	struct lkc_timer timer;
};

static void
read_shown(struct reading *r)
{
	unsigned int i;
	unsigned int *p;

	lkc_rcu_enter();
	lkc_rcu_enter();
	p = r->shown;
	lkc_rcu_exit();
	for (i = 0; i < 50; i++)
		if (*(volatile unsigned int *)p == 0)
			r->stale++;
	lkc_rcu_exit();
	r->seen++;
}

/*
 * Threads of the kernel go before the one that waits, which came from user
 * space: on a single processor it runs only while they sleep.
 */
static void
reader_main(void *arg)
{
	struct reading *r = arg;
	unsigned int i;

	for (i = 1; !r->stop; i++) {
		read_shown(r);
		if (i % 100 == 0)
			lkc_task_park(MS, 0);
		else
			lkc_yield();
	}
}

static void
reader_tick(void *arg)
{
	struct reading *r = arg;

	read_shown(r);
	r->ticks++;
	if (!r->stop)
		lkc_timer_start(&r->timer, lkc_clock_mono_ns() + MS / 10);
}

/* Threads and an interrupt never see what was taken back a grace period ago. */
static int
test_rcu(void)
{
	struct reading r = { .slots = { 1, 1 } };
	void *task[2];
	unsigned int i, *old;

	r.shown = &r.slots[0];
	lkc_timer_init(&r.timer, reader_tick, &r);
	lkc_timer_start(&r.timer, lkc_clock_mono_ns());
	for (i = 0; i < 2; i++)
		CHECK(lkc_thread_start(reader_main, &r, "reader", &task[i]) == 0);
	for (i = 0; i < 5000 || r.ticks < 10; i++) {
		old = r.shown;
		r.slots[i & 1 ? 0 : 1] = 1;
		r.shown = &r.slots[i & 1 ? 0 : 1];
		lkc_rcu_wait();
		*old = 0;
		if (i % 100 == 0)
			lkc_yield();
	}
	r.stop = 1;
	for (i = 0; i < 2; i++)
		lkc_thread_join(task[i]);
	lkc_timer_drain(&r.timer);
	CHECK(r.seen > 10);
	CHECK(r.stale == 0);
	return (0);
}

static int
test_memory(void)
{
	lkc_u64 pa;
	lkc_u8 *p, *q;
	unsigned int i, order;

	for (i = 1; i < 100000; i = i * 3 + 1) {
		p = lkc_malloc(i, 64, LKC_M_WAIT | LKC_M_ZERO);
		CHECK(((lkc_size)p & 63) == 0);
		CHECK(p[0] == 0 && p[i - 1] == 0);
		p[0] = p[i - 1] = 0xff;
		lkc_free(p);
	}
	lkc_free(NULL);
	for (order = 0; order < 5; order++) {
		p = lkc_pages_alloc(order, LKC_M_WAIT | LKC_M_ZERO);
		q = lkc_pages_alloc(order, LKC_M_WAIT | LKC_M_BELOW4G);
		CHECK(p != NULL && q != NULL);
		pa = lkc_virt_to_phys(p);
		CHECK((pa & ((4096ull << order) - 1)) == 0);
		CHECK(p == (lkc_u8 *)lkc_dmap_base() + pa);
		CHECK(lkc_phys_is_ram(pa) && pa < lkc_dmap_size());
		CHECK(lkc_virt_to_phys(q) < 0x100000000ull);
		CHECK(p[(4096 << order) - 1] == 0);
		for (i = 0; i < 1u << order; i++)
			*lkc_page_private(pa + 4096 * i) = 0x1000 + i;
		for (i = 0; i < 1u << order; i++)
			CHECK(*lkc_page_private(pa + 4096 * i) == 0x1000 + i);
		lkc_pages_free(q, order);
		lkc_pages_free(p, order);
	}
	CHECK(!lkc_phys_is_ram(1ull << 51));
	return (0);
}

struct census {
	volatile lkc_u64 seen[LKC_MAXCPU / 64];
	volatile unsigned int wrong;
};

static void
census_fn(void *arg)
{
	struct census *c = arg;
	unsigned long flags;
	unsigned int cpu;

	cpu = lkc_cpu_id();
	__atomic_fetch_or(&c->seen[cpu / 64], 1ull << cpu % 64,
	    __ATOMIC_SEQ_CST);
	__asm __volatile("pushfq; popq %0" : "=r" (flags));
	if ((flags & 0x200) != 0)
		c->wrong++;
}

/*
 * A write that every processor of its vendor refuses: AMD's host save area at
 * an odd address, Intel's FS base outside of the canonical range.
 */
static lkc_u32 refused_msr;
static lkc_u64 refused_value;

static void
refused_fn(void *arg)
{

	if (lkc_wrmsr_safe(refused_msr, refused_value) == -LKC_EIO)
		__atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
}

/* #GP of an MSR is an error in a thread, in a section, and in a cross call. */
static int
test_msr_faults(void)
{
	lkc_u64 all[LKC_MAXCPU / 64] = { 0 }, value;
	unsigned int cpu, eax, ebx, ecx, edx;
	int cpus, faults;

	__asm __volatile("cpuid" : "=a" (eax), "=b" (ebx), "=c" (ecx),
	    "=d" (edx) : "0" (0));
	refused_msr = ecx == 0x444d4163 ? 0xc0010117 : 0xc0000100;
	refused_value = ecx == 0x444d4163 ? 1 : 1ull << 63;
	cpus = faults = 0;
	for (cpu = 0; cpu < lkc_cpu_limit(); cpu++)
		if (lkc_cpu_present(cpu)) {
			all[cpu / 64] |= 1ull << cpu % 64;
			cpus++;
		}
	refused_fn(&faults);
	CHECK(faults == 1);
	lkc_critical_enter();
	refused_fn(&faults);
	lkc_critical_exit();
	CHECK(faults == 2);
	lkc_cpu_call(all, LKC_MAXCPU / 64, refused_fn, &faults);
	CHECK(faults == 2 + cpus);
	/* What was recovered from leaves the next fault of a copy harmless. */
	CHECK(lkc_copyin(&value, 8, sizeof(value)) == -LKC_EFAULT);
	return (0);
}

static int
test_cpus(void)
{
	struct census *c;
	lkc_u64 all[LKC_MAXCPU / 64] = { 0 }, value;
	unsigned int cpu;
	int error, vector;

	c = lkc_malloc(sizeof(*c), 8, LKC_M_WAIT | LKC_M_ZERO);
	for (cpu = 0; cpu < lkc_cpu_limit(); cpu++)
		if (lkc_cpu_present(cpu))
			all[cpu / 64] |= 1ull << cpu % 64;
	lkc_cpu_call(all, LKC_MAXCPU / 64, census_fn, c);
	for (cpu = 0; cpu < LKC_MAXCPU / 64; cpu++)
		CHECK(c->seen[cpu] == all[cpu]);
	CHECK(c->wrong == 0);
	lkc_free(c);

	vector = lkc_vector_alloc();
	CHECK(vector > 31 && vector < 256);
	for (cpu = 0; cpu < lkc_cpu_limit(); cpu++) {
		if (!lkc_cpu_present(cpu))
			continue;
		lkc_cpu_bind(cpu);
		CHECK(lkc_cpu_id() == cpu);
		lkc_cpu_unbind();
		lkc_cpu_kick(cpu);
		lkc_cpu_send_vector(cpu, vector);
	}
	lkc_vector_free(vector);
	CHECK(lkc_cpu_limit() == 1 || lkc_cpu_apicid(0) != lkc_cpu_apicid(1));

	CHECK(lkc_rdmsr_safe(0xc0000080, &value) == 0 && (value & 0x400) != 0);
	/* An emulator may answer for any register; what counts is to return. */
	error = lkc_rdmsr_safe(0xdeadbeef, &value);
	CHECK(error == 0 || error == -LKC_EIO);
	error = lkc_wrmsr_safe(0xdeadbeef, 0);
	CHECK(error == 0 || error == -LKC_EIO);
	return (0);
}

static int
test_files(void)
{
	struct lkc_fpu_info fpu;
	void *hfile;

	CHECK(lkc_file_get(-1, &hfile) == -LKC_EBADF);
	CHECK(lkc_file_get(0, &hfile) == 0);
	lkc_file_ref(hfile);
	lkc_file_put(hfile);
	lkc_file_put(hfile);
	lkc_fpu_info(&fpu);
	CHECK(fpu.size >= 512 && fpu.mxcsr_mask != 0);
	CHECK(lkc_privileged() == 1);
	CHECK(lkc_user_limit() > 0x10000);
	CHECK(!lkc_user_is_32bit());
	return (0);
}

static int (*const tests[])(void) = {
	test_critical, test_tasks, test_timers, test_locks, test_rcu, test_memory,
	test_cpus, test_msr_faults, test_files,
};

/* --- what the client asks for ------------------------------------------- */

static long
make_fd(int cloexec)
{
	struct object *o;
	void *hfile;
	int error, fd;

	error = lkc_fd_reserve(cloexec, &fd, &hfile);
	if (error != 0)
		return (error);
	o = lkc_malloc(sizeof(*o), 8, LKC_M_WAIT | LKC_M_ZERO);
	o->page = lkc_pages_alloc(0, LKC_M_WAIT | LKC_M_ZERO);
	*(lkc_u64 *)o->page = HT_LOAD_MAGIC;
	__atomic_fetch_add(&objects, 1, __ATOMIC_SEQ_CST);
	lkc_fd_attach(fd, hfile, o, "hosttest", 1);
	return (fd);
}

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

int
lkcl_dev_open(void *ldev, void **lfile)
{
	struct object *o;

	o = lkc_malloc(sizeof(*o), 8, LKC_M_WAIT | LKC_M_ZERO);
	o->is_device = 1;
	*lfile = o;
	return (ldev == &device ? 0 : -LKC_ENODEV);
}

long
lkcl_file_read(void *lfile, lkc_u64 uva, lkc_size len, lkc_s64 *off)
{
	static const char text[] = "statistics";
	lkc_size n;

	if (*off < 0 || *off >= (lkc_s64)sizeof(text))
		return (0);
	n = sizeof(text) - *off;
	if (n > len)
		n = len;
	if (lkc_copyout(uva, text + *off, n) != 0)
		return (-LKC_EFAULT);
	*off += n;
	return (n);
}

int
lkcl_file_mmap(void *lfile, lkc_u64 pgoff, lkc_u64 npages, int prot,
    int shared)
{

	return (pgoff == 0 && npages == 1 && shared ? 0 : -LKC_EINVAL);
}

int
lkcl_file_mmap_page(void *lfile, lkc_u64 pgoff, lkc_u64 *pa)
{
	struct object *o = lfile;

	*pa = lkc_virt_to_phys(o->page);
	return (0);
}

void
lkcl_file_release(void *lfile)
{
	struct object *o = lfile;

	if (!o->is_device) {
		lkc_pages_free(o->page, 0);
		__atomic_fetch_sub(&objects, 1, __ATOMIC_SEQ_CST);
	}
	lkc_free(o);
}

/* --- the rest of the bridge's second part ------------------------------- */

const lkc_size lkcl_task_size = 128;
static int param_value = 7;

void
lkcl_task_init(void *task, int pid, int tid, const char *comm)
{
}

void
lkcl_task_fini(void *task)
{
}

int
lkcl_init(void)
{

	return (0);
}

void
lkcl_exit(void)
{

	if (kept_mm != NULL)
		lkc_mm_drop(kept_mm);
}

void
lkcl_lowmem(void)
{
}

unsigned int
lkcl_param_count(void)
{

	return (2);
}

/* The same parameter in the unit's module and in hosttest_sub. */
void
lkcl_param_info(unsigned int i, struct lkc_param *info)
{

	info->module = i == 0 ? "hosttest" : "hosttest_sub";
	info->name = "digit";
	info->desc = "one digit";
	info->writable = 1;
}

int
lkcl_param_get(unsigned int i, char *buf, lkc_size size)
{

	buf[0] = '0' + param_value;
	buf[1] = 0;
	return (1);
}

int
lkcl_param_set(unsigned int i, const char *value)
{

	if (value[0] < '0' || value[0] > '9' || value[1] != 0)
		return (-LKC_EINVAL);
	param_value = value[0] - '0';
	return (0);
}

int
hosttest_start(void)
{

	return (lkc_dev_create("hosttest", &device, &device));
}

void
hosttest_stop(void)
{

	lkc_dev_destroy(device);
}
