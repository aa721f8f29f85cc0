/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_MIME_WALK_H
#define SCAND_MIME_WALK_H

#include "scand/mime/parts.h"

/*
 * Between the files of the walk over a message: parts.c, frame.c, block.c and
 * part.c.
 */

/* Something that has parts: a multipart, or a message in a message. */
struct mime_frame {
	uint32_t	part;		/* that it is the body of */
	uint32_t	outer;		/* frame, or MIME_NONE */
	uint32_t	open;		/* its parts without end_own */
	uint16_t	depth;
	uint8_t		is_open;	/* it or one inside it is walked */
	uint8_t		doubtful;	/* not every reader sees it */
	uint8_t		digest;		/* RFC 2046 5.1.5 */
	uint8_t		guess;		/* its boundary is not known */
};

struct mime_boundary {
	uint32_t	text, len;	/* in mime.text */
	uint32_t	frame;
	uint32_t	hash;
	uint32_t	next;		/* with the same place in the table */
};

/* The octets of a line without its end, and where the next begins. */
struct mime_line {
	const uint8_t	*p;
	size_t		 len, next;
};
/* at < m->n. */
void	mime_line(const struct mime *, size_t at, struct mime_line *);

/*
 * frame.c
 */

/* A new frame inside the current one becomes the current one; too deep, the
   current one takes its place.  MIME_NONE: no memory. */
uint32_t frame_push(struct mime *, uint32_t part, int doubtful);
/* One more text that separates its parts; empty and double ones are right.
   -1: no memory. */
int	frame_boundary(struct mime *, uint32_t frame, const char *, size_t);
/* frame becomes the current one: what is inside of it is over. */
void	frame_pop_to(struct mime *, uint32_t frame);
/* frame itself is over. */
void	frame_end(struct mime *, uint32_t frame);

/* What a line means that begins with two hyphens. */
struct mark {
	uint32_t	frame;		/* or MIME_NONE */
	int		exact;		/* it is that of frame */
	int		doubtful;	/* not every reader sees a boundary */
	int		close;		/* "--b--" */
};
/* Is it the boundary of some frame?  1 or 0. */
int	mark_exact(const struct mime *, const struct mime_line *,
	    struct mark *);
/* May it be one of an open frame with more behind it (RFC 2046 5.1.1)? */
int	mark_prefix(const struct mime *, const struct mime_line *,
	    struct mark *);

/*
 * block.c: a header section inside a message.
 */
#define BLOCK_FIELDS	8	/* of one name; the last counts as the 8th */

struct span {
	size_t	at, end;
};
enum block_field { BLOCK_TYPE, BLOCK_ENCODING, BLOCK_DISPOSITION, BLOCK_MAX };

struct block {
	size_t		 head, body;
	size_t		 other;		/* where others see the body; or body */
	struct span	 v[BLOCK_MAX][BLOCK_FIELDS];	/* values, folded */
	unsigned	 n[BLOCK_MAX];
	int		 versioned;
};
/* Read the section that begins at `at'.  -1: the budget is used up. */
int	block_read(const struct mime *, size_t at, struct block *);
/* Does a field of this name begin here ("content-", or all of it)? */
int	field_is(const uint8_t *, size_t, const char *lower, int whole);

/*
 * part.c: what a part says of itself.  A multipart becomes the current frame.
 * -1: no memory.
 */
int	part_describe(struct mime *, uint32_t part, const struct block *,
	    int doubtful);
/* Append to mime.text; the offset, 0 (an empty string) when there is no room.
   MIME_NONE: no memory. */
uint32_t mime_text(struct mime *, const char *, size_t);

#endif
