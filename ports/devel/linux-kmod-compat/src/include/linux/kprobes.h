/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_KPROBES_H_
#define	_LKC_LINUX_KPROBES_H_

#define NOKPROBE_SYMBOL(fname)
#define nokprobe_inline		__always_inline

#endif
