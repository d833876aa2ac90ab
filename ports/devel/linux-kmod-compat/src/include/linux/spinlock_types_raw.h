/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/spinlock_types.h>
