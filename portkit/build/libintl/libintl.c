/* SPDX-License-Identifier: BSD-2-Clause */
#include "libintl.h"

char *
bind_textdomain_codeset(const char *domain, const char *codeset)
{
	(void)domain;
	return ((char *)codeset);
}

char *
bindtextdomain(const char *domain, const char *directory)
{
	(void)domain;
	return ((char *)directory);
}

char *
dcgettext(const char *domain, const char *message, int category)
{
	(void)domain;
	(void)category;
	return ((char *)message);
}

char *
dcngettext(const char *domain, const char *one, const char *many,
    unsigned long count, int category)
{
	(void)domain;
	(void)category;
	return ((char *)(count == 1 ? one : many));
}

char *
dgettext(const char *domain, const char *message)
{
	return (dcgettext(domain, message, 0));
}

char *
dngettext(const char *domain, const char *one, const char *many,
    unsigned long count)
{
	return (dcngettext(domain, one, many, count, 0));
}

char *
gettext(const char *message)
{
	return ((char *)message);
}

char *
ngettext(const char *one, const char *many, unsigned long count)
{
	return (dcngettext("", one, many, count, 0));
}

char *
textdomain(const char *domain)
{
	return ((char *)domain);
}
