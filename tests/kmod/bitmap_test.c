/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Bitmaps as the module has them (upstream's lib/bitmap.c and lib/find_bit.c,
 * compiled with the module's headers), against one byte per bit.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define	LONG_BITS	64
#define	MAX		330	/* five words and a bit */

#include "check.h"

void __bitmap_set(unsigned long *, unsigned int, int);
void __bitmap_clear(unsigned long *, unsigned int, int);
unsigned int __bitmap_weight(const unsigned long *, unsigned int);
bool __bitmap_and(unsigned long *, const unsigned long *, const unsigned long *,
    unsigned int);
bool __bitmap_equal(const unsigned long *, const unsigned long *, unsigned int);
unsigned long _find_first_bit(const unsigned long *, unsigned long);
unsigned long _find_first_zero_bit(const unsigned long *, unsigned long);
unsigned long _find_last_bit(const unsigned long *, unsigned long);
unsigned long _find_next_bit(const unsigned long *, unsigned long, unsigned long);
unsigned long _find_next_zero_bit(const unsigned long *, unsigned long,
    unsigned long);

/* What lib/bitmap.c allocates with; the functions tested here do not. */
void *kmalloc(size_t size, unsigned int flags);
void kfree(const void *p);

void *
kmalloc(size_t size, unsigned int flags)
{
	(void)flags;
	return (malloc(size));
}

void
kfree(const void *p)
{
	free((void *)(unsigned long)p);
}

struct map {
	unsigned long	*words;		/* exactly as long as nbits needs */
	bool		model[MAX];
	unsigned int	nbits;
};

static unsigned int
below(unsigned int n)
{
	return ((unsigned int)random() % n);
}

static unsigned int
words(unsigned int nbits)
{
	return ((nbits + LONG_BITS - 1) / LONG_BITS);
}

static bool
bit(const unsigned long *map, unsigned int n)
{
	return (map[n / LONG_BITS] >> (n % LONG_BITS) & 1);
}

static struct map
map_new(unsigned int nbits, bool random_bits)
{
	struct map m = { .nbits = nbits };
	unsigned int i;

	m.words = calloc(words(nbits), sizeof(*m.words));
	CHECK(m.words != NULL);
	for (i = 0; random_bits && i < nbits; i++) {
		m.model[i] = below(3) == 0;
		m.words[i / LONG_BITS] |= (unsigned long)m.model[i] << (i % LONG_BITS);
	}
	return (m);
}

static void
same(const struct map *m)
{
	unsigned int i, weight = 0;

	for (i = 0; i < m->nbits; i++) {
		CHECK(bit(m->words, i) == m->model[i]);
		weight += m->model[i];
	}
	/* Bits behind the last one are not touched. */
	for (; i < words(m->nbits) * LONG_BITS; i++)
		CHECK(!bit(m->words, i));
	CHECK(__bitmap_weight(m->words, m->nbits) == weight);
}

static void
change(struct map *m, unsigned int start, int len, bool value)
{
	(value ? __bitmap_set : __bitmap_clear)(m->words, start, len);
	memset(m->model + start, value, len);
	same(m);
}

static unsigned long
scan(const struct map *m, unsigned int from, unsigned int size, bool value)
{
	while (from < size && m->model[from] != value)
		from++;
	return (from < size ? from : size);
}

static void
searches(const struct map *m, unsigned int size)
{
	unsigned long last = size;
	unsigned int i;

	CHECK(_find_first_bit(m->words, size) == scan(m, 0, size, true));
	CHECK(_find_first_zero_bit(m->words, size) == scan(m, 0, size, false));
	for (i = 0; i <= size; i++) {
		CHECK(_find_next_bit(m->words, size, i) == scan(m, i, size, true));
		CHECK(_find_next_zero_bit(m->words, size, i) ==
		    scan(m, i, size, false));
		if (i < size && m->model[i])
			last = i;
	}
	CHECK(_find_last_bit(m->words, size) == last);
}

static void
test_every_range(unsigned int nbits)
{
	struct map m = map_new(nbits, false);
	unsigned int start, end;

	for (start = 0; start <= nbits; start++) {
		for (end = start; end <= nbits; end++) {
			change(&m, start, end - start, true);
			change(&m, start, end - start, false);
		}
	}
	change(&m, 0, nbits, true);
	for (start = 0; start < nbits; start++) {
		end = start + below(nbits - start + 1);
		change(&m, start, end - start, false);
		change(&m, start, end - start, true);
	}
	free(m.words);
}

static void
test_random(unsigned int nbits)
{
	struct map a = map_new(nbits, true), b = map_new(nbits, true);
	struct map and = map_new(nbits, false);
	unsigned int i, start, size, weight;
	bool any = false;

	same(&a);
	for (i = 0; i < 20; i++) {
		start = below(nbits + 1);
		change(&a, start, below(nbits - start + 1), below(2));
		size = below(nbits + 1);
		searches(&a, size);
		for (start = weight = 0; start < size; start++)
			weight += a.model[start];
		CHECK(__bitmap_weight(a.words, size) == weight);
	}
	searches(&a, nbits);
	for (i = 0; i < nbits; i++)
		any |= and.model[i] = a.model[i] && b.model[i];
	CHECK(__bitmap_and(and.words, a.words, b.words, nbits) == any);
	same(&and);
	CHECK(__bitmap_equal(a.words, a.words, nbits));
	i = below(nbits);
	memcpy(b.words, a.words, words(nbits) * sizeof(*a.words));
	b.words[i / LONG_BITS] ^= 1UL << (i % LONG_BITS);
	CHECK(!__bitmap_equal(a.words, b.words, nbits));
	free(a.words);
	free(b.words);
	free(and.words);
}

int
main(void)
{
	static const unsigned int edges[] = { 1, 2, 63, 64, 65, 127, 128, 129 };
	unsigned int i;

	srandom(1);
	for (i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		test_every_range(edges[i]);
	for (i = 0; i < 3000; i++)
		test_random(1 + below(MAX));
	return (0);
}
