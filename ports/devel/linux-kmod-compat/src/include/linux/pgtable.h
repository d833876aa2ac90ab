/* SPDX-License-Identifier: BSD-2-Clause */
/* Paging depth of the host. */
#ifndef _LKC_LINUX_PGTABLE_H_
#define	_LKC_LINUX_PGTABLE_H_

#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/special_insns.h>
#undef pgtable_l5_enabled
#define pgtable_l5_enabled()	(!!(native_read_cr4() & X86_CR4_LA57))

#endif
