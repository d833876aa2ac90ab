/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM walks the host's page tables for one purpose: the size of the host
 * mapping behind a guest page.  Here the "walk" carries the answer, which
 * lx_host_level() takes from the pin table, in the entry itself. */
#ifndef _LKC_ASM_PGTABLE_H_
#define	_LKC_ASM_PGTABLE_H_

#include <asm/pgtable_types.h>

#ifndef __ASSEMBLY__
struct mm_struct;
int lx_host_level(struct mm_struct *mm, unsigned long hva);

/* Entries compare as a level of enum pg_level; 0 is "not mapped". */
#define pgd_offset(mm, hva)	(&(pgd_t){ .pgd = lx_host_level(mm, hva) })
#define pgd_none(e)		((e).pgd == 0)
#if CONFIG_PGTABLE_LEVELS > 4
#define p4d_offset(pgdp, hva)	(&(p4d_t){ .p4d = (pgdp)->pgd })
#define p4d_none(e)		((e).p4d == 0)
#define pud_offset(p4dp, hva)	(&(pud_t){ .pud = (p4dp)->p4d })
#else
#define p4d_offset(pgdp, hva)	(&(p4d_t){ .pgd = *(pgdp) })
#define p4d_none(e)		pgd_none((e).pgd)
#define pud_offset(p4dp, hva)	(&(pud_t){ .pud = (p4dp)->pgd.pgd })
#endif
#define p4d_present(e)		(!p4d_none(e))
#define pud_none(e)		((e).pud == 0)
#define pud_present(e)		(!pud_none(e))
#define pud_leaf(e)		((e).pud == PG_LEVEL_1G)
#define pmd_offset(pudp, hva)	(&(pmd_t){ .pmd = (pudp)->pud })
#define pmd_none(e)		((e).pmd == 0)
#define pmd_present(e)		(!pmd_none(e))
#define pmd_leaf(e)		((e).pmd == PG_LEVEL_2M)

static inline u16 pte_flags_pkey(unsigned long pte_flags)
{
	return (pte_flags & _PAGE_PKEY_MASK) >> _PAGE_BIT_PKEY_BIT0;
}
#endif

#endif
