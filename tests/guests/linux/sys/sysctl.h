/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * hw.kvm.NAME is a parameter of Linux's module.
 */
#include <stdio.h>

static inline int
sysctlbyname(const char *name, void *old, size_t *old_size, const void *value,
    size_t size)
{
	char path[100];
	FILE *file;

	(void)old;
	(void)old_size;
	snprintf(path, sizeof(path), "/sys/module/kvm/parameters/%s",
	    name + sizeof("hw.kvm.") - 1);
	if ((file = fopen(path, "w")) == NULL)
		return (-1);
	fwrite(value, 1, size - 1, file);
	return (fclose(file));
}
