/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The test module's device and its files, some of which have a page to map.
 */

#include "hosttest.h"
#include "hosttest_module.h"

struct object {
	int	is_device;
	void	*page;			/* what mmap shows */
};

unsigned int objects;
static void *device;

long
make_fd(int cloexec)
{
	struct object *o;
	void *hfile;
	int error, fd;

	error = lkc_fd_reserve(cloexec, &fd, &hfile);
	if (error != 0)
		return (error);
	o = lkc_malloc(sizeof(*o), 8, LKC_M_WAIT | LKC_M_ZERO);
	o->page = lkc_pages_alloc(0, LKC_M_WAIT | LKC_M_ZERO);
	*(lkc_u64 *)o->page = HT_LOAD_MAGIC;
	__atomic_fetch_add(&objects, 1, __ATOMIC_SEQ_CST);
	lkc_fd_attach(fd, hfile, o, "hosttest", 1);
	return (fd);
}

int
lkcl_dev_open(void *ldev, void **lfile)
{
	struct object *o;

	o = lkc_malloc(sizeof(*o), 8, LKC_M_WAIT | LKC_M_ZERO);
	o->is_device = 1;
	*lfile = o;
	return (ldev == &device ? 0 : -LKC_ENODEV);
}

long
lkcl_file_read(void *lfile, lkc_u64 uva, lkc_size len, lkc_s64 *off)
{
	static const char text[] = "statistics";
	lkc_size n;

	if (*off < 0 || *off >= (lkc_s64)sizeof(text))
		return (0);
	n = sizeof(text) - *off;
	if (n > len)
		n = len;
	if (lkc_copyout(uva, text + *off, n) != 0)
		return (-LKC_EFAULT);
	*off += n;
	return (n);
}

int
lkcl_file_mmap(void *lfile, lkc_u64 pgoff, lkc_u64 npages, int prot,
    int shared)
{

	return (pgoff == 0 && npages == 1 && shared ? 0 : -LKC_EINVAL);
}

int
lkcl_file_mmap_page(void *lfile, lkc_u64 pgoff, lkc_u64 *pa)
{
	struct object *o = lfile;

	*pa = lkc_virt_to_phys(o->page);
	return (0);
}

void
lkcl_file_release(void *lfile)
{
	struct object *o = lfile;

	if (!o->is_device) {
		lkc_pages_free(o->page, 0);
		__atomic_fetch_sub(&objects, 1, __ATOMIC_SEQ_CST);
	}
	lkc_free(o);
}

int
hosttest_start(void)
{

	return (lkc_dev_create("hosttest", &device, &device));
}

void
hosttest_stop(void)
{

	lkc_dev_destroy(device);
}
