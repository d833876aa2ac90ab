/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the test module share.  All but its FreeBSD frame know the
 * bridge only.
 */
#ifndef _HOSTTEST_MODULE_H_
#define	_HOSTTEST_MODULE_H_

#include "lkc_bridge.h"

#define	NULL	((void *)0)
#define	MS	1000000ull

void	say(const char *fmt, ...);

#define	CHECK(cond) do {						\
	if (!(cond)) {							\
		say("hosttest: %s:%d: %s\n", __func__, __LINE__, #cond); \
		return (-LKC_EIO);					\
	}								\
} while (0)

/* hosttest_threads.c */
int	test_critical(void);
int	test_tasks(void);
int	test_timers(void);
int	test_locks(void);
int	test_rcu(void);

/* hosttest_machine.c */
int	test_memory(void);
int	test_cpus(void);
int	test_msr_faults(void);
int	test_files(void);

/* hosttest_dev.c */
extern unsigned int objects;		/* but for the device's own */
int	hosttest_start(void);
void	hosttest_stop(void);
long	make_fd(int cloexec);		/* with an object that has a page */

/* hosttest_ioctl.c */
extern void *kept_mm;			/* of HT_MM_KEEP; held */

#endif /* !_HOSTTEST_MODULE_H_ */
