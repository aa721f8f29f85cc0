/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_MIME_PARTS_H
#define SCAND_MIME_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"
#include "scand/content/content.h"

/*
 * The parts of a message: all that some mail reader would show or save, also
 * where readers differ.  Everything is bounded, and what goes beyond is told.
 */

/*
 * decode.c: transfer encodings (RFC 2045 6), with whatever noise there is.
 */
enum encoding { ENCODING_NONE, ENCODING_BASE64, ENCODING_QP };

/* How base64 is read where readers differ. */
#define DECODE_STOP	0x01	/* it ends at the first padding */
#define DECODE_JOIN	0x02	/* padding is noise like any other */
#define DECODE_URL	0x04	/* - and _ are digits, RFC 4648 5 */

struct decode {
	enum encoding	 encoding;
	unsigned	 how;		/* DECODE_* */
	const uint8_t	*p;		/* all of the input */
	size_t		 n, at;
	uint8_t		*dst;		/* room for decode_room(n) */
	size_t		 len;
	unsigned	 differs;	/* DECODE_*: that reads otherwise */
	/* Between steps. */
	size_t		 kept;		/* of dst, without blanks at its end */
	uint32_t	 bits;
	unsigned	 nbits;
	int		 padded, done;
};
/* Octets that n octets of input become at most. */
size_t	decode_room(enum encoding, size_t n);
void	decode_init(struct decode *, enum encoding, unsigned how,
	    const uint8_t *, size_t, uint8_t *dst);
/* About max octets of input more.  0 at the end, else 1. */
int	decode_step(struct decode *, size_t max);

/*
 * charset.c: text to UTF-8.  What does not fit is left out, what is wrong
 * becomes U+FFFD; an unknown or missing name (NULL or "") is guessed.  dst is
 * terminated; returns its length.
 */
size_t	charset_utf8(const char *charset, const uint8_t *p, size_t n,
	    char *dst, size_t size);

/*
 * words.c: encoded words (RFC 2047) wherever they stand, also where they must
 * not; other octets above 127 are guessed.  As charset_utf8().
 */
size_t	words_utf8(const char *p, size_t n, char *dst, size_t size);

/*
 * params.c: the value of Content-Type and Content-Disposition, read as a
 * tolerant reader would.
 */
#define PARAM_VALUE	1024
#define PARAM_READINGS	3

struct param {
	char		 attribute[64];	/* lower case */
	char		 value[PARAM_READINGS][PARAM_VALUE];
	unsigned	 n;		/* readings; the first is the usual */
};
struct params {
	const uint8_t	*p;
	size_t		 n, at;
};
/* The first word, "text/plain", in lower case without blanks and comments. */
void	params_begin(struct params *, const uint8_t *, size_t, char *word,
	    size_t size);
/* 1: *pm is the next one; 0: there are no more. */
int	params_next(struct params *, struct param *);

/* A value in sections (RFC 2231 3, 4). */
#define SECTIONS	32
struct sections {
	struct {
		uint16_t	 number, at, len;
		uint8_t		 extended;
	}		 v[SECTIONS];
	unsigned	 n;
	char		 text[4 * PARAM_VALUE];
	size_t		 len;
};
/*
 * Takes a parameter whose attribute is base with a star: base*, base*0,
 * base*0*.  0: it is none of these.
 */
int	sections_add(struct sections *, const char *base,
	    const struct param *);
/* Joined, percent-decoded and in UTF-8; "" if there are none. */
size_t	sections_utf8(const struct sections *, char *dst, size_t size);

/*
 * parts.c: the walk over a message.
 */
#define MIME_NAMES	4
#define MIME_ENCODINGS	3
#define MIME_PATH	64	/* of "1.2.3" */

