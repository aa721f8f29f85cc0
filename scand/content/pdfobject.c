/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "scand/content/octets.h"
#include "scand/content/pdf.h"
#include "scand/content/pdffilter.h"
#include "scand/content/unpack.h"

/*
 * Objects of a PDF and the data of streams.  Objects are found by searching
 * the file, not by its tables: that works for damaged files and for those that
 * lie.
 */

#define FILTERS_MAX	8	/* of one stream */
#define FINDS_MAX	64	/* lengths elsewhere, of one file */

static size_t	 number_before(const struct pdf *, size_t, int64_t *);
static int64_t	 stream_length(struct pdf *, int64_t);
static size_t	 stream_end(struct pdf *, size_t, size_t);
static unsigned	 filters(struct pdf *, size_t, enum pdf_filter *);

int
pdf_object_next(struct pdf *pdf, size_t from, struct pdf_object *o)
{
	size_t hit, at;
	int64_t generation;

	for (hit = from; (hit = octets_find(pdf->p, pdf->n, hit, "obj",
	    3)) < pdf->n; hit += 3) {
		if (budget_work(&pdf->in->budget, hit - from + 64) == -1)
			return 0;
		from = hit;
		at = number_before(pdf, hit, &generation);
		if (at == hit)
			continue;
		if (number_before(pdf, at, &o->number) == at)
			continue;
		o->at = o->next = hit + 3;
		return 1;
	}
	return 0;
}

/* A number of up to ten digits and blanks before an offset: where it begins,
   or the offset itself. */
static size_t
number_before(const struct pdf *pdf, size_t end, int64_t *number)
{
	size_t at = end, first, i;

	while (at > 0 && end - at < 32 && (pdf->p[at - 1] == ' ' ||
	    (pdf->p[at - 1] >= 9 && pdf->p[at - 1] <= 13) ||
	    pdf->p[at - 1] == 0))
		at--;
	first = at;
	while (first > 0 && at - first < 10 && pdf->p[first - 1] >= '0' &&
	    pdf->p[first - 1] <= '9')
		first--;
	if (first == at || at == end)
		return end;
	*number = 0;
	for (i = first; i < at; i++)
		*number = *number * 10 + (pdf->p[i] - '0');
	return first;
}

int
pdf_object_at(struct pdf *pdf, size_t at, struct pdf_object *o)
{
	struct pdf_lex l;

	if (at >= pdf->n)
		return 0;
	pdf_lex(&l, pdf->p, pdf->n, at);
	if (!pdf_expect(pdf, &l, PDF_NUMBER))
		return 0;
	o->number = l.number;
	if (!pdf_expect(pdf, &l, PDF_NUMBER) ||
	    !pdf_expect(pdf, &l, PDF_WORD) || strcmp(l.text, "obj") != 0)
		return 0;
	o->at = o->next = l.at;
	return 1;
}

int
pdf_object_find(struct pdf *pdf, int64_t number, int dict,
    struct pdf_object *o)
{
	struct pdf_object next;
	struct pdf_lex l;
	size_t at = 0;
	int found = 0;

	while (pdf_object_next(pdf, at, &next)) {
		at = next.next;
		if (next.number != number)
			continue;
		pdf_lex(&l, pdf->p, pdf->n, next.at);
		if (dict && pdf_token(pdf, &l) != PDF_DICT)
			continue;
		*o = next;
		found = 1;
	}
	return found;
}

int
pdf_stream(struct pdf *pdf, size_t dict, const uint8_t **p, size_t *n)
{
	struct pdf_lex l;
	struct pdf_value length;
	size_t at, end;

	at = pdf_get(pdf, dict, "Length", &length);
	pdf_lex(&l, pdf->p, pdf->n, at);
	if (at == dict || pdf_token(pdf, &l) != PDF_WORD ||
	    strncmp(l.text, "stream", 6) != 0)
		return 0;
	at = l.begin + 6;
	if (at < pdf->n && pdf->p[at] == '\r')
		at++;
	if (at < pdf->n && pdf->p[at] == '\n')
		at++;
	if (length.is_ref)
		length.number = stream_length(pdf, length.number);
	end = stream_end(pdf, at, length.number < 0 ? 0 :
	    (size_t)length.number);
	*p = pdf->p + at;
	*n = end - at;
	return 1;
}

/* What the object of a length says; each look-up goes through the file. */
static int64_t
stream_length(struct pdf *pdf, int64_t number)
{
	struct pdf_object o;
	struct pdf_lex l;

	if (pdf->finds >= FINDS_MAX)
		return -1;
	pdf->finds++;
	if (!pdf_object_find(pdf, number, 0, &o))
		return -1;
	pdf_lex(&l, pdf->p, pdf->n, o.at);
	return pdf_token(pdf, &l) == PDF_NUMBER ? l.number : -1;
}

/* The length is believed if endstream follows; else it is searched for. */
static size_t
stream_end(struct pdf *pdf, size_t at, size_t length)
{
	size_t i, end;

	if (length > 0 && length < pdf->n - at) {
		end = at + length;
		for (i = end; i < pdf->n && i - end < 4 &&
		    pdf->p[i] <= ' '; i++)
			continue;
		if (pdf->n - i >= 9 && memcmp(pdf->p + i, "endstream", 9) == 0)
			return end;
	}
	end = octets_find(pdf->p, pdf->n, at, "endstream", 9);
	(void)budget_work(&pdf->in->budget, end - at);
	return end;
}

int
pdf_unpack(struct pdf *pdf, size_t dict, struct unpack *u,
    const uint8_t **out, size_t *n)
{
	enum pdf_filter f[FILTERS_MAX];
	struct unpack before;
	unsigned count, i;

	unpack_begin(u, pdf->in, 0);
	if (!pdf_stream(pdf, dict, out, n))
		return -1;
	count = filters(pdf, dict, f);
	for (i = 0; i < count; i++) {
		if (f[i] == PDF_FILTER_UNKNOWN)
			return 0;
		before = *u;
		unpack_begin(u, pdf->in, *n);
		pdf_filter(f[i], u, *out, *n);
		unpack_free(&before);
		*out = u->p;
		*n = u->n;
	}
	return 1;
}

/* How many there are. */
static unsigned
filters(struct pdf *pdf, size_t dict, enum pdf_filter *f)
{
	struct pdf_value v;
	struct pdf_lex l;
	struct pdf_object o;
	enum pdf_token t;
	unsigned n = 0;

	(void)pdf_get(pdf, dict, "Filter", &v);
	if (v.type == PDF_END)
		(void)pdf_get(pdf, dict, "F", &v);
	if (v.is_ref) {
		if (!pdf_object_find(pdf, v.number, 0, &o))
			return 0;
		v.at = o.at;
	} else if (v.type != PDF_NAME && v.type != PDF_ARRAY)
		return 0;
	pdf_lex(&l, pdf->p, pdf->n, v.at);
	t = pdf_token(pdf, &l);
	if (t == PDF_NAME) {
		f[0] = pdf_filter_named(l.text);
		return 1;
	}
	while (t == PDF_ARRAY && n < FILTERS_MAX &&
	    pdf_token(pdf, &l) == PDF_NAME)
		f[n++] = pdf_filter_named(l.text);
	return n;
}
