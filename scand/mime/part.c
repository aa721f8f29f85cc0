/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "scand/mime/walk.h"

/*
 * What a part says of itself.  Where its fields contradict each other, all of
 * what they say is kept.
 */

#define TYPE_SIZE	64
#define NAME_SIZE	256	/* octets of UTF-8 that are kept of a name */

/* What is gathered from all fields of one section. */
struct gather {
	struct mime		*m;
	uint32_t		 part;
	uint32_t		 frame;		/* that a multipart made */
	int			 doubtful;
	struct sections		 boundary, name, filename;
	char			 names[2 * MIME_NAMES][NAME_SIZE];
	unsigned		 nnames;
};

static void	span_begin(struct params *, struct mime *,
		    const struct span *, char *, size_t);
static int	span_next(struct params *, struct mime *, struct param *);
static int	gather_type(struct gather *, const struct span *);
static int	gather_frame(struct gather *, const char *);
static int	gather_boundary(struct gather *, const struct param *);
static int	boundary_reading(struct gather *, const char *);
static void	gather_disposition(struct gather *, const struct span *);
static void	gather_encoding(struct gather *, const struct span *);
static void	gather_name(struct gather *, const char *);
static int	gather_names(struct gather *);
static void	sections_reset(struct gather *);
static void	encoding_put(struct mime_part *, enum encoding);
static size_t	squeeze(const uint8_t *, size_t, char *, size_t);
static unsigned	type_flags(const char *);

int
part_describe(struct mime *m, uint32_t part, const struct block *b,
    int doubtful)
{
	struct gather g;
	struct mime_part *p = &m->parts[part];
	unsigned i;

	g.m = m;
	g.part = part;
	g.frame = MIME_NONE;
	g.doubtful = doubtful;
	g.nnames = 0;
	p->head = b->head;
	p->body = b->body;
	p->body_other = b->other;
	if (b->versioned && part == 0)
		m->versioned = 1;
	for (i = 0; i < b->n[BLOCK_DISPOSITION]; i++)
		gather_disposition(&g, &b->v[BLOCK_DISPOSITION][i]);
	for (i = 0; i < b->n[BLOCK_ENCODING]; i++)
		gather_encoding(&g, &b->v[BLOCK_ENCODING][i]);
	if (p->nencodings == 0)
		encoding_put(p, ENCODING_NONE);
	for (i = 0; i < b->n[BLOCK_TYPE]; i++) {
		if (gather_type(&g, &b->v[BLOCK_TYPE][i]) == -1)
			return -1;
	}
	p = &m->parts[part];
	if (!(p->flags & (PART_LEAF | PART_MULTIPART | PART_MESSAGE)))
		/* RFC 2045 5.2; in a digest it is a message. */
		p->flags |= m->current != MIME_NONE &&
		    m->frames[m->current].digest ? PART_MESSAGE :
		    PART_LEAF | PART_TEXT;
	return gather_names(&g);
}

/* Parameters of a field, as many as there is time for. */
static void
span_begin(struct params *ps, struct mime *m, const struct span *s,
    char *word, size_t size)
{
	size_t n = s->end - s->at;

	if (n > LIM_MIME_FIELD) {
		n = LIM_MIME_FIELD;
		m->cut = 1;
	}
	params_begin(ps, m->p + s->at, n, word, size);
}

static int
span_next(struct params *ps, struct mime *m, struct param *pm)
{
	if (budget_step(m->budget) == -1) {
		m->cut = 1;
		return 0;
	}
	return params_next(ps, pm);
}

static int
gather_type(struct gather *g, const struct span *s)
{
	struct mime *m = g->m;
	struct mime_part *p = &m->parts[g->part];
	struct params ps;
	struct param pm;
	char type[TYPE_SIZE], joined[PARAM_VALUE];

	sections_reset(g);
	span_begin(&ps, m, s, type, sizeof(type));
	p->flags |= type_flags(type);
	if (p->type == 0 &&
	    (p->type = mime_text(m, type, strlen(type))) == MIME_NONE)
		return -1;
	if (strncmp(type, "multipart/", 10) == 0 &&
	    gather_frame(g, type) == -1)
		return -1;
	while (span_next(&ps, m, &pm)) {
		p = &m->parts[g->part];
		if (strcmp(pm.attribute, "boundary") == 0) {
			if (gather_boundary(g, &pm) == -1)
				return -1;
		} else if (strcmp(pm.attribute, "name") == 0)
			gather_name(g, pm.value[0]);
		else if (strcmp(pm.attribute, "charset") == 0 &&
		    p->charset == 0) {
			/* The shortest reading is without what came after. */
			p->charset = mime_text(m, pm.value[pm.n - 1],
			    strnlen(pm.value[pm.n - 1], TYPE_SIZE));
			if (p->charset == MIME_NONE)
				return -1;
		} else if (!sections_add(&g->boundary, "boundary", &pm))
			sections_add(&g->name, "name", &pm);
	}
	if (sections_utf8(&g->name, joined, sizeof(joined)) > 0)
		gather_name(g, joined);
	if (sections_utf8(&g->boundary, joined, sizeof(joined)) > 0)
		return boundary_reading(g, joined);
	return 0;
}

/* Several multipart fields are one frame with the boundaries of all. */
static int
gather_frame(struct gather *g, const char *type)
{
	struct mime_frame *f;

	if (g->frame == MIME_NONE) {
		g->frame = frame_push(g->m, g->part, g->doubtful);
		if (g->frame == MIME_NONE)
			return -1;
		if (g->m->frames[g->frame].part == g->part)
			g->m->frames[g->frame].guess = 1;
	}
	f = &g->m->frames[g->frame];
	if (strcmp(type, "multipart/digest") == 0)
		f->digest = 1;
	return 0;
}

