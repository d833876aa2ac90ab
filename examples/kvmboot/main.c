/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * kvmboot: boot a Linux or FreeBSD kernel in a small virtual machine with a
 * serial console.  Build on FreeBSD with the headers that the port of KVM
 * installs, or on Linux with its own:
 *
 *	cc -O2 -I/usr/local/include/linux-kvm -o kvmboot *.c -lpthread
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kvmboot.h"

static struct vm vm;
static pthread_t main_thread;
static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;
static bool stopped;
static int stop_status;
static char stop_reason[128];

static void
usage(void)
{

	fprintf(stderr, "usage: kvmboot [-v] [-c cpus] [-i image] "
	    "[-m megabytes] kernel [setting ...]\n");
	exit(2);
}

static long
number(const char *text, long min, long max, const char *what)
{
	char *end;
	long n;

	n = strtol(text, &end, 10);
	if (end == text || *end != '\0' || n < min || n > max)
		errx(2, "%s: %s must be from %ld to %ld", text, what, min, max);
	return (n);
}

static const uint8_t *
map_file(const char *name, size_t *size)
{
	struct stat st;
	void *data;
	int fd;

	if ((fd = open(name, O_RDONLY)) == -1 || fstat(fd, &st) == -1)
		err(1, "%s", name);
	if (st.st_size == 0)
		errx(1, "%s: is empty", name);
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		err(1, "%s", name);
	close(fd);
	*size = st.st_size;
	return (data);
}

/* Wakes a thread in KVM_RUN. */
static void
kick(int sig)
{

	(void)sig;
}

/*
 * End the machine, from any thread.  Only the first reason counts; CPUs notice
 * at their next exit, or when the main thread kicks them.
 */
void
stop(int status, const char *format, ...)
{
	va_list ap;
	int i;

	pthread_mutex_lock(&stop_lock);
	if (!stopped) {
		stopped = true;
		stop_status = status;
		va_start(ap, format);
		vsnprintf(stop_reason, sizeof(stop_reason), format, ap);
		va_end(ap);
	}
	pthread_mutex_unlock(&stop_lock);
	for (i = 0; i < vm.ncpus; i++)
		vm.cpus[i].run->immediate_exit = 1;
	pthread_kill(main_thread, SIGUSR2);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec + ts.tv_nsec * 1e-9);
}

static void
report(double seconds)
{
	uint64_t n;
	int cpu, i;

	fprintf(stderr, "kvmboot: %s after %.2f s; exits to user space:",
	    stop_reason, seconds);
	for (i = 0; i < MAX_EXIT; i++) {
		for (n = 0, cpu = 0; cpu < vm.ncpus; cpu++)
			n += vm.cpus[cpu].exits[i];
		if (n != 0)
			fprintf(stderr, " %s%d: %ju", i == KVM_EXIT_IO ?
			    "I/O " : i == KVM_EXIT_MMIO ? "MMIO " : "", i,
			    (uintmax_t)n);
	}
	fputc('\n', stderr);
}

static void
run(void)
{
	struct sigaction sa = { .sa_handler = kick };
	sigset_t set;
	int i, sig;

	main_thread = pthread_self();
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	serial_start(&vm);
	for (i = 0; i < vm.ncpus; i++)
		if (pthread_create(&vm.cpus[i].thread, NULL, vcpu_run,
		    &vm.cpus[i]) != 0)
			errx(1, "cannot start a thread");
	sigwait(&set, &sig);
	stop(128 + sig, "signal %d", sig);	/* unless that was the signal */
	for (i = 0; i < vm.ncpus; i++)
		pthread_kill(vm.cpus[i].thread, SIGUSR1);
	for (i = 0; i < vm.ncpus; i++)
		pthread_join(vm.cpus[i].thread, NULL);
}

int
main(int argc, char *argv[])
{
	struct boot boot = { 0 };
	struct entry entry;
	bool verbose = false;
	double started;
	int cpus = 1, ch, megabytes = 256;

	while ((ch = getopt(argc, argv, "+c:i:m:v")) != -1)
		switch (ch) {
		case 'c':
			cpus = number(optarg, 1, MAX_CPUS, "CPUs");
			break;
		case 'i':
			boot.disk = map_file(optarg, &boot.disk_size);
			break;
		case 'm':
			megabytes = number(optarg, 2, GUEST_MAX / MIB,
			    "megabytes");
			break;
		case 'v':
			verbose = true;
			break;
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	if (argc < 1)
		usage();
	boot.kernel = map_file(argv[0], &boot.kernel_size);
	boot.settings = argv + 1;

	started = now();
	vm_create(&vm, megabytes * MIB, cpus);
	acpi_write(&vm);
	entry = freebsd_is_kernel(&boot) ? freebsd_load(&vm, &boot) :
	    linux_load(&vm, &boot);
	vcpu_enter(&vm.cpus[0], &entry);
	run();
	if (verbose)
		report(now() - started);
	else if (stop_status == 1)
		warnx("%s", stop_reason);
	return (stop_status);
}
