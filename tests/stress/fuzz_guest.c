/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Guests: random instructions, most of them of the kinds that a hypervisor has
 * to look at, in real, protected and long mode.
 */
#include <sys/param.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>
#include <string.h>

#include "fuzz.h"

/* Guest-physical, and offsets into the arena. */
#define	CODE		0x1000u
#define	CODE_SIZE	0x3000u
#define	GDT		0x5000u
#define	IDT		0x6000u
#define	TSS		0x7000u
#define	STACK		0x9000u
#define	PML4		0x10000u
#define	PDPT		0x11000u
#define	PD		0x12000u

/* Instructions; bytes that follow are drawn. */
static const struct {
	uint8_t	len, drawn;
	uint8_t	byte[6];
} code[] = {
	{ 1, 0, { 0xf4 } },			/* hlt */
	{ 2, 0, { 0x0f, 0xa2 } },		/* cpuid */
	{ 2, 0, { 0x0f, 0x30 } },		/* wrmsr */
	{ 2, 0, { 0x0f, 0x32 } },		/* rdmsr */
	{ 2, 0, { 0x0f, 0x33 } },		/* rdpmc */
	{ 2, 0, { 0x0f, 0x31 } },		/* rdtsc */
	{ 3, 0, { 0x0f, 0x01, 0xf9 } },		/* rdtscp */
	{ 3, 0, { 0x0f, 0x01, 0xd1 } },		/* xsetbv */
	{ 3, 0, { 0x0f, 0x01, 0xd0 } },		/* xgetbv */
	{ 3, 0, { 0x0f, 0x01, 0xc8 } },		/* monitor */
	{ 3, 0, { 0x0f, 0x01, 0xc9 } },		/* mwait */
	{ 3, 0, { 0x0f, 0x01, 0xc1 } },		/* vmcall */
	{ 3, 0, { 0x0f, 0x01, 0xd9 } },		/* vmmcall */
	{ 3, 0, { 0x0f, 0x01, 0xd8 } },		/* vmrun */
	{ 3, 0, { 0x0f, 0x01, 0xda } },		/* vmload */
	{ 3, 0, { 0x0f, 0x01, 0xdb } },		/* vmsave */
	{ 3, 0, { 0x0f, 0x01, 0xdc } },		/* stgi */
	{ 3, 0, { 0x0f, 0x01, 0xdd } },		/* clgi */
	{ 3, 0, { 0x0f, 0x01, 0xde } },		/* skinit */
	{ 3, 0, { 0x0f, 0x01, 0xdf } },		/* invlpga */
	{ 3, 0, { 0x0f, 0x01, 0xf8 } },		/* swapgs */
	{ 2, 1, { 0x0f, 0x20 } },		/* mov from cr */
	{ 2, 1, { 0x0f, 0x22 } },		/* mov to cr */
	{ 2, 1, { 0x0f, 0x21 } },		/* mov from dr */
	{ 2, 1, { 0x0f, 0x23 } },		/* mov to dr */
	{ 2, 5, { 0x0f, 0x01 } },		/* lgdt, lidt, lmsw, invlpg ... */
	{ 2, 5, { 0x0f, 0x00 } },		/* lldt, ltr, verr ... */
	{ 2, 0, { 0x0f, 0x06 } },		/* clts */
	{ 2, 0, { 0x0f, 0x08 } },		/* invd */
	{ 2, 0, { 0x0f, 0x09 } },		/* wbinvd */
	{ 2, 0, { 0x0f, 0x05 } },		/* syscall */
	{ 2, 0, { 0x0f, 0x07 } },		/* sysret */
	{ 2, 0, { 0x0f, 0x34 } },		/* sysenter */
	{ 2, 0, { 0x0f, 0x35 } },		/* sysexit */
	{ 2, 0, { 0x0f, 0xaa } },		/* rsm */
	{ 2, 5, { 0x0f, 0xae } },		/* fxsave, xrstor, clflush ... */
	{ 2, 5, { 0x0f, 0xc7 } },		/* cmpxchg8b, rdrand, vmptrld ... */
	{ 1, 1, { 0xe4 } }, { 1, 1, { 0xe6 } },	/* in, out */
	{ 1, 1, { 0xe5 } }, { 1, 1, { 0xe7 } },
	{ 1, 0, { 0xec } }, { 1, 0, { 0xee } },
	{ 1, 0, { 0xed } }, { 1, 0, { 0xef } },
	{ 2, 0, { 0xf3, 0x6c } }, { 2, 0, { 0xf3, 0x6e } },	/* rep ins, outs */
	{ 2, 0, { 0xf3, 0x6d } }, { 2, 0, { 0xf3, 0x6f } },
	{ 2, 0, { 0xf3, 0xa4 } }, { 2, 0, { 0xf3, 0xab } },	/* movs, stos */
	{ 1, 1, { 0xcd } }, { 1, 0, { 0xcc } }, { 1, 0, { 0xf1 } },
	{ 1, 0, { 0xcf } }, { 1, 0, { 0xce } },		/* iret, into */
	{ 1, 0, { 0xfa } }, { 1, 0, { 0xfb } },		/* cli, sti */
	{ 1, 0, { 0x9c } }, { 1, 0, { 0x9d } },		/* pushf, popf */
	{ 1, 5, { 0xea } }, { 1, 5, { 0x9a } },		/* far jmp, call */
	{ 1, 1, { 0x8e } }, { 1, 1, { 0x8c } },		/* mov sreg */
	{ 1, 5, { 0x0f } },			/* any of two bytes */
	{ 1, 5, { 0xf7 } }, { 1, 5, { 0xf6 } },	/* div, idiv, mul ... */
	{ 1, 0, { 0x9b } }, { 1, 1, { 0xd9 } },	/* fwait, x87 */
	{ 1, 1, { 0xdb } }, { 1, 1, { 0xdd } },
	{ 1, 5, { 0xff } },			/* call, jmp, push */
	{ 1, 4, { 0xf0 } },			/* lock */
	{ 2, 4, { 0x66, 0x0f } }, { 2, 4, { 0xf3, 0x0f } },
	{ 2, 4, { 0xf2, 0x0f } }, { 1, 5, { 0xc5 } }, { 1, 5, { 0xc4 } },
	{ 1, 5, { 0x62 } },
	{ 1, 5, { 0x89 } }, { 1, 5, { 0x8b } }, { 1, 5, { 0x87 } },
	{ 1, 4, { 0x66 } }, { 1, 4, { 0x67 } }, { 1, 4, { 0x48 } },
	{ 1, 4, { 0xa1 } }, { 1, 4, { 0xa3 } }, { 1, 1, { 0xeb } },
	{ 2, 0, { 0xeb, 0xfe } },		/* jmp $ */
	{ 2, 0, { 0xf3, 0x90 } },		/* pause */
};

