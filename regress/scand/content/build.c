/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "regress/scand/content/build.h"

/*
 * Writers of the formats that the readers read: plain, without any of the
 * oddities; the tests break what was written.
 */

void
made_add(struct made *m, const void *p, size_t n)
{
	while (m->size - m->n < n) {
		m->size = m->size == 0 ? 4096 : m->size * 2;
		if ((m->p = realloc(m->p, m->size)) == NULL)
			err(1, NULL);
	}
	if (n > 0)
		memcpy(m->p + m->n, p, n);
	m->n += n;
}

void
made_text(struct made *m, const char *s)
{
	made_add(m, s, strlen(s));
}

void
made_16(struct made *m, unsigned v)
{
	uint8_t b[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	made_add(m, b, 2);
}

void
made_32(struct made *m, uint32_t v)
{
	made_16(m, v & 0xffff);
	made_16(m, v >> 16);
}

void
made_wide(struct made *m, const char *s)
{
	for (; *s != '\0'; s++)
		made_16(m, (unsigned char)*s);
}

void
made_hex(struct made *m, const char *s)
{
	char digits[3] = "";
	uint8_t b;

	for (; *s != '\0'; s += 2) {
		memcpy(digits, s, 2);
		b = (uint8_t)strtoul(digits, NULL, 16);
		made_add(m, &b, 1);
	}
}

void
made_free(struct made *m)
{
	free(m->p);
	memset(m, 0, sizeof(*m));
}

static void
pad(struct made *m, size_t to, uint8_t with)
{
	while (m->n % to != 0)
		made_add(m, &with, 1);
}

/* A chain of sectors that follow each other, in a FAT. */
static void
chain(struct made *fat, size_t first, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		made_32(fat, i + 1 < count ? (uint32_t)(first + i + 1) :
		    0xfffffffe);
}

static void
entry(struct made *dir, const char *name, unsigned type, uint32_t right,
    uint32_t child, uint32_t first, size_t size)
{
	struct made e = { NULL, 0, 0 };

	made_wide(&e, name);
	made_16(&e, 0);
	pad(&e, 64, 0);
	made_16(&e, (unsigned)(strlen(name) + 1) * 2);
	made_16(&e, type | 0x100);
	made_32(&e, 0xffffffff);
	made_32(&e, right);
	made_32(&e, child);
	pad(&e, 116, 0);
	made_32(&e, first);
	made_32(&e, (uint32_t)size);
	made_32(&e, 0);
	made_add(dir, e.p, e.n);
	made_free(&e);
}

static void
header(struct made *m, int version, uint32_t nfat, uint32_t first_fat,
    uint32_t dir, uint32_t minifat, uint32_t minifat_n)
{
	uint32_t i;

	made_hex(m, "d0cf11e0a1b11ae1");
	pad(m, 24, 0);
	made_16(m, 0x3e);
	made_16(m, (unsigned)version);
	made_16(m, 0xfffe);
	made_16(m, version == 4 ? 12 : 9);
	made_16(m, 6);
	pad(m, 44, 0);
	made_32(m, nfat);
	made_32(m, dir);
	made_32(m, 0);
	made_32(m, 4096);
	made_32(m, minifat_n == 0 ? 0xfffffffe : minifat);
	made_32(m, minifat_n);
	made_32(m, 0xfffffffe);
	made_32(m, 0);
	for (i = 0; i < 109; i++)
		made_32(m, i < nfat ? first_fat + i : 0xffffffff);
	pad(m, version == 4 ? 4096 : 512, 0);
}

/* Order: streams, mini stream, mini FAT, directory, FAT. */
struct made
make_cfb(const struct item *items, size_t n, int version)
{
	size_t ss = version == 4 ? 4096 : 512, i, k, at = 0, nfat;
	struct made out = { NULL, 0, 0 }, body = out, fat = out, mini = out;
	struct made minifat = out, dir = out;
	uint32_t first[64], right, child, dir_at, minifat_at, mini_at;

	if (n > 64)
		errx(1, "too many entries");
	for (i = 0; i < n; i++) {
		if (items[i].p == NULL)
			continue;
		if (items[i].n < 4096) {
			first[i] = (uint32_t)(mini.n / 64);
			chain(&minifat, mini.n / 64, (items[i].n + 63) / 64);
			made_add(&mini, items[i].p, items[i].n);
			pad(&mini, 64, 0);
		} else {
			first[i] = (uint32_t)(body.n / ss);
			made_add(&body, items[i].p, items[i].n);
			pad(&body, ss, 0);
			chain(&fat, at, body.n / ss - at);
		}
		at = body.n / ss;
	}
	pad(&minifat, ss, 0xff);
	mini_at = (uint32_t)at;
	for (i = 0; i <= n; i++) {
		right = child = 0xffffffff;
		for (k = n; k > 0; k--) {
			if (i > 0 && k > i &&
			    items[k - 1].parent == items[i - 1].parent)
				right = (uint32_t)k;
			if (items[k - 1].parent == i)
				child = (uint32_t)k;
		}
		if (i == 0)
			entry(&dir, "Root Entry", 5, right, child,
			    mini.n == 0 ? 0xfffffffe : mini_at, mini.n);
		else
			entry(&dir, items[i - 1].name,
			    items[i - 1].p == NULL ? 1 : 2, right, child,
			    items[i - 1].p == NULL ? 0 : first[i - 1],
			    items[i - 1].n);
	}
	pad(&dir, ss, 0);
	made_add(&body, mini.p, mini.n);
	pad(&body, ss, 0);
	chain(&fat, at, body.n / ss - at);
	at = minifat_at = (uint32_t)(body.n / ss);
	made_add(&body, minifat.p, minifat.n);
	chain(&fat, at, body.n / ss - at);
	at = dir_at = (uint32_t)(body.n / ss);
	made_add(&body, dir.p, dir.n);
	chain(&fat, at, body.n / ss - at);
	at = body.n / ss;
	nfat = (fat.n / 4 + ss / 4) / (ss / 4 - 1);
	for (i = 0; i < nfat; i++)
		made_32(&fat, 0xfffffffd);
	pad(&fat, ss, 0xff);
	header(&out, version, (uint32_t)(fat.n / ss), (uint32_t)at, dir_at,
	    minifat_at, (uint32_t)(minifat.n / ss));
	made_add(&out, body.p, body.n);
	made_add(&out, fat.p, fat.n);
	made_free(&body);
	made_free(&fat);
	made_free(&mini);
	made_free(&minifat);
	made_free(&dir);
	return out;
}

struct made
make_ovba(const void *p, size_t n)
{
	struct made out = { NULL, 0, 0 };
	const uint8_t *s = p;
	size_t k, i, len;

	made_add(&out, "\1", 1);
	for (; n > 0; s += k, n -= k) {
		/* Flags cost an eighth; a chunk is 4098 octets at most. */
		k = n < 3640 ? n : 3640;
		len = k + (k + 7) / 8;
		made_16(&out, (unsigned)(len + 2 - 3) | 0xb000);
		for (i = 0; i < k; i += 8) {
			made_add(&out, "\0", 1);
			made_add(&out, s + i, k - i < 8 ? k - i : 8);
		}
	}
	return out;
}

static void
record(struct made *m, unsigned id, const void *p, size_t n)
{
	made_16(m, id);
	made_32(m, (uint32_t)n);
	made_add(m, p, n);
}

struct made
make_dir(const char *module, uint32_t offset, int standard)
{
	struct made raw = { NULL, 0, 0 }, wide = raw, out;

	record(&raw, 0x01, "\3\0\0\0", 4);
	record(&raw, 0x03, "\344\4", 2);
	/* The size of VERSION is 4, and 6 octets follow. */
	record(&raw, 0x09, "\1\0\0\0", 4);
	made_16(&raw, 2);
	record(&raw, 0x0f, "\1\0", 2);
	record(&raw, 0x19, module, strlen(module));
	record(&raw, 0x1a, module, strlen(module));
	made_wide(&wide, module);
	record(&raw, 0x32, wide.p, wide.n);
	made_16(&raw, 0x31);
	made_32(&raw, 4);
	made_32(&raw, offset);
	record(&raw, standard ? 0x21 : 0x22, "", 0);
	record(&raw, 0x2b, "", 0);
	record(&raw, 0x10, "", 0);
	out = make_ovba(raw.p, raw.n);
	made_free(&raw);
	made_free(&wide);
	return out;
}

struct made
make_project(const uint8_t *cache, size_t n, const char *source, int version)
{
	static const uint8_t head[] = { 0xcc, 0x61, 0xb5, 0x00, 0, 0, 0 };
	struct made dir, module = { NULL, 0, 0 }, packed, out;
	struct item items[5] = {
		{ "Macros", 0, NULL, 0 },
		{ "VBA", 1, NULL, 0 },
		{ "_VBA_PROJECT", 2, head, sizeof(head) }
	};

	dir = make_dir("Module1", (uint32_t)n, 1);
	made_add(&module, cache, n);
	if (source != NULL) {
		packed = make_ovba(source, strlen(source));
		made_add(&module, packed.p, packed.n);
		made_free(&packed);
	}
	items[3] = (struct item){ "dir", 2, dir.p, dir.n };
	items[4] = (struct item){ "Module1", 2, module.p, module.n };
	if (module.p == NULL)
		items[4].p = (const uint8_t *)"";
	out = make_cfb(items, 5, version);
	made_free(&dir);
	made_free(&module);
	return out;
}

struct made
make_cache(unsigned lines, unsigned full)
{
	struct made m = { NULL, 0, 0 };
	unsigned i;

	pad(&m, 1, 0);
	for (i = 0; i < 0x19; i++)
		made_add(&m, "\1", 1);
	made_32(&m, 0x20);
	while (m.n < 0x20 + 0x3c)
		made_add(&m, "\0", 1);
	made_16(&m, 0xcafe);
	made_16(&m, 1);
	made_16(&m, lines);
	for (i = 0; i < lines; i++) {
		made_32(&m, 0);
		made_16(&m, i < full ? 8 : 0);
		made_16(&m, 0);
		made_32(&m, 0);
	}
	while (m.n < 200)
		made_add(&m, "\0", 1);
	return m;
}

struct made
make_zlib(const uint8_t *p, size_t n)
{
	struct made m = { NULL, 0, 0 };
	uLongf len = compressBound((uLong)n);

	m.size = len;
	if ((m.p = malloc(m.size)) == NULL ||
	    compress(m.p, &len, p, (uLong)n) != Z_OK)
		errx(1, "zlib");
	m.n = len;
	return m;
}
