/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The loader's front end under Bochs: reads the kernel and the environment
 * from the primary master disk, sector by sector.  Sector 33 says where they
 * are; portkit/vm/bochs.py writes it.
 */

#include "loader.h"

#define	TABLE_SECTOR	33
#define	TABLE_MAGIC	0x4d56504b	/* "KPVM" */
#define	SECTOR		512u
#define	MAP		0x6000u		/* from bootsect.S */
#define	MAP_END		(*(const uint32_t *)0x5ffc)

#define	ENV_AT		LOAD_LIMIT
#define	ENV_MAX		0x10000u
#define	KERNEL_AT	(LOAD_LIMIT + ENV_MAX)

#define	ATA_DATA	0x1f0
#define	ATA_COUNT	0x1f2
#define	ATA_LBA0	0x1f3
#define	ATA_LBA1	0x1f4
#define	ATA_LBA2	0x1f5
#define	ATA_DRIVE	0x1f6
#define	ATA_COMMAND	0x1f7
#define	ATA_STATUS	0x1f7
#define	ATA_CONTROL	0x3f6
#define	ATA_BUSY	0x80
#define	ATA_DRQ		0x08
#define	ATA_ERROR	0x01
#define	ATA_NO_IRQ	0x02
#define	ATA_READ	0x20

struct table {
	uint32_t	magic;
	uint32_t	kernel, kernel_size;	/* sector, bytes */
	uint32_t	env, env_size;
};

void	start(void) __attribute__((section(".text.start"), noreturn));

static uint8_t
ata_wait(void)
{
	uint8_t status;

	while (((status = inb(ATA_STATUS)) & ATA_BUSY) != 0)
		;
	return (status);
}

static void
ata_read(uint32_t lba, uint32_t bytes, uint32_t to)
{
	uint32_t i, left, n, words;

	for (left = (bytes + SECTOR - 1) / SECTOR; left > 0; left -= n) {
		n = left < 256 ? left : 256;
		ata_wait();
		outb(ATA_DRIVE, 0xe0 | lba >> 24);
		outb(ATA_COUNT, n);		/* 0 means 256 */
		outb(ATA_LBA0, lba);
		outb(ATA_LBA1, lba >> 8);
		outb(ATA_LBA2, lba >> 16);
		outb(ATA_COMMAND, ATA_READ);
		for (i = 0; i < n; i++) {
			if ((ata_wait() & (ATA_DRQ | ATA_ERROR)) != ATA_DRQ)
				die("cannot read the boot disk");
			words = SECTOR / 4;
			__asm__ volatile("rep insl"
			    : "+D" (to), "+c" (words)
			    : "d" ((uint16_t)ATA_DATA) : "memory");
		}
		lba += n;
	}
}

void
start(void)
{
	static uint8_t sector[SECTOR];
	const struct table *table = (const void *)sector;
	static struct boot boot;

	outb(ATA_CONTROL, ATA_NO_IRQ);
	ata_read(TABLE_SECTOR, SECTOR, (uint32_t)sector);
	if (table->magic != TABLE_MAGIC)
		die("the boot disk has no table");
	if (table->env_size > ENV_MAX)
		die("the environment is too large");
	ata_read(table->env, table->env_size, ENV_AT);
	ata_read(table->kernel, table->kernel_size, KERNEL_AT);
	outb(ATA_CONTROL, 0);

	boot.kernel = (const void *)KERNEL_AT;
	boot.env = (const void *)ENV_AT;
	boot.envlen = table->env_size;
	boot_map(&boot, MAP, MAP_END - MAP);
	boot_kernel(&boot);
}
