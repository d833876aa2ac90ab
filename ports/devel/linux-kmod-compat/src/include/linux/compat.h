/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_COMPAT_H
#define _LKC_LINUX_COMPAT_H

#include "lkc_bridge.h"

/* 32-bit programs are refused: without CONFIG_COMPAT KVM does so at open(2). */
#define is_compat_task()	(lkc_user_is_32bit() != 0)

#endif
