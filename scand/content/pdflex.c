/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/pdf.h"

/*
 * The tokens of PDF, ISO 32000-1 7.2 and 7.3.
 */

#define LONGEST		(2 * 1024 * 1024)	/* octets of one token: what is
					   longer is cut, so that the budget's
					   clock is looked at in between */

static int	 is_blank(uint8_t);
static int	 is_delimiter(uint8_t);
static int	 hex(uint8_t);
static void	 skip_blanks(struct pdf_lex *);
static void	 read_name(struct pdf_lex *);
static enum pdf_token read_word(struct pdf_lex *);
static void	 skip_literal(struct pdf_lex *);
static void	 skip_nested(struct pdf *, struct pdf_lex *);
static size_t	 literal(const struct pdf *, size_t, uint8_t *, size_t);
static int	 escape(const uint8_t *, size_t, size_t *);

void
pdf_lex(struct pdf_lex *l, const uint8_t *p, size_t n, size_t at)
{
	memset(l, 0, sizeof(*l));
	l->p = p;
	l->n = n;
	l->at = at < n ? at : n;
}

enum pdf_token
pdf_next(struct pdf_lex *l)
{
	uint8_t c;

	skip_blanks(l);
	l->begin = l->at;
	l->text[0] = '\0';
	l->number = 0;
	if (l->at >= l->n)
		return PDF_END;
	c = l->p[l->at];
	if (!is_delimiter(c))
		return read_word(l);
	l->at++;
	switch (c) {
	case '/':
		read_name(l);
		return PDF_NAME;
	case '(':
		skip_literal(l);
		return PDF_STRING;
	case '[':
		return PDF_ARRAY;
	case ']':
		return PDF_ARRAY_END;
	case '<':
		if (l->at < l->n && l->p[l->at] == '<') {
			l->at++;
			return PDF_DICT;
		}
		while (l->at < l->n && l->at - l->begin < LONGEST &&
		    l->p[l->at++] != '>')
			continue;
		return PDF_STRING;
	case '>':
		if (l->at < l->n && l->p[l->at] == '>') {
			l->at++;
			return PDF_DICT_END;
		}
		return PDF_WORD;
	default:
		return PDF_WORD;
	}
}

static int
is_blank(uint8_t c)
{
	return c == 0 || c == 9 || c == 10 || c == 12 || c == 13 || c == 32;
}

static int
is_delimiter(uint8_t c)
{
	return c != 0 && strchr("()<>[]{}/%", c) != NULL;
}

