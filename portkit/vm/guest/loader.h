/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The loader of the test machine: it takes the place of FreeBSD's boot loader
 * and starts an amd64 kernel in a fraction of a second.  One front end brings
 * the kernel into memory (multiboot.c under QEMU, ata.c under Bochs); load.c
 * does the rest.
 */

#ifndef _LOADER_H_
#define	_LOADER_H_

#include <stdint.h>

/* An entry of the BIOS memory map, as the kernel wants it. */
struct smap {
	uint64_t	base;
	uint64_t	length;
	uint32_t	type;
} __attribute__((packed));

#define	SMAP_MAX	64

/* What a front end has to provide. */
struct boot {
	const uint8_t	*kernel;	/* the kernel's ELF file */
	const char	*env;		/* "name=value" lines */
	uint32_t	 envlen;
	struct smap	 map[SMAP_MAX];
	uint32_t	 nmap;
};

/* An entry of the memory map, as multiboot and bootsect.S hand it over. */
struct mbmap {
	uint32_t	size;		/* of what follows */
	struct smap	smap;
} __attribute__((packed));

/* Everything that load.c writes stays below; front ends keep their data above. */
#define	LOAD_LIMIT	0x4800000u

void	boot_map(struct boot *, uint32_t, uint32_t);
void	boot_kernel(const struct boot *) __attribute__((noreturn));
void	die(const char *) __attribute__((noreturn));
void	*memcpy(void *, const void *, unsigned long);
void	*memset(void *, int, unsigned long);

/* enter.S */
void	enter_kernel(uint32_t pml4, uint32_t modulep, uint32_t kernend,
	    uint64_t entry) __attribute__((noreturn));

static inline void
outb(uint16_t port, uint8_t value)
{

	__asm__ volatile("outb %0, %1" : : "a" (value), "Nd" (port));
}

static inline uint8_t
inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a" (value) : "Nd" (port));
	return (value);
}

#endif /* !_LOADER_H_ */
