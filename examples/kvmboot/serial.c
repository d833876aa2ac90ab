/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A 16550 serial port between the guest and standard input and output.
 * Sending takes no time, so the transmitter is always empty.
 */
#include <err.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "kvmboot.h"

#define	FIFO_SIZE	16

#define	IER_RX		0x01
#define	IER_TX		0x02
#define	IER_LINE	0x04
#define	IER_ALL		0x0f
#define	IIR_NONE	0x01
#define	IIR_TX		0x02
#define	IIR_RX		0x04
#define	IIR_LINE	0x06
#define	IIR_FIFO	0xc0
#define	FCR_ENABLE	0x01
#define	FCR_CLEAR_RX	0x02
#define	LCR_DLAB	0x80
#define	MCR_LOOP	0x10
#define	MCR_ALL		0x1f
#define	LSR_RX		0x01
#define	LSR_OVERRUN	0x02
#define	LSR_TX		0x60		/* holding and shift register empty */
#define	MSR_READY	0xb0		/* carrier, data set ready, clear to send */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t room = PTHREAD_COND_INITIALIZER;
static struct {
	uint8_t	ier, fcr, lcr, mcr, scratch;
	uint8_t	divisor[2];
	uint8_t	fifo[FIFO_SIZE];
	int	first, count;		/* of what was received */
	bool	overrun;
	bool	sent;			/* to be told to the guest */
	bool	line;			/* the interrupt's level */
} port;
static struct termios terminal;

static uint8_t
interrupt_cause(void)
{

	if ((port.ier & IER_LINE) != 0 && port.overrun)
		return (IIR_LINE);
	if ((port.ier & IER_RX) != 0 && port.count > 0)
		return (IIR_RX);
	if ((port.ier & IER_TX) != 0 && port.sent)
		return (IIR_TX);
	return (IIR_NONE);
}

static void
update_interrupt(struct vm *vm)
{
	bool line = interrupt_cause() != IIR_NONE;

	if (line != port.line) {
		port.line = line;
		vm_irq(vm, IRQ_COM1, line);
	}
}

static void
receive(uint8_t byte)
{

	if (port.count == FIFO_SIZE) {
		port.overrun = true;
		return;
	}
	port.fifo[(port.first + port.count++) % FIFO_SIZE] = byte;
}

static uint8_t
take(void)
{
	uint8_t byte;

	if (port.count == 0)
		return (0);
	byte = port.fifo[port.first];
	port.first = (port.first + 1) % FIFO_SIZE;
	port.count--;
	pthread_cond_signal(&room);
	return (byte);
}

/* In a loop, the modem's inputs are this side's outputs. */
static uint8_t
modem_status(void)
{
	uint8_t out = port.mcr;

	if ((out & MCR_LOOP) == 0)
		return (MSR_READY);
	return ((out & 0x2) << 3 | (out & 0x1) << 5 | (out & 0xc) << 4);
}

uint8_t
serial_read(struct vm *vm, int reg)
{
	uint8_t value = 0;

	pthread_mutex_lock(&lock);
	switch (reg) {
	case 0:
		value = port.lcr & LCR_DLAB ? port.divisor[0] : take();
		break;
	case 1:
		value = port.lcr & LCR_DLAB ? port.divisor[1] : port.ier;
		break;
	case 2:
		value = interrupt_cause();
		if (value == IIR_TX)
			port.sent = false;
		if (port.fcr & FCR_ENABLE)
			value |= IIR_FIFO;
		break;
	case 3:
		value = port.lcr;
		break;
	case 4:
		value = port.mcr;
		break;
	case 5:
		value = LSR_TX | (port.count > 0 ? LSR_RX : 0) |
		    (port.overrun ? LSR_OVERRUN : 0);
		port.overrun = false;
		break;
	case 6:
		value = modem_status();
		break;
	case 7:
		value = port.scratch;
		break;
	}
	update_interrupt(vm);
	pthread_mutex_unlock(&lock);
	return (value);
}

static void
send_byte(uint8_t byte)
{

	if (port.mcr & MCR_LOOP)
		receive(byte);
	else if (write(STDOUT_FILENO, &byte, 1) == -1)
		stop(1, "cannot write the console");
	port.sent = true;
}

void
serial_write(struct vm *vm, int reg, uint8_t value)
{

	pthread_mutex_lock(&lock);
	switch (reg) {
	case 0:
		if (port.lcr & LCR_DLAB)
			port.divisor[0] = value;
		else
			send_byte(value);
		break;
	case 1:
		if (port.lcr & LCR_DLAB)
			port.divisor[1] = value;
		else {
			if ((value & ~port.ier & IER_TX) != 0)
				port.sent = true;
			port.ier = value & IER_ALL;
		}
		break;
	case 2:
		port.fcr = value;
		if (value & FCR_CLEAR_RX) {
			port.count = 0;
			pthread_cond_signal(&room);
		}
		break;
	case 3:
		port.lcr = value;
		break;
	case 4:
		port.mcr = value & MCR_ALL;
		pthread_cond_signal(&room);
		break;
	case 7:
		port.scratch = value;
		break;
	}
	update_interrupt(vm);
	pthread_mutex_unlock(&lock);
}

/* Pass on what is typed, as fast as the guest takes it: a thread. */
static void *
read_input(void *arg)
{
	struct vm *vm = arg;
	uint8_t byte;

	while (read(STDIN_FILENO, &byte, 1) == 1) {
		pthread_mutex_lock(&lock);
		while (port.count == FIFO_SIZE || (port.mcr & MCR_LOOP) != 0)
			pthread_cond_wait(&room, &lock);
		receive(byte);
		update_interrupt(vm);
		pthread_mutex_unlock(&lock);
	}
	return (NULL);
}

static void
restore_terminal(void)
{

	tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
}

void
serial_start(struct vm *vm)
{
	struct termios raw;
	pthread_t thread;

	if (tcgetattr(STDIN_FILENO, &terminal) == 0) {
		raw = terminal;
		cfmakeraw(&raw);
		raw.c_lflag |= ISIG;		/* ^C stops the machine */
		raw.c_oflag |= OPOST;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
		atexit(restore_terminal);
	}
	if (pthread_create(&thread, NULL, read_input, vm) != 0)
		errx(1, "cannot start a thread");
	pthread_detach(thread);
}
