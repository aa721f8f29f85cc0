/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/inspect.h"
#include "scand/content/octets.h"
#include "scand/content/zip.h"

/*
 * Headers of ZIP, and where the directory is.  It is found from the end, in
 * the whole thing: comments may be long, other octets may follow, and what
 * looks like an end record may stand in a comment.  Counts are not believed.
 */

#define TRIES		4096	/* end records looked at */
#define BEHIND		65536	/* what follows an archive at the end of a
				   program: its signature */
#define NEAR		4096	/* where the record of ZIP64 is searched */

static int	 end_at(const uint8_t *, size_t, size_t, struct zip_end *);
static int	 end64(const uint8_t *, size_t, size_t, uint64_t *,
		    uint64_t *, size_t *);
static int	 is_entry(const uint8_t *, size_t, uint64_t);
static void	 extra64(struct zip_header *, int);

int
zipdir_find(const uint8_t *p, size_t n, struct zip_end *end)
{
	size_t at = n, empty = n, lost = n;
	unsigned tries;

	for (tries = 0; tries < TRIES; tries++) {
		if ((at = octets_rfind(p, n, at, "PK\5\6", 4)) == n)
			break;
		switch (end_at(p, n, at, end)) {
		case 1:
			return 1;
		case -1:
			return -1;
		case 2:
			if (empty == n)
				empty = at;
			break;
		case 3:
			lost = at;
			break;
		}
	}
	if (empty < n) {
		(void)end_at(p, n, empty, end);
		return 1;
	}
	/* APPNOTE 7.3.3: decryption header data, then an encrypted
	   directory. */
	if (lost < n && octets_find(p, lost, 0, "PK\6\x08", 4) < lost)
		return -1;
	memset(end, 0, sizeof(*end));
	return 0;
}

/* 1: the end record of a directory; 2: of an empty archive; 3: of a directory
   that is not there; -1: of an encrypted one; 0: none. */
static int
end_at(const uint8_t *p, size_t n, size_t at, struct zip_end *end)
{
	uint64_t size, offset, entries;
	size_t dir_end = at;
	int masked = 0;

	memset(end, 0, sizeof(*end));
	if (n - at < 22)
		return 0;
	size = le32(p + at + 12);
	offset = le32(p + at + 16);
	entries = le16(p + at + 10);
	end->end = at + 22 + le16(p + at + 20);
	if (end->end > n)
		end->end = n;
	end->volumes = le16(p + at + 4) != 0 && le16(p + at + 4) != 0xffff;
	if (at >= 20 && memcmp(p + at - 20, "PK\6\7", 4) == 0)
		masked = end64(p, n, at, &size, &offset,
		    &dir_end) == -1;
	if (masked)
		return -1;
	if (size <= dir_end && is_entry(p, dir_end, dir_end - size)) {
		end->dir = dir_end - (size_t)size;
		end->delta = end->dir >= offset ?
		    end->dir - (size_t)offset : 0;
		return 1;
	}
	if (is_entry(p, at, offset)) {
		end->dir = (size_t)offset;
		return 1;
	}
	if (size == 0 && entries == 0 && offset <= at) {
		end->dir = at;
		return 2;
	}
	return size > 0 ? 3 : 0;
}

/* The record of ZIP64 that the locator before the end record points to, or
   that stands right before the locator.  -1: the directory is encrypted. */
static int
end64(const uint8_t *p, size_t n, size_t at, uint64_t *size,
    uint64_t *offset, size_t *dir_end)
{
	uint64_t rec = le64(p + at - 20 + 8);
	size_t near = at < NEAR ? 0 : at - NEAR, len = at - 20 - near;

	if (rec > n || n - rec < 56 || memcmp(p + rec, "PK\6\6", 4) != 0) {
		rec = octets_rfind(p + near, len, len, "PK\6\6", 4);
		if (rec == len || len - rec < 56)
			return 0;
		rec += near;
	}
	*size = le64(p + rec + 40);
	*offset = le64(p + rec + 48);
	*dir_end = (size_t)rec;
	/* Version 2 (APPNOTE 7.3.4): an algorithm encrypts the directory. */
	if (le64(p + rec + 4) >= 44 + 28 && n - rec >= 56 + 20 &&
	    le16(p + rec + 12) >= 62 && le16(p + rec + 56 + 18) != 0)
		return -1;
	return 0;
}

static int
is_entry(const uint8_t *p, size_t n, uint64_t at)
{
	return at < n && n - at >= ZIP_CENTRAL &&
	    memcmp(p + at, "PK\1\2", 4) == 0;
}

