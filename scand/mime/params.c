/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "scand/mime/parts.h"

/*
 * Parameters of MIME fields (RFC 2045 5.1, RFC 2231), as written by software
 * of all kinds: without quotes, with too many, with comments, with line ends
 * inside.  Where readers differ about a value, each of its readings is told.
 */

static int	at_end(const struct params *);
static int	is_space(unsigned);
static void	skip_space(struct params *);
static void	skip_comment(struct params *);
static void	value_quoted(struct params *, struct param *);
static void	value_bare(struct params *, struct param *);
static void	put(char *, size_t *, unsigned);
static void	reading_end(struct param *, size_t);
static size_t	percent(const char *, size_t, char *, size_t, int);
static int	section_number(const char *, unsigned *, int *);
static int	section_order(const void *, const void *);

void
params_begin(struct params *ps, const uint8_t *p, size_t n, char *word,
    size_t size)
{
	size_t len = 0;
	unsigned c;

	ps->p = p;
	ps->n = n;
	ps->at = 0;
	skip_space(ps);
	while (!at_end(ps)) {
		c = p[ps->at];
		if (c == ';' || c == ',' || c == '=')
			break;
		if (c == '(') {
			skip_comment(ps);
			continue;
		}
		if (is_space(c)) {
			/* "multipart / mixed", but not "text/plain name". */
			skip_space(ps);
			if (at_end(ps) || (p[ps->at] != '/' && len > 0 &&
			    word[len - 1] != '/'))
				break;
			continue;
		}
		if (c != '"' && c > 32 && c < 127 && len + 1 < size)
			word[len++] = (char)tolower((int)c);
		ps->at++;
	}
	if (!at_end(ps) && p[ps->at] == '=') {
		/* There is none, but a parameter. */
		len = 0;
		ps->at = 0;
	}
	word[len] = '\0';
}

int
params_next(struct params *ps, struct param *pm)
{
	size_t len;
	unsigned c;

	for (;;) {
		/* What separates, and words that are no attribute. */
		while (!at_end(ps) && (is_space(ps->p[ps->at]) ||
		    strchr(";,=\"", ps->p[ps->at]) != NULL))
			ps->at++;
		if (at_end(ps))
			return 0;
		if (ps->p[ps->at] == '(') {
			skip_comment(ps);
			continue;
		}
		for (len = 0; !at_end(ps); ps->at++) {
			c = ps->p[ps->at];
			if (is_space(c) || strchr(";,=\"(", (int)c) != NULL)
				break;
			if (len + 1 < sizeof(pm->attribute))
				pm->attribute[len++] = (char)tolower((int)c);
		}
		pm->attribute[len] = '\0';
		skip_space(ps);
		if (!at_end(ps) && ps->p[ps->at] == '=')
			break;
	}
	ps->at++;
	skip_space(ps);
	pm->n = 0;
	if (!at_end(ps) && ps->p[ps->at] == '"')
		value_quoted(ps, pm);
	else
		value_bare(ps, pm);
	return 1;
}

/*
 * "a\b"c: a reader may know of the escape or not, and may stop at the closing
 * quote or not.  A quote that is not closed ends at the end.
 */
static void
value_quoted(struct params *ps, struct param *pm)
{
	size_t usual = 0, raw = 0, more;
	int escaped = 0;
	unsigned c;

	for (ps->at++; !at_end(ps) && ps->p[ps->at] != '"'; ps->at++) {
		c = ps->p[ps->at];
		if (c == '\\' && ps->at + 1 < ps->n) {
			escaped = 1;
			put(pm->value[1], &raw, c);
			c = ps->p[++ps->at];
		}
		put(pm->value[0], &usual, c);
		put(pm->value[1], &raw, c);
	}
	reading_end(pm, usual);
	if (escaped)
		reading_end(pm, raw);
	if (at_end(ps))
		return;
	ps->at++;
	if (at_end(ps) || is_space(ps->p[ps->at]) ||
	    strchr(";,(", ps->p[ps->at]) != NULL)
		return;
	memcpy(pm->value[pm->n], pm->value[0], usual);
	for (more = usual; !at_end(ps) && ps->p[ps->at] != ';' &&
	    !is_space(ps->p[ps->at]); ps->at++)
		put(pm->value[pm->n], &more, ps->p[ps->at]);
	reading_end(pm, more);
}

/* a b (c); the value may be "a", "a b" or all of it. */
static void
value_bare(struct params *ps, struct param *pm)
{
	size_t usual = 0, all = 0, i, end = ps->n;
	unsigned c;

	if (end - ps->at > 2 * PARAM_VALUE)
		end = ps->at + 2 * PARAM_VALUE;
	for (i = ps->at; i < end && ps->p[i] != ';'; i++)
		put(pm->value[0], &all, ps->p[i]);
	while (!at_end(ps)) {
		c = ps->p[ps->at];
		if (is_space(c) || c == ';' || c == '(' || c == ',')
			break;
		put(pm->value[1], &usual, c);
		ps->at++;
	}
	while (all > 0 && is_space((unsigned char)pm->value[0][all - 1]))
		all--;
	reading_end(pm, all);
	if (usual < all)
		reading_end(pm, usual);
}

