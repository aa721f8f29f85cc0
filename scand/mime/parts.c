/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scand/mime/walk.h"

/*
 * The walk over a message, line by line and without recursion.  What every
 * reader sees (RFC 2046 5.1) makes the tree; a line that only some would take
 * for a boundary begins a doubtful part as well, while the part it stands in
 * goes on.  So a part may have several ends, and all of them are told.
 */

#define TEXT_FIRST	4096

static int	walk_reset(struct mime *, const uint8_t *, size_t,
		    struct budget *);
static int	walk_lines(struct mime *, size_t);
static int	walk_entity(struct mime *, size_t *, uint32_t, int);
static uint32_t	walk_part(struct mime *, uint32_t, int);
static void	walk_own(struct mime *, uint32_t, uint32_t);
static uint32_t	walk_message(struct mime *, uint32_t, int *);
static int	walk_mark(struct mime *, size_t *, const struct mime_line *);
static int	mark_find(struct mime *, const struct mime_line *,
		    struct mark *);
static int	mark_undeclared(struct mime *, const struct mime_line *,
		    struct mark *);
static void	mark_ends(struct mime *, const struct mark *, size_t);
static int	content_follows(const struct mime *, const struct mime_line *);
static void	walk_finish(struct mime *);
static size_t	before(const struct mime *, size_t);

int
mime_parse(struct mime *m, struct budget *budget, const uint8_t *p, size_t n,
    unsigned how)
{
	size_t at = 0;
	uint32_t f;

	if (walk_reset(m, p, n, budget) == -1)
		return -1;
	if (how & MIME_BODY) {
		if (walk_part(m, MIME_NONE, 0) == MIME_NONE)
			return -1;
		m->parts[0].number = 0;
		m->parts[0].flags = PART_MULTIPART;
		if ((f = frame_push(m, 0, 1)) == MIME_NONE)
			return -1;
		m->frames[f].guess = 1;
	} else if (walk_entity(m, &at, MIME_NONE, 0) == -1)
		return -1;
	if (walk_lines(m, at) == -1)
		return -1;
	walk_finish(m);
	return 0;
}

void
mime_free(struct mime *m)
{
	if (m == NULL)
		return;
	free(m->parts);
	free(m->text);
	free(m->frames);
	free(m->boundaries);
	free(m->table);
	memset(m, 0, sizeof(*m));
}

static int
walk_reset(struct mime *m, const uint8_t *p, size_t n, struct budget *budget)
{
	const uint8_t *cr = p, *end = p + n;

	m->p = p;
	m->n = n;
	m->budget = budget;
	m->nparts = m->nframes = m->nboundaries = 0;
	m->cut = m->versioned = m->returns = 0;
	m->current = m->open = m->near = MIME_NONE;
	while (cr < end &&
	    (cr = memchr(cr, '\r', (size_t)(end - cr))) != NULL) {
		if (++cr < end && *cr != '\n') {
			m->returns = 1;
			break;
		}
	}
	if (m->text == NULL) {
		if ((m->text = malloc(TEXT_FIRST)) == NULL)
			return -1;
		m->textsize = TEXT_FIRST;
	}
	m->text[0] = '\0';
	m->textlen = 1;
	return 0;
}

static int
walk_lines(struct mime *m, size_t at)
{
	struct mime_line l;
	unsigned n = 0;
	int ret;

	while (at < m->n && !m->cut) {
		mime_line(m, at, &l);
		if ((++n & 0xff) == 0 && budget_step(m->budget) == -1)
			m->cut = 1;
		if (l.len < 2 || l.p[0] != '-' || l.p[1] != '-') {
			at = l.next;
			continue;
		}
		if (budget_step(m->budget) == -1)
			m->cut = 1;
		if ((ret = walk_mark(m, &at, &l)) == -1)
			return -1;
		if (ret == 0)
			at = l.next;
	}
	return 0;
}

/*
 * A part of a frame, or a message in a message in a message, begins at *at;
 * then *at is where its body begins.
 */