static const uint32_t interesting[] = {
	0, 1, 0x1b, 0x10, 0x3f8, 0x20, 0x40, 0x61, 0x70, 0xcf8, 0xc0000080,
	0x4b564d00, 0x4b564d01, 0x174, 0x277, 0x6e0, 0xc0010117, 0xc0010114,
	0x80000001, 0x40000000, 0xfee00300, 0xfee00080, 0xfec00000, 0xfee00380,
	0x1000, 0x5000, 0x10000, 0x800000, 0x7fffff, 0xffffffff, 0x80000000,
	0x80010031, 0x60000011, 0x20, 0x6f8, 0xd00, 0x830,
};

static size_t
emit(struct worker *w, uint8_t *p, size_t room)
{
	uint32_t n;
	size_t i, k, len;

	if (room < 16)
		return (0);
	switch (below(w, 6)) {
	case 0:		/* registers with something to work on */
		p[0] = 0xb8 + below(w, 8);
		n = one_in(w, 4) ? odd_number(w) : PICK(w, interesting);
		memcpy(p + 1, &n, 4);
		return (5);
	case 1:		/* a few bytes of nothing known */
		len = 1 + below(w, 8);
		for (i = 0; i < len; i++)
			p[i] = rnd(w);
		return (len);
	}
	k = below(w, nitems(code));
	len = code[k].len;
	memcpy(p, code[k].byte, len);
	for (i = below(w, code[k].drawn + 1); i > 0; i--)
		p[len++] = rnd(w);
	return (len);
}

static void
put_gate(uint8_t *idt, unsigned n, uint32_t at, bool wide)
{
	uint64_t gate;

	gate = (at & 0xffff) | 0x80000ull | 0x8e0000000000ull |
	    (uint64_t)(at >> 16) << 48;
	memcpy(idt + n * (wide ? 16 : 8), &gate, 8);
}

