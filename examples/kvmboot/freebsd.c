/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * FreeBSD's amd64 kernel as its boot loader hands it over: segments and
 * symbols, the environment, preload metadata (sys/linker.h and
 * machine/metadata.h), and two numbers on the stack.
 */
#include <elf.h>
#include <err.h>
#include <string.h>

#include "kvmboot.h"

#define	KERNBASE		0xffffffff80000000ull

#define	MODINFO_END		0x0000
#define	MODINFO_NAME		0x0001
#define	MODINFO_TYPE		0x0002
#define	MODINFO_ADDR		0x0003
#define	MODINFO_SIZE		0x0004
#define	MODINFO_METADATA	0x8000
#define	MODINFOMD_ELFHDR	0x8002
#define	MODINFOMD_SSYM		0x8003
#define	MODINFOMD_ESYM		0x8004
#define	MODINFOMD_DYNAMIC	0x8005
#define	MODINFOMD_ENVP		0x8006
#define	MODINFOMD_HOWTO		0x8007
#define	MODINFOMD_KERNEND	0x8008
#define	MODINFOMD_SHDR		0x8009
#define	MODINFOMD_SMAP		0x9001
#define	MODINFOMD_MODULEP	0x9006
#define	RB_SERIAL		0x1000

#define	PAGE			4096ull
#define	ALIGN_UP(x, to)		(((x) + (to) - 1) & ~((to) - 1))

/* Where the parts are, by guest-physical address. */
struct layout {
	uint64_t	start, end;
	uint64_t	symbols, symbols_end;	/* 0: there are none */
	uint64_t	dynamic;		/* virtual */
	uint64_t	env, disk;
	uint64_t	at;			/* next byte of metadata */
};

static char *const settings[] = {
	"console=comconsole", "hw.uart.console=io:0x3f8,br:115200", NULL,
};

/* A part of the kernel's file. */
static const void *
part(const struct boot *boot, uint64_t offset, uint64_t length)
{

	if (offset > boot->kernel_size || length > boot->kernel_size - offset)
		errx(1, "the kernel is cut off");
	return (boot->kernel + offset);
}

bool
freebsd_is_kernel(const struct boot *boot)
{
	const Elf64_Ehdr *eh = (const void *)boot->kernel;

	return (boot->kernel_size >= sizeof(*eh) &&
	    memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0 &&
	    eh->e_machine == EM_X86_64 && eh->e_entry >= KERNBASE &&
	    eh->e_ident[EI_OSABI] == ELFOSABI_FREEBSD);
}

static void
load_segments(struct vm *vm, const struct boot *boot, struct layout *lay)
{
	const Elf64_Ehdr *eh = (const void *)boot->kernel;
	const Elf64_Phdr *ph;
	uint64_t to;
	int i;

	lay->start = UINT64_MAX;
	ph = part(boot, eh->e_phoff, eh->e_phnum * sizeof(*ph));
	for (i = 0; i < eh->e_phnum; i++, ph++) {
		if (ph->p_type == PT_DYNAMIC)
			lay->dynamic = ph->p_vaddr;
		if (ph->p_type != PT_LOAD)
			continue;
		to = ph->p_vaddr - KERNBASE;
		vm_at(vm, to, ph->p_memsz);
		memcpy(vm_at(vm, to, ph->p_filesz),
		    part(boot, ph->p_offset, ph->p_filesz), ph->p_filesz);
		if (to < lay->start)
			lay->start = to;
		if (to + ph->p_memsz > lay->end)
			lay->end = to + ph->p_memsz;
	}
	lay->start &= ~(2 * MIB - 1);
	lay->at = ALIGN_UP(lay->end, PAGE);
}

/* Put something behind what is there; returns its address. */
static uint64_t
append(struct vm *vm, struct layout *lay, const void *data, uint64_t length)
{
	uint64_t at = lay->at;

	memcpy(vm_at(vm, at, length), data, length);
	lay->at += length;
	return (at);
}

/* A symbol table and its strings, each behind its length. */
static void
load_symbols(struct vm *vm, const struct boot *boot, struct layout *lay)
{
	const Elf64_Ehdr *eh = (const void *)boot->kernel;
	const Elf64_Shdr *sh, *tables[2];
	int i;

	sh = part(boot, eh->e_shoff, eh->e_shnum * sizeof(*sh));
	for (i = 0; i < eh->e_shnum && sh[i].sh_type != SHT_SYMTAB; i++)
		;
	if (i == eh->e_shnum || sh[i].sh_link >= eh->e_shnum)
		return;
	tables[0] = &sh[i];
	tables[1] = &sh[sh[i].sh_link];
	lay->symbols = lay->at;
	for (i = 0; i < 2; i++) {
		append(vm, lay, &tables[i]->sh_size, 8);
		append(vm, lay, part(boot, tables[i]->sh_offset,
		    tables[i]->sh_size), tables[i]->sh_size);
		lay->at = ALIGN_UP(lay->at, 8ull);
	}
	lay->symbols_end = lay->at;
	lay->at = ALIGN_UP(lay->at, PAGE);
}

