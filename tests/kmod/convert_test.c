/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks of the host border's arithmetic (lkc_convert.h), run in user space
 * with sanitizers.  Usage: convert_test CASE.  Error numbers are written as
 * the numbers that programs of the two systems see, not taken from a header.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lkc_convert.h"

#define	CHECK(cond, ...) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "%s:%d: %s: ", __func__, __LINE__, #cond); \
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
		exit(1);						\
	}								\
} while (0)

#define	FREEBSD_ELAST	97
#define	FREEBSD_ERESTART	(-1)
#define	EIO_BOTH	5
#define	RANDOM_ROUNDS	5000000

static lkc_u64 rng_state = 0x9e3779b97f4a7c15ull;

/* xorshift64*: enough to spread test values over all magnitudes. */
static lkc_u64
rng(void)
{

	rng_state ^= rng_state >> 12;
	rng_state ^= rng_state << 25;
	rng_state ^= rng_state >> 27;
	return ((rng_state * 0x2545f4914f6cdd1dull) >> (rng_state % 64));
}

static void
errno_pairs(void)
{
	static const struct {
		int	freebsd;
		int	linux;
	} pair[] = {
		{ 1, 1 }, { 4, 4 }, { 7, 7 }, { 9, 9 }, { 12, 12 }, { 14, 14 },
		{ 16, 16 }, { 17, 17 }, { 22, 22 }, { 25, 25 }, { 28, 28 },
		{ 11, 35 },	/* EDEADLK */
		{ 35, 11 },	/* EAGAIN */
		{ 45, 95 },	/* EOPNOTSUPP */
		{ 60, 110 },	/* ETIMEDOUT */
		{ 62, 40 },	/* ELOOP */
		{ 78, 38 },	/* ENOSYS */
		{ 84, 75 },	/* EOVERFLOW */
		{ 85, 125 },	/* ECANCELED */
		{ 97, 117 },	/* EINTEGRITY, EUCLEAN */
	};
	size_t i;

	for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		CHECK(lkc_errno_to_linux(pair[i].freebsd) == pair[i].linux,
		    "FreeBSD %d", pair[i].freebsd);
		CHECK(lkc_errno_from_linux(pair[i].linux) == pair[i].freebsd,
		    "Linux %d", pair[i].linux);
	}
	CHECK(lkc_errno_from_linux(512) == FREEBSD_ERESTART, "ERESTARTSYS");
	CHECK(lkc_errno_to_linux(FREEBSD_ERESTART) == 512, "ERESTART");
	CHECK(lkc_errno_from_linux(514) == 4, "ERESTARTNOHAND is EINTR");
	CHECK(lkc_errno_from_linux(515) == 25, "ENOIOCTLCMD is ENOTTY");
	CHECK(lkc_errno_from_linux(524) == 45, "ENOTSUPP is EOPNOTSUPP");
	CHECK(lkc_errno_to_linux(93) == 1, "ENOTCAPABLE is EPERM");
	CHECK(lkc_errno_to_linux(67) == 11, "EPROCLIM is EAGAIN");
}

/* Linux's numbers on the left; no two share one of FreeBSD's. */
static void
signals(void)
{
	static const struct {
		int	linux;
		int	freebsd;
	} pair[] = {
		{ 1, 1 }, { 2, 2 }, { 6, 6 }, { 7, 10 }, { 9, 9 }, { 10, 30 },
		{ 11, 11 }, { 12, 31 }, { 15, 15 }, { 17, 20 }, { 18, 19 },
		{ 19, 17 }, { 20, 18 }, { 23, 16 }, { 28, 28 }, { 29, 23 },
		{ 31, 12 }, { 30, 98 }, { 32, 65 }, { 34, 67 }, { 64, 97 },
		{ 0, 0 }, { -1, 0 }, { 65, 0 }, { 16, 0 },
	};
	int n, taken[129] = { 0 };
	size_t i;

	for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
		CHECK(lkc_signal_from_linux(pair[i].linux) == pair[i].freebsd,
		    "Linux %d", pair[i].linux);
	for (n = 1; n <= 64; n++) {
		int freebsd = lkc_signal_from_linux(n);

		CHECK(freebsd == 0 || (freebsd > 0 && freebsd <= 128 &&
		    taken[freebsd]++ == 0), "Linux %d is %d", n, freebsd);
	}
}

