/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of a few kilobytes for what QEMU does with a whole machine. It fills 8 MB with a
 * pattern, then writes to other pages all the time, counts timer interrupts and obeys keys. What
 * it says comes out of port 0xe9.
 *
 *	a	write to all pages from 32 MB up to 1 GB, memory or not
 *	c	the checksum of the pattern
 *	d	write and read back the 16 MB at 4 GB
 *	s	suspend to memory
 *	r	reset
 *	t	the timer's count
 */
#include <stdint.h>

#define	KEPT	((volatile uint64_t *)0x600000)		/* memory that a reset leaves alone */
#define	WORK	0x800000UL
#define	PATTERN	((uint64_t *)0x1000000)
#define	DIMM	((uint64_t *)0x100000000)
#define	MAGIC	0x6b766d2d746e7974UL
#define	PM_STATUS	0x600
#define	PM_ENABLE	0x602
#define	PM_CONTROL	0x604

extern char wake[], wake_end[], on_timer[], on_other[];
void break_here(void);
void tiny_main(int resumed);

volatile uint64_t ticks;
static struct { uint16_t low, selector, flags, middle; uint32_t high, zero; } idt[256];

static inline void
out8(uint16_t port, uint8_t value)
{
	__asm__ __volatile__("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void
out16(uint16_t port, uint16_t value)
{
	__asm__ __volatile__("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t
in8(uint16_t port)
{
	uint8_t value;

	__asm__ __volatile__("inb %1, %0" : "=a"(value) : "Nd"(port));
	return (value);
}

static inline uint16_t
in16(uint16_t port)
{
	uint16_t value;

	__asm__ __volatile__("inw %1, %0" : "=a"(value) : "Nd"(port));
	return (value);
}

static void
say(const char *what, uint64_t value)
{
	int shift;

	for (const char *p = "tiny: "; *p != '\0'; p++)
		out8(0xe9, *p);
	for (; *what != '\0'; what++)
		out8(0xe9, *what);
	out8(0xe9, ' ');
	for (shift = 60; shift >= 0; shift -= 4)
		out8(0xe9, "0123456789abcdef"[value >> shift & 15]);
	out8(0xe9, '\n');
}

static uint64_t
next(uint64_t x)
{
	return (x * 6364136223846793005UL + 1442695040888963407UL);
}

/* Fill words with a pattern. */
static void
fill(uint64_t *words, uint64_t count)
{
	uint64_t i, x = 1;

	for (i = 0; i < count; i++)
		words[i] = x = next(x);
}

static uint64_t
sum(const uint64_t *words, uint64_t count)
{
	uint64_t i, s = 0;

	for (i = 0; i < count; i++)
		s = (s << 1 | s >> 63) ^ words[i];
	return (s);
}

static void
gate(int vector, const char *handler)
{
	uint64_t where = (uintptr_t)handler;

	idt[vector].low = where;
	idt[vector].selector = 0x18;
	idt[vector].flags = 0x8e00;
	idt[vector].middle = where >> 16;
}

static void
interrupts(void)
{
	struct __attribute__((packed)) { uint16_t limit; uint64_t base; } pointer;
	int i;

	for (i = 0; i < 256; i++)
		gate(i, on_other);
	gate(0x20, on_timer);
	pointer.limit = sizeof(idt) - 1;
	pointer.base = (uintptr_t)idt;
	__asm__ __volatile__("lidt %0" : : "m"(pointer));
	out8(0x20, 0x11), out8(0xa0, 0x11);
	out8(0x21, 0x20), out8(0xa1, 0x28);
	out8(0x21, 4), out8(0xa1, 2);
	out8(0x21, 1), out8(0xa1, 1);
	out8(0x21, 0xfe), out8(0xa1, 0xff);	/* the timer alone */
	out8(0x43, 0x34), out8(0x40, 0x0b), out8(0x40, 0xe9);	/* 20 Hz */
	__asm__ __volatile__("sti");
}

/* ACPI's firmware table with the vector that a wake-up goes to, or 0. */
static uint32_t *
waking_vector(void)
{
	uint32_t *table, i;
	char *at;

	for (at = (char *)0xe0000; at < (char *)0x100000; at += 16)
		if (*(uint64_t *)at == 0x2052545020445352UL)	/* "RSD PTR " */
			break;
	if (at == (char *)0x100000)
		return (0);
	table = (uint32_t *)(uintptr_t)*(uint32_t *)(at + 16);
	for (i = 9; i < table[1] / 4; i++)
		if (*(uint32_t *)(uintptr_t)table[i] == 0x50434146)	/* "FACP" */
			return ((uint32_t *)(uintptr_t)
			    ((uint32_t *)(uintptr_t)table[i])[9] + 3);
	return (0);
}

static void
suspend(void)
{
	uint32_t *vector = waking_vector();
	char *from, *to = (char *)0x8000;

	for (from = wake; from < wake_end; from++)
		*to++ = *from;
	*vector = 0x8000;
	say("suspend", (uintptr_t)vector);
	out16(PM_CONTROL, 1 << 10 | 1 << 13);
}

static void
key(uint8_t code)
{
	uint64_t page;

	switch (code) {
	case 0x1e:
		for (page = 0x2000000; page < 0x40000000; page += 4096)
			*(volatile uint64_t *)page = page;
		say("all", page);
		break;
	case 0x2e:
		say("sum", sum(PATTERN, 1 << 20));
		break;
	case 0x20:
		fill(DIMM, 1 << 21);
		say("dimm", sum(DIMM, 1 << 21));
		break;
	case 0x1f:
		suspend();
		break;
	case 0x13:
		out8(0xcf9, 6);
		break;
	case 0x14:
		say("ticks", ticks);
		break;
	}
}

void
tiny_main(int resumed)
{
	uint64_t before, page;

	out16(PM_STATUS, 1 << 15 | 1 << 8);	/* a wake-up counts as the power button */
	out16(PM_ENABLE, 1 << 8);
	if (resumed)
		say("resumed", sum(PATTERN, 1 << 20));
	else {
		KEPT[1] = KEPT[0] == MAGIC ? KEPT[1] + 1 : 1;
		KEPT[0] = MAGIC;
		fill(PATTERN, 1 << 20);
		say("boot", KEPT[1]);
	}
	interrupts();
	for (;;) {
		for (page = 0; page < 0x400000; page += 4096)
			*(volatile uint64_t *)(WORK + page) += 1;
		if (in8(0x64) & 1)
			key(in8(0x60));
		if (in16(PM_STATUS) & 1 << 8) {		/* the power button */
			say("power off", ticks);
			out16(PM_CONTROL, 1 << 13);
		}
		break_here();
		before = ticks;
		while (ticks == before)
			__asm__ __volatile__("hlt");
	}
}
