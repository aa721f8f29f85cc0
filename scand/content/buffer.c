/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "scand/content/office.h"

/*
 * What all readers of Office formats need: octets that grow under the budget,
 * what zlib and UTF-16 become in them, and reports with names from a file.
 */

#define STEP	65536	/* the budget is asked this often, see content.h */

static int	 buffer_room(struct inspect *, struct buffer *, size_t);
static int	 too_good(struct inspect *, size_t, size_t);

int
buffer_add(struct inspect *in, struct buffer *b, const void *p, size_t n)
{
	const uint8_t *src = p;
	size_t k;

	while (n > 0) {
		k = n < STEP ? n : STEP;
		if (budget_out(&in->budget, k) == -1 ||
		    buffer_room(in, b, k) == -1)
			return -1;
		memcpy(b->p + b->n, src, k);
		b->n += k;
		src += k;
		n -= k;
	}
	return 0;
}

/* Room for n octets more, n being small. */
static int
buffer_room(struct inspect *in, struct buffer *b, size_t n)
{
	uint8_t *p;
	size_t size = b->size;

	if (n <= b->size - b->n)
		return 0;
	while (size - b->n < n)
		size = size == 0 ? 512 : size * 2;
	if (budget_hold(&in->budget, size - b->size) == -1) {
		content_report(in, FINDING_OVER_BUDGET, "memory");
		return -1;
	}
	if ((p = realloc(b->p, size)) == NULL) {
		budget_release(&in->budget, size - b->size);
		content_report(in, FINDING_OVER_BUDGET, "memory");
		return -1;
	}
	b->p = p;
	b->size = size;
	b->budget = &in->budget;
	return 0;
}

void
buffer_free(struct buffer *b)
{
	if (b->budget != NULL)
		budget_release(b->budget, b->size);
	free(b->p);
	memset(b, 0, sizeof(*b));
}

int
buffer_inflate(struct inspect *in, struct buffer *b, const uint8_t *p,
    size_t n, size_t max)
{
	uint8_t out[16384];
	z_stream z;
	size_t got, begin = b->n;
	int r, ret = -1;

	memset(&z, 0, sizeof(z));
	z.next_in = p;
	if (inflateInit(&z) != Z_OK)
		return -1;
	do {
		/* avail_in has 32 bits. */
		if (z.avail_in == 0) {
			z.avail_in = n < STEP ? (uInt)n : STEP;
			n -= z.avail_in;
		}
		z.next_out = out;
		z.avail_out = sizeof(out);
		r = inflate(&z, Z_NO_FLUSH);
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR &&
		    r != Z_DATA_ERROR)
			goto out;
		got = sizeof(out) - z.avail_out;
		if (got > max - (b->n - begin)) {
			content_report(in, FINDING_OVER_BUDGET,
			    "an object");
			goto out;
		}
		if (buffer_add(in, b, out, got) == -1)
			goto out;
		if (too_good(in, z.total_in, b->n - begin))
			goto out;
		if (got == 0 && z.avail_in == 0 && n == 0)
			goto out;
	} while (r == Z_OK || r == Z_BUF_ERROR);
	if (r == Z_STREAM_END)
		ret = 0;
out:
	inflateEnd(&z);
	return ret;
}

/* Packed better than the budget believes, see struct budget. */
static int
too_good(struct inspect *in, size_t packed, size_t unpacked)
{
	if (in->budget.ratio_max == 0 || unpacked <= 1024 * 1024 ||
	    unpacked / in->budget.ratio_max <= packed)
		return 0;
	in->budget.over |= BUDGET_RATIO;
	content_report(in, FINDING_OVER_BUDGET, "ratio");
	return 1;
}

