/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/mime/mime.h"

/*
 * The body as lines, whatever its parts are.
 */

static size_t	line_length(const uint8_t *, size_t, size_t *);

void
body_look(struct body *b, const uint8_t *p, size_t n)
{
	size_t off, len, next, i;

	memset(b, 0, sizeof(*b));
	b->blank = 1;
	for (off = 0; off < n; off += next) {
		len = line_length(p + off, n - off, &next);
		if (len > b->longest)
			b->longest = len;
		b->lines++;
		for (i = 0; b->blank && i < len; i++) {
			if (p[off + i] != ' ' && p[off + i] != '\t')
				b->blank = 0;
		}
	}
}

/* Without its line end; *next is with it. */
static size_t
line_length(const uint8_t *p, size_t n, size_t *next)
{
	const uint8_t *lf = memchr(p, '\n', n);
	size_t len = lf == NULL ? n : (size_t)(lf - p);

	*next = lf == NULL ? n : len + 1;
	if (len > 0 && p[len - 1] == '\r')
		len--;
	return len;
}
