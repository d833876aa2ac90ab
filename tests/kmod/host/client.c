/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Client of the test module: runs its kernel tests, then what needs a process:
 * descriptors, mappings, address spaces, eventfds, the FPU, signals.  Prints a
 * line for each check that fails; the exit status is their number.
 */

#include <sys/types.h>
#include <sys/capsicum.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hosttest.h"

static int dev, failures;

#define	CHECK(cond) do {						\
	if (!(cond)) {							\
		printf("client: %s:%d: %s (errno %d)\n", __func__,	\
		    __LINE__, #cond, errno);				\
		failures++;						\
	}								\
} while (0)

static long
cmd(int fd, int nr, unsigned long arg)
{

	errno = 0;
	return (ioctl(fd, HT_CMD(nr), arg));
}

static void
kernel_tests(void)
{
	int i;

	for (i = 0; cmd(dev, HT_RUN, i) == 0; i++)
		printf("kernel test %d passed\n", i);
	CHECK(errno == ENOENT);
}

/* What a mapping has held goes soon, in another thread. */
static long
objects_in_the_end(void)
{
	int i;

	for (i = 0; i < 5000 && cmd(dev, HT_OBJECTS, 0) != 0; i++)
		usleep(1000);
	return (cmd(dev, HT_OBJECTS, 0));
}

static void
descriptors(void)
{
	char text[16];
	volatile uint64_t *page;
	long base;
	int fd;

	base = cmd(dev, HT_OBJECTS, 0);
	fd = cmd(dev, HT_MKFD, 1);
	CHECK(fd > dev);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(cmd(fd, HT_OBJECTS, 0) == base + 1);
	CHECK(cmd(fd, 0x7f, 0) == -1 && errno == ENOTTY);
	CHECK(ioctl(fd, _IOR('T', 1, int), &base) == -1 && errno == ENOTTY);
	CHECK(pread(fd, text, sizeof(text), 5) == 6 &&
	    strcmp(text, "stics") == 0);
	CHECK(read(fd, text, 4) == 4 && memcmp(text, "stat", 4) == 0);
	CHECK(read(fd, text, 4) == 4 && memcmp(text, "isti", 4) == 0);
	CHECK(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED &&
	    errno == EINVAL);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(page != MAP_FAILED);
	if (page != MAP_FAILED) {
		CHECK(page[0] == HT_LOAD_MAGIC);
		page[1] = 5;
		close(fd);		/* the mapping keeps the object */
		CHECK(cmd(dev, HT_OBJECTS, 0) == 1);
		CHECK(page[1] == 5);
		munmap((void *)(uintptr_t)page, 4096);
	}
	CHECK(objects_in_the_end() == 0);
	CHECK(cmd(dev, HT_CANCEL, 0) == 0);
	CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
}

static void
user_memory(void)
{
	uint64_t addr;
	uint32_t *p;
	int status;
	pid_t pid;

	p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_PRIVATE, -1, 0);
	/* Never touched: no fault is allowed, so there is nothing to read. */
	CHECK(cmd(dev, HT_NOFAULT, (unsigned long)p) == -1 &&
	    errno == EFAULT);
	CHECK(cmd(dev, HT_POKE, (unsigned long)p) == 0);
	CHECK(p[0] == HT_MARK);
	CHECK(cmd(dev, HT_NOFAULT, (unsigned long)p) == 0);
	p[0] = 1;
	CHECK(cmd(dev, HT_CAS, (unsigned long)p) == 0 && p[0] == 2);
	CHECK(cmd(dev, HT_CAS, (unsigned long)p) == 102 && p[0] == 2);
	CHECK(cmd(dev, HT_CAS, 0x10) == -1 && errno == EFAULT);
	CHECK(cmd(dev, HT_POKE, 0x1000) == -1 && errno == EFAULT);
	/* After fork a held page is the parent's, whoever writes first. */
	p[1024] = p[2048] = 9;
	CHECK(cmd(dev, HT_NOFORK, (unsigned long)&p[2048]) == 0);
	pid = fork();
	if (pid == 0) {
		sleep(1);
		_exit(p[1024] == 9 ? 0 : 1);
	}
	CHECK(cmd(dev, HT_POKE, (unsigned long)&p[1024]) == 0);
	CHECK(p[1024] == HT_MARK);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	pid = fork();
	if (pid == 0)
		_exit(p[2048]);		/* not inherited: faults */
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	munmap(p, 3 * 4096);

	CHECK(cmd(dev, HT_MAP, (unsigned long)&addr) == 0);
	*(uint32_t *)addr = 1;
	CHECK(cmd(dev, HT_UNMAP, addr) == 0);
	CHECK(msync((void *)addr, 4096, MS_SYNC) == -1);
}

