/* SPDX-License-Identifier: BSD-2-Clause */
/* Called when FreeBSD signals a shortage of memory. */
#ifndef _LKC_LINUX_SHRINKER_H_
#define	_LKC_LINUX_SHRINKER_H_

#include <linux/types.h>
#include <linux/list.h>
struct shrink_control {
	gfp_t		gfp_mask;
	unsigned long	nr_to_scan;
	unsigned long	nr_scanned;
};
struct shrinker {
	unsigned long	(*count_objects)(struct shrinker *, struct shrink_control *);
	unsigned long	(*scan_objects)(struct shrinker *, struct shrink_control *);
	int		seeks;
	struct list_head lx_link;
};
#define DEFAULT_SEEKS	2
#define SHRINK_STOP	(~0UL)
__printf(2, 3) struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...);
void shrinker_register(struct shrinker *shrinker);
void shrinker_free(struct shrinker *shrinker);

#endif
