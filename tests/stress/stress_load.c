/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * More machines, vCPUs and timers than a host has processors for.
 */
#include <sys/types.h>
#include <sys/cpuset.h>

#include <signal.h>
#include <unistd.h>

#include "stress.h"

CASE(load, many_machines)
{
	static struct runner r[24];
	static struct vm vm[nitems(r)];
	size_t i;

	for (i = 0; i < nitems(r); i++) {
		vm_open(&vm[i], i % 2 ? VM_PIT : 0);
		start_runner(&r[i], &vm[i], 0, i % 3 ? out : count);
	}
	for (i = 0; i < nitems(r); i++)
		await_count(&vm[i]);
	for (i = 0; i < nitems(r); i++) {
		end_runner(&r[i]);
		EQUAL(r[i].error, 0);
		vm_close(&vm[i]);
	}
}

static void
spin(void)
{

	for (;;)
		;
}

/* More vCPUs than CPUs, other work, and threads that are sent around. */
CASE(load, more_vcpus_than_cpus)
{
	static struct runner r[12];
	pid_t hog[3];
	cpuset_t all, set;
	struct vm vm;
	size_t i;
	int cpu, round;

	for (i = 0; i < nitems(hog); i++)
		hog[i] = child(spin);
	vm_open(&vm, 0);
	for (i = 0; i < nitems(r); i++)
		start_runner(&r[i], &vm, i, i % 2 ? out : sweep);
	SYS(cpuset_getaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, -1, sizeof(all),
	    &all));
	for (round = 0; round < 16; round++) {
		cpu = round % CPU_COUNT(&all);
		CPU_SETOF(cpu, &set);
		SYS(cpuset_setaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, getpid(),
		    sizeof(set), &set));
		await_count(&vm);
		SYS(cpuset_setaffinity(CPU_LEVEL_WHICH, CPU_WHICH_PID, getpid(),
		    sizeof(all), &all));
	}
	for (i = 0; i < nitems(r); i++)
		while (r[i].exits == 0 && !r[i].over)
			usleep(10000);
	for (i = 0; i < nitems(r); i++) {
		end_runner(&r[i]);
		EQUAL(r[i].error, 0);
	}
	vm_close(&vm);
	for (i = 0; i < nitems(hog); i++) {
		SYS(kill(hog[i], SIGKILL));
		(void)status_of(hog[i]);
	}
}

/* Timers that ask for more than all of a processor leave some to everybody. */
CASE(load, timers_without_end)
{
	static struct vm vm[40];
	struct kvm_pit_state2 pit;
	size_t i;
	int n;

	for (i = 0; i < nitems(vm); i++) {
		vm_open(&vm[i], VM_PIT);
		SYS(ioctl(vm[i].fd, KVM_GET_PIT2, &pit));
		pit.channels[0].mode = 2;
		pit.channels[0].count = 1;
		pit.channels[0].count_load_time = 0;
		SYS(ioctl(vm[i].fd, KVM_SET_PIT2, &pit));
	}
	for (n = 0; n < 50; n++)
		usleep(10000);
	for (i = 0; i < nitems(vm); i++)
		vm_close(&vm[i]);
}
