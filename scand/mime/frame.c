/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "scand/mime/walk.h"

/*
 * Multiparts and their boundaries.  All that were ever declared stay known:
 * some readers go on looking for one after its end, or outside of its part.
 */

#define TABLE	1024		/* places; a power of two */

static uint32_t	 hash_text(const uint8_t *, size_t);
static const struct mime_boundary *find(const struct mime *, const uint8_t *,
		    size_t);
static size_t	 trimmed(const struct mime_line *);

uint32_t
frame_push(struct mime *m, uint32_t part, int doubtful)
{
	struct mime_frame *f;
	uint32_t depth = 0;
	size_t size;

	if (m->current != MIME_NONE)
		depth = m->frames[m->current].depth + 1U;
	if (depth >= LIM_MIME_DEPTH)
		return m->current;
	if (m->nframes == m->framesize) {
		size = m->framesize == 0 ? 16 : m->framesize * 2;
		f = recallocarray(m->frames, m->framesize, size, sizeof(*f));
		if (f == NULL)
			return MIME_NONE;
		m->frames = f;
		m->framesize = size;
	}
	f = &m->frames[m->nframes];
	memset(f, 0, sizeof(*f));
	f->part = part;
	f->outer = m->current;
	f->open = MIME_NONE;
	f->depth = (uint16_t)depth;
	f->is_open = 1;
	f->doubtful = (uint8_t)doubtful;
	m->current = (uint32_t)m->nframes++;
	return m->current;
}

int
frame_boundary(struct mime *m, uint32_t frame, const char *text, size_t len)
{
	struct mime_boundary *b;
	uint32_t at, h;
	size_t size, i;

	/* RFC 2046 5.1.1: none ends with a blank; lines are compared so. */
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	h = hash_text((const uint8_t *)text, len);
	for (i = m->nboundaries; i > 0; i--) {
		b = &m->boundaries[i - 1];
		if (b->frame != frame)
			break;
		if (b->hash == h && b->len == len &&
		    memcmp(m->text + b->text, text, len) == 0)
			return 0;
	}
	if (m->nboundaries == LIM_MIME_BOUNDARIES) {
		m->cut = 1;
		return 0;
	}
	if (m->table == NULL &&
	    (m->table = malloc(TABLE * sizeof(*m->table))) == NULL)
		return -1;
	if (m->nboundaries == 0)
		memset(m->table, 0xff, TABLE * sizeof(*m->table));
	if (m->nboundaries == m->boundarysize) {
		size = m->boundarysize == 0 ? 16 : m->boundarysize * 2;
		b = recallocarray(m->boundaries, m->boundarysize, size,
		    sizeof(*b));
		if (b == NULL)
			return -1;
		m->boundaries = b;
		m->boundarysize = size;
	}
	if ((at = mime_text(m, text, len)) == MIME_NONE)
		return -1;
	if (at == 0 && len > 0)
		return 0;
	b = &m->boundaries[m->nboundaries];
	b->text = at;
	b->len = (uint32_t)len;
	b->frame = frame;
	b->hash = h;
	b->next = m->table[h % TABLE];
	m->table[h % TABLE] = (uint32_t)m->nboundaries++;
	return 0;
}

void
frame_pop_to(struct mime *m, uint32_t frame)
{
	while (m->current != frame && m->current != MIME_NONE) {
		m->frames[m->current].is_open = 0;
		m->current = m->frames[m->current].outer;
	}
}

void
frame_end(struct mime *m, uint32_t frame)
{
	frame_pop_to(m, frame);
	m->frames[frame].is_open = 0;
	m->current = m->frames[frame].outer;
}

int
mark_exact(const struct mime *m, const struct mime_line *l, struct mark *mk)
{
	const struct mime_boundary *b;
	size_t len = trimmed(l);

	mk->close = 0;
	b = find(m, l->p + 2, len - 2);
	if (b == NULL && len >= 4 && l->p[len - 1] == '-' &&
	    l->p[len - 2] == '-') {
		mk->close = 1;
		b = find(m, l->p + 2, len - 4);
	}
	if (b == NULL)
		return 0;
	mk->frame = b->frame;
	mk->exact = 1;
	mk->doubtful = !m->frames[b->frame].is_open ||
	    m->frames[b->frame].doubtful;
	return 1;
}

int
mark_prefix(const struct mime *m, const struct mime_line *l, struct mark *mk)
{
	const struct mime_boundary *b;
	size_t i;

	/* The latest ones are enough to be sure that this ends. */
	for (i = m->nboundaries; i > 0 && m->nboundaries - i < 64; i--) {
		b = &m->boundaries[i - 1];
		if (b->len > 0 && b->len < l->len - 2 &&
		    memcmp(m->text + b->text, l->p + 2, b->len) == 0) {
			mk->frame = b->frame;
			mk->doubtful = 1;
			mk->exact = mk->close = 0;
			return 1;
		}
	}
	return 0;
}

/* The latest of an open frame, else the latest. */
static const struct mime_boundary *
find(const struct mime *m, const uint8_t *p, size_t len)
{
	const struct mime_boundary *b, *closed = NULL;
	uint32_t h, i;

	if (m->nboundaries == 0)
		return NULL;
	h = hash_text(p, len);
	for (i = m->table[h % TABLE]; i != MIME_NONE; i = b->next) {
		b = &m->boundaries[i];
		if (b->hash != h || b->len != len ||
		    memcmp(m->text + b->text, p, len) != 0)
			continue;
		if (m->frames[b->frame].is_open)
			return b;
		if (closed == NULL)
			closed = b;
	}
	return closed;
}

static size_t
trimmed(const struct mime_line *l)
{
	size_t len = l->len;

	while (len > 2 && (l->p[len - 1] == ' ' || l->p[len - 1] == '\t'))
		len--;
	return len;
}

/* FNV-1a */
static uint32_t
hash_text(const uint8_t *p, size_t n)
{
	uint32_t h = 2166136261U;

	while (n-- > 0)
		h = (h ^ *p++) * 16777619U;
	return h;
}
