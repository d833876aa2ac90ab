/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FreeBSD's trap() knows no exception table.  Instructions that may fault
 * either cannot here, or their users are shadowed or patched; the audit of the
 * linked module makes sure that no table entry is left.
 */
#include_next <asm/asm.h>
#undef _ASM_EXTABLE_TYPE
#undef _ASM_EXTABLE_TYPE_REG
#define _ASM_EXTABLE_TYPE(from, to, type)
#define _ASM_EXTABLE_TYPE_REG(from, to, type, reg)
