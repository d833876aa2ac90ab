/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * End a client at the first thing that is not as it should be, and say what.
 */
#ifndef _MUST_H_
#define	_MUST_H_

#include <err.h>

#define	OK(x) do {							\
	if ((x) < 0)							\
		err(1, "%d: %s", __LINE__, #x);				\
} while (0)
#define	MUST(x) do {							\
	if (!(x))							\
		errx(1, "%d: not so: %s", __LINE__, #x);		\
} while (0)

#endif /* !_MUST_H_ */
