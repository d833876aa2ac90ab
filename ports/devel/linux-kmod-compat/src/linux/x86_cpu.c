// SPDX-License-Identifier: BSD-2-Clause
/* Registers of the host processor: MSRs, CR4, speculation control. */
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/preempt.h>
#include <asm/msr.h>
#include <asm/tlbflush.h>
#include <asm/cpufeature.h>
#include <asm/nospec-branch.h>
#include <asm/debugreg.h>
#include <asm/barrier.h>
#include <asm/mmu_context.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

/* --- MSRs --------------------------------------------------------------- */

int rdmsrl_safe(u32 msr, u64 *value)
{
	lkc_u64 val = 0;
	int err = lkc_rdmsr_safe(msr, &val);

	*value = err ? 0 : val;
	return err;
}

int wrmsrl_safe(u32 msr, u64 value)
{
	return lkc_wrmsr_safe(msr, value);
}

u64 lx_rdmsr(u32 msr)
{
	lkc_u64 val;

	if (likely(!lkc_rdmsr_safe(msr, &val)))
		return val;
	WARN_ONCE(1, "unchecked read of MSR %#x faulted\n", msr);
	return 0;
}

void lx_wrmsr(u32 msr, u64 value)
{
	if (unlikely(lkc_wrmsr_safe(msr, value)))
		WARN_ONCE(1, "unchecked write of MSR %#x (%#llx) faulted\n", msr, value);
}

static int msr_change_bit(u32 msr, u8 bit, bool set)
{
	u64 old, new;
	int err;

	if (bit > 63)
		return -EINVAL;
	err = rdmsrl_safe(msr, &old);
	if (err)
		return err;
	new = set ? old | BIT_ULL(bit) : old & ~BIT_ULL(bit);
	if (new == old)
		return 0;
	err = wrmsrl_safe(msr, new);
	return err ? err : 1;
}

int msr_set_bit(u32 msr, u8 bit)
{
	return msr_change_bit(msr, bit, true);
}

int msr_clear_bit(u32 msr, u8 bit)
{
	return msr_change_bit(msr, bit, false);
}

/* --- CR4, TLB, segments ------------------------------------------------- */

static void cr4_change(unsigned long set, unsigned long clear)
{
	unsigned long flags;

	local_irq_save(flags);
	native_write_cr4((native_read_cr4() & ~clear) | set);
	local_irq_restore(flags);
}

void cr4_set_bits(unsigned long mask)
{
	cr4_change(mask, 0);
}

void cr4_clear_bits(unsigned long mask)
{
	cr4_change(0, mask);
}

/* Not upstream's checked version: KVM passes what it read a moment before. */
void native_write_cr4(unsigned long val)
{
	asm volatile("mov %0, %%cr4" :: "r" (val) : "memory");
}

void __flush_tlb_all(void)
{
	unsigned long flags, cr4;

	local_irq_save(flags);
	cr4 = native_read_cr4();
	native_write_cr4(cr4 ^ X86_CR4_PGE);
	native_write_cr4(cr4);
	local_irq_restore(flags);
}

/* User GS base is in KERNEL_GS_BASE while in the kernel, on both systems. */
void current_save_fsgs(void)
{
	struct task_struct *task = current;

	/*
	 * Selectors are left alone: FreeBSD restores them with the rest of the
	 * user state (PCB_FULL_IRET), so that none is loaded that could fault.
	 */
	task->thread.fsindex = 0;
	task->thread.gsindex = 0;
	task->thread.fsbase = lx_rdmsr(MSR_FS_BASE);
	task->thread.gsbase = lx_rdmsr(MSR_KERNEL_GS_BASE);
}

void load_gs_index(unsigned int selector)
{
	/* Only ever 0, see above: nothing to load, the base was restored. */
	WARN_ON_ONCE(selector);
}

u64 x86_pred_cmd = PRED_CMD_IBPB;

void indirect_branch_prediction_barrier(void)
{
	if (boot_cpu_has(X86_FEATURE_USE_IBPB))
		lx_wrmsr(MSR_IA32_PRED_CMD, x86_pred_cmd);
}

/* --- per vCPU load ------------------------------------------------------ */

/*
 * What SPEC_CTRL has in the host kernel.  FreeBSD may change it by sysctl at
 * any time, but never inside a critical section of this thread.  Guest entry
 * assembly reads the initial copy, C code the CPU's: they are the same value
 * on all CPUs.
 */
DEFINE_PER_CPU(u64, x86_spec_ctrl_current);

DEFINE_PER_CPU(unsigned long, cpu_dr7);

void lx_cpu_section_load(void)
{
	u64 val;

	if (boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL)) {
		val = lx_rdmsr(MSR_IA32_SPEC_CTRL);
		this_cpu_write(x86_spec_ctrl_current, val);
		WRITE_ONCE(*(u64 *)&x86_spec_ctrl_current, val);
	}
	this_cpu_write(cpu_dr7, lx_host_dr7());
}

/* The guest's branch predictions must not reach user code (VMSCAPE). */
DEFINE_PER_CPU(bool, x86_ibpb_exit_to_user);

void lx_cpu_section_put(void)
{
	if (this_cpu_read(x86_ibpb_exit_to_user)) {
		indirect_branch_prediction_barrier();
		this_cpu_write(x86_ibpb_exit_to_user, false);
	}
	this_cpu_write(cpu_dr7, 0);
}
