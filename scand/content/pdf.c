/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/magic.h"
#include "scand/content/pdf.h"
#include "scand/content/unpack.h"

/*
 * PDF: is it encrypted, what does it do by itself, and what is attached to it.
 * Attachments are streams that say EmbeddedFile or that a file specification
 * refers to; the specification may be in an object stream.
 */

#define WANTED_MAX	4096	/* objects that specifications refer to */

struct attached {
	unsigned	 n;
	int		 active;
	enum pdf_lock	 lock;		/* PDF_LOCK_NONE: streams are plain */
	int64_t		 wanted[WANTED_MAX];
};

static enum pdf_lock find_lock(struct pdf *, const struct pdf_trailer *);
static void	 scan(struct pdf *, struct attached *);
static void	 scan_object(struct pdf *, struct attached *, size_t);
static void	 scan_object_stream(struct pdf *, struct attached *, size_t);
static size_t	 scan_names(struct pdf *, struct attached *, size_t, int);
static void	 scan_embedded(struct pdf *, struct attached *,
		    struct pdf_lex *);
static void	 want(struct attached *, int64_t);
static int	 is_wanted(const struct attached *, unsigned, unsigned,
		    int64_t);
static void	 look_wanted(struct pdf *, struct attached *);
static void	 look_stream(struct pdf *, size_t);

void
pdf_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct pdf pdf = { .in = in, .p = p, .n = n };
	struct pdf_trailer t;
	struct attached a;

	if ((pdf.shift = magic_pdf_start(p, n)) == n)
		pdf.shift = 0;
	memset(&a, 0, offsetof(struct attached, wanted));
	if (pdf_trailer(&pdf, &t) == 0)
		a.lock = find_lock(&pdf, &t);
	else if (!budget_is_over(&in->budget))
		content_report(in, FINDING_DAMAGED, "no trailer");
	scan(&pdf, &a);
	if (a.active)
		content_report(in, FINDING_PDF_ACTIVE, "");
	if (a.lock == PDF_LOCK_NONE)
		look_wanted(&pdf, &a);
	else if (a.lock == PDF_LOCK_OWNER && a.n > 0)
		content_report(in, FINDING_OPAQUE, "encrypted attachment");
}

/* Report it, too. */
static enum pdf_lock
find_lock(struct pdf *pdf, const struct pdf_trailer *t)
{
	static const enum finding findings[] = {
		[PDF_LOCK_PASSWORD] = FINDING_PDF_ENCRYPTED,
		[PDF_LOCK_OWNER] = FINDING_PDF_OWNER,
		[PDF_LOCK_ATTACHMENTS] = FINDING_PDF_ATTACHMENT_ENCRYPTED,
	};
	enum pdf_lock lock;

	if (t->encrypt.type == PDF_END) {
		if (t->old_encrypt)
			content_report(pdf->in, FINDING_PDF_OLD_ENCRYPT, "");
		return PDF_LOCK_NONE;
	}
	lock = pdf_lock(pdf, t);
	if (lock == PDF_LOCK_NONE)
		content_report(pdf->in, FINDING_DAMAGED,
		    "encrypted by nothing");
	else
		content_report(pdf->in, findings[lock], "");
	return lock;
}

static void
scan(struct pdf *pdf, struct attached *a)
{
	struct pdf_object o;
	size_t at;

	for (at = 0; pdf_object_next(pdf, at, &o); at = o.next)
		scan_object(pdf, a, o.at);
}

/* The names in it, and whether it is a stream that has more. */
static void
scan_object(struct pdf *pdf, struct attached *a, size_t at)
{
	struct pdf_value type;
	size_t end = scan_names(pdf, a, at, 0);

	if (end == at)
		return;
	(void)pdf_get(pdf, at, "Type", &type);
	if (type.type != PDF_NAME)
		return;
	if (strcmp(type.text, "ObjStm") == 0 && (a->lock ==
	    PDF_LOCK_NONE || a->lock == PDF_LOCK_ATTACHMENTS))
		scan_object_stream(pdf, a, at);
	else if (strcmp(type.text, "EmbeddedFile") == 0) {
		if (a->lock == PDF_LOCK_NONE)
			look_stream(pdf, at);
		else
			want(a, -1);
	}
}

