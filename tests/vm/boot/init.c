/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PID 1 of a Linux or FreeBSD guest: works on all CPUs and half of memory, says
 * what it found, one line for each, and ends the machine as the setting END
 * tells it to: "reset", "port", or else by powering off.
 */
#ifdef __linux__
#define	_GNU_SOURCE
#include <sys/io.h>
#endif
#include <sys/types.h>
#ifdef __FreeBSD__
#include <sys/cpuset.h>
#include <sys/sysctl.h>
#include <kenv.h>
#endif
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>

#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define	CPUS		16
#define	ROUNDS		200
#define	NAPS		20
#define	NAP_NS		10000000
#define	MIB		(1024ul * 1024)

/* --- what the two systems do differently --- */

#ifdef __linux__
#define	CLOCK	"/sys/devices/system/clocksource/clocksource0/current_clocksource"

static void
start(void)
{

	if (mount("none", "/proc", "proc", 0, NULL) == -1 ||
	    mount("none", "/sys", "sysfs", 0, NULL) == -1)
		err(1, "mount");
}

static void
read_clock_name(char *text, size_t size)
{
	ssize_t n;
	int fd;

	if ((fd = open(CLOCK, O_RDONLY)) == -1 ||
	    (n = read(fd, text, size - 1)) == -1)
		err(1, "%s", CLOCK);
	close(fd);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* Word from the kernel's command line. */
static bool
end_is(const char *how)
{
	const char *end = getenv("END");

	return (end != NULL && strcmp(end, how) == 0);
}

static void
end_by_port(void)
{

	if (ioperm(0xf4, 1, 1) == -1)
		err(1, "ioperm");
	outb(42, 0xf4);
}
#else
#define	RB_POWER_OFF	RB_POWEROFF

static void
start(void)
{
	int fd, i;

	if ((fd = open("/dev/console", O_RDWR)) == -1)
		_exit(1);
	for (i = 0; i < 3; i++)
		if (fd != i)
			dup2(fd, i);
}

static void
read_clock_name(char *text, size_t size)
{

	if (sysctlbyname("kern.timecounter.hardware", text, &size, NULL, 0) ==
	    -1)
		err(1, "kern.timecounter.hardware");
}

/* Word from the kernel's environment. */
static bool
end_is(const char *how)
{
	char end[32];

	return (kenv(KENV_GET, "END", end, sizeof(end)) != -1 &&
	    strcmp(end, how) == 0);
}

static void
end_by_port(void)
{

	errx(1, "FreeBSD's kernel has no /dev/io here");
}
#endif

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == -1)
		err(1, "CPU %d", cpu);
}

static void
on_each_cpu(int ncpus, void *(*fn)(void *))
{
	pthread_t threads[CPUS];
	intptr_t i;

	for (i = 0; i < ncpus; i++)
		if (pthread_create(&threads[i], NULL, fn, (void *)i) != 0)
			errx(1, "no thread for CPU %d", (int)i);
	for (i = 0; i < ncpus; i++)
		pthread_join(threads[i], NULL);
}

/* --- memory: each CPU has a part, and verifies its neighbour's --- */

static uint64_t *memory;
static size_t words;			/* of a part */
static int ncpus;
static pthread_barrier_t barrier;
static atomic_ulong wrong;

static uint64_t
pattern(size_t i, int pass)
{
	uint64_t v = (i + 1) * 0x9e3779b97f4a7c15ull;

	return (pass == 0 ? v : ~v);
}

static void *
test_memory(void *arg)
{
	intptr_t cpu = (intptr_t)arg;
	size_t from, i;
	int pass;

	pin(cpu);
	for (pass = 0; pass < 2; pass++) {
		from = cpu * words;
		for (i = from; i < from + words; i++)
			memory[i] = pattern(i, pass);
		pthread_barrier_wait(&barrier);
		from = (cpu + 1) % ncpus * words;
		for (i = from; i < from + words; i++)
			if (memory[i] != pattern(i, pass))
				wrong++;
		pthread_barrier_wait(&barrier);
	}
	return (NULL);
}

static void
use_memory(void)
{
	size_t megabytes;

	megabytes = sysconf(_SC_PHYS_PAGES) / 2 * sysconf(_SC_PAGESIZE) / MIB;
	words = megabytes * MIB / sizeof(*memory) / ncpus;
	memory = mmap(NULL, megabytes * MIB, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "%zu MB", megabytes);
	pthread_barrier_init(&barrier, NULL, ncpus);
	on_each_cpu(ncpus, test_memory);
	munmap(memory, megabytes * MIB);
	printf("memory: %lu words of %zu MB are wrong\n", wrong, megabytes);
}

/* --- interrupts between CPUs: a token goes round --- */

static int rings[CPUS][2];
static atomic_int passed;

static void *
pass_token(void *arg)
{
	intptr_t cpu = (intptr_t)arg;
	char token;
	int i;

	pin(cpu);
	for (i = 0; i < ROUNDS; i++) {
		if (read(rings[cpu][0], &token, 1) != 1)
			err(1, "read");
		passed++;
		if (write(rings[(cpu + 1) % ncpus][1], &token, 1) != 1)
			err(1, "write");
	}
	return (NULL);
}

static void
use_cpus(void)
{
	int i;

	for (i = 0; i < ncpus; i++)
		if (pipe(rings[i]) == -1)
			err(1, "pipe");
	if (write(rings[0][1], "x", 1) != 1)
		err(1, "write");
	on_each_cpu(ncpus, pass_token);
	printf("token: passed %d times by %d CPUs\n", passed, ncpus);
}

/* --- timers, the console, the end --- */

static void
use_timer(void)
{
	struct timespec nap = { 0, NAP_NS }, start, end;
	int64_t ns;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < NAPS; i++)
		nanosleep(&nap, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ns = (end.tv_sec - start.tv_sec) * 1000000000ll + end.tv_nsec -
	    start.tv_nsec;
	printf("naps: %s\n", ns < (int64_t)NAPS * NAP_NS ? "too short" : "slept");
}

static void
use_console(void)
{
	char line[128];

	printf("console: ready\n");
	if (fgets(line, sizeof(line), stdin) == NULL)
		strcpy(line, "closed\n");
	printf("console: read %s", line);
}

int
main(void)
{
	struct timespec up;
	char clock[64];

	clock_gettime(CLOCK_MONOTONIC, &up);
	start();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("user space after %.2f s\n", up.tv_sec + up.tv_nsec * 1e-9);
	ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	printf("CPUs: %d\n", ncpus);
	read_clock_name(clock, sizeof(clock));
	printf("clock: %s\n", clock);
	use_timer();
	use_cpus();
	use_memory();
	use_console();
	sync();
	if (end_is("port"))
		end_by_port();
	else
		reboot(end_is("reset") ? RB_AUTOBOOT : RB_POWER_OFF);
	return (1);
}
