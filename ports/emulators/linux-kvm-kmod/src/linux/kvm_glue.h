/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of KVM's own glue share. */
#ifndef _KVM_GLUE_H_
#define	_KVM_GLUE_H_

/* KVM_CHECK_EXTENSION answers 0 whatever upstream says. */
bool	capability_missing(unsigned long capability);
int	pvclock_start(void);
void	pvclock_stop(void);
void	virt_start(void);	/* Linux 7.2: outside of KVM */
void	virt_stop(void);
int	host_start(void);
void	host_stop(void);
void	host_shutdown(void);
void	host_suspend(void);
void	host_resume(void);

#endif
