/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>

#include "common/limits.h"
#include "scand/content/office.h"

/*
 * RTF: the objects that \objdata has in hex or \bin, a template that is
 * fetched from elsewhere, DDE fields.  Depth is a number and nothing else, so
 * any nesting is free.  Writers hide objects behind braces, control words and
 * rubbish between the digits; Word skips all of it, and so does this.
 */

enum wanted {
	TEXT_NONE, TEXT_FIELD, TEXT_TEMPLATE
};

struct word {
	const char	*s;		/* letters */
	size_t		 n;
	const uint8_t	*digits;	/* of its parameter */
	size_t		 digits_n;
	long		 value;
};

struct rtf {
	struct inspect	*in;
	const uint8_t	*p;
	size_t		 n;
	size_t		 at;
	uint64_t	 depth;
	/* An object: collected at the depth of its \objdata only. */
	int		 object;
	uint64_t	 object_depth;
	struct buffer	 data;
	uint8_t		 octets[512];	/* on their way into data */
	size_t		 octets_n;
	int		 nibble;	/* -1: none is waiting */
	const uint8_t	*digits;	/* that follow \objdata at once */
	size_t		 digits_n;
	/* A text: collected at its depth and below. */
	enum wanted	 text;
	uint64_t	 text_depth;
	char		 chars[256];
	size_t		 chars_n;
	int		 dde, template;
};

static void	 control(struct rtf *);
static void	 control_word(struct rtf *, const struct word *);
static void	 binary(struct rtf *, size_t);
static void	 plain(struct rtf *, uint8_t);
static void	 nibble(struct rtf *, int);
static int	 flush(struct rtf *);
static void	 open_text(struct rtf *, enum wanted);
static void	 close_text(struct rtf *);
static void	 close_object(struct rtf *);
static void	 look_shifted(struct rtf *);
static int	 hex(uint8_t);

void
rtf_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct rtf r;
	unsigned k = 0;

	memset(&r, 0, sizeof(r));
	r.in = in;
	r.p = p;
	r.n = n;
	r.nibble = -1;
	while (r.at < n) {
		if ((k++ & 0x3ff) == 0 && budget_step(&in->budget) == -1)
			break;
		switch (p[r.at]) {
		case '{':
			r.depth++;
			r.at++;
			break;
		case '}':
			if (r.object && r.depth <= r.object_depth)
				close_object(&r);
			if (r.text != TEXT_NONE && r.depth <= r.text_depth)
				close_text(&r);
			if (r.depth > 0)
				r.depth--;
			r.at++;
			break;
		case '\\':
			control(&r);
			break;
		default:
			plain(&r, p[r.at++]);
			break;
		}
	}
	close_object(&r);
	close_text(&r);
	if (r.dde)
		office_report(in, FINDING_DDE, "RTF field");
	buffer_free(&r.data);
}

/* A control word with its parameter and one blank, or a control symbol. */
static void
control(struct rtf *r)
{
	struct word w;
	int sign = 1;

	r->at++;
	if (r->at == r->n)
		return;
	if (!isalpha(r->p[r->at])) {
		/* \'hh is a character; others stand for one or nothing. */
		if (r->p[r->at++] != '\'')
			return;
		if (r->n - r->at >= 2 && r->text != TEXT_NONE &&
		    hex(r->p[r->at]) >= 0 && hex(r->p[r->at + 1]) >= 0 &&
		    r->chars_n < sizeof(r->chars) - 1)
			r->chars[r->chars_n++] = (char)(hex(r->p[r->at]) << 4 |
			    hex(r->p[r->at + 1]));
		r->at = r->n - r->at < 2 ? r->n : r->at + 2;
		return;
	}
	memset(&w, 0, sizeof(w));
	w.s = (const char *)r->p + r->at;
	while (r->at < r->n && isalpha(r->p[r->at])) {
		r->at++;
		w.n++;
	}
	if (r->at < r->n && r->p[r->at] == '-') {
		sign = -1;
		r->at++;
	}
	w.digits = r->p + r->at;
	while (r->at < r->n && isdigit(r->p[r->at])) {
		if (w.value < 1000000000)
			w.value = w.value * 10 + (r->p[r->at] - '0');
		w.digits_n++;
		r->at++;
	}
	w.value *= sign;
	if (r->at < r->n && r->p[r->at] == ' ')
		r->at++;
	control_word(r, &w);
}

static int
is_word(const struct word *w, const char *name)
{
	return strlen(name) == w->n && memcmp(w->s, name, w->n) == 0;
}

