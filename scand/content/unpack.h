/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_UNPACK_H
#define SCAND_CONTENT_UNPACK_H

#include "scand/content/content.h"

/*
 * What the readers of archives share: decoders that give what they unpack in
 * steps, and octets that are collected from them under the budget.
 */

#define UNPACK_STEP	65536	/* octets of one step */

/*
 * unpack.c: octets that come out of a decoder.
 */
struct unpack {
	struct inspect	*in;
	uint8_t		*p;
	size_t		 n;
	size_t		 size;		/* held by the budget */
	uint64_t	 packed;	/* what it comes from; 0: unknown */
	int		 cut;		/* there was more */
};

/* packed: octets that it comes from, for the ratio. */
void	unpack_begin(struct unpack *, struct inspect *, uint64_t packed);
/* n octets more, at most UNPACK_STEP.  0, or -1: no more of it. */
int	unpack_add(struct unpack *, const uint8_t *, size_t n);
/* The same for n zeros, however many. */
int	unpack_add_zeros(struct unpack *, uint64_t n);
/* Hand it to content_look(). */
void	unpack_look(struct unpack *, const char *name);
void	unpack_free(struct unpack *);

/*
 * decoder.c: streams that hold one thing.
 */
enum decoder_kind {
	DECODER_DEFLATE,	/* RFC 1951 */
	DECODER_DEFLATE64,
	DECODER_ZLIB,		/* RFC 1950 */
	DECODER_GZIP,		/* RFC 1952, members joined */
	DECODER_XZ,
	DECODER_LZMA,		/* with the header of 13 octets */
	DECODER_LZIP,
	DECODER_LZMA_ZIP,	/* as in ZIP, APPNOTE 5.8.8 */
	DECODER_BZIP2,
	DECODER_ZSTD,
	DECODER_COMPRESS,
	DECODER_PPMD_ZIP	/* as in ZIP, APPNOTE 5.10 */
};

enum decoder_result {
	DECODER_MORE,		/* out[0..n) was unpacked, n > 0 */
	DECODER_END,
	DECODER_DAMAGED,
	DECODER_OPAQUE,		/* cannot be unpacked here */
	DECODER_STOP		/* budget */
};

struct decoder;
/*
 * Begin; p is to stay as long.  size: what comes out, if that is known, else
 * UINT64_MAX; some formats need it.  NULL: no memory.
 */
struct decoder	*decoder_open(struct inspect *, enum decoder_kind,
		    const uint8_t *p, size_t n, uint64_t size);
/* The next octets, UNPACK_STEP at most; they stay until the next call.  The
   clock of the budget is looked at, its octets are not counted. */
enum decoder_result decoder_read(struct decoder *, const uint8_t **, size_t *);
/* Octets of the input that were used. */
size_t	decoder_used(const struct decoder *);
void	decoder_free(struct decoder *);
/* All of it into u; damage and what cannot be unpacked is told by the result
   (DECODER_END: whole), and is for the caller to report. */
enum decoder_result decoder_unpack(struct decoder *, struct unpack *);

/*
 * archive.c: libarchive.
 */
struct archive;
enum archive_format {
	FORMAT_7Z, FORMAT_RAR4, FORMAT_RAR5, FORMAT_TAR, FORMAT_CAB,
	FORMAT_LZH, FORMAT_ISO
};
struct archive_walk {
	unsigned	 entries;
	int		 encrypted;	/* some */
	int		 broken;	/* the walk ended early */
};
/* Look at all members; p as a whole. */
void	archive_walk(struct inspect *, enum archive_format, const uint8_t *p,
	    size_t n, struct archive_walk *);

#endif
