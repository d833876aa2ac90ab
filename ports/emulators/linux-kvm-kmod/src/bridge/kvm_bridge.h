/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What KVM needs from the host beyond lkc_bridge.h: the processor state that
 * a VM exit does not restore, and the module's start.  Same rules and context
 * marks as there; kvmb_* is implemented by the FreeBSD side, kvml_* by the
 * Linux side.
 */
#ifndef _KVM_BRIDGE_H_
#define	_KVM_BRIDGE_H_

#include "lkc_bridge.h"

/* Selectors of the host that go into VMCS host-state fields; they are part of
 * FreeBSD's amd64 ABI between kernel and trap code, asserted by the host. */
#define	KVMB_SEL_CODE	0x20
#define	KVMB_SEL_DATA	0x28
#define	KVMB_SEL_TSS	0x48

/*
 * Linear address of the TSS that the current thread uses on this CPU: a
 * process with I/O permissions has one of its own.  VMX: write it to the
 * host-state area at each load of a vCPU, not only after a change of CPU.
 * [irq] in a critical section
 */
lkc_u64	kvmb_tss_base(void);
/*
 * Load the task register again.  VMX: a VM exit leaves the TSS limit at 0x67,
 * which takes the process its I/O permission bitmap; call it when the guest
 * state is put away, with the LDT.  In a critical section.  [crit]
 */
void	kvmb_tss_reload(void);
/* Limit of GDTR and IDTR as the host set them. [irq] */
lkc_u32	kvmb_gdt_limit(void);
lkc_u32	kvmb_idt_limit(void);

/* The current thread has debug registers of its own in use.  [irq] */
int	kvmb_dbregs_active(void);
/* A guest run has destroyed them; put them back.  [crit], interrupts off */
void	kvmb_dbregs_restore(void);

/*
 * Why hardware virtualization cannot be used here, as text for the user, or
 * NULL: vmm.ko is active, the firmware locked it, nested paging is missing in
 * the host, ...  The FreeBSD side asks before kvml_init; the Linux side does
 * its own checks afterwards.  [sleep]
 */
const char *kvmb_refusal(void);

/*
 * Start and stop of KVM, after lkcl_init and before lkcl_exit.  0 or an error
 * with a message logged.  kvml_exit is called with no file open.  [sleep]
 */
int	kvml_init(void);
void	kvml_exit(void);
/*
 * The system goes down: virtualization is switched off on all CPUs so that
 * firmware and a next kernel find them clean.  [sleep]
 */
void	kvml_shutdown(void);
/*
 * Switch virtualization off on all CPUs, and on again, around a suspend of the
 * system.  No file is open.  [sleep]
 */
void	kvml_suspend(void);
void	kvml_resume(void);

#endif /* !_KVM_BRIDGE_H_ */
