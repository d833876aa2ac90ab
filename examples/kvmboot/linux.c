/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Linux's 64-bit boot protocol (Documentation/arch/x86/boot.rst).
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "kvmboot.h"

/* Offsets in the file and in boot_params alike. */
#define	HDR_SETUP_SECTS		0x1f1
#define	HDR_JUMP_LENGTH		0x201
#define	HDR_MAGIC		0x202
#define	HDR_VERSION		0x206
#define	HDR_LOADER		0x210
#define	HDR_RAMDISK		0x218
#define	HDR_RAMDISK_SIZE	0x21c
#define	HDR_CMDLINE		0x228
#define	HDR_INITRD_MAX		0x22c
#define	HDR_XLOADFLAGS		0x236
#define	HDR_CMDLINE_SIZE	0x238
#define	HDR_PREF_ADDRESS	0x258
#define	HDR_INIT_SIZE		0x260
#define	HDR_END			0x264

#define	BP_ACPI_RSDP		0x070
#define	BP_MAP_COUNT		0x1e8
#define	BP_MAP			0x2d0

#define	VERSION_NEEDED		0x20c
#define	XLF_KERNEL_64		0x0001
#define	LOADER_UNDEFINED	0xff
#define	ENTRY_64		0x200

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return (v);
}

static void
put32(uint8_t *p, uint32_t v)
{

	memcpy(p, &v, sizeof(v));
}

/* Join the settings into one line. */
static void
write_command_line(struct vm *vm, const struct boot *boot, size_t max)
{
	char *const *setting;
	char *line;
	size_t n;

	line = vm_at(vm, GUEST_CMDLINE, max + 1);
	n = 0;
	line[0] = '\0';
	for (setting = boot->settings; *setting != NULL; setting++) {
		n += snprintf(line + n, max - n, "%s%s", n == 0 ? "" : " ",
		    *setting);
		if (n >= max)
			errx(1, "the command line is longer than %zu bytes",
			    max);
	}
}

/* At the end of memory, or below what the kernel can reach. */
static void
load_initrd(struct vm *vm, const struct boot *boot, uint8_t *params,
    uint64_t kernel_end)
{
	uint64_t at, end;

	end = (uint64_t)get32(params + HDR_INITRD_MAX) + 1;
	if (end > vm->size)
		end = vm->size;
	if (boot->disk_size > end)
		errx(1, "the initramfs is larger than memory");
	at = (end - boot->disk_size) & ~0xfffull;
	if (at < kernel_end)
		errx(1, "the initramfs does not fit behind the kernel");
	memcpy(vm_at(vm, at, boot->disk_size), boot->disk, boot->disk_size);
	put32(params + HDR_RAMDISK, at);
	put32(params + HDR_RAMDISK_SIZE, boot->disk_size);
}

struct entry
linux_load(struct vm *vm, const struct boot *boot)
{
	const uint8_t *file = boot->kernel;
	uint64_t start, size, skip;
	uint8_t *params;
	size_t header;

	if (boot->kernel_size < HDR_END ||
	    memcmp(file + HDR_MAGIC, "HdrS", 4) != 0)
		errx(1, "the kernel is neither Linux's bzImage nor "
		    "FreeBSD's ELF file");
	if ((file[HDR_VERSION] | file[HDR_VERSION + 1] << 8) < VERSION_NEEDED ||
	    (file[HDR_XLOADFLAGS] & XLF_KERNEL_64) == 0)
		errx(1, "the kernel has no 64-bit entry point");
	skip = ((file[HDR_SETUP_SECTS] != 0 ? file[HDR_SETUP_SECTS] : 4) + 1) *
	    512ull;
	if (boot->kernel_size <= skip)
		errx(1, "the kernel is cut off");
	size = boot->kernel_size - skip;

	params = vm_at(vm, GUEST_BOOTPARAM, 4096);
	memset(params, 0, 4096);
	header = HDR_MAGIC + file[HDR_JUMP_LENGTH] - HDR_SETUP_SECTS;
	if (HDR_SETUP_SECTS + header > BP_MAP)
		header = BP_MAP - HDR_SETUP_SECTS;
	memcpy(params + HDR_SETUP_SECTS, file + HDR_SETUP_SECTS, header);
	params[HDR_LOADER] = LOADER_UNDEFINED;

	memcpy(&start, file + HDR_PREF_ADDRESS, sizeof(start));
	vm_at(vm, start, get32(file + HDR_INIT_SIZE));
	memcpy(vm_at(vm, start, size), file + skip, size);
	write_command_line(vm, boot, get32(file + HDR_CMDLINE_SIZE));
	put32(params + HDR_CMDLINE, GUEST_CMDLINE);
	if (boot->disk != NULL)
		load_initrd(vm, boot, params,
		    start + get32(file + HDR_INIT_SIZE));
	params[BP_MAP_COUNT] = vm_memory_map(vm,
	    (struct range *)(params + BP_MAP));
	put32(params + BP_ACPI_RSDP, GUEST_ACPI);
	return ((struct entry){ .rip = start + ENTRY_64, .rsp = GUEST_STACK,
	    .rsi = GUEST_BOOTPARAM });
}
