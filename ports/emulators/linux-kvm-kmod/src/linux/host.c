// SPDX-License-Identifier: BSD-2-Clause
/*
 * What KVM asks of the x86 host: descriptor tables, debug registers, vectors,
 * the state of mitigations, and subsystems that FreeBSD does not have.
 */
#define pr_fmt(fmt)	KBUILD_MODNAME ": " fmt

#include <linux/kvm_host.h>
#include <linux/perf_event.h>
#include <linux/syscore_ops.h>
#include <linux/entry-virt.h>
#include <linux/jump_label.h>
#include <linux/msi.h>
#include <asm/desc.h>
#include <asm/mce.h>
#include <asm/irq.h>
#include <asm/cpu.h>
#include <asm/e820/api.h>
#include <asm/vmx.h>
#include <asm/reboot.h>
#include <asm/set_memory.h>
#include <asm/nospec-branch.h>
#include <asm/spec-ctrl.h>
#include <asm/debugreg.h>
#include <asm/fred.h>
#include <lkc/block.h>
#include "kvm_bridge.h"
#include "kvm_glue.h"

/* --- before entering the guest ------------------------------------------ */

bool lx_guest_work_pending(void)
{
	return lkc_need_resched() || lkc_signal_pending();
}

int lx_guest_work(void)
{
	if (lkc_signal_pending())
		return -EINTR;
	cond_resched();
	return 0;
}

/* --- descriptor tables and debug registers ------------------------------ */

/* The address of the TSS is all that is taken from it. */
struct cpu_entry_area *get_cpu_entry_area(int cpu)
{
	BUILD_BUG_ON(offsetof(struct cpu_entry_area, tss.x86_tss) != 0);
	return (struct cpu_entry_area *)kvmb_tss_base();
}

/* A VM exit sets the limits of both tables to 64 KB: put FreeBSD's back. */
void load_fixmap_gdt(int cpu)
{
	struct desc_ptr dtr;

	asm volatile("sgdt %0" : "=m" (dtr));
	dtr.size = kvmb_gdt_limit();
	asm volatile("lgdt %0" :: "m" (dtr));
	asm volatile("sidt %0" : "=m" (dtr));
	dtr.size = kvmb_idt_limit();
	asm volatile("lidt %0" :: "m" (dtr));
}

void invalidate_tss_limit(void)
{
	unsigned long flags;

	local_irq_save(flags);
	kvmb_tss_reload();
	local_irq_restore(flags);
}

unsigned long lx_host_dr7(void)
{
	unsigned long dr7;

	if (!kvmb_dbregs_active())
		return 0;
	asm volatile("mov %%db7, %0" : "=r" (dr7));
	return dr7;
}

void hw_breakpoint_restore(void)
{
	kvmb_dbregs_restore();
}

#if LX_RELEASE >= 702
void lx_enter_interrupt(unsigned long handler);

/*
 * An exit for an interrupt or NMI has taken it from the CPU; its handler is
 * entered here.  FreeBSD's NMI handler wants to be entered by the CPU, and its
 * return unblocks NMIs.  Interrupts are off.
 */
void x86_entry_from_kvm(unsigned int type, unsigned int vector)
{
	struct desc_ptr idt;

	if (type == EVENT_TYPE_NMI) {
		asm volatile("int $2" ::: "memory");
		return;
	}
	store_idt(&idt);
	lx_enter_interrupt(gate_offset((gate_desc *)idt.address + vector));
}

/* Not read: an interrupt may always have brought data into L1. */
DEFINE_PER_CPU(irq_cpustat_t, irq_stat);
#endif

/* KVM calls it when a machine check took the CPU out of the guest. */
void do_machine_check(struct pt_regs *regs)
{
	asm volatile("int $18");
}

/* --- vectors ------------------------------------------------------------ */

int lx_posted_intr_vector, lx_posted_intr_nested_vector, lx_posted_intr_wakeup_vector;
extern bool enable_apicv, enable_ipiv;

/*
 * Wake-up interrupts are sent by an IOMMU, which is not supported, and by IPI
 * virtualization, which is therefore off.
 */
void kvm_set_posted_intr_wakeup_handler(void (*handler)(void)) {}

static void vectors_start(void)
{
	int vector, nested;

	enable_ipiv = false;
	vector = lkc_vector_alloc();
	nested = lkc_vector_alloc();
	if (vector > 0 && nested > 0) {
		lx_posted_intr_vector = vector;
		lx_posted_intr_nested_vector = nested;
		return;
	}
	if (vector > 0)
		lkc_vector_free(vector);
	pr_warn("no free interrupt vectors: APIC virtualization is off\n");
	enable_apicv = false;
}

static void vectors_stop(void)
{
	if (!lx_posted_intr_vector)
		return;
	lkc_vector_free(lx_posted_intr_vector);
	lkc_vector_free(lx_posted_intr_nested_vector);
	lx_posted_intr_vector = lx_posted_intr_nested_vector = 0;
}

/* With remapping, or with 15-bit ids in the MSI address, ids may be wider. */
u32 x86_msi_msg_get_destid(struct msi_msg *msg, bool extid)
{
	u32 id = msg->arch_addr_lo.destid_0_7;

	if (extid)
		id |= msg->arch_addr_hi.destid_8_31 << 8;
	return id;
}

