/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table from user addresses to pinned pages, against a flat model.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkc/pintable.h>

#define	PAGE	4096ULL
#define	BLOCK	(512 * PAGE)
#define	IN	LX_PIN_PRESENT
#define	RW	(LX_PIN_PRESENT | LX_PIN_WRITE)

#include "check.h"

static u64 released[4096];
static unsigned int nreleased, nwritable;

static void release(u64 pa, bool writable)
{
	released[nreleased++ % 4096] = pa;
	nwritable += writable;
}

static void drop(struct lx_pin_table *t, u64 start, u64 end)
{
	lx_pin_kill(t, start, end);
	lx_pin_reap(t, start, end, release);
}

static void test_empty(void)
{
	struct lx_pin_table *t = lx_pin_table_new();

	CHECK(lx_pin_lookup(t, 0) == 0);
	CHECK(lx_pin_lookup(t, ~0ULL) == 0);
	CHECK(lx_pin_level(t, 0x7fff00000000) == 0);
	CHECK(lx_pin_set(t, ~0ULL & ~0xfffULL, PAGE | IN) == -EINVAL);
	drop(t, 0, 1ULL << 40);
	CHECK(nreleased == 0);
	lx_pin_table_free(t);
}

/* Dead entries are not found, but stay until they are reaped, once. */
static void test_death(void)
{
	struct lx_pin_table *t = lx_pin_table_new();

	nreleased = nwritable = 0;
	CHECK(lx_pin_set(t, 5 * PAGE, 77 * PAGE | RW) == 0);
	CHECK(lx_pin_set(t, 6 * PAGE, 78 * PAGE | IN) == 0);
	CHECK(lx_pin_lookup(t, 5 * PAGE) == (77 * PAGE | RW));
	lx_pin_reap(t, 0, BLOCK, release);
	CHECK(nreleased == 0);
	CHECK(!lx_pin_kill(t, 0, 5 * PAGE) && !lx_pin_kill(t, 7 * PAGE, 9 * BLOCK));
	CHECK(lx_pin_kill(t, 5 * PAGE, 6 * PAGE));
	CHECK(lx_pin_lookup(t, 5 * PAGE) == 0 && lx_pin_level(t, 5 * PAGE) == 0);
	CHECK(lx_pin_lookup(t, 6 * PAGE) == (78 * PAGE | IN));
	CHECK(nreleased == 0);
	lx_pin_reap(t, 0, BLOCK, release);
	CHECK(nreleased == 1 && nwritable == 1 && released[0] == 77 * PAGE);
	lx_pin_reap(t, 0, BLOCK, release);
	CHECK(nreleased == 1);
	drop(t, 0, BLOCK);
	CHECK(nreleased == 2 && nwritable == 1 && released[1] == 78 * PAGE);
	lx_pin_table_free(t);
}

static void fill(struct lx_pin_table *t, u64 uva, u64 pa, u64 flags)
{
	for (unsigned int i = 0; i < 512; i++)
		CHECK(lx_pin_set(t, uva + i * PAGE, (pa + i * PAGE) | flags) == 0);
}

/* A large mapping needs 512 pages that are alike, contiguous and aligned. */
static void test_huge(void)
{
	struct lx_pin_table *t = lx_pin_table_new();
	u64 uva = 0x7f1234400000 & ~(BLOCK - 1);

	fill(t, uva, 8 * BLOCK, RW);
	CHECK(lx_pin_level(t, uva + 100 * PAGE) == LX_PIN_2M);
	CHECK(lx_pin_set(t, uva + 7 * PAGE, (8 * BLOCK + 7 * PAGE) | IN) == 0);
	CHECK(lx_pin_level(t, uva) == LX_PIN_4K);
	CHECK(lx_pin_set(t, uva + 7 * PAGE, (8 * BLOCK + 7 * PAGE) | RW) == 0);
	CHECK(lx_pin_level(t, uva) == LX_PIN_2M);
	lx_pin_kill(t, uva + 3 * PAGE, uva + 4 * PAGE);
	CHECK(lx_pin_level(t, uva) == LX_PIN_4K);
	CHECK(lx_pin_level(t, uva + 3 * PAGE) == 0);
	drop(t, uva, uva + BLOCK);
	fill(t, uva, 8 * BLOCK + PAGE, RW);
	CHECK(lx_pin_level(t, uva) == LX_PIN_4K);
	drop(t, uva, uva + BLOCK);
	lx_pin_table_free(t);
}

