/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers, addresses and bytes that are likely to be handled wrongly.
 */
#include <string.h>

#include "fuzz.h"

static const uint64_t odd[] = {
	0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 63, 64, 127, 128, 255, 256, 1023, 1024,
	4095, 4096, 4097, 0x7fff, 0x8000, 0xffff, 0x10000, 0x1fffff, 0x200000,
	0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0xffffffffffff,
	0x7fffffffffff, 0x800000000000, 0x7fffffffffffffff, 0x8000000000000000,
	0xfffffffffffff000, 0xffffffffffffffff,
};

uint64_t
odd_number(struct worker *w)
{

	switch (below(w, 6)) {
	case 0:
		return (rnd(w));
	case 1:
		return (rnd(w) & 0xffff);
	case 2:
		return (1ull << below(w, 64));
	case 3:
		return (PICK(w, odd) + below(w, 3) - 1);
	case 4:
		return (below(w, 16));
	default:
		return (PICK(w, odd));
	}
}

/* An address of user space that is right, nearly right, or quite wrong. */
uint64_t
odd_address(struct worker *w)
{
	uint64_t arena = (uintptr_t)st.arena, file = (uintptr_t)st.file;
	uint8_t *run;

	switch (below(w, 14)) {
	default:
		return (arena + below(w, ARENA / PAGE) * PAGE);
	case 5:
		return (file + below(w, ARENA / PAGE) * PAGE);
	case 6:
		run = st.run[below(w, FDS)];
		return (run != NULL ? (uintptr_t)run +
		    below(w, st.run_size / PAGE) * PAGE : 0);
	case 7:
		return ((uintptr_t)odd & ~(uint64_t)(PAGE - 1));
	case 8:
		return (0xfffff80000000000 + below(w, 1 << 20) * PAGE);
	case 9:
		return (0xffffffff80200000 + below(w, 1 << 8) * PAGE);
	case 10:
		return (odd_number(w));
	case 11:
		return (0x800000000000 - below(w, 2) * PAGE);
	case 12:
		return (arena + below(w, ARENA));
	case 13:
		return (arena + ARENA - PAGE * below(w, 3));
	}
}

/* Fill: all of one kind, or odd numbers at each aligned place. */
void
odd_bytes(struct worker *w, void *p, size_t len)
{
	uint64_t n;
	uint8_t *b = p;
	size_t i, step;

	switch (below(w, 5)) {
	case 0:
		memset(p, 0, len);
		return;
	case 1:
		memset(p, 0xff, len);
		return;
	case 2:
		for (i = 0; i < len; i++)
			b[i] = rnd(w);
		return;
	}
	step = one_in(w, 2) ? 8 : 4;
	for (i = 0; i + step <= len; i += step) {
		n = one_in(w, 3) ? odd_number(w) : 0;
		memcpy(b + i, &n, step);
	}
}

/* A few changes to what was right. */
void
spoil(struct worker *w, void *p, size_t len)
{
	uint64_t n;
	uint8_t *b = p;
	size_t at, size;
	int i;

	for (i = below(w, 4); i >= 0; i--) {
		at = below(w, len);
		if (one_in(w, 2)) {
			b[at] ^= 1 << below(w, 8);
			continue;
		}
		size = 1 << below(w, 4);
		at &= ~(size - 1);
		if (at + size > len)
			continue;
		n = odd_number(w);
		memcpy(b + at, &n, size);
	}
}
