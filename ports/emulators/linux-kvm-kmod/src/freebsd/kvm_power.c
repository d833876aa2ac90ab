/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Suspend and resume of the host.  Processors lose what VMX and SVM have set up,
 * and FreeBSD does not expect to find them on.  A device without hardware is
 * told in time: when processes have stopped, and before they go on, also if the
 * suspend fails.  It can refuse, and does while there is a virtual machine.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/kobj.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>

#include <vm/vm.h>

#include "lkc_host.h"
#include "kvm_bridge.h"
#include "kvm_power.h"

/*
 * <sys/bus.h> includes headers that exist only in a kernel's build directory;
 * this is what is needed of it.
 */
typedef struct devclass *devclass_t;
extern struct kobjop_desc device_attach_desc, device_detach_desc,
    device_probe_desc, device_resume_desc, device_suspend_desc;
void	bus_topo_lock(void);
void	bus_topo_unlock(void);
device_t device_add_child_ordered(device_t dev, u_int order, const char *name,
	    int unit);
int	device_delete_child(device_t dev, device_t child);
int	device_probe_and_attach(device_t dev);
void	device_quiet(device_t dev);
int	devclass_add_driver(devclass_t bus, struct kobj_class *driver,
	    int pass, devclass_t *dcp);
int	devclass_delete_driver(devclass_t bus, struct kobj_class *driver);
devclass_t devclass_find(const char *name);
device_t devclass_get_device(devclass_t dc, int unit);

#define	KVM_DEVICE	"kvmpower"
#define	PASS_DEFAULT	0x7fffffff	/* BUS_PASS_DEFAULT */
#define	LAST		1000u		/* attached, and so suspended first */
#define	PROBE_NOWILD	(-2000000000)	/* BUS_PROBE_NOWILDCARD */

static device_t kvm_device;

static int
power_probe(device_t dev)
{

	device_quiet(dev);
	return (PROBE_NOWILD);
}

static int
power_nothing(device_t dev __unused)
{

	return (0);
}

static int
power_suspend(device_t dev __unused)
{

	if (!lkc_host_idle()) {
		lkc_host_accept();
		printf("kvm: the system is not suspended: /dev/kvm is in use\n");
		return (EBUSY);
	}
	lkc_task_enter();
	kvml_suspend();
	return (0);
}

static int
power_resume(device_t dev __unused)
{

	lkc_task_enter();
	kvml_resume();
	lkc_host_accept();
	return (0);
}

static kobj_method_t power_methods[] = {
	{ &device_probe_desc, (kobjop_t)power_probe },
	{ &device_attach_desc, (kobjop_t)power_nothing },
	{ &device_detach_desc, (kobjop_t)power_nothing },
	{ &device_suspend_desc, (kobjop_t)power_suspend },
	{ &device_resume_desc, (kobjop_t)power_resume },
	KOBJMETHOD_END
};

static struct kobj_class power_driver = {
	KVM_DEVICE, power_methods, 0, NULL
};

int
kvm_power_start(void)
{
	devclass_t bus;
	device_t parent;
	int error;

	bus_topo_lock();
	bus = devclass_find("nexus");
	parent = devclass_get_device(bus, 0);
	error = devclass_add_driver(bus, &power_driver, PASS_DEFAULT, NULL);
	if (error == 0) {
		kvm_device = device_add_child_ordered(parent, LAST,
		    KVM_DEVICE, -1);
		error = kvm_device == NULL ? ENOMEM :
		    device_probe_and_attach(kvm_device);
		if (error != 0)
			devclass_delete_driver(bus, &power_driver);
	}
	bus_topo_unlock();
	return (error);
}

void
kvm_power_stop(void)
{
	devclass_t bus;

	bus_topo_lock();
	bus = devclass_find("nexus");
	device_delete_child(devclass_get_device(bus, 0), kvm_device);
	devclass_delete_driver(bus, &power_driver);
	bus_topo_unlock();
}
