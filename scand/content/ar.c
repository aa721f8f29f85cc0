/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/inspect.h"
#include "scand/content/octets.h"

/*
 * ar, in which Debian's packages come: a header of 60 printable octets before
 * each member, which is stored.  Long names are in a member of their own (GNU)
 * or before the data (BSD).
 */

#define HEADER	60

static uint64_t	 decimal(const uint8_t *, size_t);
static void	 member(struct inspect *, const uint8_t *, const uint8_t *,
		    size_t, const uint8_t *, size_t);
static void	 keep_name(char *, size_t, const uint8_t *, size_t);

void
ar_look(struct inspect *in, const uint8_t *p, size_t n)
{
	const uint8_t *h, *names = NULL;
	size_t at = n < 8 ? n : 8, len, names_n = 0;
	uint64_t size;

	while (n - at >= HEADER && budget_step(&in->budget) == 0) {
		h = p + at;
		if (h[58] != '`' || h[59] != '\n')
			break;
		at += HEADER;
		size = decimal(h + 48, 10);
		len = size < n - at ? (size_t)size : n - at;
		if (memcmp(h, "// ", 3) == 0) {
			names = p + at;
			names_n = len;
		} else
			member(in, h, p + at, len, names, names_n);
		/* Even, with a line end. */
		at += len;
		if ((size & 1) != 0 && at < n)
			at++;
		if (len < size) {
			content_report(in, FINDING_DAMAGED, "ends early");
			return;
		}
	}
	while (at < n && (p[at] == 0 || p[at] == '\n'))
		at++;
	if (at < n && !budget_is_over(&in->budget))
		content_report(in, FINDING_DAMAGED, "");
}

static uint64_t
decimal(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (; n > 0 && *p >= '0' && *p <= '9'; n--, p++)
		v = v * 10 + (uint64_t)(*p - '0');
	return v;
}

static void
member(struct inspect *in, const uint8_t *h, const uint8_t *p, size_t n,
    const uint8_t *names, size_t names_n)
{
	char name[256];
	uint64_t at;

	if (memcmp(h, "#1/", 3) == 0) {
		at = decimal(h + 3, 13);
		if (at > n)
			at = n;
		keep_name(name, sizeof(name), p, (size_t)at);
		p += at;
		n -= (size_t)at;
	} else if (h[0] == '/' && h[1] >= '0' && h[1] <= '9') {
		at = decimal(h + 1, 15);
		if (at > names_n)
			at = names_n;
		keep_name(name, sizeof(name), names + at,
		    names_n - (size_t)at);
	} else
		keep_name(name, sizeof(name), h, 16);
	/* A table of symbols has no name but "/" or this. */
	if (name[0] == '\0' || strncmp(name, "__.SYMDEF", 9) == 0)
		return;
	content_look(in, name, p, n);
}

/* Up to a slash, a line end or NUL, without blanks at its end. */
static void
keep_name(char *dst, size_t size, const uint8_t *p, size_t n)
{
	size_t k = 0;

	while (n > 0 && *p != '/' && *p != '\n' && *p != '\0' &&
	    k + 1 < size) {
		dst[k++] = (char)*p++;
		n--;
	}
	while (k > 0 && dst[k - 1] == ' ')
		k--;
	dst[k] = '\0';
}
