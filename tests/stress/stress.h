/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * vCPUs that run in threads of their own, for the stress cases.
 */
#ifndef _STRESS_H_
#define	_STRESS_H_

#include <pthread.h>
#include <stdatomic.h>

#include "client.h"

extern guest_code count, out, halt, sweep, pic, pic_irq, timer, ping, apic_irq;

struct runner {
	struct vcpu	vcpu;
	pthread_t	thread;
	atomic_bool	stop, over;
	atomic_ulong	exits;
	int		error;		/* that KVM_RUN failed with, but EINTR */
};

/* Run a vCPU in a thread until stop_runner(), or until KVM_RUN fails. */
void	start_runner(struct runner *r, struct vm *vm, int id, guest_code entry);
void	restart_runner(struct runner *r);
void	stop_runner(struct runner *r);		/* the thread ends */
void	end_runner(struct runner *r);		/* and the vCPU */
/* The guest's counter moves; fails the case when it does not for 20 s. */
void	await_count(struct vm *vm);

/* Run fn in a child; its pid. */
pid_t	child(void (*fn)(void));
/* The status of a child that has ended. */
int	status_of(pid_t pid);

#endif /* !_STRESS_H_ */
