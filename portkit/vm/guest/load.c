/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Put an amd64 kernel where it wants to be, with its symbols, environment and
 * preload metadata (sys/linker.h, machine/metadata.h), and start it.  This is
 * 32-bit code without paging.
 */

#include "loader.h"

#define	COM1		0x3f8
#define	COM_LSR		5
#define	LSR_TXRDY	0x20

#define	EM_X86_64	62
#define	PT_LOAD		1
#define	PT_DYNAMIC	2
#define	SHT_SYMTAB	2

#define	MODINFO_END		0x0000
#define	MODINFO_NAME		0x0001
#define	MODINFO_TYPE		0x0002
#define	MODINFO_ADDR		0x0003
#define	MODINFO_SIZE		0x0004
#define	MODINFO_METADATA	0x8000
#define	MODINFOMD_ELFHDR	0x0002
#define	MODINFOMD_SSYM		0x0003
#define	MODINFOMD_ESYM		0x0004
#define	MODINFOMD_DYNAMIC	0x0005
#define	MODINFOMD_ENVP		0x0006
#define	MODINFOMD_HOWTO		0x0007
#define	MODINFOMD_KERNEND	0x0008
#define	MODINFOMD_SHDR		0x0009
#define	MODINFOMD_SMAP		0x1001
#define	MODINFOMD_MODULEP	0x1006
#define	RB_SERIAL		0x1000

#define	PAGE		4096u
#define	SUPERPAGE	0x200000u
#define	PG_V_RW		0x3
#define	PG_PS		0x80

