/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's local APIC is FreeBSD's; KVM only asks about its mode and sends vectors. */
#ifndef _LKC_ASM_APIC_H_
#define	_LKC_ASM_APIC_H_

#include <linux/cpumask.h>
#include <asm/apicdef.h>
#include <asm/msr.h>
#include <asm/cpufeature.h>

bool lx_host_x2apic(void);
#define x2apic_mode		lx_host_x2apic()
#define x2apic_enabled()	lx_host_x2apic()

u32 default_cpu_present_to_apicid(int cpu);
#define cpu_physical_id(cpu)	default_cpu_present_to_apicid(cpu)

void __apic_send_IPI_self(int vector);
void __apic_send_IPI_mask(const struct cpumask *mask, int vector);

#endif