int
zip_is_behind(const uint8_t *p, size_t n, int strict)
{
	struct zip_end end;
	size_t at = n;

	if (!strict)
		return zipdir_find(p, n, &end) == 1 &&
		    end.dir < end.end - 22 && n - end.end <= BEHIND;
	if (n < 22)
		return 0;
	/* The last record, if it ends with the thing. */
	at = octets_rfind(p + (n > 65557 ? n - 65557 : 0),
	    n > 65557 ? 65557 : n, n, "PK\5\6", 4);
	if (n > 65557)
		at += n - 65557;
	return at < n && end_at(p, n, at, &end) == 1 &&
	    at + 22 + le16(p + at + 20) == n;
}

int
zipdir_central(const uint8_t *p, size_t n, size_t at, struct zip_header *h)
{
	const uint8_t *q;
	size_t left;

	if (!is_entry(p, n, at))
		return -1;
	q = p + at;
	left = n - at - ZIP_CENTRAL;
	memset(h, 0, sizeof(*h));
	h->flags = le16(q + 8);
	h->method = le16(q + 10);
	h->csize = le32(q + 20);
	h->size = le32(q + 24);
	h->local = le32(q + 42);
	h->name = q + ZIP_CENTRAL;
	h->name_n = le16(q + 28) < left ? le16(q + 28) : left;
	left -= h->name_n;
	h->extra = h->name + h->name_n;
	h->extra_n = le16(q + 30) < left ? le16(q + 30) : left;
	h->len = ZIP_CENTRAL + h->name_n + h->extra_n + le16(q + 32);
	if (h->len > n - at)
		h->len = n - at;
	extra64(h, 1);
	return 0;
}

int
zipdir_local(const uint8_t *p, size_t n, size_t at, struct zip_header *h)
{
	const uint8_t *q;
	size_t left;

	if (at > n || n - at < ZIP_LOCAL ||
	    memcmp(p + at, "PK\3\4", 4) != 0)
		return -1;
	q = p + at;
	left = n - at - ZIP_LOCAL;
	memset(h, 0, sizeof(*h));
	h->flags = le16(q + 6);
	h->method = le16(q + 8);
	h->csize = le32(q + 18);
	h->size = le32(q + 22);
	h->name = q + ZIP_LOCAL;
	h->name_n = le16(q + 26) < left ? le16(q + 26) : left;
	left -= h->name_n;
	h->extra = h->name + h->name_n;
	h->extra_n = le16(q + 28) < left ? le16(q + 28) : left;
	h->len = ZIP_LOCAL + h->name_n + h->extra_n;
	extra64(h, 0);
	return 0;
}

/* APPNOTE 4.5.3: those of the fields that say 0xffffffff, in this order. */
static void
extra64(struct zip_header *h, int central)
{
	uint64_t *fields[3];
	const uint8_t *q = h->extra;
	size_t left = h->extra_n, n, i;

	fields[0] = &h->size;
	fields[1] = &h->csize;
	fields[2] = central ? &h->local : NULL;
	while (left >= 4) {
		n = le16(q + 2);
		if (n > left - 4)
			return;
		if (le16(q) == 1) {
			q += 4;
			for (i = 0; i < 3 && n >= 8; i++) {
				if (fields[i] == NULL ||
				    *fields[i] != 0xffffffff)
					continue;
				*fields[i] = le64(q);
				q += 8;
				n -= 8;
			}
			return;
		}
		q += 4 + n;
		left -= 4 + n;
	}
}

int
zipdir_is_encrypted(const struct zip_header *h)
{
	return (h->flags & (ZIP_ENCRYPTED | ZIP_MASKED)) != 0 ||
	    h->method == ZIP_AES;
}

int
zipdir_is_plausible(const struct zip_header *h)
{
	size_t i;

	if (h->name_n < 1 || h->name_n > 1024 || (h->method > 19 &&
	    (h->method < 93 || h->method > 99)))
		return 0;
	for (i = 0; i < h->name_n; i++)
		if (h->name[i] < 0x20)
			return 0;
	if (!zipdir_is_encrypted(h))
		return 1;
	if (h->csize < 12 && (h->flags & ZIP_DESCRIPTOR) == 0)
		return 0;
	/* AES has its true method in an extra field. */
	return h->method != ZIP_AES || octets_find(h->extra, h->extra_n, 0,
	    "\x01\x99", 2) < h->extra_n;
}
