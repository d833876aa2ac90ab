/* SPDX-License-Identifier: BSD-2-Clause */
/* No UD2 and no __bug_table: FreeBSD's trap handler would only see a #UD. */
#ifndef _ASM_X86_BUG_H
#define _ASM_X86_BUG_H
#ifndef __ASSEMBLY__
void lx_bug(const char *file, int line) __attribute__((__noreturn__));
#define HAVE_ARCH_BUG
#define BUG()		lx_bug(__FILE__, __LINE__)
#endif
#include <asm-generic/bug.h>
#endif
