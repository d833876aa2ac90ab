/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * SRCU: an object that readers may hold is freed only when they are gone.
 * Built with AddressSanitizer, which sees a reader that comes too late.
 */
#include <stdio.h>
#include <string.h>

#include "srcu_shim.h"

#define	READERS	6
#define	ROUNDS	3000

struct object { unsigned long a, b; };

static struct srcu_struct srcu;
static struct object *shared;
static bool stop;

#include "check.h"

static void *reader(void *arg)
{
	unsigned long seen = 0;
	int idx, nested;

	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		idx = srcu_read_lock(&srcu);
		struct object *o = __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
		if (++seen % 64 == 0) {
			/* Readers may sleep, and may nest. */
			nested = srcu_read_lock(&srcu);
			lkc_task_park(50000, 0);
			srcu_read_unlock(&srcu, nested);
		}
		CHECK(o->b == ~o->a);
		srcu_read_unlock(&srcu, idx);
	}
	return NULL;
}

static struct object *new_object(unsigned long n)
{
	struct object *o = malloc(sizeof(*o));

	o->a = n;
	o->b = ~n;
	return o;
}

static void *writer(void *arg)
{
	for (unsigned long i = 0; i < ROUNDS / 2; i++) {
		struct object *old = __atomic_exchange_n(&shared,
		    new_object(i), __ATOMIC_ACQ_REL);

		synchronize_srcu(&srcu);
		memset(old, 0x5a, sizeof(*old));
		free(old);
	}
	(void)arg;
	return NULL;
}

int main(void)
{
	pthread_t readers[READERS], writers[2];

	CHECK(init_srcu_struct(&srcu) == 0);
	shared = new_object(0);
	for (int i = 0; i < READERS; i++)
		CHECK(pthread_create(&readers[i], NULL, reader, NULL) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&writers[i], NULL, writer, NULL) == 0);
	for (int i = 0; i < 2; i++)
		pthread_join(writers[i], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	cleanup_srcu_struct(&srcu);
	free(shared);
	return 0;
}
