/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * x86_div() and x86_idiv() against arithmetic on 128-bit integers: all byte
 * operations, edge values of every width, and millions of random ones.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <lkc/x86_div.h>

typedef unsigned __int128 u128;
typedef __int128 s128;

static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t mask_of(unsigned int bits)
{
	return bits == 64 ? ~0ULL : (1ULL << bits) - 1;
}

/* The SDM's definition.  True: no #DE. */
static bool reference(unsigned int bytes, bool sign, uint64_t divisor, uint64_t acc, uint64_t hi,
    uint64_t *quotient, uint64_t *remainder)
{
	unsigned int bits = bytes * 8;
	uint64_t mask = mask_of(bits);
	u128 n = bytes == 1 ? acc & 0xffff : (u128)(hi & mask) << bits | (acc & mask);

	divisor &= mask;
	if (divisor == 0)
		return false;
	if (!sign) {
		u128 q = n / divisor;

		if (q > mask)
			return false;
		*quotient = q;
		*remainder = n % divisor;
		return true;
	}
	s128 sn = (s128)(n << (128 - 2 * bits)) >> (128 - 2 * bits);
	s128 sd = (int64_t)(divisor << (64 - bits)) >> (64 - bits);
	/* The one quotient that does not fit in 128 bits. */
	if (sd == -1 && sn == (s128)((u128)1 << 127))
		return false;
	s128 q = sn / sd;
	s128 top = (s128)1 << (bits - 1);
	if (q < -top || q >= top)
		return false;
	*quotient = (uint64_t)q & mask;
	*remainder = (uint64_t)(sn % sd) & mask;
	return true;
}

static void check(unsigned int bytes, bool sign, uint64_t divisor, uint64_t acc, uint64_t hi)
{
	uint64_t mask = mask_of(bytes * 8), q = 0, r = 0;
	unsigned long a = acc, h = hi;
	bool want = reference(bytes, sign, divisor, acc, hi, &q, &r);
	bool got = sign ? x86_idiv(bytes, divisor, &a, &h) : x86_div(bytes, divisor, &a, &h);
	bool good = want == got;

	if (want && bytes == 1)
		good &= (a & 0xff) == q && ((a >> 8) & 0xff) == r;
	else if (want)
		good &= (a & mask) == q && (h & mask) == r;
	else
		good &= a == acc && h == hi;
	if (!good) {
		fprintf(stderr, "%s%u %#lx:%#lx / %#lx: got %d %#lx %#lx, want %d %#lx %#lx\n",
		    sign ? "idiv" : "div", bytes * 8, hi, acc, divisor, got, a, h, want, q, r);
		exit(1);
	}
}

static void check_both(unsigned int bytes, uint64_t divisor, uint64_t acc, uint64_t hi)
{
	check(bytes, false, divisor, acc, hi);
	check(bytes, true, divisor, acc, hi);
}

int main(void)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8 };
	uint64_t edges[64];

	for (unsigned int d = 0; d < 256; d++)
		for (unsigned int n = 0; n < 65536; n++)
			check_both(1, d, n, 0);
	for (unsigned int s = 0; s < 4; s++) {
		unsigned int bits = sizes[s] * 8, count = 0;
		uint64_t top = 1ULL << (bits - 1);

		for (int i = -3; i <= 3; i++) {
			edges[count++] = (uint64_t)i;
			edges[count++] = top + (uint64_t)i;
			edges[count++] = (top >> 1) + (uint64_t)i;
			edges[count++] = (1ULL << (bits / 2)) + (uint64_t)i;
		}
		for (unsigned int i = 0; i < count; i++)
			for (unsigned int j = 0; j < count; j++)
				for (unsigned int k = 0; k < count; k++)
					check_both(sizes[s], edges[i], edges[j], edges[k]);
		for (int i = 0; i < 1000000; i++) {
			uint64_t d = rnd(), a = rnd(), h = rnd();

			check_both(sizes[s], d, a, h);
			/* Mostly without overflow. */
			check_both(sizes[s], d, a, (d & mask_of(bits)) ? h % (d & mask_of(bits)) : h);
			check_both(sizes[s], d >> (h % 64), a, (uint64_t)((int64_t)h >> (d % 64)));
		}
	}
	return 0;
}
