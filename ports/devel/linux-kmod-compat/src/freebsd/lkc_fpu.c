/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The FPU.  Between lkc_fpu_take() and lkc_fpu_drop() the registers hold what
 * the Linux side puts there.  FreeBSD's rule stays true all the time: user
 * state is live only on the CPU whose fpcurthread names the thread.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/pcpu.h>
#include <sys/proc.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/fpu.h>
#include <machine/md_var.h>
#include <machine/psl.h>
#include <machine/specialreg.h>

#include "lkc_host.h"

void
lkc_fpu_info(struct lkc_fpu_info *info)
{

	info->xcr0 = (rcr4() & CR4_XSAVE) != 0 ? rxcr(0) : 0;
	info->size = cpu_max_ext_state_size;
	info->mxcsr_mask = cpu_mxcsr_mask;
}

void
lkc_fpu_take(void)
{

	LKC_ASSERT_THREAD();
	CRITICAL_ASSERT(curthread);
	fpuexit(curthread);
	clts();
}

void
lkc_fpu_drop(void)
{

	LKC_ASSERT_THREAD();
	CRITICAL_ASSERT(curthread);
	KASSERT(PCPU_GET(fpcurthread) == NULL,
	    ("%s: the FPU belongs to a thread", __func__));
	load_cr0(rcr0() | CR0_TS);
}
