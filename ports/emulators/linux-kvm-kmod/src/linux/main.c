// SPDX-License-Identifier: BSD-2-Clause
/* Start and stop of KVM: common part, then the vendor's. */
#include <linux/kvm_host.h>
#include <asm/cpufeature.h>
#include "kvm_bridge.h"
#include "kvm_glue.h"

/* What module_init() and module_exit() made of upstream's functions. */
int	lx_init_kvm_x86_init(void);
void	lx_exit_kvm_x86_exit(void);
int	lx_init_vmx_init(void);
void	lx_exit_vmx_exit(void);
int	lx_init_svm_init(void);
void	lx_exit_svm_exit(void);

static void (*vendor_exit)(void);

static int vendor_start(void)
{
	int err;

	if (boot_cpu_has(X86_FEATURE_VMX)) {
		err = lx_init_vmx_init();
		vendor_exit = lx_exit_vmx_exit;
	} else if (boot_cpu_has(X86_FEATURE_SVM)) {
		err = lx_init_svm_init();
		vendor_exit = lx_exit_svm_exit;
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
