/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/inspect.h"
#include "scand/content/mac.h"
#include "scand/content/octets.h"
#include "scand/content/text.h"

/*
 * Files of the Macintosh, which have two forks and a type, as they travel:
 * MacBinary and AppleSingle (RFC 1740) have a header before the data fork,
 * BinHex (RFC 1741) is the same as text.  Mail readers there undo them without
 * asking.  The data fork is the file that others know.
 */

#define MACBINARY	128	/* octets of its header */
#define FORK_DATA	1	/* RFC 1740 7: entries of AppleSingle */
#define FORK_NAME	3
#define ENTRIES_MAX	64
#define MARK		0x90	/* BinHex: the octet before is repeated */

struct binhex {
	struct unpack	 u;
	uint8_t		 out[3072];	/* on its way there */
	size_t		 n;
	uint8_t		 last;
	int		 marked;	/* MARK was read, its count not */
	uint32_t	 bits;
	unsigned	 nbits;
};

static uint16_t	 crc16(const uint8_t *, size_t);
static size_t	 binhex_unpack(struct binhex *, const uint8_t *, size_t,
		    size_t);
static int	 binhex_octet(struct binhex *, uint8_t);
static int	 binhex_put(struct binhex *, uint8_t);
static int	 binhex_flush(struct binhex *);
static void	 binhex_file(struct inspect *, const uint8_t *, size_t);

/*
 * A name of up to 63 octets, zeros where they have to be, lengths that fit,
 * and the checksum of version 2 or nothing but zeros behind what version 1
 * has.
 */
int
mac_is_binary(const uint8_t *p, size_t n)
{
	static const uint8_t zeros[27];
	size_t i, data, resource;

	if (n <= MACBINARY || p[0] != 0 || p[1] < 1 || p[1] > 63 ||
	    p[74] != 0 || p[82] != 0)
		return 0;
	data = be32(p + 83);
	resource = be32(p + 87);
	if (data == 0 || data > n - MACBINARY || resource > n - MACBINARY)
		return 0;
	for (i = 2; i < 2 + (size_t)p[1]; i++)
		if (p[i] < 0x20)
			return 0;
	if ((p[124] << 8 | p[125]) == crc16(p, 124))
		return 1;
	return memcmp(p + 101, zeros, sizeof(zeros)) == 0;
}

/* XMODEM's, as BinHex has it. */
static uint16_t
crc16(const uint8_t *p, size_t n)
{
	uint16_t crc = 0;
	int i;

	for (; n > 0; n--) {
		crc = (uint16_t)(crc ^ *p++ << 8);
		for (i = 0; i < 8; i++)
			crc = (uint16_t)(crc << 1 ^
			    (crc & 0x8000 ? 0x1021 : 0));
	}
	return crc;
}

void
macbinary_look(struct inspect *in, const uint8_t *p, size_t n)
{
	char name[64];
	size_t len;

	if (!mac_is_binary(p, n))
		return;
	len = p[1];
	memcpy(name, p + 2, len);
	name[len] = '\0';
	content_look(in, name, p + MACBINARY, be32(p + 83));
}

/* u32 magic, u32 version, 16 octets, u16 count, then entries of u32 kind, u32
   offset, u32 length. */
void
applesingle_look(struct inspect *in, const uint8_t *p, size_t n)
{
	const uint8_t *e, *data = NULL;
	char name[256] = "";
	size_t i, count, at, len, size = 0;

	count = n < 26 ? 0 : (size_t)(p[24] << 8 | p[25]);
	if (count > ENTRIES_MAX)
		count = ENTRIES_MAX;
	for (i = 0; i < count && 26 + 12 * (i + 1) <= n; i++) {
		e = p + 26 + 12 * i;
		at = be32(e + 4);
		len = be32(e + 8);
		if (at > n)
			continue;
		if (len > n - at)
			len = n - at;
		if (be32(e) == FORK_DATA) {
			data = p + at;
			size = len;
		} else if (be32(e) == FORK_NAME && len < sizeof(name) &&
		    memchr(p + at, '\0', len) == NULL) {
			memcpy(name, p + at, len);
			name[len] = '\0';
		}
	}
	if (data != NULL && size > 0)
		content_look(in, *name == '\0' ? NULL : name, data, size);
}

void
binhex_look(struct inspect *in, const uint8_t *p, size_t n)
{
	static const char mark[] = "with BinHex 4.0)";
	struct binhex b;
	size_t at = 0, i;

	while ((at = octets_find(p, n, at, mark, sizeof(mark) - 1)) < n) {
		at += sizeof(mark) - 1;
		for (i = at; i < n && (p[i] == '\r' || p[i] == '\n' ||
		    p[i] == ' ' || p[i] == '\t'); i++)
			continue;
		if (i == n || p[i] != ':' ||
		    budget_step(&in->budget) == -1)
			continue;
		memset(&b, 0, sizeof(b));
		unpack_begin(&b.u, in, 0);
		at = binhex_unpack(&b, p, n, i + 1);
		binhex_file(in, b.u.p, b.u.n);
		unpack_free(&b.u);
	}
}

/* Up to the second colon; where it goes on behind that. */
static size_t
binhex_unpack(struct binhex *b, const uint8_t *p, size_t n, size_t at)
{
	static const char digits[] = "!\"#$%&'()*+,-012345689@"
	    "ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
	const char *digit;

	for (; at < n && p[at] != ':'; at++) {
		if (p[at] <= ' ')
			continue;
		if ((digit = strchr(digits, p[at])) == NULL)
			break;
		b->bits = b->bits << 6 | (uint32_t)(digit - digits);
		if ((b->nbits += 6) < 8)
			continue;
		b->nbits -= 8;
		if (binhex_octet(b, (uint8_t)(b->bits >> b->nbits)) == -1)
			break;
	}
	(void)binhex_flush(b);
	return at;
}

/* MARK and a count: the octet before, so often in all; 0 is MARK itself. */
static int
binhex_octet(struct binhex *b, uint8_t c)
{
	if (!b->marked) {
		b->marked = c == MARK;
		return b->marked ? 0 : binhex_put(b, c);
	}
	b->marked = 0;
	if (c == 0)
		return binhex_put(b, MARK);
	for (; c > 1; c--)
		if (binhex_put(b, b->last) == -1)
			return -1;
	return 0;
}

static int
binhex_put(struct binhex *b, uint8_t c)
{
	b->last = c;
	b->out[b->n++] = c;
	return b->n == sizeof(b->out) ? binhex_flush(b) : 0;
}

static int
binhex_flush(struct binhex *b)
{
	size_t n = b->n;

	b->n = 0;
	return n == 0 ? 0 : unpack_add(&b->u, b->out, n);
}

/* Length and name, NUL, type, creator, flags, u32 lengths of both forks, a
   checksum, the data fork. */
static void
binhex_file(struct inspect *in, const uint8_t *p, size_t n)
{
	char name[64];
	size_t len, size;

	if (n < 1 || (len = p[0]) < 1 || len >= sizeof(name) ||
	    n <= len + 22 || memchr(p + 1, '\0', len) != NULL)
		return;
	memcpy(name, p + 1, len);
	name[len] = '\0';
	size = be32(p + len + 12);
	p += len + 22;
	n -= len + 22;
	content_look(in, name, p, size < n ? size : n);
}