static int
hex(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	    c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* White space and comments. */
static void
skip_blanks(struct pdf_lex *l)
{
	size_t from = l->at;

	while (l->at < l->n && l->at - from < LONGEST) {
		if (l->p[l->at] == '%')
			while (l->at < l->n && l->at - from < LONGEST &&
			    l->p[l->at] != '\n' && l->p[l->at] != '\r')
				l->at++;
		else if (is_blank(l->p[l->at]))
			l->at++;
		else
			break;
	}
}

static void
read_name(struct pdf_lex *l)
{
	size_t k = 0;
	uint8_t c;

	while (l->at < l->n && !is_blank(c = l->p[l->at]) &&
	    !is_delimiter(c)) {
		if (c == '#' && l->n - l->at > 2 &&
		    hex(l->p[l->at + 1]) >= 0 && hex(l->p[l->at + 2]) >= 0) {
			c = (uint8_t)(hex(l->p[l->at + 1]) << 4 |
			    hex(l->p[l->at + 2]));
			l->at += 2;
		}
		l->at++;
		if (k < sizeof(l->text))
			l->text[k++] = c == 0 ? '?' : (char)c;
	}
	if (k == sizeof(l->text))
		k = 0;
	l->text[k] = '\0';
}

static enum pdf_token
read_word(struct pdf_lex *l)
{
	size_t i, k = 0, digits = 0, other = 0;
	uint8_t c;

	while (l->at < l->n && !is_blank(c = l->p[l->at]) &&
	    !is_delimiter(c)) {
		if (k < sizeof(l->text) - 1)
			l->text[k++] = (char)c;
		if (c >= '0' && c <= '9')
			digits++;
		else if (c != '.' && c != '-' && c != '+')
			other++;
		l->at++;
	}
	l->text[k] = '\0';
	if (digits == 0 || other != 0) {
		if (l->at - l->begin >= sizeof(l->text))
			l->text[0] = '\0';
		return PDF_WORD;
	}
	for (i = 0; i < k && l->text[i] != '.'; i++)
		if (l->text[i] >= '0' && l->text[i] <= '9' &&
		    l->number < INT64_MAX / 10 - 1)
			l->number = l->number * 10 + (l->text[i] - '0');
	if (l->text[0] == '-')
		l->number = -l->number;
	return PDF_NUMBER;
}

static void
skip_literal(struct pdf_lex *l)
{
	size_t depth = 1;
	uint8_t c;

	while (l->at < l->n && depth > 0 && l->at - l->begin < LONGEST) {
		c = l->p[l->at++];
		if (c == '\\' && l->at < l->n)
			l->at++;
		else if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
	}
}

enum pdf_token
pdf_token(struct pdf *pdf, struct pdf_lex *l)
{
	size_t from = l->at;
	enum pdf_token t = pdf_next(l);

	/* A token costs something, however short it is. */
	if (budget_work(&pdf->in->budget, l->at - from + 16) == -1)
		return PDF_END;
	return t;
}

int
pdf_expect(struct pdf *pdf, struct pdf_lex *l, enum pdf_token want)
{
	return pdf_token(pdf, l) == want;
}

void
pdf_value(struct pdf *pdf, struct pdf_lex *l, enum pdf_token t,
    struct pdf_value *v)
{
	struct pdf_lex ahead;

	memset(v, 0, sizeof(*v));
	v->type = t;
	v->at = l->begin;
	v->number = l->number;
	memcpy(v->text, l->text, sizeof(v->text));
	switch (t) {
	case PDF_DICT:
	case PDF_ARRAY:
		skip_nested(pdf, l);
		break;
	case PDF_NUMBER:
		ahead = *l;
		if (pdf_expect(pdf, &ahead, PDF_NUMBER) &&
		    pdf_expect(pdf, &ahead, PDF_WORD) &&
		    strcmp(ahead.text, "R") == 0) {
			v->is_ref = 1;
			*l = ahead;
		}
		break;
	case PDF_WORD:
		if (strcmp(v->text, "null") == 0)
			v->type = PDF_END;
		break;
	default:
		break;
	}
}

/* Behind the end of the dictionary or array that was just begun. */
static void
skip_nested(struct pdf *pdf, struct pdf_lex *l)
{
	size_t depth = 1;

	while (depth > 0)
		switch (pdf_token(pdf, l)) {
		case PDF_DICT:
		case PDF_ARRAY:
			depth++;
			break;
		case PDF_DICT_END:
		case PDF_ARRAY_END:
			depth--;
			break;
		case PDF_END:
			return;
		default:
			break;
		}
}

size_t
pdf_get(struct pdf *pdf, size_t dict, const char *key, struct pdf_value *v)
{
	struct pdf_lex l;
	struct pdf_value got;
	enum pdf_token t;
	int wanted;

	memset(v, 0, sizeof(*v));
	pdf_lex(&l, pdf->p, pdf->n, dict);
	if (pdf_token(pdf, &l) != PDF_DICT)
		return dict;
	while ((t = pdf_token(pdf, &l)) != PDF_DICT_END && t != PDF_END) {
		if (t != PDF_NAME) {
			/* Not a key: whatever it is, go on behind it. */
			pdf_value(pdf, &l, t, &got);
			continue;
		}
		wanted = strcmp(l.text, key) == 0;
		if ((t = pdf_token(pdf, &l)) == PDF_DICT_END || t == PDF_END)
			break;
		pdf_value(pdf, &l, t, &got);
		if (wanted && got.type != PDF_END)
			*v = got;
	}
	return l.at;
}

size_t
pdf_string(const struct pdf *pdf, size_t at, uint8_t *dst, size_t size)
{
	size_t n = 0, i;
	int high = -1, v;

	if (at >= pdf->n)
		return 0;
	if (pdf->p[at] == '(')
		return literal(pdf, at + 1, dst, size);
	for (i = at + 1; i < pdf->n && pdf->p[i] != '>' && n < size; i++) {
		if ((v = hex(pdf->p[i])) < 0)
			continue;
		if (high < 0)
			high = v;
		else {
			dst[n++] = (uint8_t)(high << 4 | v);
			high = -1;
		}
	}
	if (high >= 0 && n < size)
		dst[n++] = (uint8_t)(high << 4);
	return n;
}

static size_t
literal(const struct pdf *pdf, size_t at, uint8_t *dst, size_t size)
{
	size_t n = 0, depth = 1;
	int c;

	while (at < pdf->n && n < size) {
		c = pdf->p[at++];
		if (c == '\\') {
			if ((c = escape(pdf->p, pdf->n, &at)) < 0)
				continue;
		} else if (c == '(')
			depth++;
		else if (c == ')') {
			if (--depth == 0)
				break;
		} else if (c == '\r') {
			/* A line end is one LF, 7.3.4.2. */
			if (at < pdf->n && pdf->p[at] == '\n')
				at++;
			c = '\n';
		}
		dst[n++] = (uint8_t)c;
	}
	return n;
}

/* What stands behind a backslash; -1: nothing (a line that goes on). */
static int
escape(const uint8_t *p, size_t n, size_t *at)
{
	static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
	const char *s;
	int c, v, i;

	if (*at >= n)
		return -1;
	c = p[(*at)++];
	if (c == '\r' && *at < n && p[*at] == '\n')
		(*at)++;
	if (c == '\r' || c == '\n')
		return -1;
	if (c >= '0' && c <= '7') {
		v = c - '0';
		for (i = 0; i < 2 && *at < n && p[*at] >= '0' &&
		    p[*at] <= '7'; i++)
			v = v << 3 | (p[(*at)++] - '0');
		return v & 0xff;
	}
	if (c != 0 && (s = strchr(from, c)) != NULL)
		return to[s - from];
	return c;
}