struct elf_header {
	uint8_t		ident[16];
	uint16_t	type, machine;
	uint32_t	version;
	uint64_t	entry, phoff, shoff;
	uint32_t	flags;
	uint16_t	ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	uint32_t	type, flags;
	uint64_t	offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_section {
	uint32_t	name, type;
	uint64_t	flags, addr, offset, size;
	uint32_t	link, info;
	uint64_t	align, entsize;
};

/* Where the kernel's parts ended up, in physical addresses. */
struct layout {
	uint32_t	start, end;		/* the segments */
	uint32_t	symbols, symbols_end;	/* 0: there are none */
	uint32_t	env;
	uint64_t	dynamic;		/* virtual */
};

/* Four levels are needed; the lower two repeat, so that KERNBASE maps to 0. */
static uint64_t	pml4[512] __attribute__((aligned(4096)));
static uint64_t	pdpt[512] __attribute__((aligned(4096)));
static uint64_t	pd[512] __attribute__((aligned(4096)));

static uint32_t	at;	/* where the next byte of metadata goes */

void *
memcpy(void *to, const void *from, unsigned long length)
{
	void *d = to;

	__asm__ volatile("rep movsb"
	    : "+D" (d), "+S" (from), "+c" (length) : : "memory");
	return (to);
}

void *
memset(void *to, int byte, unsigned long length)
{
	void *d = to;

	__asm__ volatile("rep stosb"
	    : "+D" (d), "+c" (length) : "a" (byte) : "memory");
	return (to);
}

static void
say(const char *text)
{

	for (; *text != '\0'; text++) {
		while ((inb(COM1 + COM_LSR) & LSR_TXRDY) == 0)
			;
		outb(COM1, *text);
	}
}

/* Give up: say why and leave the emulator, QEMU or Bochs. */
void
die(const char *why)
{
	const char *word;

	say("portkit loader: ");
	say(why);
	say("\r\n");
	__asm__ volatile("outl %0, %1" : : "a" (1), "Nd" ((uint16_t)0xf4));
	for (word = "Shutdown"; *word != '\0'; word++)
		outb(0x8900, *word);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static uint32_t
align_up(uint32_t address, uint32_t to)
{

	return ((address + to - 1) & ~(to - 1));
}

static uint32_t
length_of(const char *text)
{
	uint32_t n;

	for (n = 0; text[n] != '\0'; n++)
		;
	return (n);
}

/* Copy to a physical address, unless that would run over the loader. */
static void
place(uint32_t to, const void *from, uint64_t length)
{

	if (to > LOAD_LIMIT || length > LOAD_LIMIT - to)
		die("the kernel is too large");
	memcpy((void *)to, from, length);
}

static void
clear(uint32_t to, uint64_t length)
{

	if (to > LOAD_LIMIT || length > LOAD_LIMIT - to)
		die("the kernel is too large");
	memset((void *)to, 0, length);
}

static void
load_segments(const struct elf_header *eh, struct layout *lay)
{
	const struct elf_segment *ph;
	uint32_t i, to;

	lay->start = UINT32_MAX;
	ph = (const void *)((const uint8_t *)eh + eh->phoff);
	for (i = 0; i < eh->phnum; i++, ph++) {
		if (ph->type == PT_DYNAMIC)
			lay->dynamic = ph->vaddr;
		if (ph->type != PT_LOAD)
			continue;
		to = (uint32_t)ph->vaddr & 0x7fffffff;	/* less KERNBASE */
		place(to, (const uint8_t *)eh + ph->offset, ph->filesz);
		clear(to + ph->filesz, ph->memsz - ph->filesz);
		if (to < lay->start)
			lay->start = to;
		if (to + ph->memsz > lay->end)
			lay->end = to + ph->memsz;
	}
	lay->start &= ~(SUPERPAGE - 1);
}

/* A symbol table and its strings follow the kernel, each behind its length. */
static uint32_t
load_table(uint32_t to, const struct elf_header *eh,
    const struct elf_section *sh)
{

	place(to, &sh->size, sizeof(sh->size));
	place(to + 8, (const uint8_t *)eh + sh->offset, sh->size);
	return (align_up(to + 8 + (uint32_t)sh->size, 8));
}

static void
load_symbols(const struct elf_header *eh, struct layout *lay)
{
	const struct elf_section *sh;
	uint32_t i;

	sh = (const void *)((const uint8_t *)eh + eh->shoff);
	for (i = 0; i < eh->shnum; i++) {
		if (sh[i].type != SHT_SYMTAB)
			continue;
		lay->symbols = align_up(lay->end, PAGE);
		lay->symbols_end = load_table(lay->symbols, eh, &sh[i]);
		lay->symbols_end = load_table(lay->symbols_end, eh,
		    &sh[sh[i].link]);
		return;
	}
}

/* Lines become strings, an empty one ends them. */
static uint32_t
load_environment(const struct boot *boot, uint32_t to)
{
	const char *end, *line, *next;

	end = boot->env + boot->envlen;
	for (line = boot->env; line < end; line = next + 1) {
		for (next = line; next < end && *next != '\n'; next++)
			;
		if (next == line || *line == '#')
			continue;
		place(to, line, next - line);
		to += next - line;
		clear(to++, 1);
	}
	clear(to, 2);
	return (to + 2);
}

/* Add a metadata record; returns where its contents are. */
static uint32_t
put(uint32_t type, const void *data, uint32_t length)
{
	uint32_t record[2] = { type, length };
	uint32_t contents;

	place(at, record, sizeof(record));
	contents = at + sizeof(record);
	place(contents, data, length);
	at = align_up(contents + length, 8);
	return (contents);
}

static void
put_string(uint32_t type, const char *text)
{

	put(type, text, length_of(text) + 1);
}

static uint32_t
put_number(uint32_t type, uint64_t number)
{

	return (put(type, &number, sizeof(number)));
}

static uint32_t
put_metadata(const struct boot *boot, const struct layout *lay,
    uint32_t modulep)
{
	const struct elf_header *eh = (const void *)boot->kernel;
	const uint32_t howto = RB_SERIAL;
	const uint64_t nothing = 0;
	uint64_t kernend;
	uint32_t kernend_at;

	at = modulep;
	put_string(MODINFO_NAME, "/boot/kernel/kernel");
	put_string(MODINFO_TYPE, "elf kernel");
	put_number(MODINFO_ADDR, lay->start);
	put_number(MODINFO_SIZE, lay->end - lay->start);
	put(MODINFO_METADATA | MODINFOMD_ELFHDR, eh, sizeof(*eh));
	put_number(MODINFO_METADATA | MODINFOMD_DYNAMIC, lay->dynamic);
	if (lay->symbols != 0) {
		put_number(MODINFO_METADATA | MODINFOMD_SSYM, lay->symbols);
		put_number(MODINFO_METADATA | MODINFOMD_ESYM,
		    lay->symbols_end);
	}
	if (eh->shnum != 0)
		put(MODINFO_METADATA | MODINFOMD_SHDR,
		    boot->kernel + eh->shoff, eh->shnum * eh->shentsize);
	put(MODINFO_METADATA | MODINFOMD_HOWTO, &howto, sizeof(howto));
	put_number(MODINFO_METADATA | MODINFOMD_ENVP, lay->env);
	put_number(MODINFO_METADATA | MODINFOMD_MODULEP, modulep);
	put(MODINFO_METADATA | MODINFOMD_SMAP, boot->map,
	    boot->nmap * sizeof(boot->map[0]));
	kernend_at = put_number(MODINFO_METADATA | MODINFOMD_KERNEND, 0);
	put(MODINFO_END, &nothing, 0);
	kernend = align_up(at, PAGE);
	place(kernend_at, &kernend, sizeof(kernend));
	return (kernend);
}

/* Take over a memory map from multiboot or bootsect.S. */
void
boot_map(struct boot *boot, uint32_t start, uint32_t length)
{
	const struct mbmap *entry;
	uint32_t p;

	for (p = start; p < start + length && boot->nmap < SMAP_MAX;
	    p += entry->size + sizeof(entry->size)) {
		entry = (const void *)p;
		boot->map[boot->nmap++] = entry->smap;
	}
}

void
boot_kernel(const struct boot *boot)
{
	const struct elf_header *eh = (const void *)boot->kernel;
	struct layout lay;
	uint32_t i, kernend, modulep;

	if (eh->ident[0] != 0x7f || eh->ident[1] != 'E' ||
	    eh->ident[2] != 'L' || eh->ident[3] != 'F' ||
	    eh->machine != EM_X86_64)
		die("the kernel is not an amd64 ELF file");
	memset(&lay, 0, sizeof(lay));
	load_segments(eh, &lay);
	load_symbols(eh, &lay);
	lay.env = align_up(lay.symbols != 0 ? lay.symbols_end : lay.end, PAGE);
	modulep = align_up(load_environment(boot, lay.env), PAGE);
	kernend = put_metadata(boot, &lay, modulep);

	for (i = 0; i < 512; i++) {
		pml4[i] = (uint32_t)pdpt | PG_V_RW;
		pdpt[i] = (uint32_t)pd | PG_V_RW;
		pd[i] = (uint64_t)i * SUPERPAGE | PG_PS | PG_V_RW;
	}
	enter_kernel((uint32_t)pml4, modulep, kernend, eh->entry);
}
