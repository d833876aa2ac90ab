/* SPDX-License-Identifier: BSD-2-Clause */
/* clang before 17 warns of variables whose only use is their clean-up; later
 * releases of Linux do not care for those compilers. */
#include <linux/compiler.h>
#undef __cleanup
#define __cleanup(func)	__maybe_unused __attribute__((__cleanup__(func)))
#include_next <linux/cleanup.h>
