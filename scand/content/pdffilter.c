/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/pdffilter.h"

/*
 * The filters by which a PDF wraps what is attached to it.  Predictors are not
 * undone: they are for pictures and tables.
 */

/* Collects single octets for unpack_add(). */
struct sink {
	struct unpack	*u;
	size_t		 n;
	int		 full;
	uint8_t		 buf[4096];
};

struct lzw {
	uint16_t	 prefix[4096];
	uint8_t		 last[4096];
	unsigned	 next;		/* code to be given */
	unsigned	 bits;
};

static void	 put(struct sink *, uint8_t);
static void	 flush(struct sink *);
static void	 from_hex(struct sink *, const uint8_t *, size_t);
static void	 from_85(struct sink *, const uint8_t *, size_t);
static void	 from_runs(struct sink *, const uint8_t *, size_t);
static void	 from_lzw(struct sink *, const uint8_t *, size_t);
static uint8_t	 lzw_string(struct sink *, const struct lzw *, unsigned);
static void	 from_flate(struct unpack *, const uint8_t *, size_t);

static const struct {
	const char	*name;
	enum pdf_filter	 filter;
} names[] = {
	{ "FlateDecode", PDF_FILTER_FLATE }, { "Fl", PDF_FILTER_FLATE },
	{ "ASCIIHexDecode", PDF_FILTER_HEX }, { "AHx", PDF_FILTER_HEX },
	{ "ASCII85Decode", PDF_FILTER_85 }, { "A85", PDF_FILTER_85 },
	{ "LZWDecode", PDF_FILTER_LZW }, { "LZW", PDF_FILTER_LZW },
	{ "RunLengthDecode", PDF_FILTER_RUN }, { "RL", PDF_FILTER_RUN },
	{ "Crypt", PDF_FILTER_NONE },
};

enum pdf_filter
pdf_filter_named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].filter;
	return PDF_FILTER_UNKNOWN;
}

void
pdf_filter(enum pdf_filter f, struct unpack *u, const uint8_t *p, size_t n)
{
	struct sink s;

	s.u = u;
	s.n = 0;
	s.full = 0;
	switch (f) {
	case PDF_FILTER_FLATE:
		from_flate(u, p, n);
		return;
	case PDF_FILTER_HEX:
		from_hex(&s, p, n);
		break;
	case PDF_FILTER_85:
		from_85(&s, p, n);
		break;
	case PDF_FILTER_RUN:
		from_runs(&s, p, n);
		break;
	case PDF_FILTER_LZW:
		from_lzw(&s, p, n);
		break;
	default:
		for (; n > 0 && !s.full; n--)
			put(&s, *p++);
		break;
	}
	flush(&s);
}

static void
put(struct sink *s, uint8_t c)
{
	s->buf[s->n++] = c;
	if (s->n == sizeof(s->buf))
		flush(s);
}

static void
flush(struct sink *s)
{
	if (!s->full && s->n > 0 && unpack_add(s->u, s->buf, s->n) == -1)
		s->full = 1;
	s->n = 0;
}

static void
from_hex(struct sink *s, const uint8_t *p, size_t n)
{
	int v, high = -1;
	size_t i;

	for (i = 0; i < n && p[i] != '>' && !s->full; i++) {
		v = p[i] >= '0' && p[i] <= '9' ? p[i] - '0' :
		    p[i] >= 'A' && p[i] <= 'F' ? p[i] - 'A' + 10 :
		    p[i] >= 'a' && p[i] <= 'f' ? p[i] - 'a' + 10 : -1;
		if (v < 0)
			continue;
		if (high < 0)
			high = v;
		else {
			put(s, (uint8_t)(high << 4 | v));
			high = -1;
		}
	}
	if (high >= 0)
		put(s, (uint8_t)(high << 4));
}

static void
from_85(struct sink *s, const uint8_t *p, size_t n)
{
	uint32_t v = 0;
	unsigned k = 0, j;
	size_t i;

	for (i = 0; i < n && p[i] != '~' && !s->full; i++) {
		if (p[i] == 'z' && k == 0) {
			for (j = 0; j < 4; j++)
				put(s, 0);
			continue;
		}
		if (p[i] < '!' || p[i] > 'u')
			continue;
		v = v * 85 + (uint32_t)(p[i] - '!');
		if (++k < 5)
			continue;
		for (j = 0; j < 4; j++)
			put(s, (uint8_t)(v >> (24 - 8 * j)));
		v = 0;
		k = 0;
	}
	if (k < 2)
		return;
	for (j = k; j < 5; j++)
		v = v * 85 + 84;
	for (j = 0; j < k - 1; j++)
		put(s, (uint8_t)(v >> (24 - 8 * j)));
}

static void
from_runs(struct sink *s, const uint8_t *p, size_t n)
{
	size_t i = 0, k;

	while (i < n && p[i] != 128 && !s->full) {
		if (p[i] < 128) {
			k = (size_t)p[i++] + 1;
			for (; k > 0 && i < n; k--)
				put(s, p[i++]);
		} else if (i + 1 < n) {
			for (k = 257 - (size_t)p[i]; k > 0; k--)
				put(s, p[i + 1]);
			i += 2;
		} else
			return;
	}
}

/* 7.4.4.2, with the early change that is the default. */
static void
from_lzw(struct sink *s, const uint8_t *p, size_t n)
{
	struct lzw z;
	uint32_t acc = 0;
	unsigned have = 0, code, before = 256, full;
	uint8_t first = 0;
	size_t i = 0;

	memset(&z, 0, sizeof(z));
	z.next = 258;
	z.bits = 9;
	while (!s->full) {
		for (; have < z.bits && i < n; have += 8)
			acc = acc << 8 | p[i++];
		if (have < z.bits)
			return;
		code = acc >> (have - z.bits) & ((1U << z.bits) - 1);
		have -= z.bits;
		if (code == 257 || code > z.next)
			return;
		if (code == 256) {
			z.next = 258;
			z.bits = 9;
			before = 256;
			continue;
		}
		if (before == 256) {
			if (code > 255)
				return;
			first = lzw_string(s, &z, code);
		} else {
			/* The code that is just being made is the one before
			   with its own first octet. */
			full = z.next < 4096;
			if (code == z.next && !full)
				return;
			if (code == z.next) {
				z.prefix[z.next] = (uint16_t)before;
				z.last[z.next] = first;
			}
			first = lzw_string(s, &z, code);
			if (full) {
				z.prefix[z.next] = (uint16_t)before;
				z.last[z.next++] = first;
			}
			if (z.next + 1 >= 1U << z.bits && z.bits < 12)
				z.bits++;
		}
		before = code;
	}
}

/* Put what a code stands for, from its end; its first octet. */
static uint8_t
lzw_string(struct sink *s, const struct lzw *z, unsigned code)
{
	uint8_t out[4096];
	size_t at = sizeof(out);
	uint8_t first;

	while (code > 257 && code < sizeof(out) && at > 1) {
		out[--at] = z->last[code];
		code = z->prefix[code];
	}
	first = (uint8_t)code;
	out[--at] = first;
	for (; at < sizeof(out); at++)
		put(s, out[at]);
	return first;
}

static void
from_flate(struct unpack *u, const uint8_t *p, size_t n)
{
	struct decoder *d;

	d = decoder_open(u->in, DECODER_ZLIB, p, n, UINT64_MAX);
	if (d == NULL)
		return;
	/* Broken streams are read as far as they go, by everybody. */
	(void)decoder_unpack(d, u);
	decoder_free(d);
}
