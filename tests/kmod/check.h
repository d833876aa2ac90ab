/* SPDX-License-Identifier: BSD-2-Clause */
/* For the tests here: what must be so, or where it is not. */
#include <stdio.h>
#include <stdlib.h>

#define	CHECK(x) do {							\
	if (!(x)) {							\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);	\
		exit(1);						\
	}								\
} while (0)
