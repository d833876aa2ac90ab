/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * kvmfuzz: attack /dev/kvm in every way that a program can.
 *
 *	kvmfuzz [-v] [-f first] [-n rounds] [-o operations] [-s seed]
 *	    [-t seconds] [-u uid] [-w workers]
 *
 * Each round is a process with fresh descriptors and up to three threads.  It
 * ends after its operations, or by a kill(2) in the middle of them.  The first
 * line of a round names it; "kvmfuzz -v -s seed -f round -n 1" plays it again
 * and says each operation before it is done.  With -u the rounds run as that
 * user.  Exits 0 when every round has ended, 1 when one could not be killed.
 */
#include <sys/param.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "fuzz.h"

#define	ROUND_SECONDS	60		/* a round that takes longer is killed */

struct totals *totals;
struct state st;

static uint64_t seed = 1;
static unsigned long first, rounds = 100, operations = 1000;
static unsigned workers = WORKERS;
static uid_t uid;
static bool verbose;
static pthread_t thread[WORKERS];
static atomic_uint running;
static __thread struct worker *self;

/* Note an operation, before it is done. */
void
say(struct worker *w, const char *fmt, ...)
{
	va_list ap;
	unsigned at;

	at = atomic_fetch_add(&totals->last[w->number].at, 1) % LAST;
	va_start(ap, fmt);
	vsnprintf(totals->last[w->number].text[at],
	    sizeof(totals->last[0].text[0]), fmt, ap);
	va_end(ap);
	if (verbose)
		printf("%d: %s\n", w->number, totals->last[w->number].text[at]);
}

/* Remember a descriptor in a place that is drawn; what was there is closed. */
int
take_fd(struct worker *w, enum kind kind, int fd)
{
	int at, old;

	at = below(w, FDS);
	if (fd < 0)
		return (at);
	old = atomic_exchange(&st.fd[kind][at], fd);
	if (old >= 0)
		(void)close(old);
	return (at);
}

/* A descriptor of the kind, or -1. */
int
any_fd(struct worker *w, enum kind kind)
{
	int at, fd, i;

	at = below(w, FDS);
	for (i = 0; i < FDS; i++) {
		fd = st.fd[kind][(at + i) % FDS];
		if (fd >= 0)
			return (fd);
	}
	return (-1);
}

static void
faulted(int sig, siginfo_t *info, void *context)
{

	if (self != NULL && self->can_recover) {
		self->can_recover = false;
		siglongjmp(self->recover, 1);
	}
	dprintf(1, "signal %d: address %p, instruction %#jx, arena %p, file %p\n",
	    sig, info->si_addr,
	    (uintmax_t)((ucontext_t *)context)->uc_mcontext.mc_rip, st.arena,
	    st.file);
	signal(sig, SIG_DFL);
}

static void
kicked(int sig __unused)
{
}

static void (*const ops[])(struct worker *) = {
	op_ioctl, op_ioctl, op_ioctl, op_ioctl, op_ioctl, op_ioctl, op_ioctl,
	op_ioctl, op_run, op_run, op_run, op_touch, op_touch, op_memory,
	op_create, op_event, op_map, op_arena, op_descriptor, op_setup,
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	uint64_t start;
	unsigned long i;

	self = w;
	start = w->random;
	op_setup(w);
	for (i = 0; i < operations; i++) {
		/* Of its own, whatever the former operation came to. */
		w->random = start ^ (i + 1) * 0xd1342543de82ef95;
		atomic_fetch_add(&totals->ops, 1);
		if (one_in(w, 200))
			op_process(w);
		else
			PICK(w, ops)(w);
	}
	atomic_fetch_sub(&running, 1);
	return (NULL);
}

/* What guests have made the processor exit, from a descriptor of statistics. */
static void
count_exits(int fd)
{
	struct kvm_stats_header h;
	union {
		struct kvm_stats_desc desc;
		char room[sizeof(struct kvm_stats_desc) + 64];
	} d;
	uint64_t n;
	uint32_t i;

	fd = ioctl(fd, KVM_GET_STATS_FD, 0);
	if (fd < 0)
		return;
	if (pread(fd, &h, sizeof(h), 0) == sizeof(h) && h.name_size <= 64)
		for (i = 0; i < h.num_desc; i++) {
			size_t size = sizeof(d.desc) + h.name_size;

			if (pread(fd, &d, size, h.desc_offset + i * size) !=
			    (ssize_t)size)
				break;
			if (strcmp(d.desc.name, "exits") == 0 && pread(fd, &n,
			    sizeof(n), h.data_offset + d.desc.offset) ==
			    sizeof(n))
				atomic_fetch_add(&totals->exits, n);
		}
	close(fd);
}

static void
prepare(void)
{
	char path[] = "/tmp/kvmfuzz.XXXXXX";
	int i, k;

	for (k = 0; k < KINDS; k++)
		for (i = 0; i < FDS; i++)
			st.fd[k][i] = -1;
	st.fd[SYSTEM][0] = open("/dev/kvm", O_RDWR);
	if (st.fd[SYSTEM][0] < 0)
		err(1, "/dev/kvm");
	st.run_size = ioctl(st.fd[SYSTEM][0], KVM_GET_VCPU_MMAP_SIZE, 0);
	st.arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_ANON |
	    MAP_PRIVATE | MAP_ALIGNED_SUPER, -1, 0);
	st.file_fd = mkstemp(path);
	if (st.arena == MAP_FAILED || st.file_fd < 0 || unlink(path) != 0 ||
	    ftruncate(st.file_fd, ARENA) != 0)
		err(1, "arena");
	st.file = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_SHARED,
	    st.file_fd, 0);
	if (st.file == MAP_FAILED)
		err(1, "file");
}

