/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/inspect.h"
#include "scand/rules/found.h"
#include "scand/scand.h"

/*
 * Every part of a message, in every way in which it may be read, is looked at
 * for what it is (scand/content/); what is found becomes symbols (found.c).
 * Messages inside of other things come back here.
 */

static void	look_message(struct inspect *, const uint8_t *, size_t);
static void	look_mime(struct found *, const uint8_t *, size_t, unsigned);
static void	look_parts(struct found *, const struct mime *);
static void	look_part(struct found *, const struct mime *, size_t,
		    struct octets *);
static void	look_reading(struct found *, const struct mime *,
		    const struct mime_part *, const struct reading *,
		    struct octets *);
static void	look_octets(struct found *, const struct mime *,
		    const struct mime_part *, enum encoding,
		    const struct octets *);
static void	look_names(struct found *, const struct mime *,
		    const struct mime_part *, enum content_type);
static int	is_worth(struct found *, const struct mime *,
		    const struct mime_part *, const struct reading *);
static int	is_reported(const struct mime *, const struct mime_part *);
static int	is_walked(const struct mime_part *, enum encoding);
static int	is_nothing(enum content_type);
static int	is_text_otherwise(const struct mime_part *,
		    enum content_type);
static void	take_text(struct mail_text *, const struct mime *,
		    const struct mime_part *, const struct octets *);

void
attachment_budget(struct budget *b)
{
	const struct config *conf = job_config();
	size_t held = jobs_held(), room = LIM_SCAN_ROOM;

	budget_default(b);
	/* With what waits for answers it stays within what we may have. */
	if (held + room < LIM_SCAN_PRIVATE)
		room = LIM_SCAN_PRIVATE - held;
	if (b->held_max > room)
		b->held_max = room;
	b->depth_max = conf->limit_scan_depth;
	b->blobs_max = conf->limit_scan_members;
	b->out_max = conf->limit_scan_bytes;
	b->ratio_max = conf->limit_scan_ratio;
	b->ms_max = conf->limit_scan_ms;
	budget_start(b);
}

void
rule_attachments(struct job *j, const struct view *v)
{
	static struct found f;
	size_t before;

	found_begin(&f, j, v);
	f.in.mime = look_message;
	look_parts(&f, &v->mime);
	/* Without MIME-Version, an old reader sees one text. */
	if (!v->mime.versioned && v->mime.nparts > 1) {
		before = found_enter(&f, "text");
		uuencode_look(&f.in, v->p + v->header.size,
		    v->n - v->header.size);
		found_leave(&f, before);
	}
	pattern_found(j, f.patterns);
}

/* From inside of content_look(): a letter in a letter, a web archive ... */
static void
look_message(struct inspect *in, const uint8_t *p, size_t n)
{
	look_mime(in->arg, p, n, 0);
}

static void
look_mime(struct found *f, const uint8_t *p, size_t n, unsigned how)
{
	struct budget *b = &f->in.budget;
	struct mime m;
	int other = f->other, known = f->known, guess = f->guess;

	if (b->depth >= b->depth_max) {
		content_report(&f->in, FINDING_OVER_BUDGET, "depth");
		return;
	}
	memset(&m, 0, sizeof(m));
	found_level(f, ++b->depth, NULL, CONTENT_MIME);
	f->inner++;
	f->doubtful += other;
	if (mime_parse(&m, b, p, n, how) == 0)
		look_parts(f, &m);
	else
		content_report(&f->in, FINDING_OVER_BUDGET, "memory");
	f->doubtful -= other;
	f->inner--;
	b->depth--;
	f->other = other;
	f->known = known;
	f->guess = guess;
	mime_free(&m);
}

static void
look_parts(struct found *f, const struct mime *m)
{
	struct octets o = { .p = NULL };
	size_t i, before;

	for (i = 0; i < m->nparts; i++)
		look_part(f, m, i, &o);
	octets_free(&o, &f->in.budget);
	if (m->cut) {
		before = found_enter(f, "parts");
		content_report(&f->in, FINDING_OVER_BUDGET, "not all seen");
		found_leave(f, before);
	}
}

static void
look_part(struct found *f, const struct mime *m, size_t i, struct octets *o)
{
	const struct mime_part *p = &m->parts[i];
	struct reading v[READINGS];
	char path[MIME_PATH];
	size_t n, k, before;

	before = found_part(f, m, p, mime_path(m, i, path, sizeof(path)));
	if (f->inner == 0)
		job_at(path);
	if ((p->flags & PART_PARTIAL) && !is_reported(m, p))
		found_symbol(f, SYM_MESSAGE_PARTIAL, "");
	if (p->flags & PART_EXTERNAL)
		found_symbol(f, SYM_EXTERNAL_BODY, "");
	n = mime_readings(m, p, v);
	f->known = 0;
	for (k = 0; k < n; k++) {
		f->other = k > 0 || f->doubtful > 0;
		f->guess = v[k].guess;
		if ((!v[k].guess || !f->known) && is_worth(f, m, p, &v[k]))
			look_reading(f, m, p, &v[k], o);
	}
	f->other = f->doubtful > 0;
	f->guess = 0;
	f->label = NULL;
	found_leave(f, before);
}

