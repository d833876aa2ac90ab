/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Cases: how each ends, and main():
 *
 *	guests [-t seconds] [-x case:reason ...] [case ...]
 *
 * runs the cases whose names begin with an argument (or all) and prints one
 * line of TAP for each.  What -x names is skipped for the reason given.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"

#define	SKIPPED		77	/* exit status of a case */
#define	REASON		200

SET_DECLARE(cases, struct test_case);

static char *reason;		/* shared with the process of a case */
int case_line;

void
fail(int line, const char *fmt, ...)
{
	va_list ap;

	printf("# line %d: ", line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

void
skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, REASON, fmt, ap);
	va_end(ap);
	_exit(SKIPPED);
}

void
note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static bool
run_case(int number, const struct test_case *c, unsigned int seconds)
{
	pid_t pid;
	int status;

	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		alarm(seconds);
		c->run();
		fflush(stdout);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("# not over after %u seconds\n", seconds);
	else if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	if (status == 0) {
		printf("ok %d - %s\n", number, c->name);
		return (true);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
		printf("ok %d - %s # SKIP %s\n", number, c->name, reason);
		return (true);
	}
	printf("not ok %d - %s\n", number, c->name);
	return (false);
}

static bool
chosen(const struct test_case *c, char **names)
{

	if (*names == NULL)
		return (true);
	for (; *names != NULL; names++)
		if (strncmp(c->name, *names, strlen(*names)) == 0)
			return (true);
	return (false);
}

/* Why a case is left out, or NULL. */
static const char *
left_out(const struct test_case *c, char **out, int count)
{
	size_t length;
	int i;

	length = strlen(c->name);
	for (i = 0; i < count; i++)
		if (strncmp(out[i], c->name, length) == 0 &&
		    out[i][length] == ':')
			return (out[i] + length + 1);
	return (NULL);
}

int
main(int argc, char **argv)
{
	static const struct rlimit no_cores;
	struct test_case **c;
	char *out[argc];
	const char *why;
	unsigned int seconds;
	int bad, n, opt, outs;

	setrlimit(RLIMIT_CORE, &no_cores);
	seconds = 60;
	outs = 0;
	while ((opt = getopt(argc, argv, "t:x:")) != -1)
		if (opt == 't')
			seconds = atoi(optarg);
		else if (opt == 'x')
			out[outs++] = optarg;
		else
			errx(2, "usage: guests [-t seconds]"
			    " [-x case:reason ...] [case ...]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	reason = mmap(NULL, REASON, PROT_READ | PROT_WRITE,
	    MAP_ANON | MAP_SHARED, -1, 0);
	if (reason == MAP_FAILED)
		err(1, "mmap");
	bad = n = 0;
	SET_FOREACH(c, cases) {
		if (!chosen(*c, argv + optind))
			continue;
		why = left_out(*c, out, outs);
		if (why != NULL)
			printf("ok %d - %s # SKIP %s\n", ++n, (*c)->name, why);
		else if (!run_case(++n, *c, seconds))
			bad++;
	}
	printf("1..%d\n", n);
	return (bad != 0);
}
