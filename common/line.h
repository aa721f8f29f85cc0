/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_LINE_H
#define COMMON_LINE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Lines as SMTP has them, without any I/O: finding them in what has been read
 * so far, and dot-stuffing.
 */

struct line_state {		/* zeroed at start */
	uint32_t	 scanned;	/* octets known to hold no LF */
	uint8_t		 skipping;	/* inside a line that is too long */
};

enum line_result {
	LINE_NONE,		/* no end yet; throw *used octets away */
	LINE_FOUND,		/* p[0] to p[*len - 1], without its end */
	LINE_LONG		/* a line past max has ended */
};

/*
 * Look for a line at the start of the n octets at p, which are the same as at
 * the last call with more behind them, less what *used said.  *used: octets
 * to consume.  *bare: the line ended in LF without CR, or has a CR inside.
 * Takes no more than max octets of a line before it begins to throw away.
 */
enum line_result line_find(struct line_state *, const uint8_t *p, size_t n,
	    size_t max, size_t *len, size_t *used, int *bare);

struct stuff_state {		/* zeroed: at the start of a line */
	uint8_t		 inside;	/* not at the start of a line */
	uint8_t		 cr;		/* the last octet was CR */
};
/* Room that n octets may need. */
#define STUFF_ROOM(n)	((n) + ((n) + 2) / 3)

/*
 * RFC 5321 4.5.2: copy n octets to dst, a dot doubled where it stands at the
 * start of a line; the text may come in pieces.  Returns the octets written.
 */
size_t	line_stuff(struct stuff_state *, const uint8_t *p, size_t n,
	    uint8_t *dst);

#endif
