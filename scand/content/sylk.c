/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/office.h"

/*
 * SYLK: lines of fields divided by `;', the first one being the type of the
 * record.  Excel opens it whatever its name is (.csv).  The field E in the
 * record ID or O makes the sheet a macro sheet; formulas in cells (C;...;E...)
 * are ordinary.
 */

static size_t	 line_end(const uint8_t *, size_t, size_t);
static int	 is_record(const char *, size_t);
static int	 has_option(const char *, size_t);
static int	 has_dde(const char *, size_t);

void
sylk_look(struct inspect *in, const uint8_t *p, size_t n)
{
	const char *line;
	size_t at, end, len;
	unsigned k = 0;
	int macro = 0, dde = 0, records = 0;

	for (at = 0; at < n; at = end + 1) {
		if ((k++ & 0xff) == 0 && budget_step(&in->budget) == -1)
			break;
		end = line_end(p, n, at);
		line = (const char *)p + at;
		len = end - at;
		if ((len >= 2 && memcmp(line, "ID", 2) == 0) ||
		    (len >= 2 && memcmp(line, "O;", 2) == 0))
			macro |= has_option(line, len);
		else if (len >= 2 && memcmp(line, "C;", 2) == 0)
			dde |= has_dde(line, len);
		records |= at > 0 && is_record(line, len);
	}
	/* A table whose first columns are called ID and P has none. */
	if (macro && records)
		office_report(in, FINDING_MACRO, "SYLK macro sheet");
	if (dde)
		office_report(in, FINDING_DDE, "SYLK formula");
}

static size_t
line_end(const uint8_t *p, size_t n, size_t at)
{
	while (at < n && p[at] != '\r' && p[at] != '\n')
		at++;
	return at;
}

/* One of the letters that records have, and E alone at the end. */
static int
is_record(const char *s, size_t n)
{
	if (n == 1)
		return s[0] == 'E';
	return n > 2 && ((s[1] == ';' && strchr("BCFOPW", s[0]) != NULL) ||
	    memcmp(s, "NN;", 3) == 0);
}

/* A field that is just E. */
static int
has_option(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i + 1 < n; i++)
		if (s[i] == ';' && s[i + 1] == 'E' &&
		    (i + 2 == n || s[i + 2] == ';' || s[i + 2] == ' '))
			return 1;
	return 0;
}

/* In the formula of a cell. */
static int
has_dde(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i + 1 < n; i++)
		if (s[i] == ';' && s[i + 1] == 'E')
			return dde_formula(s + i + 2, n - i - 2);
	return 0;
}