static int
gather_boundary(struct gather *g, const struct param *pm)
{
	char word[PARAM_VALUE];
	unsigned i;
	size_t len;

	for (i = 0; i < pm->n; i++) {
		if (boundary_reading(g, pm->value[i]) == -1)
			return -1;
		len = strlen(pm->value[i]);
		if (strstr(pm->value[i], "=?") != NULL) {
			words_utf8(pm->value[i], len, word, sizeof(word));
			if (boundary_reading(g, word) == -1)
				return -1;
		}
		if (len > 2 && pm->value[i][0] == '\'' &&
		    pm->value[i][len - 1] == '\'') {
			memcpy(word, pm->value[i] + 1, len - 2);
			word[len - 2] = '\0';
			if (boundary_reading(g, word) == -1)
				return -1;
		}
	}
	return 0;
}

/* Also where the type says that it is no multipart: then it is doubtful. */
static int
boundary_reading(struct gather *g, const char *text)
{
	if (g->frame == MIME_NONE) {
		g->frame = frame_push(g->m, g->part, 1);
		if (g->frame == MIME_NONE)
			return -1;
	}
	g->m->frames[g->frame].guess = 0;
	return frame_boundary(g->m, g->frame, text, strlen(text));
}

static void
gather_disposition(struct gather *g, const struct span *s)
{
	struct mime_part *p = &g->m->parts[g->part];
	struct params ps;
	struct param pm;
	char word[TYPE_SIZE], joined[PARAM_VALUE];

	sections_reset(g);
	span_begin(&ps, g->m, s, word, sizeof(word));
	if (strcmp(word, "attachment") == 0)
		p->flags |= PART_ATTACHMENT;
	while (span_next(&ps, g->m, &pm)) {
		if (strcmp(pm.attribute, "filename") == 0 ||
		    strcmp(pm.attribute, "name") == 0)
			gather_name(g, pm.value[0]);
		else
			sections_add(&g->filename, "filename", &pm);
	}
	if (sections_utf8(&g->filename, joined, sizeof(joined)) > 0)
		gather_name(g, joined);
}

/*
 * The word wherever it stands: with comments, quotes or other words around it,
 * or folded in the middle.
 */
static void
gather_encoding(struct gather *g, const struct span *s)
{
	static const struct {
		const char	*word;
		enum encoding	 encoding;
	} words[] = {
		{ "base64", ENCODING_BASE64 },
		{ "quoted-printable", ENCODING_QP },
	};
	struct mime_part *p = &g->m->parts[g->part];
	char text[256];
	size_t i, seen = 0;

	squeeze(g->m->p + s->at, s->end - s->at, text, sizeof(text));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(text, words[i].word) != NULL) {
			encoding_put(p, words[i].encoding);
			seen++;
		}
	}
	if (seen == 0)
		encoding_put(p, ENCODING_NONE);
}

/* Lower case, without blanks and comments. */
static size_t
squeeze(const uint8_t *p, size_t n, char *dst, size_t size)
{
	size_t i, len = 0;
	unsigned depth = 0;

	for (i = 0; i < n && len + 1 < size; i++) {
		if (p[i] == '(')
			depth++;
		else if (p[i] == ')' && depth > 0)
			depth--;
		else if (depth == 0 && p[i] > 32)
			dst[len++] = (char)tolower(p[i]);
	}
	dst[len] = '\0';
	return len;
}

static void
encoding_put(struct mime_part *p, enum encoding e)
{
	unsigned i;

	for (i = 0; i < p->nencodings; i++) {
		if (p->encoding[i] == e)
			return;
	}
	if (p->nencodings < MIME_ENCODINGS)
		p->encoding[p->nencodings++] = (uint8_t)e;
}

static void
gather_name(struct gather *g, const char *text)
{
	char *name;
	unsigned i;

	if (g->nnames == 2 * MIME_NAMES)
		return;
	name = g->names[g->nnames];
	if (words_utf8(text, strlen(text), name, NAME_SIZE) == 0)
		return;
	for (i = 0; i < g->nnames; i++) {
		if (strcmp(g->names[i], name) == 0)
			return;
	}
	g->nnames++;
}

static int
gather_names(struct gather *g)
{
	struct mime_part *p = &g->m->parts[g->part];
	uint32_t at;
	unsigned i;

	for (i = 0; i < g->nnames && p->nnames < MIME_NAMES; i++) {
		at = mime_text(g->m, g->names[i], strlen(g->names[i]));
		if (at == MIME_NONE)
			return -1;
		if (at != 0)
			p->name[p->nnames++] = at;
	}
	return 0;
}

static void
sections_reset(struct gather *g)
{
	g->boundary.n = g->name.n = g->filename.n = 0;
	g->boundary.len = g->name.len = g->filename.len = 0;
}

static unsigned
type_flags(const char *type)
{
	static const struct {
		const char	*type;
		unsigned	 flags;
	} known[] = {
		{ "message/rfc822",		PART_MESSAGE },
		{ "message/global",		PART_MESSAGE },
		{ "message/news",		PART_MESSAGE },
		{ "message/partial",		PART_LEAF | PART_PARTIAL },
		{ "message/external-body",	PART_LEAF | PART_EXTERNAL },
		{ "text/plain",			PART_LEAF | PART_TEXT },
		{ "text",			PART_LEAF | PART_TEXT },
		{ "text/html",		PART_LEAF | PART_TEXT | PART_HTML },
		{ "",				PART_LEAF | PART_TEXT },
	};
	size_t i;

	if (strncmp(type, "multipart/", 10) == 0)
		return PART_MULTIPART;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].type, type) == 0)
			return known[i].flags;
	}
	return PART_LEAF;
}