/* --- mitigations -------------------------------------------------------- */

enum l1tf_mitigations l1tf_mitigation = L1TF_MITIGATION_FLUSH;
enum vmx_l1d_flush_state l1tf_vmx_mitigation = VMENTER_L1D_FLUSH_AUTO;
bool itlb_multihit_kvm_mitigation;
DEFINE_STATIC_KEY_FALSE(mmio_stale_data_clear);
/* Operand of VERW, which clears buffers with a valid data selector. */
u16 x86_verw_sel = __KERNEL_DS;

bool cpu_mitigations_off(void)
{
	return false;
}

bool gds_ucode_mitigated(void)
{
	u64 caps, ctl;

	return !rdmsrl_safe(MSR_IA32_ARCH_CAPABILITIES, &caps) &&
	    (caps & ARCH_CAP_GDS_CTRL) &&
	    !rdmsrl_safe(MSR_IA32_MCU_OPT_CTRL, &ctl) && !(ctl & GDS_MITG_DIS);
}

#if LX_RELEASE >= 702
/* Between vCPUs: wherever the CPU has the barrier. */
DEFINE_STATIC_KEY_FALSE(switch_vcpu_ibpb);
#else
/* The host never enables split-lock detection: no such #AC can be its own. */
bool handle_guest_split_lock(unsigned long ip)
{
	return false;
}
#endif

/* --- what FreeBSD does not have ----------------------------------------- */

/* No counters of the host for guests: the PMU that KVM sees has none. */
void perf_get_x86_pmu_capability(struct x86_pmu_capability *cap)
{
	memset(cap, 0, sizeof(*cap));
}

u64 perf_get_hw_event_config(int hw_event)
{
	return 0;
}

struct perf_guest_switch_msr *perf_guest_get_msrs(int *nr, void *data)
{
	*nr = 0;
	return NULL;
}

void x86_perf_get_lbr(struct x86_pmu_lbr *lbr)
{
	memset(lbr, 0, sizeof(*lbr));
}

/* No host events run that would have to know. */
void amd_pmu_enable_virt(void) {}
void amd_pmu_disable_virt(void) {}
void intel_pt_handle_vmx(int on) {}

/* Without memory encryption a page is always as asked for. */
int set_memory_encrypted(unsigned long addr, int numpages)
{
	return 0;
}

int set_memory_decrypted(unsigned long addr, int numpages)
{
	return 0;
}

/* Memory that FreeBSD has no page for is taken to be a device's. */
bool e820__mapped_raw_any(u64 start, u64 end, enum e820_type type)
{
	return lkc_phys_is_ram(start & PAGE_MASK);
}

/* --- going down --------------------------------------------------------- */

#if LX_RELEASE >= 702
static struct syscore *syscore;

void register_syscore(struct syscore *sc)
{
	syscore = sc;
}

void unregister_syscore(struct syscore *sc)
{
	syscore = NULL;
}

static void syscore_off(void)
{
	if (syscore && syscore->ops->shutdown)
		syscore->ops->shutdown(syscore->data);
}

static void suspend_cpu(void *info)
{
	syscore->ops->suspend(syscore->data);
}

static void resume_cpu(void *info)
{
	syscore->ops->resume(syscore->data);
}
#else
static struct syscore_ops *syscore;

void register_syscore_ops(struct syscore_ops *ops)
{
	syscore = ops;
}

void unregister_syscore_ops(struct syscore_ops *ops)
{
	syscore = NULL;
}

static void syscore_off(void)
{
	if (syscore && syscore->shutdown)
		syscore->shutdown();
}

static void suspend_cpu(void *info)
{
	syscore->suspend();
}

static void resume_cpu(void *info)
{
	syscore->resume();
}

/*
 * For crashes and kexec on Linux.  FreeBSD dumps and resets without calling
 * modules; a reset clears VMX and SVM.
 */
void cpu_emergency_register_virt_callback(cpu_emergency_virt_cb *callback) {}
void cpu_emergency_unregister_virt_callback(cpu_emergency_virt_cb *callback) {}
#endif

void host_shutdown(void)
{
	system_state = SYSTEM_POWER_OFF;
	syscore_off();
}

/*
 * Linux takes the other CPUs offline first; here they run, and each does what
 * the last one does there.
 */
void host_suspend(void)
{
	if (syscore)
		on_each_cpu(suspend_cpu, NULL, 1);
}

void host_resume(void)
{
	if (syscore)
		on_each_cpu(resume_cpu, NULL, 1);
}

int host_start(void)
{
#if LX_RELEASE >= 702
	virt_start();
	if (boot_cpu_has(X86_FEATURE_IBPB))
		static_branch_enable(&switch_vcpu_ibpb);
#endif
	if (boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA) &&
	    !boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF))
		static_branch_enable(&mmio_stale_data_clear);
	vectors_start();
	return 0;
}

void host_stop(void)
{
	vectors_stop();
#if LX_RELEASE >= 702
	virt_stop();
#endif
}
