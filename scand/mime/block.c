/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>

#include "scand/mime/walk.h"

/*
 * The header section of a part.  Only the fields that say what it is are
 * kept, but all of them: readers take the first or the last.  Where a line is
 * neither field nor fold, some readers have the body begin, others go on to
 * the empty line; both places are told.
 */

struct scan {
	const struct mime	*m;
	struct block		*b;
	struct span		*open;		/* takes the next fold */
	unsigned		 nfields;
	unsigned		 late;		/* fields of ours after what
						   some take for the end */
};

static int	 block_line(struct scan *, const struct mime_line *, size_t);
static void	 block_field(struct scan *, const struct mime_line *, size_t);
static int	 from_line(const struct mime_line *);
static int	 own_boundary(const struct scan *, const struct mime_line *);
static size_t	 name_length(const uint8_t *, size_t);
static int	 is_blank(const struct mime_line *);

static const char *const names[BLOCK_MAX] = {
	[BLOCK_TYPE] = "content-type",
	[BLOCK_ENCODING] = "content-transfer-encoding",
	[BLOCK_DISPOSITION] = "content-disposition",
};

void
mime_line(const struct mime *m, size_t at, struct mime_line *l)
{
	const uint8_t *end;

	l->p = m->p + at;
	end = memchr(l->p, '\n', m->n - at);
	l->len = end == NULL ? m->n - at : (size_t)(end - l->p);
	l->next = at + l->len + (end != NULL);
	if (m->returns && (end = memchr(l->p, '\r', l->len)) != NULL &&
	    end + 1 < l->p + l->len) {
		/* Alone: to some readers it ends a line as well. */
		l->len = (size_t)(end - l->p);
		l->next = at + l->len + 1;
	} else if (l->len > 0 && l->p[l->len - 1] == '\r')
		l->len--;
}

int
block_read(const struct mime *m, size_t at, struct block *b)
{
	struct scan s = { .m = m, .b = b };
	struct mime_line l;
	size_t body;

	memset(b->n, 0, sizeof(b->n));
	b->head = at;
	b->other = SIZE_MAX;
	b->versioned = 0;
	for (; at < m->n; at = l.next) {
		mime_line(m, at, &l);
		if (budget_step(m->budget) == -1)
			return -1;
		if (l.len == 0) {
			at = l.next;
			break;
		}
		if (block_line(&s, &l, at) == 0)
			break;
	}
	body = at;
	if (b->other == SIZE_MAX)
		b->other = body;
	else if (s.late == 0) {
		/* What came after that line were no fields. */
		body = b->other;
		b->other = at;
	}
	b->body = body;
	return 0;
}

/* 0: the section ends before this line, for everybody. */
static int
block_line(struct scan *s, const struct mime_line *l, size_t at)
{
	struct mark mk;
	size_t i;

	if (l->len >= 2 && l->p[0] == '-' && l->p[1] == '-' &&
	    (mark_exact(s->m, l, &mk) || own_boundary(s, l)))
		return 0;
	if (is_blank(l)) {
		/* RFC 5322 4.2 has it go on; most see the end. */
		if (s->b->other == SIZE_MAX)
			s->b->other = l->next;
		return 1;
	}
	if (l->p[0] == ' ' || l->p[0] == '\t') {
		if (s->open != NULL)
			s->open->end = at + l->len;
		if (s->nfields > 0)
			return 1;
		for (i = 0; l->p[i] == ' ' || l->p[i] == '\t'; i++)
			continue;
	} else
		i = 0;
	s->open = NULL;
	if (name_length(l->p + i, l->len - i) > 0)
		block_field(s, l, i);
	else if (s->b->other == SIZE_MAX && (s->nfields > 0 ||
	    !from_line(l)))
		s->b->other = at;
	return 1;
}

static void
block_field(struct scan *s, const struct mime_line *l, size_t skip)
{
	const uint8_t *p = l->p + skip;
	size_t n = l->len - skip, len = name_length(p, n), colon = len;
	struct block *b = s->b;
	unsigned k;

	s->nfields++;
	if (field_is(p, n, "mime-version", 1))
		b->versioned = 1;
	for (k = 0; k < BLOCK_MAX; k++) {
		if (strlen(names[k]) == len && field_is(p, n, names[k], 1))
			break;
	}
	if (k == BLOCK_MAX)
		return;
	while (p[colon] != ':')
		colon++;
	if (b->other != SIZE_MAX)
		s->late++;
	if (b->n[k] < BLOCK_FIELDS)
		b->n[k]++;
	s->open = &b->v[k][b->n[k] - 1];
	s->open->at = (size_t)(p - s->m->p) + colon + 1;
	s->open->end = (size_t)(l->p - s->m->p) + l->len;
}

/* What mailboxes have before a message. */
static int
from_line(const struct mime_line *l)
{
	return l->len >= 5 && (memcmp(l->p, "From ", 5) == 0 ||
	    memcmp(l->p, ">From", 5) == 0);
}

/* The first boundary of a multipart whose section has no end. */
static int
own_boundary(const struct scan *s, const struct mime_line *l)
{
	const struct block *b = s->b;
	const struct span *v = b->v[BLOCK_TYPE];
	size_t len = l->len, n;
	unsigned i;

	while (len > 2 && (l->p[len - 1] == ' ' || l->p[len - 1] == '\t'))
		len--;
	for (i = 0; len > 2 && i < b->n[BLOCK_TYPE]; i++) {
		n = v[i].end - v[i].at;
		if (memmem(s->m->p + v[i].at, n < LIM_MIME_FIELD ? n :
		    LIM_MIME_FIELD, l->p + 2, len - 2) != NULL)
			return 1;
	}
	return 0;
}

/* Of a field name with a colon behind it, blanks before that; 0: none. */
static size_t
name_length(const uint8_t *p, size_t n)
{
	size_t i, len;

	for (i = 0; i < n && p[i] > 32 && p[i] < 127 && p[i] != ':'; i++)
		continue;
	len = i;
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i < n && p[i] == ':' ? len : 0;
}

int
field_is(const uint8_t *p, size_t n, const char *lower, int whole)
{
	size_t len = strlen(lower), i;

	if (n < len + 1)
		return 0;
	for (i = 0; i < len; i++) {
		if (tolower(p[i]) != lower[i])
			return 0;
	}
	return whole ? name_length(p, n) == len : name_length(p, n) > len;
}

static int
is_blank(const struct mime_line *l)
{
	size_t i;

	for (i = 0; i < l->len; i++) {
		if (l->p[i] != ' ' && l->p[i] != '\t')
			return 0;
	}
	return 1;
}
