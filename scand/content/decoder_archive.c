/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "scand/content/decoder.h"
#include "scand/content/octets.h"

/*
 * bzip2, zstd and compress by one filter of libarchive; PPMd as one member of
 * a ZIP archive that is made up around it.
 */

struct state {
	struct archive	*a;
	int		 step;		/* of the made-up archive */
	uint8_t		 header[31];
	const uint8_t	*block;		/* from libarchive, not yet given */
	size_t		 block_n;
};

static enum decoder_result open_archive(struct decoder *);
static enum decoder_result read_archive(struct decoder *);
static void	 close_archive(struct decoder *);
static int	 open_filter(struct decoder *, struct archive *);
static int	 open_ppmd(struct decoder *, struct archive *);
static la_ssize_t ppmd_read(struct archive *, void *, const void **);
static uint64_t	 zstd_window(const uint8_t *, size_t);
static uint64_t	 zstd_frame(const uint8_t *, size_t, size_t *);

const struct decoder_ops decoder_archive = {
	open_archive, read_archive, close_archive
};

static enum decoder_result
open_archive(struct decoder *d)
{
	struct archive_entry *e;
	struct state *s;
	int r;

	if (d->n == 0)
		return DECODER_DAMAGED;
	if (d->kind == DECODER_ZSTD &&
	    decoder_window(d, zstd_window(d->p, d->n)) == -1)
		return DECODER_STOP;
	/* Order and megabytes of its model, APPNOTE 5.10. */
	if (d->kind == DECODER_PPMD_ZIP && (d->n < 2 || decoder_hold(d,
	    ((uint64_t)(le16(d->p) >> 4 & 0xff) + 1) << 20) == -1))
		return DECODER_STOP;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return DECODER_STOP;
	d->state = s;
	if ((s->a = archive_read_new()) == NULL)
		return DECODER_STOP;
	if (d->kind == DECODER_PPMD_ZIP)
		r = open_ppmd(d, s->a);
	else
		r = open_filter(d, s->a);
	if (r != ARCHIVE_OK)
		return DECODER_DAMAGED;
	r = archive_read_next_header(s->a, &e);
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return DECODER_DAMAGED;
	/* What a filter does not recognise passes it as it is. */
	if (d->kind != DECODER_PPMD_ZIP && archive_filter_count(s->a) < 2)
		return DECODER_DAMAGED;
	return DECODER_MORE;
}

/* One filter each: with all of them libarchive starts programs. */
static int
open_filter(struct decoder *d, struct archive *a)
{
	switch (d->kind) {
	case DECODER_BZIP2:
		(void)archive_read_support_filter_bzip2(a);
		break;
	case DECODER_ZSTD:
		(void)archive_read_support_filter_zstd(a);
		break;
	default:
		(void)archive_read_support_filter_compress(a);
		break;
	}
	(void)archive_read_support_format_raw(a);
	return archive_read_open_memory(a, d->p, d->n);
}

static int
open_ppmd(struct decoder *d, struct archive *a)
{
	struct state *s = d->state;
	uint32_t csize = (uint32_t)d->n, size = (uint32_t)d->size;
	int i;

	if (d->n > 0x7fffffff || d->size > 0x7fffffff)
		return ARCHIVE_FATAL;
	memcpy(s->header, "PK\3\4\x3f\0\0\0\x62\0", 10);
	for (i = 0; i < 4; i++) {
		s->header[18 + i] = (uint8_t)(csize >> 8 * i);
		s->header[22 + i] = (uint8_t)(size >> 8 * i);
	}
	s->header[26] = 1;
	s->header[30] = 'x';
	(void)archive_read_support_format_zip_streamable(a);
	(void)archive_read_set_option(a, "zip", "ignorecrc32", "1");
	return archive_read_open(a, d, NULL, ppmd_read, NULL);
}

static la_ssize_t
ppmd_read(struct archive *a, void *arg, const void **p)
{
	struct decoder *d = arg;
	struct state *s = d->state;

	(void)a;
	switch (s->step++) {
	case 0:
		*p = s->header;
		return sizeof(s->header);
	case 1:
		*p = d->p;
		return (la_ssize_t)d->n;
	default:
		return 0;
	}
}

static enum decoder_result
read_archive(struct decoder *d)
{
	struct state *s = d->state;
	const void *p;
	size_t n;
	la_int64_t at;
	int r;

	while (s->block_n == 0) {
		r = archive_read_data_block(s->a, &p, &n, &at);
		if (r == ARCHIVE_EOF) {
			d->used = d->n;
			return DECODER_END;
		}
		if (r == ARCHIVE_FAILED)
			return DECODER_OPAQUE;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return DECODER_DAMAGED;
		if (budget_step(&d->in->budget) == -1)
			return DECODER_STOP;
		s->block = p;
		s->block_n = n;
	}
	d->result = s->block;
	d->result_n = s->block_n < UNPACK_STEP ? s->block_n : UNPACK_STEP;
	s->block += d->result_n;
	s->block_n -= d->result_n;
	return DECODER_MORE;
}

static void
close_archive(struct decoder *d)
{
	struct state *s = d->state;

	if (s != NULL && s->a != NULL)
		(void)archive_read_free(s->a);
	free(s);
}

/* The largest window that a frame asks for, RFC 8878 3.1. */
static uint64_t
zstd_window(const uint8_t *p, size_t n)
{
	uint64_t max = 0, window;
	size_t len;

	while (n >= 8) {
		if ((le32(p) & 0xfffffff0) == 0x184d2a50) {
			len = 8 + (size_t)le32(p + 4);
		} else if (le32(p) == 0xfd2fb528) {
			window = zstd_frame(p, n, &len);
			if (window > max)
				max = window;
		} else
			break;
		if (len >= n)
			break;
		p += len;
		n -= len;
	}
	return max;
}

/* The window of one frame; its length, which ends with the input at most. */
static uint64_t
zstd_frame(const uint8_t *p, size_t n, size_t *len)
{
	static const size_t dict_n[] = { 0, 1, 2, 4 }, fcs_n[] = { 0, 2, 4, 8 };
	uint64_t window = 0, fcs = 0;
	uint32_t block;
	size_t at = 5, k, i;
	int single = p[4] >> 5 & 1;

	if (!single) {
		window = 1ULL << (10 + (p[5] >> 3));
		window += window / 8 * (p[5] & 7);
		at++;
	}
	at += dict_n[p[4] & 3];
	k = fcs_n[p[4] >> 6];
	if (k == 0 && single)
		k = 1;
	for (i = 0; i < k && at + i < n; i++)
		fcs |= (uint64_t)p[at + i] << 8 * i;
	at += k;
	if (single)
		window = fcs + (k == 2 ? 256 : 0);
	do {
		if (n < 3 || at > n - 3) {
			*len = n;
			return window;
		}
		block = (uint32_t)p[at] | (uint32_t)p[at + 1] << 8 |
		    (uint32_t)p[at + 2] << 16;
		at += 3;
		/* One octet stands for a block that repeats it. */
		at += (block >> 1 & 3) == 1 ? 1 : block >> 3;
	} while ((block & 1) == 0);
	*len = at + (p[4] & 4 ? 4 : 0);
	return window;
}
