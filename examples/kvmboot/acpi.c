/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * ACPI tables: the processors and interrupt controllers, how to power off and
 * to reset, and one serial port.  Nothing is there but these.
 */
#include <stddef.h>
#include <string.h>

#include "kvmboot.h"

#define	LAPIC_ADDRESS	0xfee00000
#define	IOAPIC_ADDRESS	0xfec00000

#define	MADT_PCAT_COMPAT	1		/* there are 8259s, too */
#define	MADT_LEVEL_HIGH		0x000d

#define	FADT_LEGACY_DEVICES	0x0001
#define	FADT_NO_VGA		0x0004
#define	FADT_NO_RTC		0x0020
#define	FADT_WBINVD		0x00000001
#define	FADT_PROC_C1		0x00000004
#define	FADT_NO_POWER_BUTTON	0x00000010
#define	FADT_NO_SLEEP_BUTTON	0x00000020
#define	FADT_RESET_REGISTER	0x00000400

struct header {
	char		signature[4];
	uint32_t	length;
	uint8_t		revision, checksum;
	char		oem[6], oem_table[8];
	uint32_t	oem_revision;
	char		creator[4];
	uint32_t	creator_revision;
} __attribute__((__packed__));

struct rsdp {
	char		signature[8];
	uint8_t		checksum;
	char		oem[6];
	uint8_t		revision;
	uint32_t	rsdt, length;
	uint64_t	xsdt;
	uint8_t		extended_checksum, reserved[3];
} __attribute__((__packed__));

struct xsdt {
	struct header	header;
	uint64_t	tables[2];
} __attribute__((__packed__));

struct facs {
	char		signature[4];
	uint32_t	length;
	uint8_t		nothing[56];
} __attribute__((__packed__));

/* Generic address. */
struct address {
	uint8_t		space, bits, offset, access;
	uint64_t	address;
} __attribute__((__packed__));
#define	IO(port, size)	{ 1, (size) * 8, 0, 0, (port) }

struct fadt {
	struct header	header;
	uint32_t	facs, dsdt;
	uint8_t		reserved1, profile;
	uint16_t	sci;
	uint32_t	smi_command;
	uint8_t		acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t	pm1a_event, pm1b_event, pm1a_control, pm1b_control;
	uint32_t	pm2_control, pm_timer, gpe0, gpe1;
	uint8_t		pm1_event_length, pm1_control_length;
	uint8_t		pm2_length, pm_timer_length;
	uint8_t		gpe0_length, gpe1_length, gpe1_base, cst;
	uint16_t	c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t		duty_offset, duty_width;
	uint8_t		day_alarm, month_alarm, century;
	uint16_t	boot_arch;
	uint8_t		reserved2;
	uint32_t	flags;
	struct address	reset_register;
	uint8_t		reset_value, reserved3[3];
	uint64_t	x_facs, x_dsdt;
	struct address	x_pm1a_event, x_pm1b_event;
	struct address	x_pm1a_control, x_pm1b_control;
	struct address	x_pm2_control, x_pm_timer, x_gpe0, x_gpe1;
} __attribute__((__packed__));

struct madt {
	struct header	header;
	uint32_t	lapic, flags;
	struct {
		uint8_t		type, length, id, reserved;
		uint32_t	address, first;
	} __attribute__((__packed__)) ioapic;
	struct {
		uint8_t		type, length, bus, irq;
		uint32_t	input;
		uint16_t	flags;
	} __attribute__((__packed__)) sci;
	struct {
		uint8_t		type, length, processor, id;
		uint32_t	flags;
	} __attribute__((__packed__)) cpus[MAX_CPUS];
} __attribute__((__packed__));

/*
 * Name(\_S5, Package{5, 5, 0, 0})
 * Scope(\_SB) { Device(COM1) {
 *	Name(_HID, EisaId("PNP0501"))
 *	Name(_CRS, ResourceTemplate() { IO(Decode16, 0x3f8, 0x3f8, 1, 8)
 *	    IRQNoFlags() { 4 } })
 * } }
 */
static const uint8_t aml[] = {
	0x08, '_', 'S', '5', '_', 0x12, 8, 4, 0x0a, ACPI_S5, 0x0a, ACPI_S5,
	0x00, 0x00,
	0x10, 45, '\\', '_', 'S', 'B', '_',
	0x5b, 0x82, 37, 'C', 'O', 'M', '1',
	0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01,
	0x08, '_', 'C', 'R', 'S', 0x11, 16, 0x0a, 13,
	0x47, 0x01, PORT_COM1 & 0xff, PORT_COM1 >> 8,
	PORT_COM1 & 0xff, PORT_COM1 >> 8, 1, 8,
	0x22, 1 << IRQ_COM1, 0, 0x79, 0,
};

