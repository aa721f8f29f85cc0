/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <zlib.h>

#include "scand/content/inspect.h"
#include "scand/content/octets.h"

/*
 * Archives behind something else: programs that unpack themselves, and
 * pictures that are not only that.  Programs that can unpack contain the
 * signatures, too; so a checksum has to be right.  ZIP is found from its end,
 * see zip.c.
 */

#define TRIES		1000	/* signatures looked at */

static int	 is_rar4(const uint8_t *, size_t);
static int	 is_rar5(const uint8_t *, size_t);
static int	 is_7z(const uint8_t *, size_t);
static int	 is_cab(const uint8_t *, size_t);

static const struct {
	const char	*magic;
	size_t		 n, rare;	/* an octet that is seldom */
	int		(*is)(const uint8_t *, size_t);
	enum content_type type;
} archives[] = {
	{ "Rar!\x1a\7\0", 7, 4, is_rar4, CONTENT_RAR4 },
	{ "Rar!\x1a\7\1\0", 8, 4, is_rar5, CONTENT_RAR5 },
	{ "7z\xbc\xaf\x27\x1c", 6, 2, is_7z, CONTENT_7Z },
	{ "MSCF\0\0\0\0", 8, 3, is_cab, CONTENT_CAB },
};

void
selfextract_look(struct inspect *in, const uint8_t *p, size_t n)
{
	size_t i, at;
	unsigned tries;

	for (i = 0; i < sizeof(archives) / sizeof(archives[0]); i++) {
		at = 0;
		for (tries = 0; tries < TRIES; tries++) {
			at = octets_find_by(p, n, at + 1, archives[i].magic,
			    archives[i].n, archives[i].rare);
			if (at == n)
				break;
			if (!archives[i].is(p + at, n - at))
				continue;
			content_look(in, NULL, p + at, n - at);
			break;
		}
	}
}

/* The header behind the mark: its checksum has the low half of a CRC. */
static int
is_rar4(const uint8_t *p, size_t n)
{
	size_t len;

	if (n < 20 || p[9] != 0x73)
		return 0;
	len = le16(p + 12);
	return len >= 13 && len <= n - 7 &&
	    (crc32(0, p + 9, (uInt)len - 2) & 0xffff) == le16(p + 7);
}

static int
is_rar5(const uint8_t *p, size_t n)
{
	size_t len;

	/* Main and encryption headers are short: one octet of size. */
	if (n < 16 || (p[12] & 0x80) != 0)
		return 0;
	len = (size_t)p[12] + 1;
	return len <= n - 12 && crc32(0, p + 12, (uInt)len) == le32(p + 8);
}

static int
is_7z(const uint8_t *p, size_t n)
{
	return n >= 32 && crc32(0, p + 12, 20) == le32(p + 8);
}

/* [MS-CAB] 2.1: reserved fields, version 1.3, folders and files. */
static int
is_cab(const uint8_t *p, size_t n)
{
	return n >= 36 && le32(p + 12) == 0 && le32(p + 20) == 0 &&
	    p[24] == 3 && p[25] == 1 && le16(p + 26) > 0 &&
	    le16(p + 28) > 0 && le32(p + 16) < n;
}