static void
address_spaces(void)
{
	uint32_t *p;
	int status;
	pid_t pid;

	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_ANON | MAP_SHARED,
	    -1, 0);
	CHECK(cmd(dev, HT_MM_KEEP, 0) == 0);
	CHECK(cmd(dev, HT_MM_SAME, 0) == 1);
	CHECK(cmd(dev, HT_MM_HOLD, (unsigned long)p) == 0 && *p == HT_MARK);
	pid = fork();
	if (pid == 0) {
		/* Another space; the kept one is reachable all the same. */
		if (cmd(dev, HT_MM_SAME, 0) != 0)
			_exit(1);
		*p = 0;
		if (cmd(dev, HT_MM_HOLD, (unsigned long)p) != 0 ||
		    *p != HT_MARK)
			_exit(2);
		_exit(cmd(dev, HT_MM_KEEP, 0) == 0 ? 0 : 3);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	/* The kept one was the child's and died with it. */
	CHECK(cmd(dev, HT_MM_SAME, 0) == 0);
	CHECK(cmd(dev, HT_MM_HOLD, (unsigned long)p) == -1 &&
	    errno == EFAULT);
}

static char stack[65536] __attribute__((__aligned__(4096)));
static uint32_t page[1024] __attribute__((__aligned__(4096)));
static int wake[2];

/* The process that stays: what is its memory now? */
static void
stay(void)
{
	char c;

	if (read(wake[0], &c, 1) != 1)
		_exit(1);
	*page = 0;
	if (cmd(dev, HT_MM_SAME, 0) != 0)
		_exit(2);
	if (cmd(dev, HT_POKE, (unsigned long)page) != 0)
		_exit(3);
	_exit(*page == HT_MARK ? 0 : 4);
}

/* rfork(2) of a process that shares all and runs stay() on a stack of its own. */
static long
share(void)
{
	long pid;

	__asm __volatile(
	    "syscall\n\t"
	    "testq %%rax, %%rax\n\t"
	    "jnz 1f\n\t"
	    "movq %[top], %%rsp\n\t"
	    "call *%[fn]\n"
	    "1:"
	    : "=a" (pid)
	    : "0" (SYS_rfork), "D" (RFPROC | RFMEM),
	      [top] "r" (stack + sizeof(stack)), [fn] "r" (stay)
	    : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
	return (pid);
}

/*
 * The maker of an address space goes its own way, by rfork(2), and leaves it to
 * another process.  Its handle is neither's: it would show one the other's pages.
 */
static void
left_alone(void)
{
	int status;
	long other;
	pid_t pid;

	CHECK(pipe(wake) == 0);
	pid = fork();
	if (pid == 0) {
		if (cmd(dev, HT_MM_KEEP, 0) != 0 || (other = share()) <= 0)
			_exit(10);
		if (syscall(SYS_rfork, 0) != 0)
			_exit(11);
		if (cmd(dev, HT_MM_SAME, 0) != 0)
			_exit(12);
		if (cmd(dev, HT_MM_HOLD, (unsigned long)page) != -1)
			_exit(13);
		if (write(wake[1], "", 1) != 1 ||
		    waitpid(other, &status, 0) != other)
			_exit(14);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 15);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status != 0)
		printf("client: %s: status %#x\n", __func__, status);
	CHECK(status == 0);
	close(wake[0]);
	close(wake[1]);
}