static void
write_tables(struct worker *w)
{
	static const uint64_t gdt[] = {
		0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff,
		0x00cffb000000ffff, 0x00cff3000000ffff, 0x00008b0070000067, 0,
	};
	uint64_t *pd = (uint64_t *)(st.arena + PD);
	uint64_t entry;
	unsigned i;

	memcpy(st.arena + GDT, gdt, sizeof(gdt));
	for (i = 0; i < 32; i++)
		put_gate(st.arena + IDT, i, CODE + below(w, CODE_SIZE),
		    one_in(w, 2));
	entry = PDPT | 7;
	memcpy(st.arena + PML4, &entry, 8);
	entry = PD | 7;
	memcpy(st.arena + PDPT, &entry, 8);
	for (i = 0; i < 512; i++)
		pd[i] = (uint64_t)i << 21 | 0xe7;
	if (one_in(w, 3))
		spoil(w, st.arena + PML4, 3 * PAGE);
}

/* The arena may be gone: the caller recovers. */
void
write_guest(struct worker *w)
{
	size_t at, end, n;

	if (one_in(w, 3))
		write_tables(w);
	at = CODE + (one_in(w, 2) ? 0 : below(w, CODE_SIZE));
	end = MIN(at + 512, CODE + CODE_SIZE);
	while ((n = emit(w, st.arena + at, end - at)) != 0)
		at += n;
	/* Real mode's interrupt table. */
	if (one_in(w, 4))
		for (n = 0; n < 64; n++) {
			uint32_t v = CODE + below(w, CODE_SIZE);
			memcpy(st.arena + n * 4, &v, 4);
		}
}

static struct kvm_segment
flat(uint16_t selector, uint8_t type, bool wide, unsigned dpl)
{
	return ((struct kvm_segment){
		.limit = 0xffffffff, .selector = selector | dpl, .type = type,
		.present = 1, .dpl = dpl, .db = !wide, .s = 1, .l = wide, .g = 1,
	});
}

void
set_mode(struct worker *w, int vcpu)
{
	struct kvm_regs regs;
	struct kvm_sregs s;
	unsigned dpl, mode;

	if (call(w, "KVM_GET_SREGS", vcpu, KVM_GET_SREGS, (uintptr_t)&s) < 0)
		return;
	odd_bytes(w, &regs, sizeof(regs));
	regs.rip = CODE + (one_in(w, 2) ? 0 : below(w, CODE_SIZE));
	regs.rsp = STACK;
	regs.rflags = 2 | (one_in(w, 2) ? 0x200 : 0) |
	    (one_in(w, 20) ? rnd(w) & 0x3f7fd7 : 0);
	mode = below(w, 4);
	if (mode <= 1) {
		s.cs.base = 0;
		s.cs.selector = 0;
		s.cr0 = 0x60000010;
		s.cr4 = 0;
		s.efer = 0;
		regs.rip &= 0xffff;
	} else {
		dpl = one_in(w, 4) ? 3 : 0;
		s.gdt.base = GDT;
		s.gdt.limit = 63;
		s.idt.base = IDT;
		s.idt.limit = 0x1ff;
		s.cr0 = 0x11 | (one_in(w, 8) ? rnd(w) & 0xe005003f : 0);
		s.cr4 = one_in(w, 4) ? rnd(w) & 0x7fffff : 0x620;
		s.efer = 0;
		if (mode == 3) {
			s.cr0 |= 0x80000000;
			s.cr3 = PML4;
			s.cr4 |= 0x20;
			s.efer = 0x500 | (one_in(w, 4) ? 0x1801 : 0);
		}
		s.cs = flat(mode == 3 ? 0x18 : 8, 11, mode == 3, dpl);
		s.ds = s.es = s.fs = s.gs = s.ss = flat(0x10, 3, false, dpl);
	}
	if (one_in(w, 6))
		spoil(w, &s, sizeof(s));
	/* QEMU's processor aborts on a task state segment that is busy. */
	s.tr = (struct kvm_segment){ .base = TSS, .limit = 0x67,
	    .selector = 0x30, .type = 9, .present = 1 };
	say(w, "mode %u", mode);
	(void)call(w, "KVM_SET_SREGS", vcpu, KVM_SET_SREGS, (uintptr_t)&s);
	(void)call(w, "KVM_SET_REGS", vcpu, KVM_SET_REGS, (uintptr_t)&regs);
}