struct dsdt {
	struct header	header;
	uint8_t		aml[sizeof(aml)];
} __attribute__((__packed__));

/* How the tables lie in memory.  The FACS wants an address that 64 divides. */
struct tables {
	struct rsdp	rsdp;
	uint8_t		pad[64 - sizeof(struct rsdp)];
	struct facs	facs;
	struct xsdt	xsdt;
	struct fadt	fadt;
	struct dsdt	dsdt;
	struct madt	madt;		/* as long as there are CPUs */
} __attribute__((__packed__));

#define	ADDRESS(table)	(GUEST_ACPI + offsetof(struct tables, table))

static uint8_t
checksum(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	while (length-- > 0)
		sum += *bytes++;
	return (-sum);
}

static void
finish(void *table, const char *signature, int revision, size_t length)
{
	struct header *h = table;

	memcpy(h->signature, signature, sizeof(h->signature));
	h->length = length;
	h->revision = revision;
	memcpy(h->oem, "KVMB  ", sizeof(h->oem));
	memcpy(h->oem_table, "KVMBOOT ", sizeof(h->oem_table));
	memcpy(h->creator, "KVMB", sizeof(h->creator));
	h->checksum = checksum(table, length);
}

static void
write_fadt(struct fadt *fadt)
{

	fadt->facs = fadt->x_facs = ADDRESS(facs);
	fadt->dsdt = fadt->x_dsdt = ADDRESS(dsdt);
	fadt->sci = IRQ_ACPI;
	fadt->pm1a_event = PORT_PM1;
	fadt->pm1_event_length = 4;
	fadt->x_pm1a_event = (struct address)IO(PORT_PM1, 4);
	fadt->pm1a_control = PORT_PM1 + 4;
	fadt->pm1_control_length = 2;
	fadt->x_pm1a_control = (struct address)IO(PORT_PM1 + 4, 2);
	fadt->c2_latency = fadt->c3_latency = 0xffff;	/* no such states */
	fadt->boot_arch = FADT_LEGACY_DEVICES | FADT_NO_VGA | FADT_NO_RTC;
	fadt->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_POWER_BUTTON |
	    FADT_NO_SLEEP_BUTTON | FADT_RESET_REGISTER;
	fadt->reset_register = (struct address)IO(PORT_I8042, 1);
	fadt->reset_value = I8042_RESET;
	finish(fadt, "FACP", 4, sizeof(*fadt));
}

static void
write_madt(struct madt *madt, int ncpus)
{
	int i;

	madt->lapic = LAPIC_ADDRESS;
	madt->flags = MADT_PCAT_COMPAT;
	madt->ioapic.type = 1;
	madt->ioapic.length = sizeof(madt->ioapic);
	madt->ioapic.address = IOAPIC_ADDRESS;
	madt->sci.type = 2;
	madt->sci.length = sizeof(madt->sci);
	madt->sci.irq = madt->sci.input = IRQ_ACPI;
	madt->sci.flags = MADT_LEVEL_HIGH;
	for (i = 0; i < ncpus; i++) {
		madt->cpus[i].length = sizeof(madt->cpus[i]);
		madt->cpus[i].processor = madt->cpus[i].id = i;
		madt->cpus[i].flags = 1;
	}
	finish(madt, "APIC", 3, offsetof(struct madt, cpus[ncpus]));
}

void
acpi_write(struct vm *vm)
{
	struct tables *t = vm_at(vm, GUEST_ACPI, sizeof(*t));

	memset(t, 0, sizeof(*t));
	memcpy(t->facs.signature, "FACS", 4);
	t->facs.length = sizeof(t->facs);
	memcpy(t->dsdt.aml, aml, sizeof(aml));
	finish(&t->dsdt, "DSDT", 2, sizeof(t->dsdt));
	write_fadt(&t->fadt);
	write_madt(&t->madt, vm->ncpus);
	t->xsdt.tables[0] = ADDRESS(fadt);
	t->xsdt.tables[1] = ADDRESS(madt);
	finish(&t->xsdt, "XSDT", 1, sizeof(t->xsdt));
	memcpy(t->rsdp.signature, "RSD PTR ", sizeof(t->rsdp.signature));
	memcpy(t->rsdp.oem, "KVMB  ", sizeof(t->rsdp.oem));
	t->rsdp.revision = 2;
	t->rsdp.length = sizeof(t->rsdp);
	t->rsdp.xsdt = ADDRESS(xsdt);
	t->rsdp.checksum = checksum(&t->rsdp, 20);
	t->rsdp.extended_checksum = checksum(&t->rsdp, sizeof(t->rsdp));
}