/* What a part may be taken for; several where its fields contradict. */
#define PART_LEAF	0x01
#define PART_MULTIPART	0x02
#define PART_MESSAGE	0x04	/* message/rfc822 and the like */
#define PART_PARTIAL	0x08	/* message/partial */
#define PART_EXTERNAL	0x10	/* message/external-body */
/* How certain it is. */
#define PART_DOUBTFUL	0x20	/* not every reader has this part */
/* What it says of itself. */
#define PART_ATTACHMENT	0x40	/* Content-Disposition: attachment */
#define PART_TEXT	0x80	/* text/plain, text/html, or nothing */
#define PART_HTML	0x100	/* text/html */
#define PART_PARENT	0x200	/* has parts that are not doubtful */

struct mime_part {
	uint32_t	 parent;	/* index, or MIME_NONE */
	uint32_t	 number;	/* below it; 0: has none */
	uint32_t	 nchildren;
	unsigned	 flags;		/* PART_* */
	size_t		 head;		/* where its header section begins */
	size_t		 body;		/* and its body */
	size_t		 body_other;	/* for other readers; or body */
	/* Ends of the body: as declared; at anything that may be a boundary;
	   at the next boundary of its own multipart. */
	size_t		 end, end_near, end_own;
	uint8_t		 encoding[MIME_ENCODINGS];
	uint8_t		 nencodings;
	uint8_t		 nnames;
	/* Offsets into mime.text; names in UTF-8 as declared. */
	uint32_t	 type, charset;
	uint32_t	 name[MIME_NAMES];
	/* The walk's own: the next one without end, end_own. */
	uint32_t	 next_open, next_own;
	int		 has_own;
};
#define MIME_NONE	UINT32_MAX

struct mime {
	const uint8_t		*p;
	size_t			 n;
	struct budget		*budget;
	struct mime_part	*parts;
	size_t			 nparts, partsize;
	char			*text;
	size_t			 textlen, textsize;
	int			 cut;		/* more than is listed */
	int			 versioned;	/* MIME-Version is there */
	int			 returns;	/* has lone CRs */
	/* The walk's own. */
	struct mime_frame	*frames;
	size_t			 nframes, framesize;
	struct mime_boundary	*boundaries;
	size_t			 nboundaries, boundarysize;
	uint32_t		*table;
	uint32_t		 current;	/* innermost frame */
	uint32_t		 open;		/* parts without an end */
	uint32_t		 near;		/* part without end_near */
};

/*
 * Zero a struct mime once, parse with it as often as wanted, free it at last.
 * With MIME_BODY there is no header section first: what a multipart has that
 * was itself encoded.  Time is taken from the budget, which may end the walk
 * early (cut).  p must stay.  -1: no memory.
 */
#define MIME_BODY	0x01
int	mime_parse(struct mime *, struct budget *, const uint8_t *p,
	    size_t n, unsigned how);
void	mime_free(struct mime *);
/* "2.1", as in IMAP, "0" for a multipart that is the whole; cut if it does
   not fit.  Returns buf. */
const char *mime_path(const struct mime *, size_t i, char *buf, size_t size);
/* A string of a part. */
const char *mime_string(const struct mime *, uint32_t offset);

/*
 * reading.c: how the octets of a part may be read, the usual way first.
 */
struct reading {
	size_t		 from, to;
	enum encoding	 encoding;
	unsigned	 how;		/* DECODE_* */
	int		 guess;		/* only if the usual way is nothing */
};
#define READINGS	16
size_t	mime_readings(const struct mime *, const struct mime_part *,
	    struct reading v[READINGS]);
/* Further ways to read base64 that has been seen to differ. */
size_t	mime_readings_base64(const struct reading *, unsigned differs,
	    struct reading v[READINGS]);

/*
 * The octets of a reading: inside the message where nothing is encoded, else
 * in a buffer that is used again.
 */
struct octets {
	const uint8_t	*p;
	size_t		 n;
	unsigned	 differs;	/* DECODE_* */
	uint8_t		*buf;
	size_t		 size, held;
};
/* 0; -1: the budget is used up, or there is no memory for it. */
int	octets_read(struct octets *, const struct mime *, struct budget *,
	    const struct reading *);
void	octets_free(struct octets *, struct budget *);

#endif
