/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "scand/content/office.h"

/*
 * Links by DDE start a program and are written in fields of Word, formulas of
 * Excel and in any text that Excel takes for a table.
 */

#define CSV_MAX	(1024 * 1024)	/* octets of a text that are looked at */

static int	 csv_line(const char *, size_t);
static int	 is_line_end(char);

int
dde_field(const char *s, size_t n)
{
	while (n > 0 && isspace((unsigned char)*s)) {
		s++;
		n--;
	}
	if (n >= 7 && strncasecmp(s, "ddeauto", 7) == 0)
		return 1;
	return n >= 4 && strncasecmp(s, "dde", 3) == 0 &&
	    !isalnum((unsigned char)s[3]);
}

/* PROGRAM|TOPIC!ITEM: outside of a text, `|' has no other meaning. */
int
dde_formula(const char *s, size_t n)
{
	size_t i;
	int text = 0;

	for (i = 0; i < n; i++) {
		if (s[i] == '"')
			text = !text;
		else if (s[i] == '|' && !text && i > 0 &&
		    (isalnum((unsigned char)s[i - 1]) || s[i - 1] == '\''))
			return memchr(s + i, '!', n - i) != NULL;
	}
	return 0;
}

/* Only lines that have what no such formula can be without. */
void
csv_look(struct inspect *in, const uint8_t *p, size_t n)
{
	const char *s = (const char *)p, *bar;
	size_t from, to;

	if (n > CSV_MAX)
		n = CSV_MAX;
	for (to = 0; to < n &&
	    (bar = memchr(s + to, '|', n - to)) != NULL; ) {
		for (from = (size_t)(bar - s); from > to &&
		    !is_line_end(s[from - 1]); from--)
			continue;
		for (to = (size_t)(bar - s); to < n && !is_line_end(s[to]);
		    to++)
			continue;
		if (csv_line(s + from, to - from)) {
			office_report(in, FINDING_DDE, "table");
			return;
		}
	}
}

/* Cells are divided by commas, semicolons or tabs, and may be quoted. */
static int
csv_line(const char *s, size_t n)
{
	size_t i;
	int begin = 1;

	for (i = 0; i < n; i++) {
		if (begin && (s[i] == '=' || s[i] == '+' || s[i] == '-' ||
		    s[i] == '@'))
			return dde_formula(s + i, n - i);
		begin = s[i] == ',' || s[i] == ';' || s[i] == '\t' ||
		    (begin && (s[i] == '"' || s[i] == ' '));
	}
	return 0;
}

static int
is_line_end(char c)
{
	return c == '\r' || c == '\n';
}
