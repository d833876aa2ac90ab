/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A module that shows what programs cannot see of a processor:
 *
 *	debug.peek.state	registers of the CPU that the caller runs on, one
 *				"name value" on a line
 *	debug.peek.virtual	number of CPUs on which VMX or SVM is switched on;
 *				writing 1 or 0 switches it on or off on all
 *	debug.peek.asleep	-1, or after a suspend the number of CPUs on which
 *				it was on at wake-up, as far as FreeBSD asks them
 *	debug.peek.mce		1 if FreeBSD took an INT 18 as a machine check
 *	debug.peek.mcg_status	of the CPU that the caller runs on: 5 while a machine
 *				check waits, 1 when FreeBSD has taken it
 *	debug.peek.mce_in_guest	-1 unless the emulator is docs/emulators.md's
 *				Bochs; a CPU that is written has a machine check
 *				in its next guest
 *	debug.peek.stop		1 if all other CPUs obeyed an NMI within seconds
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/module.h>
#include <sys/pcpu.h>
#include <sys/proc.h>
#include <sys/sbuf.h>
#include <sys/smp.h>
#include <sys/sysctl.h>

#include <machine/cpu.h>
#include <machine/cpufunc.h>
#include <machine/md_var.h>
#include <machine/segments.h>
#include <machine/specialreg.h>

static SYSCTL_NODE(_debug, OID_AUTO, peek, CTLFLAG_RW, NULL, "");

static const struct {
	const char	*name;
	u_int		msr;
} msrs[] = {
	{ "efer", MSR_EFER },
	{ "star", MSR_STAR },
	{ "lstar", MSR_LSTAR },
	{ "cstar", MSR_CSTAR },
	{ "sf_mask", MSR_SF_MASK },
	{ "gsbase", MSR_GSBASE },	/* the user's two are restored later */
	{ "sysenter_cs", MSR_SYSENTER_CS_MSR },
	{ "sysenter_esp", MSR_SYSENTER_ESP_MSR },
	{ "sysenter_eip", MSR_SYSENTER_EIP_MSR },
	{ "pat", MSR_PAT },
	{ "tsc_aux", MSR_TSC_AUX },
	{ "apic_base", MSR_APICBASE },
	{ "misc_enable", MSR_IA32_MISC_ENABLE },
	{ "debugctl", MSR_DEBUGCTLMSR },
	{ "spec_ctrl", MSR_IA32_SPEC_CTRL },
	{ "xss", 0xda0 },
	{ "mtrr_default", MSR_MTRRdefType },
	{ "perf_select0", MSR_EVNTSEL0 },
	{ "perf_select1", MSR_EVNTSEL1 },
	{ "perf_counter0", MSR_PERFCTR0 },
	{ "perf_counter1", MSR_PERFCTR1 },
	{ "perf_global", 0x38f },
	{ "k7_perf_select0", 0xc0010000 },
	{ "k7_perf_counter0", 0xc0010004 },
};

static void
print_state(struct sbuf *sb)
{
	struct region_descriptor gdtr, idtr;
	uint64_t value;
	uint32_t limit;
	u_int i;
	u_short ldt, tr;

	__asm__ volatile ("sgdt %0" : "=m" (gdtr));
	__asm__ volatile ("sidt %0" : "=m" (idtr));
	__asm__ volatile ("sldt %0" : "=m" (ldt));
	__asm__ volatile ("str %0" : "=m" (tr));
	__asm__ volatile ("lsll %1, %0" : "=r" (limit) : "r" ((uint32_t)tr));
#define	PRINT(name, value)						\
	sbuf_printf(sb, "%s %#jx\n", name, (uintmax_t)(value))
	PRINT("gdt_base", gdtr.rd_base);
	PRINT("gdt_limit", gdtr.rd_limit);
	PRINT("idt_base", idtr.rd_base);
	PRINT("idt_limit", idtr.rd_limit);
	PRINT("ldt", ldt);
	PRINT("tr", tr);
	PRINT("tss_limit", limit);
	PRINT("cr0", rcr0());
	PRINT("cr4", rcr4());
	PRINT("dr0", rdr0());
	PRINT("dr1", rdr1());
	PRINT("dr2", rdr2());
	PRINT("dr3", rdr3());
	PRINT("dr6", rdr6());
	PRINT("dr7", rdr7());
	if ((rcr4() & CR4_XSAVE) != 0)
		PRINT("xcr0", rxcr(XCR0));
	for (i = 0; i < nitems(msrs); i++)
		if (rdmsr_safe(msrs[i].msr, &value) == 0)
			PRINT(msrs[i].name, value);
}

static int
peek_state(SYSCTL_HANDLER_ARGS)
{
	struct sbuf *sb;
	int error;

	sb = sbuf_new(NULL, NULL, 4096, SBUF_FIXEDLEN);
	critical_enter();
	print_state(sb);
	critical_exit();
	sbuf_finish(sb);
	error = SYSCTL_OUT(req, sbuf_data(sb), sbuf_len(sb) + 1);
	sbuf_delete(sb);
	return (error);
}
SYSCTL_PROC(_debug_peek, OID_AUTO, state, CTLTYPE_STRING | CTLFLAG_RD |
    CTLFLAG_MPSAFE, NULL, 0, peek_state, "A", "");

