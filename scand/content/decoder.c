/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "common/limits.h"
#include "scand/content/decoder.h"

/*
 * Decoders of single streams, in steps between which the budget can end it.
 * The table says who does the work: zlib (here), liblzma, libarchive, or we.
 */

static int	 fill_window(struct decoder *);
static enum decoder_result zlib_open(struct decoder *);
static enum decoder_result zlib_read(struct decoder *);
static void	 zlib_close(struct decoder *);
static int	 gzip_goes_on(struct decoder *, z_stream *);

const struct decoder_ops decoder_zlib = {
	zlib_open, zlib_read, zlib_close
};

static const struct decoder_ops *const kinds[] = {
	[DECODER_DEFLATE] = &decoder_zlib,
	[DECODER_DEFLATE64] = &decoder_inflate64,
	[DECODER_ZLIB] = &decoder_zlib,
	[DECODER_GZIP] = &decoder_zlib,
	[DECODER_XZ] = &decoder_lzma,
	[DECODER_LZMA] = &decoder_lzma,
	[DECODER_LZIP] = &decoder_lzma,
	[DECODER_LZMA_ZIP] = &decoder_lzma,
	[DECODER_BZIP2] = &decoder_archive,
	[DECODER_ZSTD] = &decoder_archive,
	[DECODER_COMPRESS] = &decoder_archive,
	[DECODER_PPMD_ZIP] = &decoder_archive,
};

struct decoder *
decoder_open(struct inspect *in, enum decoder_kind kind, const uint8_t *p,
    size_t n, uint64_t size)
{
	struct decoder *d;

	/* All but out is to be zero. */
	if ((d = malloc(sizeof(*d))) == NULL)
		return NULL;
	memset(d, 0, offsetof(struct decoder, out));
	d->in = in;
	d->kind = kind;
	d->p = p;
	d->n = n;
	d->size = size;
	d->ops = kinds[kind];
	d->last = d->ops->open(d);
	return d;
}

enum decoder_result
decoder_read(struct decoder *d, const uint8_t **p, size_t *n)
{
	if (d->last != DECODER_MORE)
		return d->last;
	d->result = d->out;
	d->result_n = 0;
	d->last = d->ops->read(d);
	if (d->last == DECODER_MORE || d->result_n > 0) {
		*p = d->result;
		*n = d->result_n;
		if (fill_window(d) == -1 ||
		    budget_work(&d->in->budget, d->result_n) == -1)
			return d->last = DECODER_STOP;
		return DECODER_MORE;
	}
	return d->last;
}

enum decoder_result
decoder_unpack(struct decoder *d, struct unpack *u)
{
	enum decoder_result r;
	const uint8_t *p;
	size_t n;

	while ((r = decoder_read(d, &p, &n)) == DECODER_MORE)
		if (unpack_add(u, p, n) == -1)
			return DECODER_STOP;
	if (r == DECODER_STOP)
		u->cut = 1;
	return r;
}

size_t
decoder_used(const struct decoder *d)
{
	return d->used;
}

void
decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	d->ops->close(d);
	budget_release(&d->in->budget, d->held);
	free(d);
}

int
decoder_hold(struct decoder *d, uint64_t n)
{
	if (n > LIM_DICTIONARY) {
		d->in->budget.over |= BUDGET_HELD;
		return -1;
	}
	if (budget_hold(&d->in->budget, n) == -1)
		return -1;
	d->held += n;
	return 0;
}

int
decoder_window(struct decoder *d, uint64_t n)
{
	if (n > LIM_WINDOW) {
		d->in->budget.over |= BUDGET_HELD;
		return -1;
	}
	d->window = n;
	return 0;
}

/* What was just unpacked is remembered, up to the size of the window. */
static int
fill_window(struct decoder *d)
{
	uint64_t n = d->result_n;

	if (d->held >= d->window)
		return 0;
	if (n > d->window - d->held)
		n = d->window - d->held;
	if (budget_hold(&d->in->budget, n) == -1)
		return -1;
	d->held += n;
	return 0;
}

static enum decoder_result
zlib_open(struct decoder *d)
{
	z_stream *z;
	int bits;

	bits = d->kind == DECODER_DEFLATE ? -MAX_WBITS :
	    d->kind == DECODER_ZLIB ? MAX_WBITS : MAX_WBITS + 16;
	if ((z = calloc(1, sizeof(*z))) == NULL)
		return DECODER_STOP;
	if (inflateInit2(z, bits) != Z_OK) {
		free(z);
		return DECODER_STOP;
	}
	d->state = z;
	return DECODER_MORE;
}

static enum decoder_result
zlib_read(struct decoder *d)
{
	z_stream *z = d->state;
	size_t left;
	int r;

	z->next_out = d->out;
	z->avail_out = sizeof(d->out);
	for (;;) {
		left = d->n - d->used;
		z->next_in = d->p + d->used;
		z->avail_in = left < INT_MAX ? (uInt)left : INT_MAX;
		r = inflate(z, Z_NO_FLUSH);
		d->used = (size_t)(z->next_in - d->p);
		d->result_n = sizeof(d->out) - z->avail_out;
		if (r == Z_STREAM_END) {
			if (!gzip_goes_on(d, z))
				return DECODER_END;
		} else if (r != Z_OK)
			return r == Z_MEM_ERROR ? DECODER_STOP :
			    DECODER_DAMAGED;
		if (z->avail_out == 0)
			return DECODER_MORE;
	}
}

/* RFC 1952 2.2: members follow each other; zeros may fill a block. */
static int
gzip_goes_on(struct decoder *d, z_stream *z)
{
	size_t at = d->used;

	if (d->kind != DECODER_GZIP)
		return 0;
	while (at < d->n && d->p[at] == 0)
		at++;
	if (d->n - at < 18 || d->p[at] != 0x1f || d->p[at + 1] != 0x8b)
		return 0;
	d->used = at;
	return inflateReset(z) == Z_OK;
}

static void
zlib_close(struct decoder *d)
{
	if (d->state != NULL)
		(void)inflateEnd(d->state);
	free(d->state);
}
