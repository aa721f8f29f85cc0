/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_DECODER_H
#define SCAND_CONTENT_DECODER_H

#include "scand/content/unpack.h"

/*
 * A decoder from inside.  Each kind has its functions in a table; what they
 * need beyond this is behind state.
 */

struct decoder_ops {
	/* DECODER_MORE: all is well. */
	enum decoder_result	(*open)(struct decoder *);
	/* Sets result and result_n if it returns DECODER_MORE. */
	enum decoder_result	(*read)(struct decoder *);
	void			(*close)(struct decoder *);
};

struct decoder {
	struct inspect		*in;
	enum decoder_kind	 kind;
	const uint8_t		*p;
	size_t			 n;
	size_t			 used;
	uint64_t		 size;
	const struct decoder_ops *ops;
	void			*state;
	uint64_t		 held;
	uint64_t		 window;	/* held as it fills */
	enum decoder_result	 last;	/* not DECODER_MORE: that's it */
	const uint8_t		*result;
	size_t			 result_n;
	uint8_t			 out[UNPACK_STEP];
};

/* Memory that a decoder takes at once.  0, or -1: too much. */
int	decoder_hold(struct decoder *, uint64_t n);
/* The same for a window, which takes memory as far as there was output. */
int	decoder_window(struct decoder *, uint64_t n);

extern const struct decoder_ops decoder_zlib;	/* decoder.c */
extern const struct decoder_ops decoder_inflate64;	/* inflate64.c */
extern const struct decoder_ops decoder_lzma;	/* decoder_lzma.c */
extern const struct decoder_ops decoder_archive;	/* decoder_archive.c */

#endif