static int
walk_entity(struct mime *m, size_t *at, uint32_t frame, int doubtful)
{
	struct block b;
	struct mime_part *p;
	uint32_t i;

	do {
		if ((i = walk_part(m, frame, doubtful)) == MIME_NONE)
			return m->cut ? 0 : -1;
		walk_own(m, frame, i);
		if (block_read(m, *at, &b) == -1)
			m->cut = 1;
		if (part_describe(m, i, &b, doubtful) == -1)
			return -1;
		p = &m->parts[i];
		if (p->number == 1 && (p->flags & PART_MULTIPART) &&
		    (p->parent == MIME_NONE ||
		    (m->parts[p->parent].flags & PART_MESSAGE)))
			p->number = 0;
		*at = b.body < b.other ? b.body : b.other;
		frame = walk_message(m, i, &doubtful);
	} while (frame != MIME_NONE && !m->cut);
	return 0;
}

/* If its body begins with the header section of another, the frame of it. */
static uint32_t
walk_message(struct mime *m, uint32_t i, int *doubtful)
{
	struct mime_part *p = &m->parts[i];
	uint32_t f;

	if (!(p->flags & PART_MESSAGE) || p->encoding[0] != ENCODING_NONE)
		return MIME_NONE;
	if (p->nencodings > 1 || (p->flags & (PART_LEAF | PART_MULTIPART)))
		*doubtful = 1;
	f = frame_push(m, i, *doubtful);
	if (f != MIME_NONE && m->frames[f].part == i)
		return f;
	/* Too deep to be walked here. */
	p->flags |= PART_LEAF;
	return MIME_NONE;
}

/* A new part of a frame.  MIME_NONE: no memory, or enough (cut). */
static uint32_t
walk_part(struct mime *m, uint32_t frame, int doubtful)
{
	struct mime_part *p;
	size_t size;
	uint32_t i;

	if (m->nparts == LIM_MIME_PARTS) {
		m->cut = 1;
		return MIME_NONE;
	}
	if (m->nparts == m->partsize) {
		size = m->partsize == 0 ? 16 : m->partsize * 2;
		p = recallocarray(m->parts, m->partsize, size, sizeof(*p));
		if (p == NULL)
			return MIME_NONE;
		m->parts = p;
		m->partsize = size;
	}
	i = (uint32_t)m->nparts++;
	p = &m->parts[i];
	memset(p, 0, sizeof(*p));
	p->parent = frame == MIME_NONE ? MIME_NONE : m->frames[frame].part;
	p->number = 1;
	if (p->parent != MIME_NONE) {
		p->number = ++m->parts[p->parent].nchildren;
		if (!doubtful)
			m->parts[p->parent].flags |= PART_PARENT;
	}
	if (doubtful)
		p->flags |= PART_DOUBTFUL;
	p->end = p->end_near = p->end_own = SIZE_MAX;
	p->next_open = m->open;
	m->open = m->near = i;
	p->next_own = MIME_NONE;
	return i;
}

/* It ends at a boundary of this frame, unless that is just a message. */
static void
walk_own(struct mime *m, uint32_t frame, uint32_t i)
{
	struct mime_part *p = &m->parts[i];

	if (frame == MIME_NONE ||
	    (m->parts[m->frames[frame].part].flags & PART_MESSAGE))
		return;
	p->has_own = 1;
	p->next_own = m->frames[frame].open;
	m->frames[frame].open = i;
}

/* The line at *at begins with two hyphens.  1: it was more than text, and *at
   is where to go on; -1: no memory. */
static int
walk_mark(struct mime *m, size_t *at, const struct mime_line *l)
{
	struct mark mk;
	int ret;

	if ((ret = mark_find(m, l, &mk)) != 1)
		return ret;
	mark_ends(m, &mk, before(m, *at));
	*at = l->next;
	if (mk.exact && m->frames[mk.frame].is_open) {
		if (mk.close)
			frame_end(m, mk.frame);
		else
			frame_pop_to(m, mk.frame);
	}
	if (mk.close) {
		/* Some readers take it for just another boundary. */
		if (!content_follows(m, l))
			return 1;
		mk.doubtful = 1;
	}
	return walk_entity(m, at, mk.frame, mk.doubtful) == -1 ? -1 : 1;
}

static int
mark_find(struct mime *m, const struct mime_line *l, struct mark *mk)
{
	struct mime_frame *f;

	if (mark_exact(m, l, mk))
		return 1;
	f = m->current == MIME_NONE ? NULL : &m->frames[m->current];
	if (f != NULL && f->guess && l->len > 2) {
		/* A multipart that does not say its boundary. */
		f->guess = 0;
		f->doubtful = 1;
		if (frame_boundary(m, m->current, (const char *)l->p + 2,
		    l->len - 2) == -1)
			return -1;
		return mark_exact(m, l, mk);
	}
	if (mark_prefix(m, l, mk))
		return 1;
	return mark_undeclared(m, l, mk);
}