static void
control_word(struct rtf *r, const struct word *w)
{
	if (is_word(w, "objdata")) {
		close_object(r);
		r->object = 1;
		r->object_depth = r->depth;
		r->digits = w->digits;
		r->digits_n = w->digits_n;
	} else if (is_word(w, "bin")) {
		if (w->value > 0)
			binary(r, (size_t)w->value);
	} else if (is_word(w, "fldinst"))
		open_text(r, TEXT_FIELD);
	else if (is_word(w, "template"))
		open_text(r, TEXT_TEMPLATE);
	else if (is_word(w, "u") && r->text != TEXT_NONE &&
	    r->chars_n < sizeof(r->chars) - 1)
		/* 16 bits with a sign; only ASCII matters here. */
		r->chars[r->chars_n++] = (char)((w->value & 0xff80) == 0 ?
		    w->value & 0x7f : '?');
}

/* Octets as they are; they are skipped where they mean nothing. */
static void
binary(struct rtf *r, size_t n)
{
	if (n > r->n - r->at)
		n = r->n - r->at;
	if (r->object && r->depth == r->object_depth &&
	    flush(r) == 0 && n <= LIM_RTF_OBJECT - r->data.n) {
		r->nibble = -1;
		(void)buffer_add(r->in, &r->data, r->p + r->at, n);
	}
	r->at += n;
}

static void
plain(struct rtf *r, uint8_t c)
{
	if (r->object && r->depth == r->object_depth) {
		if (hex(c) >= 0)
			nibble(r, hex(c));
	} else if (r->text != TEXT_NONE && r->chars_n < sizeof(r->chars) - 1 &&
	    c != '\r' && c != '\n')
		r->chars[r->chars_n++] = (char)c;
}

static void
nibble(struct rtf *r, int v)
{
	if (r->nibble == -1) {
		r->nibble = v;
		return;
	}
	r->octets[r->octets_n++] = (uint8_t)(r->nibble << 4 | v);
	r->nibble = -1;
	if (r->octets_n == sizeof(r->octets))
		(void)flush(r);
}

/* 0, or -1: the object has become too large, and is cut. */
static int
flush(struct rtf *r)
{
	size_t n = r->octets_n;

	r->octets_n = 0;
	if (n > LIM_RTF_OBJECT - r->data.n) {
		r->in->budget.over |= BUDGET_OUT;
		return -1;
	}
	return buffer_add(r->in, &r->data, r->octets, n);
}

static void
open_text(struct rtf *r, enum wanted text)
{
	close_text(r);
	r->text = text;
	r->text_depth = r->depth;
}

static void
close_text(struct rtf *r)
{
	char *s = r->chars;

	r->chars[r->chars_n] = '\0';
	while (*s == ' ')
		s++;
	if (r->text == TEXT_FIELD && dde_field(s, strlen(s)))
		r->dde = 1;
	else if (r->text == TEXT_TEMPLATE && !r->template &&
	    url_is_remote(s)) {
		r->template = 1;
		office_report(r->in, FINDING_EXTERNAL_TEMPLATE, "%s", s);
	}
	r->text = TEXT_NONE;
	r->chars_n = 0;
}

static void
close_object(struct rtf *r)
{
	(void)flush(r);
	if (r->object && r->data.n > 0 && budget_step(&r->in->budget) == 0 &&
	    !ole1_look(r->in, r->data.p, r->data.n))
		look_shifted(r);
	buffer_free(&r->data);
	r->object = 0;
	r->nibble = -1;
	r->digits_n = 0;
}

/*
 * Digits that follow \objdata without a blank are its parameter by the
 * grammar, but may have been meant as data; and one digit too many moves all
 * others.  So the octets are put together again with those digits, or half an
 * octet later.
 */
static void
look_shifted(struct rtf *r)
{
	struct buffer old = r->data;
	size_t i;
	int last = r->nibble;

	memset(&r->data, 0, sizeof(r->data));
	r->nibble = -1;
	for (i = 0; i < r->digits_n; i++)
		nibble(r, hex(r->digits[i]));
	if (r->digits_n == 0)
		nibble(r, 0);
	for (i = 0; i < old.n; i++) {
		nibble(r, old.p[i] >> 4);
		nibble(r, old.p[i] & 15);
	}
	if (last != -1)
		nibble(r, last);
	if (flush(r) == 0)
		(void)ole1_look(r->in, r->data.p, r->data.n);
	buffer_free(&old);
}

static int
hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
