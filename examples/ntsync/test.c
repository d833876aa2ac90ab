/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What ntsync.ko promises of semaphores: a count, a maximum, posts that say
 * the count before, and descriptors that outlive the device's.  Exits with the
 * line of the first promise that is not kept.
 */

#include <sys/types.h>
#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

/* IOC_VOID with the direction in the group, see linux/glue.c. */
#define	COMMAND(dir, nr)	_IOC(IOC_VOID, 'N' + (dir), (nr), 0)
#define	NTSYNC_IOC_CREATE_SEM	COMMAND(3, 0x80)
#define	NTSYNC_IOC_SEM_POST	COMMAND(3, 0x81)

struct ntsync_sem_args {
	uint32_t	sem;
	uint32_t	count;
	uint32_t	max;
};

#define	EXPECT(what)	do { if (!(what)) return (__LINE__); } while (0)

int
main(void)
{
	struct ntsync_sem_args args = { .count = 1, .max = 3 };
	struct ntsync_sem_args bad = { .count = 4, .max = 3 };
	uint32_t count;
	int dev, i, sem;

	dev = open("/dev/ntsync", O_RDWR);
	EXPECT(dev >= 0);
	EXPECT(ioctl(dev, NTSYNC_IOC_CREATE_SEM, &bad) == -1 && errno == EINVAL);
	EXPECT(ioctl(dev, NTSYNC_IOC_CREATE_SEM, (void *)1) == -1 && errno == EFAULT);
	EXPECT(ioctl(dev, COMMAND(0, 0x80), &args) == -1 && errno == ENOTTY);
	EXPECT(ioctl(dev, NTSYNC_IOC_CREATE_SEM, &args) == 0);
	sem = (int)args.sem;

	/* The semaphore keeps the device's file, whoever closes it first. */
	EXPECT(close(dev) == 0);
	count = 2;
	EXPECT(ioctl(sem, NTSYNC_IOC_SEM_POST, &count) == 0 && count == 1);
	count = 1;
	EXPECT(ioctl(sem, NTSYNC_IOC_SEM_POST, &count) == -1 && errno == EOVERFLOW);
	count = 0;
	EXPECT(ioctl(sem, NTSYNC_IOC_SEM_POST, &count) == 0 && count == 3);
	EXPECT(close(sem) == 0);

	for (i = 0; i < 1000; i++) {
		dev = open("/dev/ntsync", O_RDWR);
		args = (struct ntsync_sem_args){ .max = 1 };
		EXPECT(dev >= 0 && ioctl(dev, NTSYNC_IOC_CREATE_SEM, &args) == 0);
		EXPECT(close(i % 2 ? dev : (int)args.sem) == 0);
		EXPECT(close(i % 2 ? (int)args.sem : dev) == 0);
	}
	return (0);
}
