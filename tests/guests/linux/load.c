/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * In place of the test machine's boot_kernel(): what ata.c has read is a page
 * that says what follows, a bzImage and an initramfs.  Linux's 32-bit boot
 * protocol (Documentation/arch/x86/boot.rst).
 */
#include "loader.h"

#define	PARAMS		0x20000u
#define	INITRD		0x8000000u
#define	PAGE		4096u

#define	HDR		0x1f1
#define	HDR_JUMP_LENGTH	0x201
#define	HDR_MAGIC	0x202
#define	HDR_LOADER	0x210
#define	HDR_CODE32	0x214
#define	HDR_RAMDISK	0x218
#define	HDR_RAMDISK_SIZE 0x21c
#define	HDR_CMDLINE	0x228
#define	HDR_PREF	0x258
#define	BP_MAP_COUNT	0x1e8
#define	BP_MAP		0x2d0

#define	BYTE(p, at)	(*(uint8_t *)((p) + (at)))
#define	WORD(p, at)	(*(uint32_t *)((p) + (at)))

struct contents {
	uint32_t	image_size, initrd_size;
	char		command_line[PAGE - 8];
};

static const uint64_t gdt[] = {
	0, 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
};

static struct {
	uint16_t	limit;
	const uint64_t	*base;
} __attribute__((packed)) gdtr = { sizeof(gdt) - 1, gdt };

void
boot_kernel(const struct boot *boot)
{
	const struct contents *contents = (const void *)boot->kernel;
	const uint8_t *image = boot->kernel + PAGE;
	uint8_t *params = (uint8_t *)PARAMS;
	uint32_t setup;

	if (WORD(image, HDR_MAGIC) != 0x53726448)	/* "HdrS" */
		die("this is no bzImage");
	memset(params, 0, PAGE);
	memcpy(params + HDR, image + HDR,
	    HDR_MAGIC + BYTE(image, HDR_JUMP_LENGTH) - HDR);
	BYTE(params, HDR_LOADER) = 0xff;
	WORD(params, HDR_CMDLINE) = (uint32_t)contents->command_line;
	WORD(params, HDR_RAMDISK) = INITRD;
	WORD(params, HDR_RAMDISK_SIZE) = contents->initrd_size;
	WORD(params, HDR_CODE32) = WORD(params, HDR_PREF);
	BYTE(params, BP_MAP_COUNT) = boot->nmap;
	memcpy(params + BP_MAP, boot->map, boot->nmap * sizeof(boot->map[0]));

	memcpy((void *)INITRD, image +
	    ((contents->image_size + PAGE - 1) & ~(PAGE - 1)),
	    contents->initrd_size);
	setup = (BYTE(image, HDR) + 1) * 512;
	memcpy((void *)WORD(params, HDR_PREF), image + setup,
	    contents->image_size - setup);
	__asm__ volatile("cli; lgdt %0; ljmp $0x10, $1f; 1:"
	    "movl $0x18, %%eax; movl %%eax, %%ds; movl %%eax, %%es;"
	    "movl %%eax, %%ss; xorl %%ebp, %%ebp; jmp *%%ecx"
	    : : "m" (gdtr), "S" (params), "c" (WORD(params, HDR_PREF)),
	    "D" (0), "b" (0));
	__builtin_unreachable();
}