int
buffer_utf16(struct inspect *in, struct buffer *b, const uint8_t *p, size_t n,
    int big)
{
	char out[4096];
	uint32_t c, low;
	size_t i, k = 0;

	for (i = 0; i + 1 < n; i += 2) {
		c = big ? (uint32_t)p[i] << 8 | p[i + 1] : le16(p + i);
		if (c >= 0xd800 && c < 0xdc00 && i + 3 < n) {
			low = big ? (uint32_t)p[i + 2] << 8 | p[i + 3] :
			    le16(p + i + 2);
			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) +
				    (low - 0xdc00);
				i += 2;
			}
		}
		k += office_utf8(out + k, c);
		if (k > sizeof(out) - 4) {
			if (buffer_add(in, b, out, k) == -1)
				return -1;
			k = 0;
		}
	}
	return buffer_add(in, b, out, k);
}

size_t
office_utf8(char *dst, uint32_t c)
{
	if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd;
	if (c < 0x80) {
		dst[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		dst[0] = (char)(0xc0 | c >> 6);
		dst[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		dst[0] = (char)(0xe0 | c >> 12);
		dst[1] = (char)(0x80 | (c >> 6 & 0x3f));
		dst[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	dst[0] = (char)(0xf0 | c >> 18);
	dst[1] = (char)(0x80 | (c >> 12 & 0x3f));
	dst[2] = (char)(0x80 | (c >> 6 & 0x3f));
	dst[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

size_t
base64_decode(struct base64 *b, const char *s, size_t n, uint8_t *dst)
{
	size_t i, k = 0;
	unsigned v;
	char c;

	for (i = 0; i < n && !b->end; i++) {
		c = s[i];
		if (c >= 'A' && c <= 'Z')
			v = (unsigned)(c - 'A');
		else if (c >= 'a' && c <= 'z')
			v = (unsigned)(c - 'a') + 26;
		else if (c >= '0' && c <= '9')
			v = (unsigned)(c - '0') + 52;
		else if (c == '+')
			v = 62;
		else if (c == '/')
			v = 63;
		else {
			b->end = c == '=';
			continue;
		}
		b->bits = b->bits << 6 | v;
		b->n += 6;
		if (b->n >= 8) {
			b->n -= 8;
			dst[k++] = (uint8_t)(b->bits >> b->n);
		}
	}
	return k;
}

void
office_report(struct inspect *in, enum finding f, const char *fmt, ...)
{
	char detail[200];
	va_list ap;
	char *s;

	va_start(ap, fmt);
	/* Cut is fine: this is for people. */
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	for (s = detail; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	content_report(in, f, detail);
}

void
office_utf16(char *dst, size_t size, const uint8_t *p, size_t n)
{
	char c8[4];
	uint32_t c;
	size_t i, k, len = 0;

	for (i = 0; i + 1 < n; i += 2) {
		if ((c = le16(p + i)) == 0)
			break;
		/* Pairs only occur in names that nobody compares. */
		k = office_utf8(c8, c < 0x20 || c == 0x7f ? '?' : c);
		if (len + k >= size)
			break;
		memcpy(dst + len, c8, k);
		len += k;
	}
	dst[len] = '\0';
}

void
office_ascii(char *dst, size_t size, const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && i + 1 < size && p[i] != '\0'; i++)
		dst[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
	dst[i] = '\0';
}

int
office_magic(const uint8_t *p, size_t n)
{
	static const struct {
		const char	*magic;
		size_t		 n;
	} known[] = {
		{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8 },
		{ "PK\3\4", 4 },
		{ "{\\rt", 4 },
		{ "%PDF-", 5 },
		{ "ActiveMime", 10 },
		{ "7z\xbc\xaf\x27\x1c", 6 },
		{ "Rar!\x1a\7", 6 },
		{ "\x78\x9f\x3e\x22", 4 },
		{ "MSCF\0\0\0\0", 8 },
		{ "L\0\0\0\1\x14\2\0", 8 },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (n >= known[i].n &&
		    memcmp(p, known[i].magic, known[i].n) == 0)
			return 1;
	return 0;
}

size_t
office_find(const uint8_t *p, size_t n, size_t from, const void *needle,
    size_t len)
{
	const uint8_t *hit;

	if (from >= n)
		return n;
	hit = memmem(p + from, n - from, needle, len);
	return hit == NULL ? n : (size_t)(hit - p);
}