static void
play(unsigned long round)
{
	struct worker w[WORKERS] = { 0 };
	struct sigaction sa = {
		.sa_sigaction = faulted, .sa_flags = SA_SIGINFO,
	};
	struct timespec tick = { 0, 3000000 };
	unsigned i;
	uint64_t kill_at;

	prepare();
	/* Core dumps are slow, and children die on purpose. */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	(void)sigaction(SIGSEGV, &sa, NULL);
	(void)sigaction(SIGBUS, &sa, NULL);
	signal(SIGUSR1, kicked);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < workers; i++) {
		w[i].number = i;
		w[i].random = seed * 0x2545f4914f6cdd1d + round * WORKERS + i;
		(void)rnd(&w[i]);
		w[i].random = rnd(&w[i]);
		w[i].scratch = mmap(NULL, 17 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_ANON | MAP_PRIVATE, -1, 0);
		if (w[i].scratch == MAP_FAILED ||
		    mprotect(w[i].scratch + 16 * PAGE, PAGE, PROT_NONE) != 0)
			err(1, "scratch");
	}
	/* A third of the rounds end in the middle. */
	kill_at = round % 3 == 2 ? totals->ops + rnd(&w[0]) %
	    (operations * workers) : UINT64_MAX;
	running = workers;
	for (i = 0; i < workers; i++)
		if (pthread_create(&thread[i], NULL, work, &w[i]) != 0)
			errx(1, "no thread");
	while (running > 0) {
		nanosleep(&tick, NULL);
		if (totals->ops >= kill_at)
			kill(getpid(), SIGKILL);
		for (i = 0; i < workers; i++)
			pthread_kill(thread[i], SIGUSR1);
	}
	for (i = 0; i < FDS; i++)
		if (st.fd[VCPU][i] >= 0)
			count_exits(st.fd[VCPU][i]);
	_exit(0);
}

static void
tell_last(void)
{
	unsigned at, i, n;

	for (n = 0; n < workers; n++) {
		at = totals->last[n].at;
		for (i = 0; i < LAST; i++)
			printf("last %u: %s\n", n,
			    totals->last[n].text[(at + i) % LAST]);
	}
}

/* True when the round has ended by itself or by a kill. */
static bool
one_round(unsigned long round)
{
	time_t start;
	pid_t pid;
	int status;

	printf("round %lu seed %ju\n", round, (uintmax_t)seed);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		(void)setpriority(PRIO_PROCESS, 0, 5);
		if (uid != 0 && (setgid(uid) != 0 || setuid(uid) != 0))
			err(1, "setuid");
		setvbuf(stdout, NULL, _IOLBF, 0);
		play(round);
	}
	for (start = time(NULL); waitpid(pid, &status, WNOHANG) == 0;
	    usleep(20000)) {
		/* A mask of signals may keep it in the guest; this ends it. */
		if (time(NULL) - start > ROUND_SECONDS)
			(void)kill(pid, SIGKILL);
		if (time(NULL) - start > 2 * ROUND_SECONDS) {
			printf("round %lu cannot be killed\n", round);
			tell_last();
			return (false);
		}
	}
	atomic_fetch_add(&totals->rounds, 1);
	if (WIFSIGNALED(status)) {
		atomic_fetch_add(&totals->killed, 1);
		if (WTERMSIG(status) != SIGKILL)
			printf("round %lu died of signal %d\n", round,
			    WTERMSIG(status));
	} else if (WEXITSTATUS(status) != 0)
		return (false);
	return (true);
}

/* After each round, so that a machine that dies has told what it has done. */
static void
tell_totals(time_t start)
{

	printf("fuzz: %lu rounds, %lu killed, %lu operations, %lu ioctls, "
	    "%lu accepted, %lu runs, %lu exits, %lu maps, %lu forks, %ld s\n",
	    totals->rounds, totals->killed, totals->ops, totals->ioctls,
	    totals->accepted, totals->runs, totals->exits, totals->maps,
	    totals->forks, (long)(time(NULL) - start));
}

int
main(int argc, char **argv)
{
	unsigned long round, seconds = 0;
	time_t start;
	bool good = true;
	int c, i;

	while ((c = getopt(argc, argv, "f:n:o:s:t:u:vw:")) != -1)
		switch (c) {
		case 'f': first = strtoul(optarg, NULL, 0); break;
		case 'n': rounds = strtoul(optarg, NULL, 0); break;
		case 'o': operations = strtoul(optarg, NULL, 0); break;
		case 's': seed = strtoull(optarg, NULL, 0); break;
		case 't': seconds = strtoul(optarg, NULL, 0); break;
		case 'u': uid = strtoul(optarg, NULL, 0); break;
		case 'v': verbose = true; break;
		case 'w': workers = MIN(strtoul(optarg, NULL, 0), WORKERS); break;
		default: errx(2, "see the comment at the top of fuzz.c");
		}
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_SHARED, -1, 0);
	if (totals == MAP_FAILED)
		err(1, "totals");
	if (uid != 0 && chmod("/dev/kvm", 0666) != 0)
		err(1, "chmod");
	start = time(NULL);
	for (round = first; round < first + rounds; round++) {
		if (seconds != 0 && (unsigned long)(time(NULL) - start) > seconds)
			break;
		if (!one_round(round))
			good = false;
		tell_totals(start);
	}
	printf("fuzz: exit reasons");
	for (i = 0; i < REASONS; i++)
		if (totals->reason[i] != 0)
			printf(" %d:%lu", i, totals->reason[i]);
	printf("\n");
	return (good ? 0 : 1);
}
