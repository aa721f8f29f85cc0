/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/octets.h"
#include "scand/content/pdf.h"

/*
 * The trailer in effect, which alone says whether a PDF is encrypted: the one
 * that the last startxref leads to.  If that leads nowhere, the file is
 * searched, as its readers do.
 */

#define SECTIONS_MAX	1024	/* of a chain of updates */

static int	 by_startxref(struct pdf *, struct pdf_trailer *);
static int	 by_search(struct pdf *, struct pdf_trailer *);
static void	 keep_searched(struct pdf *, size_t, size_t *, size_t *);
static int	 section(struct pdf *, uint64_t, size_t *);
static int	 section_at(struct pdf *, size_t, size_t *);
static int	 is_xref_stream(struct pdf *, size_t);
static void	 follow(struct pdf *, struct pdf_trailer *);
static void	 read_id(struct pdf *, size_t, struct pdf_trailer *);

int
pdf_trailer(struct pdf *pdf, struct pdf_trailer *t)
{
	memset(t, 0, sizeof(*t));
	if (by_startxref(pdf, t) == 0)
		return 0;
	memset(t, 0, sizeof(*t));
	return by_search(pdf, t);
}

static int
by_startxref(struct pdf *pdf, struct pdf_trailer *t)
{
	struct pdf_lex l;
	struct pdf_value root;
	size_t at;

	at = octets_rfind(pdf->p, pdf->n, pdf->n, "startxref", 9);
	if (at == pdf->n)
		return -1;
	pdf_lex(&l, pdf->p, pdf->n, at + 9);
	if (pdf_token(pdf, &l) != PDF_NUMBER || l.number < 0 ||
	    section(pdf, (uint64_t)l.number, &t->dict) == -1)
		return -1;
	/* No reader can begin without it. */
	(void)pdf_get(pdf, t->dict, "Root", &root);
	if (root.type == PDF_END)
		return -1;
	(void)pdf_get(pdf, t->dict, "Encrypt", &t->encrypt);
	read_id(pdf, t->dict, t);
	follow(pdf, t);
	return 0;
}

/* The dictionary of the section at an offset, which counts from the header or
   from the beginning. */
static int
section(struct pdf *pdf, uint64_t at, size_t *dict)
{
	if (at < pdf->n - pdf->shift &&
	    section_at(pdf, (size_t)at + pdf->shift, dict) == 0)
		return 0;
	return pdf->shift != 0 && at < pdf->n ?
	    section_at(pdf, (size_t)at, dict) : -1;
}

/* A table and the trailer behind it, or a stream, whose dictionary is one. */
static int
section_at(struct pdf *pdf, size_t at, size_t *dict)
{
	struct pdf_lex l;
	struct pdf_object o;
	enum pdf_token t;

	pdf_lex(&l, pdf->p, pdf->n, at);
	t = pdf_token(pdf, &l);
	if (t == PDF_NUMBER) {
		if (!pdf_object_at(pdf, at, &o) ||
		    !is_xref_stream(pdf, o.at))
			return -1;
		*dict = o.at;
		return 0;
	}
	if (t != PDF_WORD || strcmp(l.text, "xref") != 0)
		return -1;
	/* However its lines end: numbers, and n or f. */
	while ((t = pdf_token(pdf, &l)) == PDF_NUMBER || (t == PDF_WORD &&
	    l.text[0] != '\0' && strcmp(l.text, "trailer") != 0 &&
	    strlen(l.text) == 1))
		continue;
	if (t != PDF_WORD || strcmp(l.text, "trailer") != 0)
		return -1;
	if (pdf_token(pdf, &l) != PDF_DICT)
		return -1;
	*dict = l.begin;
	return 0;
}

static int
is_xref_stream(struct pdf *pdf, size_t dict)
{
	struct pdf_value v;

	(void)pdf_get(pdf, dict, "Type", &v);
	return v.type == PDF_NAME && strcmp(v.text, "XRef") == 0;
}

/* Older sections: an identifier, if the newest has none, and encryption that
   is no longer in effect. */
static void
follow(struct pdf *pdf, struct pdf_trailer *t)
{
	struct pdf_value prev, v;
	uint64_t seen[SECTIONS_MAX];
	size_t dict = t->dict, n, i;

	for (n = 0; n < SECTIONS_MAX; n++) {
		(void)pdf_get(pdf, dict, "Prev", &prev);
		if (prev.type != PDF_NUMBER || prev.number <= 0)
			return;
		seen[n] = (uint64_t)prev.number;
		for (i = 0; i < n; i++)
			if (seen[i] == seen[n])
				return;
		if (section(pdf, seen[n], &dict) == -1)
			return;
		(void)pdf_get(pdf, dict, "Encrypt", &v);
		if (v.type != PDF_END && t->encrypt.type == PDF_END)
			t->old_encrypt = 1;
		if (t->id_n == 0)
			read_id(pdf, dict, t);
	}
}

static void
read_id(struct pdf *pdf, size_t dict, struct pdf_trailer *t)
{
	struct pdf_value v;
	struct pdf_object o;
	struct pdf_lex l;

	(void)pdf_get(pdf, dict, "ID", &v);
	if (v.is_ref) {
		if (!pdf_object_find(pdf, v.number, 0, &o))
			return;
		v.at = o.at;
	} else if (v.type != PDF_ARRAY)
		return;
	pdf_lex(&l, pdf->p, pdf->n, v.at);
	if (pdf_expect(pdf, &l, PDF_ARRAY) && pdf_expect(pdf, &l, PDF_STRING))
		t->id_n = pdf_string(pdf, l.begin, t->id, sizeof(t->id));
}

/* All trailers and cross-reference streams; the last one that says /Encrypt
   counts, else the last. */
static int
by_search(struct pdf *pdf, struct pdf_trailer *t)
{
	struct pdf_lex l;
	struct pdf_object o;
	size_t at, last = pdf->n, locked = pdf->n;

	for (at = 0; (at = octets_find(pdf->p, pdf->n, at, "trailer",
	    7)) < pdf->n; at += 7) {
		if (budget_is_over(&pdf->in->budget))
			return -1;
		pdf_lex(&l, pdf->p, pdf->n, at + 7);
		if (pdf_token(pdf, &l) == PDF_DICT)
			keep_searched(pdf, l.begin, &last, &locked);
	}
	for (at = 0; pdf_object_next(pdf, at, &o); at = o.next) {
		pdf_lex(&l, pdf->p, pdf->n, o.at);
		if (pdf_token(pdf, &l) == PDF_DICT &&
		    is_xref_stream(pdf, l.begin))
			keep_searched(pdf, l.begin, &last, &locked);
	}
	t->dict = locked < pdf->n ? locked : last;
	if (t->dict == pdf->n)
		return -1;
	(void)pdf_get(pdf, t->dict, "Encrypt", &t->encrypt);
	read_id(pdf, t->dict, t);
	return 0;
}

static void
keep_searched(struct pdf *pdf, size_t dict, size_t *last, size_t *locked)
{
	struct pdf_value v;

	if (*last == pdf->n || dict > *last)
		*last = dict;
	(void)pdf_get(pdf, dict, "Encrypt", &v);
	if (v.type != PDF_END && (*locked == pdf->n || dict > *locked))
		*locked = dict;
}
