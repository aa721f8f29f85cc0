/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "scand/content/decoder.h"
#include "scand/content/octets.h"

/*
 * xz, lzma, lzip and the LZMA of ZIP by liblzma.  It is started without any
 * memory and tells what it needs; so the budget grants each dictionary.
 */

struct state {
	lzma_stream	 lz;
	uint8_t		 header[13];	/* of DECODER_LZMA_ZIP */
	int		 in_header;
};

static enum decoder_result open_lzma(struct decoder *);
static enum decoder_result read_lzma(struct decoder *);
static void	 close_lzma(struct decoder *);
static int	 make_header(struct decoder *, struct state *);
static int	 grant(struct decoder *, lzma_stream *);

const struct decoder_ops decoder_lzma = {
	open_lzma, read_lzma, close_lzma
};

static enum decoder_result
open_lzma(struct decoder *d)
{
	static const lzma_stream init = LZMA_STREAM_INIT;
	struct state *s;
	lzma_ret r;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return DECODER_STOP;
	d->state = s;
	s->lz = init;
	switch (d->kind) {
	case DECODER_XZ:
		r = lzma_stream_decoder(&s->lz, 1, LZMA_CONCATENATED);
		break;
	case DECODER_LZIP:
		r = lzma_lzip_decoder(&s->lz, 1, LZMA_CONCATENATED);
		break;
	case DECODER_LZMA_ZIP:
		if (make_header(d, s) == -1)
			return DECODER_DAMAGED;
		r = lzma_alone_decoder(&s->lz, 1);
		break;
	default:
		r = lzma_alone_decoder(&s->lz, 1);
		break;
	}
	if (r != LZMA_OK)
		return DECODER_STOP;
	if (!s->in_header) {
		s->lz.next_in = d->p;
		s->lz.avail_in = d->n;
	}
	return DECODER_MORE;
}

/* APPNOTE 5.8.8: version, size of the properties (5), properties. */
static int
make_header(struct decoder *d, struct state *s)
{
	int i;

	if (d->n < 9 || le16(d->p + 2) != 5)
		return -1;
	memcpy(s->header, d->p + 4, 5);
	for (i = 0; i < 8; i++)
		s->header[5 + i] = (uint8_t)(d->size >> 8 * i);
	s->in_header = 1;
	s->lz.next_in = s->header;
	s->lz.avail_in = sizeof(s->header);
	return 0;
}

static enum decoder_result
read_lzma(struct decoder *d)
{
	struct state *s = d->state;
	lzma_ret r;

	s->lz.next_out = d->out;
	s->lz.avail_out = sizeof(d->out);
	for (;;) {
		r = lzma_code(&s->lz, s->in_header ? LZMA_RUN : LZMA_FINISH);
		d->result_n = sizeof(d->out) - s->lz.avail_out;
		if (r == LZMA_MEMLIMIT_ERROR) {
			if (grant(d, &s->lz) == -1)
				return DECODER_STOP;
			continue;
		}
		if (s->in_header && s->lz.avail_in == 0 && r == LZMA_OK) {
			s->in_header = 0;
			s->lz.next_in = d->p + 9;
			s->lz.avail_in = d->n - 9;
			continue;
		}
		if (!s->in_header)
			d->used = d->n - s->lz.avail_in;
		if (r == LZMA_STREAM_END)
			return DECODER_END;
		if (r == LZMA_MEM_ERROR)
			return DECODER_STOP;
		if (r == LZMA_OPTIONS_ERROR)
			return DECODER_OPAQUE;
		if (r != LZMA_OK)
			return DECODER_DAMAGED;
		if (s->lz.avail_out == 0)
			return DECODER_MORE;
	}
}

static int
grant(struct decoder *d, lzma_stream *lz)
{
	uint64_t need = lzma_memusage(lz);

	if (decoder_window(d, need) == -1)
		return -1;
	return lzma_memlimit_set(lz, need) == LZMA_OK ? 0 : -1;
}

static void
close_lzma(struct decoder *d)
{
	struct state *s = d->state;

	if (s != NULL)
		lzma_end(&s->lz);
	free(s);
}
