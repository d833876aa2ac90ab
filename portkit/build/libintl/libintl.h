/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages stay as they are in the source: a static program for a test machine
 * needs no translations, and GLib does not build without these functions.
 */
#ifndef LIBINTL_H
#define LIBINTL_H

/* GLib's gdbusauth.c takes SIZE_MAX from here: gettext's header brings it too. */
#include <stdint.h>

#define LIBINTL_SAME(n) __attribute__((__format_arg__(n)))

char *bind_textdomain_codeset(const char *domain, const char *codeset);
char *bindtextdomain(const char *domain, const char *directory);
char *dcgettext(const char *domain, const char *message, int category) LIBINTL_SAME(2);
char *dcngettext(const char *domain, const char *one, const char *many,
    unsigned long count, int category) LIBINTL_SAME(2) LIBINTL_SAME(3);
char *dgettext(const char *domain, const char *message) LIBINTL_SAME(2);
char *dngettext(const char *domain, const char *one, const char *many,
    unsigned long count) LIBINTL_SAME(2) LIBINTL_SAME(3);
char *gettext(const char *message) LIBINTL_SAME(1);
char *ngettext(const char *one, const char *many, unsigned long count)
    LIBINTL_SAME(1) LIBINTL_SAME(2);
char *textdomain(const char *domain);

#endif