/* A block set at once is found as its pages, and can be let go of in parts. */
static void test_block(void)
{
	struct lx_pin_table *t = lx_pin_table_new();
	u64 uva = 0x7f1234400000 & ~(BLOCK - 1);

	nreleased = nwritable = 0;
	CHECK(lx_pin_none(t, uva));
	CHECK(lx_pin_set_block(t, uva + PAGE, 8 * BLOCK | RW) == -EINVAL);
	CHECK(lx_pin_set_block(t, uva, 8 * BLOCK | RW) == 0);
	CHECK(!lx_pin_none(t, uva) && lx_pin_none(t, uva + BLOCK));
	for (unsigned int i = 0; i < 512; i++) {
		CHECK(lx_pin_lookup(t, uva + i * PAGE) == ((8 * BLOCK + i * PAGE) | RW));
		CHECK(lx_pin_level(t, uva + i * PAGE) == LX_PIN_2M);
	}
	CHECK(lx_pin_lookup(t, uva + BLOCK) == 0 && lx_pin_lookup(t, uva - PAGE) == 0);

	/* The whole: dead at once, released page by page. */
	CHECK(lx_pin_kill(t, uva - BLOCK, uva + 2 * BLOCK));
	CHECK(lx_pin_lookup(t, uva) == 0 && lx_pin_lookup(t, uva + 9 * PAGE) == 0);
	CHECK(lx_pin_level(t, uva + 9 * PAGE) == 0 && nreleased == 0);
	lx_pin_reap(t, uva - BLOCK, uva + 2 * BLOCK, release);
	CHECK(nreleased == 512 && nwritable == 512);
	CHECK(released[0] == 8 * BLOCK && released[511] == 8 * BLOCK + 511 * PAGE);
	CHECK(lx_pin_none(t, uva));

	/* Parts, the first page and the last among them. */
	CHECK(lx_pin_set_block(t, uva, 9 * BLOCK | RW) == 0);
	drop(t, uva, uva + PAGE);
	CHECK(nreleased == 513 && released[512] == 9 * BLOCK);
	CHECK(lx_pin_lookup(t, uva) == 0 && lx_pin_level(t, uva + PAGE) == LX_PIN_4K);
	drop(t, uva + 511 * PAGE, uva + 2 * BLOCK);
	CHECK(nreleased == 514 && released[513] == 9 * BLOCK + 511 * PAGE);
	CHECK(lx_pin_lookup(t, uva + 510 * PAGE) == ((9 * BLOCK + 510 * PAGE) | RW));
	drop(t, uva, uva + BLOCK);
	CHECK(nreleased == 1024 && lx_pin_none(t, uva));

	/* Another page in the middle. */
	CHECK(lx_pin_set_block(t, uva, 9 * BLOCK | RW) == 0);
	CHECK(lx_pin_set(t, uva + 5 * PAGE, 3 * PAGE | RW) == 0);
	CHECK(lx_pin_lookup(t, uva + 5 * PAGE) == (3 * PAGE | RW));
	CHECK(lx_pin_lookup(t, uva + 6 * PAGE) == ((9 * BLOCK + 6 * PAGE) | RW));
	CHECK(lx_pin_level(t, uva) == LX_PIN_4K);
	drop(t, uva, uva + BLOCK);
	lx_pin_table_free(t);
}

/* Random operations on a few blocks far apart, each step compared. */
static void test_model(void)
{
	static const u64 base[] = { 0, 0x40000000, 0x7fffffe00000, 0xffffff00000000 };
	static u64 model[4][1024];
	struct lx_pin_table *t = lx_pin_table_new();
	unsigned int pinned = 0, freed = 0;

	srandom(1);
	nreleased = 0;
	for (int step = 0; step < 400000; step++) {
		unsigned int b = random() % 4, i = random() % 1024, n = random() % 40;

		if (step % 3) {
			if (!model[b][i])
				pinned++;
			model[b][i] = ((u64)random() * PAGE) | (step & 4 ? RW : IN);
			CHECK(lx_pin_set(t, base[b] + i * PAGE, model[b][i]) == 0);
		} else {
			unsigned int end = i + n < 1024 ? i + n : 1024;

			drop(t, base[b] + i * PAGE, base[b] + end * PAGE);
			for (; i < end; i++) {
				freed += model[b][i] != 0;
				model[b][i] = 0;
			}
			CHECK(nreleased == freed);
		}
		b = random() % 4, i = random() % 1024;
		CHECK(lx_pin_lookup(t, base[b] + i * PAGE) == model[b][i]);
		CHECK(lx_pin_level(t, base[b] + i * PAGE) == (model[b][i] ? LX_PIN_4K : 0));
	}
	for (int b = 0; b < 4; b++)
		drop(t, base[b], base[b] + 1024 * PAGE);
	CHECK(nreleased == pinned);
	lx_pin_table_free(t);
}

int main(void)
{
	test_empty();
	test_death();
	test_huge();
	test_block();
	test_model();
	return 0;
}
