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

/* Cells are divided by commas, semicolons or tabs, and may be quoted. */
void
csv_look(struct inspect *in, const uint8_t *p, size_t n)
{
	const char *s = (const char *)p;
	size_t i, end;
	int begin = 1;

	if (n > CSV_MAX)
		n = CSV_MAX;
	for (i = 0; i < n; i++) {
		if (begin && strchr("=+-@", s[i]) != NULL && s[i] != '\0') {
			for (end = i; end < n && s[end] != '\r' &&
			    s[end] != '\n'; end++)
				;
			if (dde_formula(s + i, end - i)) {
				office_report(in, FINDING_DDE, "table");
				return;
			}
			i = end;
		}
		begin = i < n && (s[i] == '\r' || s[i] == '\n' ||
		    s[i] == ',' || s[i] == ';' || s[i] == '\t' ||
		    (begin && (s[i] == '"' || s[i] == ' ')));
	}
}
