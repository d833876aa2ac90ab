/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The processor state of the host that a VM exit does not restore, or not
 * fully, and whether virtualization may be used at all.  vmm(4) is the model
 * for what FreeBSD expects.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/pcpu.h>
#include <sys/proc.h>
#include <sys/smp.h>

#include <vm/vm.h>

#include <machine/cpufunc.h>
#include <machine/cputypes.h>
#include <machine/md_var.h>
#include <machine/pcb.h>
#include <machine/psl.h>
#include <machine/segments.h>
#include <machine/specialreg.h>

#include "lkc_host.h"
#include "kvm_bridge.h"

CTASSERT(KVMB_SEL_CODE == GSEL(GCODE_SEL, SEL_KPL));
CTASSERT(KVMB_SEL_DATA == GSEL(GDATA_SEL, SEL_KPL));
CTASSERT(KVMB_SEL_TSS == GSEL(GPROC0_SEL, SEL_KPL));

extern struct region_descriptor r_idt;

lkc_u64
kvmb_tss_base(void)
{

	CRITICAL_ASSERT(curthread);
	return ((lkc_u64)PCPU_GET(tssp));
}

void
kvmb_tss_reload(void)
{

	CRITICAL_ASSERT(curthread);
	/* ltr wants a descriptor that is not marked busy. */
	PCPU_GET(tss)->sd_type = SDT_SYSTSS;
	ltr(GSEL(GPROC0_SEL, SEL_KPL));
}

lkc_u32
kvmb_gdt_limit(void)
{

	return (NGDT * sizeof(struct user_segment_descriptor) - 1);
}

lkc_u32
kvmb_idt_limit(void)
{

	return (r_idt.rd_limit);
}

int
kvmb_dbregs_active(void)
{

	return ((curpcb->pcb_flags & PCB_DBREGS) != 0);
}

void
kvmb_dbregs_restore(void)
{
	struct pcb *pcb;

	LKC_ASSERT_THREAD();
	KASSERT((read_rflags() & PSL_I) == 0,
	    ("%s: called with interrupts on", __func__));
	pcb = curpcb;
	load_dr0(pcb->pcb_dr0);
	load_dr1(pcb->pcb_dr1);
	load_dr2(pcb->pcb_dr2);
	load_dr3(pcb->pcb_dr3);
	load_dr6(pcb->pcb_dr6);
	load_dr7(pcb->pcb_dr7);
}

/* Run on each CPU: count those that another hypervisor has switched on. */
static void
count_busy_cpu(void *arg)
{
	u_int *busy;

	busy = arg;
	if ((rcr4() & CR4_VMXE) != 0 || ((amd_feature & AMDID_LM) != 0 &&
	    (rdmsr(MSR_EFER) & EFER_SVM) != 0))
		atomic_add_int(busy, 1);
}

const char *
kvmb_refusal(void)
{
	uint64_t msr;
	u_int busy;

	LKC_ASSERT_SLEEP();
	if ((cpu_feature2 & CPUID2_VMX) == 0 &&
	    (amd_feature2 & AMDID2_SVM) == 0)
		return ("the processor has neither VT-x nor AMD-V; enable it "
		    "in the firmware, or nested virtualization in the "
		    "hypervisor");
	if ((cpu_feature2 & CPUID2_VMX) != 0) {
		msr = rdmsr(MSR_IA32_FEATURE_CONTROL);
		if ((msr & IA32_FEATURE_CONTROL_LOCK) != 0 &&
		    (msr & IA32_FEATURE_CONTROL_VMX_EN) == 0)
			return ("the firmware has locked VT-x off; enable it "
			    "in the firmware");
	} else if ((rdmsr(MSR_VM_CR) & VM_CR_SVMDIS) != 0)
		return ("the firmware has locked AMD-V off; enable it in the "
		    "firmware");
	busy = 0;
	smp_rendezvous(smp_no_rendezvous_barrier, count_busy_cpu,
	    smp_no_rendezvous_barrier, &busy);
	if (busy != 0)
		return ("another hypervisor has the processors' "
		    "virtualization in use; unload it first (kldunload vmm)");
	return (NULL);
}
