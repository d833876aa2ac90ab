/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A module that says hello and serves a device node.
 */
#include <sys/param.h>
#include <sys/conf.h>
#include <sys/kernel.h>
#include <sys/module.h>
#include <sys/systm.h>
#include <sys/uio.h>

static d_read_t		hello_read;
static struct cdev	*hello_dev;

static struct cdevsw hello_cdevsw = {
	.d_version =	D_VERSION,
	.d_read =	hello_read,
	.d_name =	"hello",
};

static int
hello_read(struct cdev *dev, struct uio *uio, int flags)
{
	static char text[] = "hello from the kernel\n";
	const size_t length = sizeof(text) - 1;

	if (uio->uio_offset >= (off_t)length)
		return (0);
	return (uiomove(text + uio->uio_offset,
	    MIN(uio->uio_resid, (ssize_t)length - uio->uio_offset), uio));
}

static int
hello_event(module_t mod, int what, void *arg)
{

	switch (what) {
	case MOD_LOAD:
		hello_dev = make_dev(&hello_cdevsw, 0, UID_ROOT, GID_WHEEL,
		    0400, "hello");
		printf("hello: loaded\n");
		return (0);
	case MOD_UNLOAD:
		destroy_dev(hello_dev);
		printf("hello: unloaded\n");
		return (0);
	default:
		return (EOPNOTSUPP);
	}
}

static moduledata_t hello_mod = { "hello", hello_event, NULL };
DECLARE_MODULE(hello, hello_mod, SI_SUB_DRIVERS, SI_ORDER_ANY);
MODULE_VERSION(hello, 1);
