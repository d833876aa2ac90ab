/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The loader's front end under QEMU: the kernel is the first multiboot module,
 * the environment the second (-initrd kernel,env).
 */

#include "loader.h"

#define	MB_LOADER_MAGIC	0x2badb002
#define	MBI_MODULES	0x08
#define	MBI_MMAP	0x40

struct mbmodule {
	uint32_t	start, end, string, reserved;
};

struct mbinfo {
	uint32_t	flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t	nmodules, modules;
	uint32_t	symbols[4];
	uint32_t	mmap_length, mmap;
};

void	multiboot(uint32_t, const struct mbinfo *);

void
multiboot(uint32_t magic, const struct mbinfo *info)
{
	const struct mbmodule *module;
	static struct boot boot;

	if (magic != MB_LOADER_MAGIC)
		die("not started by a multiboot loader");
	if ((info->flags & MBI_MODULES) == 0 || info->nmodules != 2)
		die("wants two modules, the kernel and its environment");
	if ((info->flags & MBI_MMAP) == 0)
		die("there is no memory map");
	module = (const void *)info->modules;
	boot.kernel = (const void *)module[0].start;
	boot.env = (const void *)module[1].start;
	boot.envlen = module[1].end - module[1].start;
	boot_map(&boot, info->mmap, info->mmap_length);
	boot_kernel(&boot);
}