/* Strings; an empty one ends them. */
static void
load_environment(struct vm *vm, struct layout *lay, char *const *lists[])
{
	char *const *setting;
	int i;

	lay->env = lay->at;
	for (i = 0; i < 2; i++)
		for (setting = lists[i]; *setting != NULL; setting++)
			append(vm, lay, *setting, strlen(*setting) + 1);
	append(vm, lay, "", 1);
	lay->at = ALIGN_UP(lay->at, PAGE);
}

/* Add a metadata record; returns where its contents are. */
static uint64_t
put(struct vm *vm, struct layout *lay, uint32_t type, const void *data,
    uint32_t length)
{
	uint32_t record[2] = { type, length };
	uint64_t contents;

	append(vm, lay, record, sizeof(record));
	contents = append(vm, lay, data, length);
	lay->at = ALIGN_UP(lay->at, 8ull);
	return (contents);
}

static uint64_t
put_number(struct vm *vm, struct layout *lay, uint32_t type, uint64_t number)
{

	return (put(vm, lay, type, &number, sizeof(number)));
}

static void
put_module(struct vm *vm, struct layout *lay, const char *name,
    const char *type, uint64_t address, uint64_t size)
{

	put(vm, lay, MODINFO_NAME, name, strlen(name) + 1);
	put(vm, lay, MODINFO_TYPE, type, strlen(type) + 1);
	put_number(vm, lay, MODINFO_ADDR, address);
	put_number(vm, lay, MODINFO_SIZE, size);
}

/* Returns where the metadata begin; the end of it all is in lay->at. */
static uint64_t
put_metadata(struct vm *vm, const struct boot *boot, struct layout *lay)
{
	const Elf64_Ehdr *eh = (const void *)boot->kernel;
	const uint32_t howto = RB_SERIAL;
	uint64_t kernend, modulep = lay->at;
	struct range map[4];
	int n;

	put_module(vm, lay, "/boot/kernel/kernel", "elf kernel", lay->start,
	    lay->end - lay->start);
	put(vm, lay, MODINFOMD_ELFHDR, eh, sizeof(*eh));
	put_number(vm, lay, MODINFOMD_DYNAMIC, lay->dynamic);
	if (lay->symbols != 0) {
		put_number(vm, lay, MODINFOMD_SSYM, lay->symbols);
		put_number(vm, lay, MODINFOMD_ESYM, lay->symbols_end);
	}
	n = eh->e_shnum * sizeof(Elf64_Shdr);
	put(vm, lay, MODINFOMD_SHDR, part(boot, eh->e_shoff, n), n);
	put(vm, lay, MODINFOMD_HOWTO, &howto, sizeof(howto));
	put_number(vm, lay, MODINFOMD_ENVP, lay->env);
	put_number(vm, lay, MODINFOMD_MODULEP, modulep);
	n = vm_memory_map(vm, map);
	put(vm, lay, MODINFOMD_SMAP, map, n * sizeof(map[0]));
	kernend = put_number(vm, lay, MODINFOMD_KERNEND, 0);
	if (boot->disk != NULL)
		put_module(vm, lay, "disk", "md_image", lay->disk,
		    boot->disk_size);
	put(vm, lay, MODINFO_END, NULL, 0);
	lay->at = ALIGN_UP(lay->at, PAGE);
	memcpy(vm_at(vm, kernend, 8), &lay->at, 8);
	return (modulep);
}

struct entry
freebsd_load(struct vm *vm, const struct boot *boot)
{
	const Elf64_Ehdr *eh = (const void *)boot->kernel;
	char *const *lists[] = { settings, boot->settings };
	struct layout lay = { 0 };
	uint32_t stack[3];

	load_segments(vm, boot, &lay);
	load_symbols(vm, boot, &lay);
	if (boot->disk != NULL) {
		lay.disk = append(vm, &lay, boot->disk, boot->disk_size);
		lay.at = ALIGN_UP(lay.at, PAGE);
	}
	load_environment(vm, &lay, lists);
	stack[0] = 0;				/* a return address */
	stack[1] = put_metadata(vm, boot, &lay);
	stack[2] = lay.at;
	memcpy(vm_at(vm, GUEST_STACK, sizeof(stack)), stack, sizeof(stack));
	return ((struct entry){ .rip = eh->e_entry, .rsp = GUEST_STACK });
}
