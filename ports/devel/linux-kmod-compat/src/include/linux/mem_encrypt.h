/* SPDX-License-Identifier: BSD-2-Clause */
/* No memory encryption. */
#ifndef _LKC_LINUX_MEM_ENCRYPT_H_
#define	_LKC_LINUX_MEM_ENCRYPT_H_

#include <linux/types.h>
#define sme_me_mask		0ULL
#define sme_get_me_mask()	0ULL
#define __sme_set(x)		(x)
#define __sme_clr(x)		(x)
#define __sme_pa(x)		__pa(x)
#define __sme_pa_nodebug(x)	__pa(x)

#endif
