/* SPDX-License-Identifier: BSD-2-Clause */
/* They are called by the module's glue. */
#ifndef _LKC_LINUX_SYSCORE_OPS_H_
#define	_LKC_LINUX_SYSCORE_OPS_H_

#if LX_RELEASE >= 702
#include_next <linux/syscore_ops.h>
#else
struct syscore_ops {
	int	(*suspend)(void);
	void	(*resume)(void);
	void	(*shutdown)(void);
};
void register_syscore_ops(struct syscore_ops *ops);
void unregister_syscore_ops(struct syscore_ops *ops);
#endif

#endif
