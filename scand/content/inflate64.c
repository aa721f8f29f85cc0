/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "scand/content/decoder.h"

/*
 * Deflate64, which Windows writes into large ZIP archives and no library here
 * reads: Deflate (RFC 1951) with a window of 64 KB, two more distance codes,
 * and a last length code with 16 extra bits.
 */

#define WINDOW		65536
#define BITS_MAX	15	/* of a code */
#define LITERALS	286
#define DISTANCES	32

/* A canonical code: how many of each length, and their symbols in order. */
struct code {
	uint16_t	 count[BITS_MAX + 1];
	uint16_t	 symbol[LITERALS + 2];
};

enum where { BLOCK, STORED, CODES, DONE };

struct inflate64 {
	enum where	 where;
	int		 last;		/* no block follows */
	uint32_t	 acc;		/* bits that were read */
	unsigned	 nbits;
	int		 bad;
	uint32_t	 left;		/* of a stored block, or of a match */
	uint32_t	 distance;	/* of the match */
	uint32_t	 at;		/* in the window */
	uint64_t	 total;
	struct code	 literals, distances;
	uint8_t		 window[WINDOW];
};

static enum decoder_result open64(struct decoder *);
static enum decoder_result read64(struct decoder *);
static void	 close64(struct decoder *);
static void	 block(struct decoder *, struct inflate64 *);
static void	 stored(struct decoder *, struct inflate64 *);
static void	 fixed_codes(struct inflate64 *);
static void	 read_codes(struct decoder *, struct inflate64 *);
static void	 symbols(struct decoder *, struct inflate64 *);
static void	 copy(struct decoder *, struct inflate64 *);
static void	 put(struct decoder *, struct inflate64 *, uint8_t);
static int	 make_code(struct code *, const uint8_t *, unsigned);
static unsigned	 read_symbol(struct decoder *, struct inflate64 *,
		    const struct code *);
static uint32_t	 read_bits(struct decoder *, struct inflate64 *, unsigned);

const struct decoder_ops decoder_inflate64 = {
	open64, read64, close64
};

static enum decoder_result
open64(struct decoder *d)
{
	return (d->state = calloc(1, sizeof(struct inflate64))) == NULL ?
	    DECODER_STOP : DECODER_MORE;
}

static void
close64(struct decoder *d)
{
	free(d->state);
}

static enum decoder_result
read64(struct decoder *d)
{
	struct inflate64 *z = d->state;

	while (d->result_n < sizeof(d->out) && !z->bad && z->where != DONE)
		switch (z->where) {
		case BLOCK:
			block(d, z);
			break;
		case STORED:
			stored(d, z);
			break;
		case CODES:
			symbols(d, z);
			break;
		case DONE:
			break;
		}
	return z->bad ? DECODER_DAMAGED : z->where == DONE ? DECODER_END :
	    DECODER_MORE;
}

static void
block(struct decoder *d, struct inflate64 *z)
{
	uint32_t len;

	if (z->last) {
		z->where = DONE;
		return;
	}
	z->last = (int)read_bits(d, z, 1);
	switch (read_bits(d, z, 2)) {
	case 0:
		/* To the next octet; a length and its complement. */
		z->acc >>= z->nbits & 7;
		z->nbits -= z->nbits & 7;
		len = read_bits(d, z, 16);
		if ((read_bits(d, z, 16) ^ 0xffff) != len)
			z->bad = 1;
		z->left = len;
		z->where = STORED;
		break;
	case 1:
		fixed_codes(z);
		z->where = CODES;
		break;
	case 2:
		read_codes(d, z);
		z->where = CODES;
		break;
	default:
		z->bad = 1;
		break;
	}
}

static void
stored(struct decoder *d, struct inflate64 *z)
{
	while (z->left > 0 && d->result_n < sizeof(d->out) && !z->bad) {
		put(d, z, (uint8_t)read_bits(d, z, 8));
		z->left--;
	}
	if (z->left == 0)
		z->where = BLOCK;
}

/* RFC 1951 3.2.6. */
static void
fixed_codes(struct inflate64 *z)
{
	uint8_t len[LITERALS + 2];

	memset(len, 8, 144);
	memset(len + 144, 9, 112);
	memset(len + 256, 7, 24);
	memset(len + 280, 8, 8);
	(void)make_code(&z->literals, len, 288);
	memset(len, 5, DISTANCES);
	(void)make_code(&z->distances, len, DISTANCES);
}