/* Line ends are those of folds; NUL ends no string here. */
static void
put(char *dst, size_t *len, unsigned c)
{
	if (c == '\r' || c == '\n')
		return;
	if (*len + 1 < PARAM_VALUE)
		dst[(*len)++] = c == '\0' ? '?' : (char)c;
}

static void
reading_end(struct param *pm, size_t len)
{
	pm->value[pm->n++][len] = '\0';
}

static int
at_end(const struct params *ps)
{
	return ps->at >= ps->n;
}

static int
is_space(unsigned c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/* Blanks only: a comment may be part of a value. */
static void
skip_space(struct params *ps)
{
	while (!at_end(ps) && is_space(ps->p[ps->at]))
		ps->at++;
}

/* RFC 5322 3.2.2; one that is not closed soon is only its parenthesis. */
static void
skip_comment(struct params *ps)
{
	size_t i, depth = 0, end = ps->n;

	if (end - ps->at > PARAM_VALUE)
		end = ps->at + PARAM_VALUE;
	for (i = ps->at; i < end; i++) {
		if (ps->p[i] == '\\')
			i++;
		else if (ps->p[i] == '(')
			depth++;
		else if (ps->p[i] == ')' && --depth == 0) {
			ps->at = i + 1;
			return;
		}
	}
	ps->at++;
}

int
sections_add(struct sections *s, const char *base, const struct param *pm)
{
	const char *star;
	size_t len = strlen(base), n;
	unsigned number = 0;
	int extended = 1;

	if (strncmp(pm->attribute, base, len) != 0 ||
	    pm->attribute[len] != '*')
		return 0;
	star = pm->attribute + len + 1;
	if (*star != '\0' && section_number(star, &number, &extended) == -1)
		return 0;
	n = strlen(pm->value[0]);
	if (s->n == SECTIONS || n > sizeof(s->text) - s->len)
		return 1;
	s->v[s->n].number = (uint16_t)number;
	s->v[s->n].extended = (uint8_t)extended;
	s->v[s->n].at = (uint16_t)s->len;
	s->v[s->n++].len = (uint16_t)n;
	memcpy(s->text + s->len, pm->value[0], n);
	s->len += n;
	return 1;
}

/* "0", "0*" */
static int
section_number(const char *s, unsigned *number, int *extended)
{
	unsigned v = 0;

	if (!isdigit((unsigned char)*s))
		return -1;
	for (; isdigit((unsigned char)*s); s++) {
		if (v < 10000)
			v = v * 10 + (unsigned)(*s - '0');
	}
	*number = v;
	*extended = *s == '*';
	return *s == '\0' || (s[0] == '*' && s[1] == '\0') ? 0 : -1;
}

size_t
sections_utf8(const struct sections *s, char *dst, size_t size)
{
	struct sections o;
	char charset[64] = "", raw[sizeof(s->text)];
	const char *p, *q;
	size_t i, len = 0, n;

	dst[0] = '\0';
	if (s->n == 0)
		return 0;
	o = *s;
	qsort(o.v, o.n, sizeof(o.v[0]), section_order);
	for (i = 0; i < o.n; i++) {
		p = o.text + o.v[i].at;
		n = o.v[i].len;
		/* 4: charset'language'text */
		if (i == 0 && o.v[i].extended &&
		    (q = memchr(p, '\'', n)) != NULL) {
			if ((size_t)(q - p) < sizeof(charset)) {
				memcpy(charset, p, (size_t)(q - p));
				charset[q - p] = '\0';
			}
			n -= (size_t)(q + 1 - p);
			p = q + 1;
			if ((q = memchr(p, '\'', n)) != NULL) {
				n -= (size_t)(q + 1 - p);
				p = q + 1;
			}
		}
		len += percent(p, n, raw + len, sizeof(raw) - len,
		    o.v[i].extended);
	}
	return charset_utf8(charset, (const uint8_t *)raw, len, dst, size);
}

static int
section_order(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;	/* number comes first */

	return (*x > *y) - (*x < *y);
}

static size_t
percent(const char *p, size_t n, char *dst, size_t size, int decode)
{
	size_t i, len = 0;
	char two[3] = "", *end;
	unsigned long v;

	for (i = 0; i < n && len < size; i++) {
		if (decode && p[i] == '%' && n - i > 2 &&
		    isxdigit((unsigned char)p[i + 1])) {
			memcpy(two, p + i + 1, 2);
			v = strtoul(two, &end, 16);
			if (*end == '\0') {
				dst[len++] = v == 0 ? '?' : (char)v;
				i += 2;
				continue;
			}
		}
		dst[len++] = p[i];
	}
	return len;
}