/* "--x" that nobody has announced, but a header section follows. */
static int
mark_undeclared(struct mime *m, const struct mime_line *l, struct mark *mk)
{
	uint32_t part, f;

	if (l->len == 2 || !content_follows(m, l))
		return 0;
	part = m->current == MIME_NONE ? 0 : m->frames[m->current].part;
	if ((f = frame_push(m, part, 1)) == MIME_NONE ||
	    frame_boundary(m, f, (const char *)l->p + 2, l->len - 2) == -1)
		return -1;
	mk->frame = f;
	mk->exact = mk->doubtful = 1;
	mk->close = 0;
	return 1;
}

/* What ends here. */
static void
mark_ends(struct mime *m, const struct mark *mk, size_t end)
{
	struct mime_frame *f = &m->frames[mk->frame];
	struct mime_part *p;

	if (m->near != MIME_NONE)
		m->parts[m->near].end_near = end;
	m->near = MIME_NONE;
	for (; mk->exact && f->open != MIME_NONE; f->open = p->next_own) {
		p = &m->parts[f->open];
		p->end_own = end;
	}
	for (; !mk->doubtful && m->open != MIME_NONE && m->open > f->part;
	    m->open = p->next_open) {
		p = &m->parts[m->open];
		p->end = end;
	}
}

static int
content_follows(const struct mime *m, const struct mime_line *l)
{
	struct mime_line next;

	if (l->next >= m->n)
		return 0;
	mime_line(m, l->next, &next);
	return field_is(next.p, next.len, "content-", 0);
}

static void
walk_finish(struct mime *m)
{
	struct mime_part *p;
	size_t i;

	for (i = 0; i < m->nparts; i++) {
		p = &m->parts[i];
		if (p->end == SIZE_MAX)
			p->end = m->n;
		if (p->end_near == SIZE_MAX)
			p->end_near = p->end;
		if (p->end_own == SIZE_MAX)
			p->end_own = p->has_own ? m->n : p->end;
		if (p->body > p->end)
			p->body = p->end;
		if (p->body_other > p->end)
			p->body_other = p->end;
		if (p->end_near < p->body)
			p->end_near = p->body;
		if (p->end_own < p->body)
			p->end_own = p->body;
		/* Readers that find no part show it as text. */
		if ((p->flags & PART_MULTIPART) && !(p->flags & PART_PARENT))
			p->flags |= PART_LEAF | PART_TEXT;
	}
}

/* The line end before a boundary belongs to it (RFC 2046 5.1.1). */
static size_t
before(const struct mime *m, size_t at)
{
	if (at > 0 && m->p[at - 1] == '\n')
		at--;
	if (at > 0 && m->p[at - 1] == '\r')
		at--;
	return at;
}

uint32_t
mime_text(struct mime *m, const char *s, size_t len)
{
	char *text;
	size_t size = m->textsize, at = m->textlen;

	if (len == 0)
		return 0;
	if (len + 1 > LIM_MIME_TEXT - at) {
		m->cut = 1;
		return 0;
	}
	while (size - at < len + 1)
		size *= 2;
	if (size > m->textsize) {
		if ((text = realloc(m->text, size)) == NULL)
			return MIME_NONE;
		m->text = text;
		m->textsize = size;
	}
	memcpy(m->text + at, s, len);
	m->text[at + len] = '\0';
	m->textlen = at + len + 1;
	return (uint32_t)at;
}

const char *
mime_string(const struct mime *m, uint32_t offset)
{
	return m->text + offset;
}

const char *
mime_path(const struct mime *m, size_t i, char *buf, size_t size)
{
	char part[16], path[MIME_PATH] = "";
	uint32_t k;
	size_t len = sizeof(path) - 1, n;

	/* From the last number to the first; what does not fit is the first. */
	path[len] = '\0';
	for (k = (uint32_t)i; k != MIME_NONE; k = m->parts[k].parent) {
		if (m->parts[k].number == 0)
			continue;
		(void)snprintf(part, sizeof(part), "%u%s",
		    m->parts[k].number, path[len] == '\0' ? "" : ".");
		n = strlen(part);
		if (n > len)
			break;
		len -= n;
		memcpy(path + len, part, n);
	}
	(void)strlcpy(buf, path[len] == '\0' ? "0" : path + len, size);
	return buf;
}
