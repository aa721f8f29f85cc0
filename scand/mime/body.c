/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "scand/mime/mime.h"

/*
 * The body as lines, and the octets that its base64 parts stand for.
 * Which lines are base64 is told by the Content-Transfer-Encoding field before
 * them, wherever it stands, so nested and broken multiparts need no tree.
 */

#define DECODE_PIECE	8192

struct decoder {
	uint8_t		 out[BODY_OVERLAP + DECODE_PIECE];
	size_t		 len;		/* of out, overlap included */
	uint32_t	 bits;
	unsigned	 nbits;
	void		(*piece)(const uint8_t *, size_t, void *);
	void		*arg;
};

enum decode_state {
	DECODE_NO,
	DECODE_NEXT,		/* a field said so: from the next empty line */
	DECODE_YES
};

static int	decode_line(struct decoder *, const uint8_t *, size_t);
static void	decode_octet(struct decoder *, uint8_t);
static void	decode_flush(struct decoder *);
static void	decode_end(struct decoder *);
static int	says_base64(const uint8_t *, size_t);
static size_t	line_length(const uint8_t *, size_t, size_t *);

/* RFC 4648 4; 64: not in the alphabet */
static const uint8_t values[256] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64,
	64, 64, 64, 64, 64, 0, 1, 2, 3, 4, 5, 6,
	7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36,
	37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
	49, 50, 51, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64
};

void
body_look(struct body *b, const uint8_t *p, size_t n)
{
	size_t off, len, next, i;
	uint8_t any = 0;

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
	for (i = 0; i < n; i++)
		any |= p[i];
	b->eightbit = (any & 0x80) != 0;
}

void
body_decode(const uint8_t *p, size_t n,
    void (*piece)(const uint8_t *, size_t, void *), void *arg)
{
	struct decoder d;
	enum decode_state state = DECODE_NO;
	size_t off, len, next;

	d.len = d.nbits = 0;
	d.bits = 0;
	d.piece = piece;
	d.arg = arg;
	for (off = 0; off < n; off += next) {
		len = line_length(p + off, n - off, &next);
		if (state == DECODE_YES) {
			if (decode_line(&d, p + off, len) == 0)
				continue;
			decode_end(&d);
			state = DECODE_NO;
		}
		if (len == 0) {
			if (state == DECODE_NEXT)
				state = DECODE_YES;
		} else if ((p[off] | 0x20) == 'c' &&
		    says_base64(p + off, len))
			state = DECODE_NEXT;
	}
	decode_end(&d);
}

/* -1: the line is something else, for instance a boundary. */
static int
decode_line(struct decoder *d, const uint8_t *p, size_t len)
{
	size_t i;
	uint8_t v;

	for (i = 0; i < len; i++) {
		if (p[i] == '-')
			return -1;
		if ((v = values[p[i]]) >= 64) {
			/* RFC 2045 6.8: other characters are ignored. */
			continue;
		}
		d->bits = d->bits << 6 | v;
		d->nbits += 6;
		if (d->nbits >= 8) {
			d->nbits -= 8;
			decode_octet(d, (uint8_t)(d->bits >> d->nbits));
		}
	}
	return 0;
}

static void
decode_octet(struct decoder *d, uint8_t c)
{
	d->out[d->len++] = c;
	if (d->len == sizeof(d->out))
		decode_flush(d);
}

static void
decode_flush(struct decoder *d)
{
	d->piece(d->out, d->len, d->arg);
	memmove(d->out, d->out + d->len - BODY_OVERLAP, BODY_OVERLAP);
	d->len = BODY_OVERLAP;
}

/* One part is over: the next does not continue it. */
static void
decode_end(struct decoder *d)
{
	if (d->len > 0)
		d->piece(d->out, d->len, d->arg);
	d->len = d->nbits = 0;
	d->bits = 0;
}

static int
says_base64(const uint8_t *p, size_t len)
{
	static const char name[] = "Content-Transfer-Encoding:";
	size_t i;

	if (len < sizeof(name) - 1 + 6 ||
	    strncasecmp((const char *)p, name, sizeof(name) - 1) != 0)
		return 0;
	for (i = sizeof(name) - 1; i + 6 <= len; i++) {
		if (strncasecmp((const char *)p + i, "base64", 6) == 0)
			return 1;
	}
	return 0;
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