/* An error stays an error, and comes back as itself or as a named stand-in. */
static void
errno_total(void)
{
	int back, e, l;

	CHECK(lkc_errno_to_linux(0) == 0, "success");
	CHECK(lkc_errno_from_linux(0) == 0, "success");
	for (e = 1; e <= FREEBSD_ELAST; e++) {
		l = lkc_errno_to_linux(e);
		CHECK(l > 0 && l < 4096, "FreeBSD %d gives %d", e, l);
		back = lkc_errno_from_linux(l);
		CHECK(back == e || l == EIO_BOTH || e == 67 || e == 93 ||
		    e == 94, "FreeBSD %d comes back as %d", e, back);
	}
	for (l = -2000000; l < 2000000; l++) {
		e = lkc_errno_from_linux(l);
		CHECK(l == 0 || e == FREEBSD_ERESTART ||
		    (e > 0 && e <= FREEBSD_ELAST), "Linux %d gives %d", l, e);
		CHECK(l == 0 || lkc_errno_to_linux(l) != 0, "%d vanishes", l);
	}
}

static void
ioctl_words(void)
{
	unsigned int g, group, n, nr;
	unsigned long com;
	int bit;

	for (g = 0; g < 256; g++)
		for (n = 0; n < 256; n++) {
			/* _IOC(IOC_VOID, g, n, 0) of <sys/ioccom.h> */
			com = 0x20000000ul | g << 8 | n;
			group = nr = ~0u;
			CHECK(lkc_ioctl_decode(com, &group, &nr), "%#lx", com);
			CHECK(group == g && nr == n, "%#lx: %#x %#x", com,
			    group, nr);
		}
	/* Any other size or direction is somebody else's command. */
	for (bit = 16; bit < 64; bit++) {
		com = 0x2000ae01ul ^ 1ul << bit;
		group = nr = 0;
		CHECK(!lkc_ioctl_decode(com, &group, &nr), "%#lx", com);
		CHECK(group == 0 && nr == 0, "%#lx leaves a trace", com);
	}
}

/* The exact value of ns in 2^-32 s, rounded up. */
static unsigned __int128
sbt_reference(lkc_u64 ns)
{

	return ((((unsigned __int128)ns << 32) + 999999999) / 1000000000);
}

static void
check_ns(lkc_u64 ns)
{
	lkc_s64 sbt;

	sbt = lkc_ns_to_sbt(ns);
	CHECK(sbt >= 0, "%llu", (unsigned long long)ns);
	if (ns / 1000000000 >= 0x7fffffff) {
		CHECK(sbt == LKC_SBT_MAX, "%llu", (unsigned long long)ns);
		return;
	}
	CHECK((unsigned __int128)sbt == sbt_reference(ns), "%llu",
	    (unsigned long long)ns);
	/* Nanoseconds are coarser than sbt: the way back is exact. */
	CHECK(lkc_sbt_to_ns(sbt) == ns, "%llu comes back as %llu",
	    (unsigned long long)ns, (unsigned long long)lkc_sbt_to_ns(sbt));
}

static void
time_to_sbt(void)
{
	static const lkc_u64 edge[] = {
		0, 1, 2, 999999999, 1000000000, 1000000001, 0xffffffff,
		0x100000000, 2147483646999999999, 2147483647000000000,
		0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
	};
	size_t i;

	for (i = 0; i < sizeof(edge) / sizeof(edge[0]); i++)
		check_ns(edge[i]);
	for (i = 0; i < RANDOM_ROUNDS; i++)
		check_ns(rng());
	for (i = 0; i < RANDOM_ROUNDS; i++)
		check_ns(i);
}

static void
check_sbt(lkc_s64 sbt)
{
	unsigned __int128 exact;

	exact = ((unsigned __int128)(lkc_u64)sbt * 1000000000) >> 32;
	CHECK(lkc_sbt_to_ns(sbt) == (lkc_u64)exact, "%lld", (long long)sbt);
}

static void
time_from_sbt(void)
{
	static const lkc_s64 edge[] = {
		0, 1, 4, 5, 0xffffffff, 0x100000000, 0x1ffffffff,
		LKC_SBT_MAX - 1, LKC_SBT_MAX,
	};
	size_t i;

	for (i = 0; i < sizeof(edge) / sizeof(edge[0]); i++)
		check_sbt(edge[i]);
	for (i = 0; i < RANDOM_ROUNDS; i++)
		check_sbt((lkc_s64)(rng() & LKC_SBT_MAX));
}

static const struct {
	const char	*name;
	void		(*run)(void);
} cases[] = {
	{ "errno_pairs", errno_pairs },
	{ "errno_total", errno_total },
	{ "signals", signals },
	{ "ioctl_words", ioctl_words },
	{ "time_to_sbt", time_to_sbt },
	{ "time_from_sbt", time_from_sbt },
};

int
main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (argc == 2 && strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run();
			return (0);
		}
	fprintf(stderr, "usage: convert_test CASE\n");
	return (2);
}