static void
count(void *arg)
{

	if ((rcr4() & CR4_VMXE) != 0 || (rdmsr(MSR_EFER) & EFER_SVM) != 0)
		atomic_add_int(arg, 1);
}

static void
switch_virtual(void *arg)
{
	bool on = *(u_int *)arg != 0;

	if ((cpu_feature2 & CPUID2_VMX) != 0)
		load_cr4(on ? rcr4() | CR4_VMXE : rcr4() & ~CR4_VMXE);
	else
		wrmsr(MSR_EFER, on ? rdmsr(MSR_EFER) | EFER_SVM :
		    rdmsr(MSR_EFER) & ~EFER_SVM);
}

static int
peek_virtual(SYSCTL_HANDLER_ARGS)
{
	u_int n = 0;
	int error;

	smp_rendezvous(smp_no_rendezvous_barrier, count,
	    smp_no_rendezvous_barrier, &n);
	error = sysctl_handle_int(oidp, &n, 0, req);
	if (error == 0 && req->newptr != NULL)
		smp_rendezvous(smp_no_rendezvous_barrier, switch_virtual,
		    smp_no_rendezvous_barrier, &n);
	return (error);
}
SYSCTL_PROC(_debug_peek, OID_AUTO, virtual, CTLTYPE_UINT | CTLFLAG_RW |
    CTLFLAG_MPSAFE, NULL, 0, peek_virtual, "IU", "");

/* What a panic does to stop the others: an NMI, whatever they are at. */
static int
peek_stop(SYSCTL_HANDLER_ARGS)
{
	cpuset_t others;
	u_int stopped;

	critical_enter();
	others = all_cpus;
	CPU_CLR(curcpu, &others);
	stop_cpus_hard(others);
	stopped = CPU_SUBSET(&stopped_cpus, &others);
	restart_cpus(others);
	critical_exit();
	return (sysctl_handle_int(oidp, &stopped, 0, req));
}
SYSCTL_PROC(_debug_peek, OID_AUTO, stop, CTLTYPE_UINT | CTLFLAG_RD |
    CTLFLAG_MPSAFE, NULL, 0, peek_stop, "IU", "");

/* As KVM passes on one that has taken the CPU out of a guest. */
static int
peek_mce(SYSCTL_HANDLER_ARGS)
{
	u_int taken;

	critical_enter();
	wrmsr(MSR_MCG_STATUS, MCG_STATUS_RIPV | MCG_STATUS_MCIP);
	__asm__ volatile ("int $18");
	taken = (rdmsr(MSR_MCG_STATUS) & MCG_STATUS_MCIP) == 0;
	critical_exit();
	return (sysctl_handle_int(oidp, &taken, 0, req));
}
SYSCTL_PROC(_debug_peek, OID_AUTO, mce, CTLTYPE_UINT | CTLFLAG_RD |
    CTLFLAG_MPSAFE, NULL, 0, peek_mce, "IU", "");

static int
peek_mcg_status(SYSCTL_HANDLER_ARGS)
{
	u_int status;

	status = rdmsr(MSR_MCG_STATUS);
	return (sysctl_handle_int(oidp, &status, 0, req));
}
SYSCTL_PROC(_debug_peek, OID_AUTO, mcg_status, CTLTYPE_UINT | CTLFLAG_RD |
    CTLFLAG_MPSAFE, NULL, 0, peek_mcg_status, "IU", "");

static int
peek_mce_in_guest(SYSCTL_HANDLER_ARGS)
{
	int cpu, error;

	cpu = inb(0x8901) == IDT_MC ? 0 : -1;
	error = sysctl_handle_int(oidp, &cpu, 0, req);
	if (error == 0 && req->newptr != NULL) {
		wrmsr(MSR_MCG_STATUS, 0);
		outb(0x8901, cpu);
	}
	return (error);
}
SYSCTL_PROC(_debug_peek, OID_AUTO, mce_in_guest, CTLTYPE_INT | CTLFLAG_RW |
    CTLFLAG_MPSAFE, NULL, 0, peek_mce_in_guest, "I", "");

static int asleep = -1;
SYSCTL_INT(_debug_peek, OID_AUTO, asleep, CTLFLAG_RD, &asleep, 0, "");

static void
wake_up(void)
{

	atomic_cmpset_int((u_int *)&asleep, -1, 0);
	count(&asleep);
}

static int
peek_event(module_t mod __unused, int what, void *arg __unused)
{

	if (what == MOD_LOAD)
		vmm_resume_p = wake_up;
	else if (what == MOD_UNLOAD)
		vmm_resume_p = NULL;
	return (0);
}

static moduledata_t peek_data = { .name = "peek", .evhand = peek_event };

DECLARE_MODULE(peek, peek_data, SI_SUB_DRIVERS, SI_ORDER_ANY);
