/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/line.h"

/*
 * The splitter under io_line() and the stuffer under io_file().  Both may be
 * given octets one by one and look at each only once.
 */

static enum line_result	 line_skip(struct line_state *, const uint8_t *,
			    size_t, size_t *);

enum line_result
line_find(struct line_state *st, const uint8_t *p, size_t n, size_t max,
    size_t *len, size_t *used, int *bare)
{
	const uint8_t *lf = NULL;
	size_t end;

	*len = *used = 0;
	*bare = 0;
	if (st->skipping)
		return line_skip(st, p, n, used);
	if (n > st->scanned)
		lf = memchr(p + st->scanned, '\n', n - st->scanned);
	if (lf == NULL) {
		/* a CR at the end may belong to the line end */
		end = n > 0 && p[n - 1] == '\r' ? n - 1 : n;
		if (end > max) {
			st->skipping = 1;
			st->scanned = 0;
			*used = n;
		} else
			st->scanned = (uint32_t)n;
		return LINE_NONE;
	}
	st->scanned = 0;
	end = (size_t)(lf - p);
	*used = end + 1;
	if (end > 0 && p[end - 1] == '\r')
		end--;
	else
		*bare = 1;
	if (end > max)
		return LINE_LONG;
	if (end > 0 && memchr(p, '\r', end) != NULL)
		*bare = 1;
	*len = end;
	return LINE_FOUND;
}

static enum line_result
line_skip(struct line_state *st, const uint8_t *p, size_t n, size_t *used)
{
	const uint8_t *lf;

	lf = n == 0 ? NULL : memchr(p, '\n', n);
	if (lf == NULL) {
		*used = n;
		return LINE_NONE;
	}
	st->skipping = 0;
	*used = (size_t)(lf - p) + 1;
	return LINE_LONG;
}

size_t
line_stuff(struct stuff_state *st, const uint8_t *p, size_t n, uint8_t *dst)
{
	const uint8_t *end = p + n, *lf;
	uint8_t *d = dst;
	size_t len;

	while (p < end) {
		if (!st->inside && *p == '.')
			*d++ = '.';
		lf = memchr(p, '\n', (size_t)(end - p));
		len = lf == NULL ? (size_t)(end - p) : (size_t)(lf - p) + 1;
		memcpy(d, p, len);
		d += len;
		/* only CRLF ends a line, whatever else the text has */
		st->inside = lf == NULL ||
		    !(lf == p ? st->cr : lf[-1] == '\r');
		st->cr = p[len - 1] == '\r';
		p += len;
	}
	return (size_t)(d - dst);
}
