// SPDX-License-Identifier: BSD-2-Clause
/* Start and stop of KVM: common part, then the vendor's. */
#define pr_fmt(fmt)	KBUILD_MODNAME ": " fmt

#include <linux/kvm_host.h>
#include <asm/cpufeature.h>
#include "x86.h"
#include "svm/svm.h"
#include "vmx/capabilities.h"
#include "kvm_bridge.h"
#include "kvm_glue.h"

/* What module_init() and module_exit() made of upstream's functions. */
int	lx_init_kvm_x86_init(void);
void	lx_exit_kvm_x86_exit(void);
#if LX_RELEASE >= 702
#define lx_init_vmx_init	lx_init_vt_init
#define lx_exit_vmx_exit	lx_exit_vt_exit
#endif
int	lx_init_vmx_init(void);
void	lx_exit_vmx_exit(void);
int	lx_init_svm_init(void);
void	lx_exit_svm_exit(void);

static void (*vendor_exit)(void);

#define IF(has, text)	((has) ? ", " text : "")

/* What guests will run on: processor's features that are not switched off. */
static void say_vmx(void)
{
	pr_info("VT-x: %s%s%s%s%s%s%s%s\n", enable_ept ? "EPT" : "shadow paging",
	    IF(enable_ept_ad_bits, "EPT accessed and dirty bits"),
	    IF(enable_unrestricted_guest, "unrestricted guest"),
	    IF(enable_vpid, "VPID"), IF(enable_pml, "page-modification logging"),
	    IF(flexpriority_enabled, "TPR shadow and APIC access page"),
	    IF(enable_apicv, "APIC virtualization"),
	    IF(kvm_caps.has_tsc_control, "TSC scaling"));
}

static void say_svm(void)
{
	pr_info("AMD-V: %s%s%s%s%s%s%s%s\n",
	    npt_enabled ? "nested paging" : "shadow paging",
	    IF(nrips, "NRIP save"),
	    IF(boot_cpu_has(X86_FEATURE_DECODEASSISTS), "decode assists"),
	    IF(lbrv, "LBR virtualization"), IF(vgif, "virtual GIF"),
	    IF(vnmi, "virtual NMI"), IF(enable_apicv, "AVIC"),
	    IF(kvm_caps.has_tsc_control, "TSC scaling"));
}

static int vendor_start(void)
{
	int err;

	if (boot_cpu_has(X86_FEATURE_VMX)) {
		err = lx_init_vmx_init();
		vendor_exit = lx_exit_vmx_exit;
		if (!err)
			say_vmx();
	} else if (boot_cpu_has(X86_FEATURE_SVM)) {
		err = lx_init_svm_init();
		vendor_exit = lx_exit_svm_exit;
		if (!err)
			say_svm();
	} else {
		pr_err("the CPU has neither VMX nor SVM, or firmware turned it off\n");
		err = -EOPNOTSUPP;
	}
	return err;
}

int kvml_init(void)
{
	int err;

	err = pvclock_start();
	if (err)
		return err;
	err = host_start();
	if (err)
		goto no_host;
	err = lx_init_kvm_x86_init();
	if (err)
		goto no_kvm;
	err = vendor_start();
	if (!err)
		return 0;
	lx_exit_kvm_x86_exit();
no_kvm:
	host_stop();
no_host:
	pvclock_stop();
	return err;
}

void kvml_exit(void)
{
	vendor_exit();
	lx_exit_kvm_x86_exit();
	host_stop();
	pvclock_stop();
}

void kvml_shutdown(void)
{
	host_shutdown();
}

void kvml_suspend(void)
{
	host_suspend();
}

void kvml_resume(void)
{
	host_resume();
}