static void
look_reading(struct found *f, const struct mime *m, const struct mime_part *p,
    const struct reading *r, struct octets *o)
{
	struct reading v[READINGS];
	size_t n, i;

	if (octets_read(o, m, &f->in.budget, r) == -1) {
		content_report(&f->in, FINDING_OVER_BUDGET, "not decoded");
		return;
	}
	if (!f->other && f->inner == 0 && (p->flags & PART_TEXT))
		take_text(f->text, m, p, o);
	n = mime_readings_base64(r, o->differs, v);
	look_octets(f, m, p, r->encoding, o);
	f->other = 1;
	for (i = 0; i < n; i++) {
		if (octets_read(o, m, &f->in.budget, &v[i]) == -1)
			return;
		look_octets(f, m, p, r->encoding, o);
	}
}

static void
look_octets(struct found *f, const struct mime *m, const struct mime_part *p,
    enum encoding encoding, const struct octets *o)
{
	const char *name = p->nnames == 0 ? NULL : mime_string(m, p->name[0]);
	enum content_type type = content_type(o->p, o->n);

	if (o->n == 0)
		return;
	if (is_walked(p, encoding)) {
		/* By parts.c; what is no mail may still be a file. */
		if (is_nothing(type) || type == CONTENT_MIME)
			return;
	} else if ((p->flags & (PART_MULTIPART | PART_MESSAGE)) &&
	    encoding != ENCODING_NONE && type != CONTENT_MIME)
		look_mime(f, o->p, o->n, p->flags & PART_MULTIPART ?
		    MIME_BODY : 0);
	/* A guess is worth a look only if it makes something of nothing. */
	if (is_nothing(type) && f->guess && !zip_is_behind(o->p, o->n, 0))
		return;
	f->known |= !is_nothing(type);
	/* The rest is seen in the message as it came. */
	if (f->inner > 0 || encoding != ENCODING_NONE)
		f->patterns |= pattern_search(o->p, o->n);
	content_look_typed(&f->in, name, type, o->p, o->n);
	if (is_text_otherwise(p, type))
		uuencode_look(&f->in, o->p, o->n);
	if (!f->other)
		look_names(f, m, p, type);
}

/* Further names that the part has: a reader may save it under any. */
static void
look_names(struct found *f, const struct mime *m, const struct mime_part *p,
    enum content_type type)
{
	size_t before;
	unsigned i;

	for (i = 1; i < p->nnames; i++) {
		before = found_enter(f, mime_string(m, p->name[i]));
		names_look(&f->in, mime_string(m, p->name[i]), type);
		found_leave(f, before);
	}
}

/*
 * A multipart must not be encoded (RFC 2045 6.4), but many say that it is, and
 * do not mean it: only if lines of boundaries can be hidden in it.
 */
static int
is_worth(struct found *f, const struct mime *m, const struct mime_part *p,
    const struct reading *r)
{
	const uint8_t *b = m->p + r->from;
	size_t n = r->to - r->from;

	if (!(p->flags & PART_PARENT) || r->encoding != ENCODING_QP)
		return 1;
	if (budget_work(&f->in.budget, n) == -1)
		return 1;
	return memmem(b, n, "=2D", 3) != NULL ||
	    memmem(b, n, "=2d", 3) != NULL;
}

/* Of a message that was returned; no reader puts that together. */
static int
is_reported(const struct mime *m, const struct mime_part *p)
{
	return p->parent != MIME_NONE && strcmp(mime_string(m,
	    m->parts[p->parent].type), "multipart/report") == 0;
}

/* Have its parts been found in these octets? */
static int
is_walked(const struct mime_part *p, enum encoding encoding)
{
	return !(p->flags & PART_LEAF) && encoding == ENCODING_NONE;
}

/* Octets that are of no type, or of one that most octets are. */
static int
is_nothing(enum content_type type)
{
	return type == CONTENT_UNKNOWN || type == CONTENT_EMPTY ||
	    type == CONTENT_TEXT;
}

/* Whatever it looks like: a reader shows text, and what is inline in it. */
static int
is_text_otherwise(const struct mime_part *p, enum content_type type)
{
	return (p->flags & (PART_TEXT | PART_HTML)) == PART_TEXT &&
	    type != CONTENT_TEXT && type != CONTENT_HTML &&
	    type != CONTENT_UUENCODE && type != CONTENT_YENC;
}

static void
take_text(struct mail_text *t, const struct mime *m, const struct mime_part *p,
    const struct octets *o)
{
	size_t n = o->n < LIM_SCAN_TEXT ? o->n : LIM_SCAN_TEXT;
	char *at, *nul;

	if (sizeof(t->p) - t->n < 2)
		return;
	if (t->n > 0)
		t->p[t->n++] = '\n';
	at = t->p + t->n;
	n = charset_utf8(mime_string(m, p->charset), o->p, n, at,
	    sizeof(t->p) - t->n);
	t->n += n;
	while ((nul = memchr(at, '\0', n)) != NULL) {
		*nul++ = ' ';
		n -= (size_t)(nul - at);
		at = nul;
	}
}
