/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/inspect.h"
#include "scand/content/octets.h"

/*
 * Images of disks (FAT, NTFS, UDF, the kinds of VHD).  Their file systems are
 * not read: files begin at sectors and are in one piece in an image that was
 * made to be sent, so they are found by what they begin with.
 */

#define SECTOR	512

static size_t	next_file(const uint8_t *, size_t, size_t);

void
disk_look(struct inspect *in, const uint8_t *p, size_t n)
{
	size_t at, next;

	/* The first sector says what kind of image it is. */
	for (at = next_file(p, n, SECTOR); at < n; at = next) {
		if (budget_step(&in->budget) == -1)
			return;
		next = next_file(p, n, at + SECTOR);
		(void)budget_work(&in->budget, next - at);
		content_look(in, NULL, p + at, next - at);
	}
}

/* The first sector from there on that a file begins in, or n. */
static size_t
next_file(const uint8_t *p, size_t n, size_t at)
{
	static const struct {
		const char	*magic;
		size_t		 n;
	} files[] = {
		{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8 }, { "PK\3\4", 4 },
		{ "%PDF-", 5 }, { "{\\rt", 4 }, { "7z\xbc\xaf\x27\x1c", 6 },
		{ "Rar!\x1a\7", 6 }, { "MSCF\0\0\0\0", 8 },
		{ "L\0\0\0\1\x14\2\0", 8 }, { "\x1f\x8b\x08", 3 },
	};
	size_t i;

	for (; at < n && n - at >= SECTOR; at += SECTOR) {
		for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
			if (p[at] == (uint8_t)files[i].magic[0] &&
			    memcmp(p + at, files[i].magic, files[i].n) == 0)
				return at;
	}
	return n;
}
