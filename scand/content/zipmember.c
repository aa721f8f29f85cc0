/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/unpack.h"
#include "scand/content/zip.h"

/*
 * The octets of one member of a ZIP archive.
 */

static const struct {
	uint16_t		 method;
	enum decoder_kind	 kind;
} methods[] = {
	{ ZIP_DEFLATED,	DECODER_DEFLATE },
	{ 9,		DECODER_DEFLATE64 },
	{ 12,		DECODER_BZIP2 },
	{ 14,		DECODER_LZMA_ZIP },
	{ 93,		DECODER_ZSTD },
	{ 20,		DECODER_ZSTD },		/* its number before 2020 */
	{ 95,		DECODER_XZ },
	{ 98,		DECODER_PPMD_ZIP },
};

enum zipmember
zipmember_unpack(struct inspect *in, struct unpack *u,
    const struct zip_header *h, const uint8_t *p, size_t n,
    const uint8_t **out, size_t *out_n, size_t *used)
{
	static const enum zipmember become[] = {
		[DECODER_END] = ZIPMEMBER_WHOLE,
		[DECODER_DAMAGED] = ZIPMEMBER_DAMAGED,
		[DECODER_OPAQUE] = ZIPMEMBER_OPAQUE,
		[DECODER_STOP] = ZIPMEMBER_STOP,
	};
	struct decoder *d;
	enum decoder_result r;
	uint64_t size = h->size;
	size_t i;

	unpack_begin(u, in, n);
	*out = p;
	*out_n = n;
	if (used != NULL)
		*used = n;
	if (h->method == ZIP_STORED)
		return ZIPMEMBER_WHOLE;
	*out_n = 0;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].method == h->method)
			break;
	if (i == sizeof(methods) / sizeof(methods[0]))
		return ZIPMEMBER_OPAQUE;
	/* Bit 1: the stream of LZMA has an end mark of its own. */
	if (h->method == 14 && (h->flags & 2) != 0)
		size = UINT64_MAX;
	d = decoder_open(in, methods[i].kind, p, n, size);
	if (d == NULL)
		return ZIPMEMBER_STOP;
	r = decoder_unpack(d, u);
	if (used != NULL)
		*used = decoder_used(d);
	decoder_free(d);
	*out = u->p;
	*out_n = u->n;
	return become[r];
}