static void
eventfds(void)
{
	cap_rights_t rights;
	uint64_t one, v;
	long calls;
	int efd, i, limited;

	one = 1;
	efd = eventfd(0, 0);
	CHECK(cmd(dev, HT_EV_TAKE, efd) == 0);	/* blocking fd: no wait */
	CHECK(cmd(dev, HT_EV_SIGNAL, efd) == 0);
	CHECK(cmd(dev, HT_EV_SIGNAL, efd) == 0);
	CHECK(cmd(dev, HT_EV_TAKE, efd) == 6);
	v = UINT64_MAX - 1;
	CHECK(write(efd, &v, sizeof(v)) == sizeof(v));
	CHECK(cmd(dev, HT_EV_SIGNAL, efd) == 0);	/* full: no wait */
	CHECK(read(efd, &v, sizeof(v)) == sizeof(v) && v == UINT64_MAX - 1);
	CHECK(cmd(dev, HT_EV_SIGNAL, 0) == -1 && errno == EINVAL);

	calls = cmd(dev, HT_EV_CALLS, 0);
	CHECK(cmd(dev, HT_EV_WATCH, efd) == 0);
	CHECK(write(efd, &one, sizeof(one)) == sizeof(one));
	usleep(20000);
	CHECK(cmd(dev, HT_EV_CALLS, 0) == calls);	/* off */
	CHECK(cmd(dev, HT_EV_SWITCH, 1) == 0);
	while (cmd(dev, HT_EV_CALLS, 0) == calls)
		usleep(100);
	for (i = 0; i < 200; i++) {
		calls = cmd(dev, HT_EV_CALLS, 0);
		CHECK(write(efd, &one, sizeof(one)) == sizeof(one));
		while (cmd(dev, HT_EV_CALLS, 0) == calls)
			usleep(100);
	}
	/* Off, what comes is the program's again. */
	CHECK(cmd(dev, HT_EV_SWITCH, 0) == 0);
	calls = cmd(dev, HT_EV_CALLS, 0);
	CHECK(write(efd, &one, sizeof(one)) == sizeof(one));
	usleep(20000);
	CHECK(cmd(dev, HT_EV_CALLS, 0) == calls);
	CHECK(read(efd, &v, sizeof(v)) == sizeof(v) && v == 1);
	CHECK(cmd(dev, HT_EV_SWITCH, 1) == 0);
	CHECK(cmd(dev, HT_EV_UNWATCH, 0) == 0);
	CHECK(write(efd, &one, sizeof(one)) == sizeof(one));
	usleep(20000);
	CHECK(cmd(dev, HT_EV_CALLS, 0) == calls);

	/* The last descriptor counts, whoever has it. */
	limited = eventfd(0, 0);
	CHECK(cmd(dev, HT_EV_WATCH, limited) == 0);
	CHECK(cmd(dev, HT_EV_DESERTED, 0) == 0);
	CHECK(dup2(limited, 100) == 100);
	close(limited);
	CHECK(cmd(dev, HT_EV_DESERTED, 0) == 0);
	close(100);
	CHECK(cmd(dev, HT_EV_DESERTED, 0) == 1);
	CHECK(cmd(dev, HT_EV_UNWATCH, 0) == 0);

	/* A descriptor without the rights is none. */
	limited = dup(efd);
	cap_rights_init(&rights, CAP_READ);
	CHECK(cap_rights_limit(limited, &rights) == 0);
	CHECK(cmd(dev, HT_EV_SIGNAL, limited) == -1 && errno == EBADF);
	close(limited);
	close(efd);
}

static void
fpu(void)
{
	double one = 1.0, x;
	uint64_t in[2] = { 0x1234, 0x5678 }, out[2];
	int i;

	for (i = 0; i < 100; i++) {
		__asm __volatile(
		    "movdqu %[in], %%xmm7\n\t"
		    "fldl %[one]\n\t"
		    "syscall\n\t"
		    "fstpl %[x]\n\t"
		    "movdqu %%xmm7, %[out]"
		    : [out] "=m" (out), [x] "=m" (x)
		    : [in] "m" (in), [one] "m" (one), "a" (54), "D" (dev),
		      "S" (HT_CMD(HT_FPU)), "d" (0)
		    : "rcx", "r8", "r9", "r10", "r11", "xmm7", "memory", "cc");
		CHECK(memcmp(in, out, sizeof(in)) == 0);
		CHECK(x == one);
	}
}

static void
on_alarm(int sig)
{

	(void)sig;
}

static void
signals(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 0);
	CHECK(cmd(dev, HT_SLEEP, 0) == -1 && errno == EINTR);
}

/* A killed process takes its objects with it, mapped or not. */
static void
killed(void)
{
	volatile uint64_t *page;
	int fd, status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		fd = cmd(dev, HT_MKFD, 0);
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		    fd, 0);
		page[1] = 1;
		cmd(dev, HT_SLEEP, 0);
		_exit(0);
	}
	usleep(100000);
	CHECK(cmd(dev, HT_OBJECTS, 0) == 1);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(cmd(dev, HT_OBJECTS, 0) == 0);
}

int
main(void)
{

	setvbuf(stdout, NULL, _IOLBF, 0);
	dev = open("/dev/hosttest", O_RDWR);
	if (dev < 0) {
		perror("/dev/hosttest");
		return (99);
	}
	kernel_tests();
	descriptors();
	user_memory();
	address_spaces();
	left_alone();
	eventfds();
	fpu();
	signals();
	killed();
	printf("client: %d failures\n", failures);
	return (failures);
}
