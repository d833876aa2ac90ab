/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What answers at I/O ports, beside what KVM itself emulates: a serial port,
 * the registers that end the machine, and nothing.
 */
#include <string.h>

#include "kvmboot.h"

/* ACPI's event block is status and enable, of two bytes each. */
#define	PM1_ENABLE	(PORT_PM1 + 2)
#define	PM1_CONTROL	(PORT_PM1 + 4)
#define	PM1_SCI_EN	0x0001
#define	PM1_SLP_TYP(v)	((v) >> 10 & 7)
#define	PM1_SLP_EN	0x2000

static uint16_t pm1_enable;		/* no event ever comes */

static void
write_pm1_control(const uint8_t *data, int size)
{
	uint16_t value = data[0] | (size > 1 ? data[1] << 8 : 0);

	if ((value & PM1_SLP_EN) != 0 && PM1_SLP_TYP(value) == ACPI_S5)
		stop(0, "power-off");
}

static void
access_pm1(uint16_t port, bool write, uint8_t *bytes, int size)
{

	if (!write)
		memset(bytes, 0, size);
	switch (port) {
	case PM1_ENABLE:
		if (write)
			memcpy(&pm1_enable, bytes, size > 1 ? 2 : 1);
		else
			memcpy(bytes, &pm1_enable, size > 1 ? 2 : 1);
		break;
	case PM1_CONTROL:
		if (write)
			write_pm1_control(bytes, size);
		else
			bytes[0] = PM1_SCI_EN;
		break;
	}
}

/* Write to a port, or read into data; size is 1, 2 or 4 bytes. */
void
port_access(struct vm *vm, uint16_t port, bool write, void *data, int size)
{
	uint8_t *bytes = data;

	if (port >= PORT_COM1 && port < PORT_COM1 + 8) {
		if (write)
			serial_write(vm, port - PORT_COM1, bytes[0]);
		else {
			memset(data, 0, size);
			bytes[0] = serial_read(vm, port - PORT_COM1);
		}
	} else if (port >= PORT_PM1 && port < PM1_CONTROL + 2) {
		access_pm1(port, write, bytes, size);
	} else if (port == PORT_I8042 && write && bytes[0] == I8042_RESET)
		stop(0, "reset");
	else if (port == PORT_EXIT && write)
		stop(bytes[0], "exit with status %d", bytes[0]);
	else if (!write)
		memset(data, 0xff, size);
}
