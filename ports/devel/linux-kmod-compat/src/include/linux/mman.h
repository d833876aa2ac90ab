/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_MMAN_H_
#define	_LKC_LINUX_MMAN_H_

#include <linux/mm.h>
#include <uapi/linux/mman.h>

#endif
