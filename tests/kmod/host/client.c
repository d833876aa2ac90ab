/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Client of the test module: runs its kernel tests, then what needs a process:
 * descriptors, mappings, address spaces, eventfds, the FPU, signals.  Prints a
 * line for each check that fails; the exit status is their number.
 */

#include <sys/types.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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
	CHECK(cmd(dev, HT_OBJECTS, 0) == 0);
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

static void
eventfds(void)
{
	uint64_t v;
	long calls;
	int efd, i;

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

	CHECK(cmd(dev, HT_EV_WATCH, efd) == 0);
	for (i = 0; i < 200; i++) {
		calls = cmd(dev, HT_EV_CALLS, 0);
		v = 1;
		CHECK(write(efd, &v, sizeof(v)) == sizeof(v));
		while (cmd(dev, HT_EV_CALLS, 0) == calls)
			usleep(100);
	}
	CHECK(cmd(dev, HT_EV_UNWATCH, 0) == 0);
	calls = cmd(dev, HT_EV_CALLS, 0);
	CHECK(write(efd, &v, sizeof(v)) == sizeof(v));
	usleep(20000);
	CHECK(cmd(dev, HT_EV_CALLS, 0) == calls);
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
	eventfds();
	fpu();
	signals();
	killed();
	printf("client: %d failures\n", failures);
	return (failures);
}