/* RFC 1951 3.2.7. */
static void
read_codes(struct decoder *d, struct inflate64 *z)
{
	static const uint8_t order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5,
	    11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t len[LITERALS + DISTANCES + 2] = { 0 }, before;
	unsigned nlit, ndist, ncode, i, n, symbol;

	nlit = read_bits(d, z, 5) + 257;
	ndist = read_bits(d, z, 5) + 1;
	ncode = read_bits(d, z, 4) + 4;
	if (nlit > LITERALS) {
		z->bad = 1;
		return;
	}
	for (i = 0; i < ncode; i++)
		len[order[i]] = (uint8_t)read_bits(d, z, 3);
	if (make_code(&z->literals, len, 19) == -1) {
		z->bad = 1;
		return;
	}
	memset(len, 0, sizeof(len));
	for (i = 0; i < nlit + ndist && !z->bad; ) {
		symbol = read_symbol(d, z, &z->literals);
		if (symbol < 16) {
			len[i++] = (uint8_t)symbol;
			continue;
		}
		before = 0;
		if (symbol == 16) {
			if (i == 0) {
				z->bad = 1;
				return;
			}
			before = len[i - 1];
			n = 3 + read_bits(d, z, 2);
		} else if (symbol == 17)
			n = 3 + read_bits(d, z, 3);
		else
			n = 11 + read_bits(d, z, 7);
		if (n > nlit + ndist - i) {
			z->bad = 1;
			return;
		}
		for (; n > 0; n--)
			len[i++] = before;
	}
	if (len[256] == 0 || make_code(&z->literals, len, nlit) == -1 ||
	    make_code(&z->distances, len + nlit, ndist) == -1)
		z->bad = 1;
}

/* Literals and matches, until the output or the block is full. */
static void
symbols(struct decoder *d, struct inflate64 *z)
{
	static const uint16_t base[29] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15,
	    17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
	    195, 227, 3 };
	static const uint8_t extra[29] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,
	    2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 16 };
	static const uint16_t far[32] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33,
	    49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
	    4097, 6145, 8193, 12289, 16385, 24577, 32769, 49153 };
	unsigned symbol;

	while (d->result_n < sizeof(d->out) && !z->bad) {
		if (z->left > 0) {
			copy(d, z);
			continue;
		}
		symbol = read_symbol(d, z, &z->literals);
		if (z->bad)
			return;
		if (symbol < 256) {
			put(d, z, (uint8_t)symbol);
			continue;
		}
		if (symbol == 256) {
			z->where = BLOCK;
			return;
		}
		symbol -= 257;
		if (symbol >= 29) {
			z->bad = 1;
			return;
		}
		z->left = base[symbol] + read_bits(d, z, extra[symbol]);
		symbol = read_symbol(d, z, &z->distances);
		if (z->bad || symbol >= DISTANCES)
			return;
		z->distance = far[symbol] +
		    read_bits(d, z, symbol < 4 ? 0 : symbol / 2 - 1);
		if (z->distance > z->total)
			z->bad = 1;
	}
}

static void
copy(struct decoder *d, struct inflate64 *z)
{
	while (z->left > 0 && d->result_n < sizeof(d->out)) {
		put(d, z, z->window[(z->at - z->distance) % WINDOW]);
		z->left--;
	}
}

static void
put(struct decoder *d, struct inflate64 *z, uint8_t c)
{
	d->out[d->result_n++] = c;
	z->window[z->at] = c;
	z->at = (z->at + 1) % WINDOW;
	z->total++;
}

/* From the lengths of n codes.  -1: more codes than there can be. */
static int
make_code(struct code *c, const uint8_t *len, unsigned n)
{
	uint16_t at[BITS_MAX + 1];
	unsigned i;
	int left = 1;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < n; i++)
		c->count[len[i]]++;
	c->count[0] = 0;
	at[1] = 0;
	for (i = 1; i <= BITS_MAX; i++) {
		left = (left << 1) - c->count[i];
		if (left < 0)
			return -1;
		if (i < BITS_MAX)
			at[i + 1] = (uint16_t)(at[i] + c->count[i]);
	}
	for (i = 0; i < n; i++)
		if (len[i] != 0)
			c->symbol[at[len[i]]++] = (uint16_t)i;
	return 0;
}

/* Bit by bit: codes of one length are numbers that follow each other. */
static unsigned
read_symbol(struct decoder *d, struct inflate64 *z, const struct code *c)
{
	unsigned len, first = 0, index = 0, code = 0;

	for (len = 1; len <= BITS_MAX; len++) {
		code |= read_bits(d, z, 1);
		if (z->bad)
			return 0;
		if (code - first < c->count[len])
			return c->symbol[index + (code - first)];
		index += c->count[len];
		first = (first + c->count[len]) << 1;
		code <<= 1;
	}
	z->bad = 1;
	return 0;
}

static uint32_t
read_bits(struct decoder *d, struct inflate64 *z, unsigned n)
{
	uint32_t v;

	while (z->nbits < n) {
		if (d->used >= d->n) {
			z->bad = 1;
			return 0;
		}
		z->acc |= (uint32_t)d->p[d->used++] << z->nbits;
		z->nbits += 8;
	}
	v = z->acc & ((1U << n) - 1);
	z->acc >>= n;
	z->nbits -= n;
	return v;
}
