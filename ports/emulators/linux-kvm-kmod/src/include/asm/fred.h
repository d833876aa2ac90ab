/* SPDX-License-Identifier: BSD-2-Clause */
/* The host does not use FRED; the kinds of events have their names here. */
#include_next <asm/fred.h>
#ifndef __ASSEMBLY__
void x86_entry_from_kvm(unsigned int type, unsigned int vector);
#endif
