/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "regress/scand/disguise.h"

/*
 * Archives around a file, made by hand, so that nothing has to be installed.
 */

static void
put16(unsigned v)
{
	uint8_t b[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	letter_add(b, 2);
}

static void
put32(uint32_t v)
{
	put16(v & 0xffff);
	put16(v >> 16);
}

/* One member, not compressed. */
static void
pack_zip(const uint8_t *p, size_t n, const char *name)
{
	uint32_t crc = (uint32_t)crc32(0, p, (uInt)n), dir;
	int central;

	for (central = 0; central < 2; central++) {
		dir = (uint32_t)letter.n;
		letter_text(central ? "PK\1\2\24" : "PK\3\4\24");
		letter_add("\0\24", central ? 3 : 1);
		put32(0);
		put32(0x5a210000);
		put32(crc);
		put32((uint32_t)n);
		put32((uint32_t)n);
		put16((unsigned)strlen(name));
		put16(0);
		if (central) {
			put32(0);
			put16(0);
			put32(0);
			put32(0);
		}
		letter_text(name);
		if (!central)
			letter_add(p, n);
	}
	n = letter.n;
	letter_text("PK\5\6");
	put32(0);
	put32(0x10001);
	put32((uint32_t)n - dir);
	put32(dir);
	put16(0);
}

static void
pack_tar(const uint8_t *p, size_t n, const char *name)
{
	uint8_t h[512] = { 0 };
	unsigned i, sum = 0;

	(void)snprintf((char *)h, 100, "%s", name);
	(void)snprintf((char *)h + 100, 412, "0000644%c0000000%c0000000%c"
	    "%011zo%c00000000000%c        0", 0, 0, 0, n, 0, 0);
	memcpy(h + 257, "ustar\00000", 8);
	for (i = 0; i < 512; i++)
		sum += h[i];
	(void)snprintf((char *)h + 148, 8, "%06o", sum);
	letter_add(h, 512);
	letter_add(p, n);
	memset(h, 0, sizeof(h));
	letter_add(h, 512 - n % 512);
	letter_add(h, 512);
}

static void
pack_gzip(const uint8_t *p, size_t n, const char *name)
{
	z_stream z;
	uint8_t out[4096];
	int r;

	(void)name;
	memset(&z, 0, sizeof(z));
	if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		exit(1);
	memcpy(&z.next_in, &p, sizeof(p));
	z.avail_in = (uInt)n;
	do {
		z.next_out = out;
		z.avail_out = sizeof(out);
		r = deflate(&z, Z_FINISH);
		letter_add(out, sizeof(out) - z.avail_out);
	} while (r == Z_OK);
	(void)deflateEnd(&z);
}

static void
tnef_attribute(uint32_t id, const void *p, size_t n)
{
	letter_add("\2", 1);
	put32(id);
	put32((uint32_t)n);
	letter_add(p, n);
	put16(0);
}

static void
pack_tnef(const uint8_t *p, size_t n, const char *name)
{
	static const uint8_t render[14] = { 1 };

	letter_add("\x78\x9f\x3e\x22\1\0", 6);
	tnef_attribute(0x69002, render, sizeof(render));
	tnef_attribute(0x18010, name, strlen(name) + 1);
	tnef_attribute(0x6800f, p, n);
}

static const struct {
	const char	*name;
	void		(*pack)(const uint8_t *, size_t, const char *);
	void		(*again)(const uint8_t *, size_t, const char *);
} packs[] = {
	{ "zip", pack_zip, NULL },
	{ "tar", pack_tar, NULL },
	{ "gzip", pack_gzip, NULL },
	{ "tnef", pack_tnef, NULL },
	{ "tar.gz", pack_tar, pack_gzip },
	{ "zip in zip", pack_zip, pack_zip },
	{ "zip in tnef", pack_zip, pack_tnef },
};

const char *
disguise_pack(size_t i, const uint8_t **p, size_t *n, const char *name)
{
	static struct buffer first, second;

	if (i >= sizeof(packs) / sizeof(packs[0]))
		return NULL;
	letter.n = 0;
	packs[i].pack(*p, *n, name);
	letter_keep(&first);
	if (packs[i].again == NULL) {
		*p = first.p;
		*n = first.n;
		return packs[i].name;
	}
	letter.n = 0;
	packs[i].again(first.p, first.n, "a.bin");
	letter_keep(&second);
	*p = second.p;
	*n = second.n;
	return packs[i].name;
}

