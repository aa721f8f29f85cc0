/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/mime/parts.h"

/*
 * Base64 and quoted-printable as mail readers decode them: whatever does not
 * belong there is passed over (RFC 2045 6.7, 6.8).  Where they differ about
 * base64, the caller is told and may decode once more in another way.
 */

#define PAD	65
#define MINUS	66
#define LOW	67		/* underscore */

/* RFC 4648 4; 64: not in the alphabet. */
static const uint8_t digits[256] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 66, 64, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 65, 64, 64,
	64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 67,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};

static void	base64_step(struct decode *, size_t);
static void	base64_other(struct decode *, unsigned);
static void	base64_digit(struct decode *, unsigned);
static void	base64_pad(struct decode *);
static void	qp_step(struct decode *, size_t);
static size_t	qp_escape(struct decode *, size_t);
static size_t	qp_newline(const struct decode *, size_t);
static int	hex(unsigned);

size_t
decode_room(enum encoding encoding, size_t n)
{
	return encoding == ENCODING_BASE64 ? n / 4 * 3 + 4 : n + 1;
}

void
decode_init(struct decode *d, enum encoding encoding, unsigned how,
    const uint8_t *p, size_t n, uint8_t *dst)
{
	memset(d, 0, sizeof(*d));
	d->encoding = encoding;
	d->how = how;
	d->p = p;
	d->n = n;
	d->dst = dst;
}

int
decode_step(struct decode *d, size_t max)
{
	size_t end = d->n - d->at < max ? d->n : d->at + max;

	switch (d->encoding) {
	case ENCODING_BASE64:
		base64_step(d, end);
		break;
	case ENCODING_QP:
		qp_step(d, end);
		break;
	case ENCODING_NONE:
		memcpy(d->dst + d->len, d->p + d->at, end - d->at);
		d->len += end - d->at;
		d->at = end;
		break;
	}
	return d->at < d->n && !d->done;
}

static void
base64_step(struct decode *d, size_t end)
{
	const uint8_t *p = d->p;
	uint8_t *q;
	size_t i = d->at;
	unsigned a, b, c, e;

	while (i < end && !d->done) {
		if (d->nbits == 0 && !d->padded) {
			q = d->dst + d->len;
			while (end - i >= 4) {
				a = digits[p[i]];
				b = digits[p[i + 1]];
				c = digits[p[i + 2]];
				e = digits[p[i + 3]];
				if ((a | b | c | e) > 63)
					break;
				q[0] = (uint8_t)(a << 2 | b >> 4);
				q[1] = (uint8_t)(b << 4 | c >> 2);
				q[2] = (uint8_t)(c << 6 | e);
				q += 3;
				i += 4;
			}
			d->len = (size_t)(q - d->dst);
			if (i == end)
				break;
		}
		if ((a = digits[p[i++]]) < 64)
			base64_digit(d, a);
		else if (a > 64)
			base64_other(d, a);
	}
	d->at = i;
}

static void
base64_other(struct decode *d, unsigned what)
{
	if (what == PAD)
		base64_pad(d);
	else if (d->how & DECODE_URL)
		base64_digit(d, what == MINUS ? 62 : 63);
	else
		d->differs |= DECODE_URL;
}

static void
base64_digit(struct decode *d, unsigned v)
{
	if (d->padded) {
		/* More after the padding: readers go on, stop, or had not
		   begun anew. */
		d->differs |= DECODE_STOP | DECODE_JOIN;
		d->padded = 0;
	}
	d->bits = d->bits << 6 | v;
	d->nbits += 6;
	if (d->nbits >= 8) {
		d->nbits -= 8;
		d->dst[d->len++] = (uint8_t)(d->bits >> d->nbits);
	}
}

/* What is open is complete: the next digit begins a new group. */
static void
base64_pad(struct decode *d)
{
	if (d->how & DECODE_JOIN)
		return;
	d->nbits = 0;
	d->padded = 1;
	if (d->how & DECODE_STOP)
		d->done = 1;
}

static void
qp_step(struct decode *d, size_t end)
{
	size_t i = d->at, skip;
	uint8_t c;

	while (i < end) {
		c = d->p[i];
		if (c == '=') {
			i += qp_escape(d, i);
			continue;
		}
		if ((skip = qp_newline(d, i)) > 0) {
			/* 6.7 (3): blanks at the end of a line were added on
			   the way. */
			d->len = d->kept;
			memcpy(d->dst + d->len, d->p + i, skip);
			d->len += skip;
			d->kept = d->len;
			i += skip;
			continue;
		}
		d->dst[d->len++] = c;
		if (c != ' ' && c != '\t')
			d->kept = d->len;
		i++;
	}
	d->at = i;
}

/* p[i] is '='; returns how much of the input it takes. */
static size_t
qp_escape(struct decode *d, size_t i)
{
	size_t k = i + 1;
	int hi, lo;

	if (d->n - i > 2 && (hi = hex(d->p[i + 1])) != -1 &&
	    (lo = hex(d->p[i + 2])) != -1) {
		d->dst[d->len++] = (uint8_t)(hi << 4 | lo);
		d->kept = d->len;
		return 3;
	}
	while (k < d->n && (d->p[k] == ' ' || d->p[k] == '\t'))
		k++;
	if (k == d->n)
		return k - i;
	if (qp_newline(d, k) > 0)
		return k - i + qp_newline(d, k);
	d->dst[d->len++] = '=';
	d->kept = d->len;
	return 1;
}

/* Octets of a line end at i, or 0. */
static size_t
qp_newline(const struct decode *d, size_t i)
{
	if (d->p[i] == '\n')
		return 1;
	if (d->p[i] == '\r')
		return i + 1 < d->n && d->p[i + 1] == '\n' ? 2 : 1;
	return 0;
}

static int
hex(unsigned c)
{
	if (c >= '0' && c <= '9')
		return (int)c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (int)c - 'a' + 10 : -1;
}