static void
scan_object_stream(struct pdf *pdf, struct attached *a, size_t dict)
{
	struct unpack u;
	struct pdf inner = *pdf;

	if (pdf_unpack(pdf, dict, &u, &inner.p, &inner.n) == 1)
		(void)scan_names(&inner, a, 0, 1);
	unpack_free(&u);
}

/*
 * Names of interest, in the dictionary or array that begins at an offset, or
 * (all) up to the end.  Where it ends; the offset itself if it is neither.
 */
static size_t
scan_names(struct pdf *pdf, struct attached *a, size_t at, int all)
{
	struct pdf_lex l;
	enum pdf_token t;
	size_t depth = 0;

	pdf_lex(&l, pdf->p, pdf->n, at);
	while ((t = pdf_token(pdf, &l)) != PDF_END) {
		if (t == PDF_DICT || t == PDF_ARRAY)
			depth++;
		else if ((t == PDF_DICT_END || t == PDF_ARRAY_END) &&
		    depth > 0)
			depth--;
		else if (t == PDF_NAME) {
			if (strcmp(l.text, "JavaScript") == 0 ||
			    strcmp(l.text, "JS") == 0 ||
			    strcmp(l.text, "Launch") == 0)
				a->active = 1;
			else if (strcmp(l.text, "EF") == 0)
				scan_embedded(pdf, a, &l);
		}
		if (depth == 0 && !all)
			return t == PDF_DICT_END || t == PDF_ARRAY_END ?
			    l.at : at;
	}
	return l.at;
}

/* What stands behind /EF: a dictionary of references, or a reference to such a
   one. */
static void
scan_embedded(struct pdf *pdf, struct attached *a, struct pdf_lex *l)
{
	struct pdf_lex look = *l;
	struct pdf_value v;
	enum pdf_token t = pdf_token(pdf, &look);

	if (t == PDF_NUMBER) {
		pdf_value(pdf, &look, t, &v);
		if (v.is_ref)
			want(a, v.number);
		return;
	}
	if (t != PDF_DICT)
		return;
	while (pdf_expect(pdf, &look, PDF_NAME)) {
		t = pdf_token(pdf, &look);
		if (t == PDF_DICT_END || t == PDF_END)
			return;
		pdf_value(pdf, &look, t, &v);
		if (v.is_ref)
			want(a, v.number);
	}
}

static void
want(struct attached *a, int64_t number)
{
	if (a->n < WANTED_MAX && !is_wanted(a, 0, a->n, number))
		a->wanted[a->n++] = number;
}

/* Is it one of those from one place to another? */
static int
is_wanted(const struct attached *a, unsigned from, unsigned to, int64_t number)
{
	for (; from < to; from++)
		if (a->wanted[from] == number)
			return 1;
	return 0;
}

/* Those that do not say EmbeddedFile themselves; a dictionary that is no
   stream is one of references, which are looked for next. */
static void
look_wanted(struct pdf *pdf, struct attached *a)
{
	struct pdf_object o;
	struct pdf_value type;
	struct pdf_lex l;
	const uint8_t *p;
	size_t at, n;
	unsigned from, to = 0, pass;

	for (pass = 0; pass < 2 && to < a->n; pass++) {
		from = to;
		to = a->n;
		for (at = 0; pdf_object_next(pdf, at, &o); at = o.next) {
			if (budget_work(&pdf->in->budget, to - from) == -1)
				return;
			if (!is_wanted(a, from, to, o.number))
				continue;
			(void)pdf_get(pdf, o.at, "Type", &type);
			if (type.type == PDF_NAME &&
			    strcmp(type.text, "EmbeddedFile") == 0)
				continue;
			pdf_lex(&l, pdf->p, pdf->n, o.at);
			if (pdf_stream(pdf, o.at, &p, &n))
				look_stream(pdf, o.at);
			else
				scan_embedded(pdf, a, &l);
		}
	}
}

static void
look_stream(struct pdf *pdf, size_t dict)
{
	struct unpack u;
	const uint8_t *p;
	size_t n;

	switch (pdf_unpack(pdf, dict, &u, &p, &n)) {
	case 1:
		if (u.cut)
			content_look_cut(pdf->in, "attachment", p, n);
		else
			content_look(pdf->in, "attachment", p, n);
		break;
	case 0:
		content_report(pdf->in, FINDING_OPAQUE, "filter");
		break;
	default:
		break;
	}
	unpack_free(&u);
}
