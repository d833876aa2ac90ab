/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _KVM_POWER_H_
#define	_KVM_POWER_H_

/* Begin and end to take part in suspend and resume. */
int	kvm_power_start(void);
void	kvm_power_stop(void);

#endif /* !_KVM_POWER_H_ */
