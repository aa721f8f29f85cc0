/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "scand/mime/mime.h"

/*
 * The date of a message (RFC 5322 3.3), with the old forms of 4.3, which the
 * field still has: two- and three-digit years, named zones, comments.
 */

struct cursor {
	const char	*p;
	const char	*end;
};

static int	cursor_number(struct cursor *, unsigned, unsigned, int *);
static int	cursor_word(struct cursor *, char *, size_t);
static int	cursor_char(struct cursor *, char);
static void	cursor_blank(struct cursor *);
static int	date_month(const char *);
static int	date_zone(struct cursor *, int *);
static int64_t	date_days(int, int, int);

static const char *const months[12] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};
static const char *const weekdays[7] = {
	"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"
};
static const struct {
	const char	*name;
	int		 hours;
} zones[] = {			/* RFC 5322 4.3 */
	{ "UT", 0 }, { "GMT", 0 }, { "UTC", 0 }, { "Z", 0 },
	{ "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
	{ "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 }
};

int
date_parse(const char *s, size_t n, int64_t *t)
{
	struct cursor c = { s, s + n };
	char word[16];
	const char *year;
	int day, month, y, hour, min, sec = 0, zone = 0;
	size_t i;

	cursor_blank(&c);
	if (c.p < c.end && isalpha((unsigned char)*c.p)) {
		if (cursor_word(&c, word, sizeof(word)) == -1)
			return -1;
		for (i = 0; i < 7; i++) {
			if (strncasecmp(word, weekdays[i], 3) == 0)
				break;
		}
		if (i == 7)
			return -1;
		cursor_char(&c, ',');
	}
	if (cursor_number(&c, 1, 2, &day) == -1 ||
	    cursor_word(&c, word, sizeof(word)) == -1 ||
	    (month = date_month(word)) == -1)
		return -1;
	cursor_blank(&c);
	year = c.p;
	if (cursor_number(&c, 2, 5, &y) == -1)
		return -1;
	if (c.p - year < 4)
		y += c.p - year == 2 && y < 50 ? 2000 : 1900;
	if (cursor_number(&c, 1, 2, &hour) == -1 || !cursor_char(&c, ':') ||
	    cursor_number(&c, 1, 2, &min) == -1)
		return -1;
	if (cursor_char(&c, ':') && cursor_number(&c, 1, 2, &sec) == -1)
		return -1;
	if (date_zone(&c, &zone) == -1)
		return -1;
	cursor_blank(&c);
	if (c.p != c.end || day < 1 || day > 31 || hour > 23 || min > 59 ||
	    sec > 60)
		return -1;
	*t = ((date_days(y, month, day) * 24 + hour) * 60 + min) * 60 + sec -
	    zone * 60;
	return 0;
}

/* +0100, -0730, a name, or nothing (seen in the field: taken as UTC). */
static int
date_zone(struct cursor *c, int *minutes)
{
	char word[16];
	int hhmm, sign;
	size_t i;

	cursor_blank(c);
	*minutes = 0;
	if (c->p == c->end)
		return 0;
	if (*c->p == '+' || *c->p == '-') {
		sign = *c->p++ == '-' ? -1 : 1;
		if (cursor_number(c, 4, 4, &hhmm) == -1)
			return -1;
		if (hhmm % 100 > 59)
			return -1;
		*minutes = sign * (hhmm / 100 * 60 + hhmm % 100);
		return 0;
	}
	if (cursor_word(c, word, sizeof(word)) == -1)
		return -1;
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (strcasecmp(word, zones[i].name) == 0)
			*minutes = zones[i].hours * 60;
	}
	/* 4.3: other names mean -0000. */
	return 0;
}

static int
date_month(const char *word)
{
	int i;

	for (i = 0; i < 12; i++) {
		if (strncasecmp(word, months[i], 3) == 0)
			return i + 1;
	}
	return -1;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t
date_days(int y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int
cursor_number(struct cursor *c, unsigned min, unsigned max, int *v)
{
	unsigned n = 0;

	cursor_blank(c);
	*v = 0;
	while (c->p < c->end && n < max && isdigit((unsigned char)*c->p)) {
		*v = *v * 10 + (*c->p++ - '0');
		n++;
	}
	return n < min || (c->p < c->end && isdigit((unsigned char)*c->p)) ?
	    -1 : 0;
}

static int
cursor_word(struct cursor *c, char *dst, size_t dstsize)
{
	size_t n = 0;

	cursor_blank(c);
	while (c->p < c->end && isalpha((unsigned char)*c->p)) {
		if (n + 1 == dstsize)
			return -1;
		dst[n++] = *c->p++;
	}
	dst[n] = '\0';
	return n == 0 ? -1 : 0;
}

static int
cursor_char(struct cursor *c, char want)
{
	cursor_blank(c);
	if (c->p == c->end || *c->p != want)
		return 0;
	c->p++;
	return 1;
}

/* Blanks and comments, which nest (RFC 5322 3.2.2). */
static void
cursor_blank(struct cursor *c)
{
	unsigned depth = 0;

	for (; c->p < c->end; c->p++) {
		if (depth > 0 && *c->p == '\\' && c->p + 1 < c->end)
			c->p++;
		else if (*c->p == '(')
			depth++;
		else if (depth > 0 && *c->p == ')')
			depth--;
		else if (depth == 0 && *c->p != ' ' && *c->p != '\t')
			break;
	}
}
