/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of PID 1 have in common.
 */

#ifndef _INIT_H_
#define	_INIT_H_

#include <stddef.h>
#include <stdint.h>

#define	BLOCK		512
#define	PATH_SIZE	4096

void	*memcpy(void *, const void *, size_t);
void	*memset(void *, int, size_t);
size_t	length_of(const char *text);

/* Append to a string in a buffer, as much of it as there is room for. */
void	append(char *buffer, size_t size, const char *text);

/* Report what the machine itself could not do; error is a negated errno. */
void	fail(const char *what, const char *which, long error)
	    __attribute__((noreturn));

/*
 * Archive what is below a directory and has changed since a time, in seconds,
 * onto a disk.  Returns the archive's size.
 */
uint64_t archive_changes(int onto, int64_t at, const char *top, int64_t since);

#endif /* !_INIT_H_ */
