/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * kvmboot: boot a Linux or FreeBSD kernel in a small virtual machine.
 */
#ifndef _KVMBOOT_H_
#define	_KVMBOOT_H_

#include <sys/types.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#define	MAX_CPUS	16
#define	MAX_EXIT	64
#define	MIB		(1024ull * 1024)

/* Guest-physical addresses; see vm_memory_map() for what guests are told. */
#define	GUEST_GDT	0x00000500
#define	GUEST_STACK	0x00007ff0	/* grows down */
#define	GUEST_TABLES	0x00009000	/* page tables, 7 pages */
#define	GUEST_BOOTPARAM	0x00010000	/* Linux's zero page */
#define	GUEST_CMDLINE	0x00011000
#define	GUEST_EBDA	0x0009fc00	/* from here reserved, up to 1 MB */
#define	GUEST_ACPI	0x000e0000
#define	GUEST_HIGH	0x00100000
#define	GUEST_MAX	0xc0000000	/* devices from here to 4 GB */

/* Ports and interrupts. */
#define	PORT_COM1	0x3f8
#define	PORT_I8042	0x64
#define	PORT_PM1	0x600		/* ACPI: event block, control block */
#define	PORT_EXIT	0xf4		/* the byte is kvmboot's exit status */
#define	IRQ_COM1	4
#define	IRQ_ACPI	9
#define	ACPI_S5		5		/* SLP_TYP of power-off */
#define	I8042_RESET	0xfe

struct vcpu {
	struct vm	*vm;
	int		 id;
	int		 fd;
	struct kvm_run	*run;
	pthread_t	 thread;
	uint64_t	 exits[MAX_EXIT];	/* by exit reason */
};

struct vm {
	int		 kvm, fd;
	uint8_t		*memory;		/* guest-physical 0 is here */
	uint64_t	 size;
	int		 ncpus;
	struct vcpu	 cpus[MAX_CPUS];
};

/* The state in which a loader wants the first CPU to start, in 64-bit mode. */
struct entry {
	uint64_t	rip, rsp, rsi;
};

/* One entry of the memory map, as E820 has it. */
struct range {
	uint64_t	base, length;
	uint32_t	type;			/* 1: memory, 2: reserved */
} __attribute__((__packed__));

/* What the user wants to boot. */
struct boot {
	const uint8_t	*kernel;
	size_t		 kernel_size;
	const uint8_t	*disk;			/* initramfs, or a memory disk */
	size_t		 disk_size;
	char *const	*settings;		/* ends with NULL */
};

/* acpi.c */
void	acpi_write(struct vm *);

/* freebsd.c */
bool	freebsd_is_kernel(const struct boot *);
struct entry freebsd_load(struct vm *, const struct boot *);

/* linux.c */
struct entry linux_load(struct vm *, const struct boot *);

/* ports.c */
void	port_access(struct vm *, uint16_t, bool, void *, int);

/* serial.c */
void	serial_start(struct vm *);
uint8_t	serial_read(struct vm *, int);
void	serial_write(struct vm *, int, uint8_t);

/* vcpu.c */
void	vcpu_create(struct vm *, int);
void	vcpu_enter(struct vcpu *, const struct entry *);
void	*vcpu_run(void *);

/* vm.c */
void	 vm_create(struct vm *, uint64_t, int);
void	*vm_at(struct vm *, uint64_t, uint64_t);
int	 vm_memory_map(const struct vm *, struct range *);
void	 vm_irq(struct vm *, int, bool);

/* main.c */
void	stop(int, const char *, ...) __attribute__((__format__(printf, 2, 3)));

#endif /* !_KVMBOOT_H_ */
