/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <zlib.h>

#include "regress/scand/content/build.h"
#include "regress/scand/content/seen.h"
#include "regress/unit.h"

/*
 * ZIP archives that hold together, and those that do not.  What is in them is
 * the test file of virus scanners, which is easy to find again.
 */

static const char	 eicar[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR"
	"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
#define SIZE	(sizeof(eicar) - 1)

struct member {
	const char	*name;
	unsigned	 flags, method;		/* of the local header */
	unsigned	 cflags, cmethod;	/* of the directory */
	uint32_t	 csize, lsize;		/* there and there; 0: right */
};

static size_t	 at[8];		/* of local headers */

static struct made
packed(void)
{
	uint8_t buf[256];
	const void *from = eicar;	/* zlib only reads it */
	z_stream z;
	struct made m = { 0 };

	memset(&z, 0, sizeof(z));
	(void)deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	memcpy(&z.next_in, &from, sizeof(from));
	z.avail_in = SIZE;
	z.next_out = buf;
	z.avail_out = sizeof(buf);
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	made_add(&m, buf, z.total_out);
	deflateEnd(&z);
	return m;
}

static void
add_local(struct made *z, const struct member *m)
{
	struct made d = packed();
	uint32_t n = m->method == 8 ? (uint32_t)d.n : SIZE;

	made_text(z, "PK\3\4");
	made_16(z, 20);
	made_16(z, m->flags);
	made_16(z, m->method);
	made_32(z, 0);
	made_32(z, 0);
	made_32(z, m->lsize != 0 ? m->lsize : m->flags & 8 ? 0 : n);
	made_32(z, m->flags & 8 ? 0 : SIZE);
	made_16(z, (unsigned)strlen(m->name));
	made_16(z, 0);
	made_text(z, m->name);
	if (m->method == 8)
		made_add(z, d.p, d.n);
	else
		made_text(z, eicar);
	made_free(&d);
}

static void
add_central(struct made *z, const struct member *m, uint32_t local)
{
	struct made d = packed();

	made_text(z, "PK\1\2");
	made_16(z, 20);
	made_16(z, 20);
	made_16(z, m->cflags);
	made_16(z, m->cmethod);
	made_32(z, 0);
	made_32(z, 0);
	made_32(z, m->csize != 0 ? m->csize : m->cmethod == 8 ?
	    (uint32_t)d.n : SIZE);
	made_32(z, SIZE);
	made_16(z, (unsigned)strlen(m->name));
	made_32(z, 0);
	made_32(z, 0);
	made_32(z, 0);
	made_32(z, local);
	made_text(z, m->name);
	made_free(&d);
}

static void
add_end(struct made *z, size_t count, size_t size, size_t dir,
    const char *comment)
{
	made_text(z, "PK\5\6");
	made_32(z, 0);
	made_16(z, (unsigned)count);
	made_16(z, (unsigned)count);
	made_32(z, (uint32_t)size);
	made_32(z, (uint32_t)dir);
	made_16(z, (unsigned)strlen(comment));
	made_text(z, comment);
}

/* Offsets count from base on. */
static void
add_zip(struct made *z, const struct member *m, size_t n, size_t base,
    const char *comment)
{
	size_t i, dir;

	for (i = 0; i < n; i++) {
		at[i] = z->n;
		add_local(z, &m[i]);
	}
	dir = z->n;
	for (i = 0; i < n; i++)
		add_central(z, &m[i], (uint32_t)(at[i] - base));
	add_end(z, n, z->n - dir, dir - base, comment);
}

static const struct member	 good = { "a.txt", 0, 8, 0, 8, 0, 0 };
static const struct member	 locked = { "b.txt", 1, 8, 1, 8, 0, 0 };

#define LOOK(z)		seen_look(&s, "z.zip", (z).p, (z).n)
/* Exactly these findings, in any number. */
#define ONLY1(a)	(s.count[a] && seen_kinds(&s) == 1)
#define ONLY2(a, b)	(s.count[a] && s.count[b] && seen_kinds(&s) == 2)

static void
test_sound(void)
{
	struct seen s;
	struct made z = { 0 };
	struct member m[2] = { { "a.txt", 0, 0, 0, 0, 0, 0 }, good };

	add_zip(&z, m, 2, 0, "");
	LOOK(z);
	CHECK(ONLY1(FINDING_EICAR));
	CHECK_INT(s.count[FINDING_EICAR], 2);
	CHECK_STR(s.where[FINDING_EICAR], "z.zip > a.txt");
	CHECK_STR(s.tree, "1 z.zip ZIP 332\n2 a.txt text 68\n"
	    "2 a.txt text 68\n");
	made_free(&z);

	/* Nothing in it. */
	add_zip(&z, m, 0, 0, "");
	LOOK(z);
	CHECK_INT(seen_kinds(&s), 0);
	made_free(&z);
}

static void
test_end(void)
{
	struct seen s;
	struct made z = { 0 };
	size_t i;

	/* An end record in the comment of the true one, and more behind it. */
	add_zip(&z, &good, 1, 0, "PK\5\6 this is none, but long "
	    "enough for one");
	for (i = 0; i < 70000; i++)
		made_add(&z, "", 1);
	LOOK(z);
	CHECK(ONLY1(FINDING_EICAR));
	made_free(&z);

	/* Behind something else: offsets with and without it. */
	for (i = 0; i < 2; i++) {
		made_text(&z, "MZ\1\2\3 something that comes before the rest");
		add_zip(&z, &good, 1, i == 0 ? 0 : z.n, "");
		LOOK(z);
		CHECK_INT(s.count[FINDING_EICAR], 1);
		CHECK_INT(s.count[FINDING_DAMAGED], 0);
		made_free(&z);
	}

	/* The count says one, the directory has two. */
	{
		struct member m[2] = { good, locked };
		size_t dir;

		add_local(&z, &m[0]);
		at[1] = z.n;
		add_local(&z, &m[1]);
		dir = z.n;
		add_central(&z, &m[0], 0);
		add_central(&z, &m[1], (uint32_t)at[1]);
		add_end(&z, 1, z.n - dir, dir, "");
		LOOK(z);
		CHECK(ONLY2(FINDING_EICAR, FINDING_ARCHIVE_ENCRYPTED));
		made_free(&z);
	}
}

static void
test_encrypted(void)
{
	static const struct {
		struct member	 m;
		enum finding	 want;
	} cases[] = {
		{ { "a", 1, 8, 1, 8, 0, 0 }, FINDING_ARCHIVE_ENCRYPTED },
		{ { "a", 9, 8, 9, 8, 0, 0 }, FINDING_ARCHIVE_ENCRYPTED },
		{ { "a", 0, 99, 0, 99, 0, 0 }, FINDING_ARCHIVE_ENCRYPTED },
		{ { "a", 0x2041, 8, 0x2041, 8, 0, 0 },
		    FINDING_ARCHIVE_ENCRYPTED },
		{ { "a", 0, 8, 1, 8, 0, 0 }, FINDING_ZIP_HALF_ENCRYPTED },
		{ { "a", 1, 8, 0, 8, 0, 0 }, FINDING_ZIP_HALF_ENCRYPTED },
		{ { "a", 0, 1, 0, 1, 0, 0 }, FINDING_OPAQUE },
		{ { "a.exe", 1, 8, 1, 8, 0, 0 }, FINDING_ARCHIVE_ENCRYPTED },
	};
	struct seen s;
	struct made z = { 0 };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		add_zip(&z, &cases[i].m, 1, 0, "");
		LOOK(z);
		CHECK(s.count[cases[i].want] == 1);
		CHECK(seen_kinds(&s) == 1 + (s.count[FINDING_EICAR] != 0));
		made_free(&z);
	}
	CHECK_STR(s.detail[FINDING_ARCHIVE_ENCRYPTED], "a.exe");
	CHECK_STR(s.where[FINDING_ARCHIVE_ENCRYPTED], "z.zip");

	/* The directory itself: nothing is where it should be. */
	add_local(&z, &good);
	made_text(&z, "PK\6\x08 and what only a password opens");
	add_end(&z, 1, 60, 100, "");
	LOOK(z);
	CHECK(ONLY1(FINDING_ARCHIVE_ENCRYPTED));
	made_free(&z);
}

static void
test_disagree(void)
{
	struct seen s;
	struct made z = { 0 };
	struct member m = good;
	size_t dir;

	/* The directory says stored, so nothing is seen that way. */
	m.cmethod = 0;
	m.csize = 10;
	add_zip(&z, &m, 1, 0, "");
	LOOK(z);
	CHECK(ONLY2(FINDING_EICAR, FINDING_DAMAGED));
	made_free(&z);

	/* Names. */
	add_local(&z, &good);
	dir = z.n;
	m = good;
	m.name = "b.txt";
	add_central(&z, &m, 0);
	add_end(&z, 1, z.n - dir, dir, "");
	LOOK(z);
	CHECK(ONLY2(FINDING_EICAR, FINDING_DAMAGED));
	made_free(&z);

	/* A member that the directory does not have, encrypted. */
	add_local(&z, &locked);
	at[0] = z.n;
	add_local(&z, &good);
	dir = z.n;
	add_central(&z, &good, (uint32_t)at[0]);
	add_end(&z, 1, z.n - dir, dir, "");
	LOOK(z);
	CHECK(s.count[FINDING_EICAR] && s.count[FINDING_DAMAGED] &&
	    s.count[FINDING_ARCHIVE_ENCRYPTED]);
	made_free(&z);

	/* Two archives, one behind the other. */
	add_zip(&z, &good, 1, 0, "");
	dir = z.n;
	m = good;
	m.name = "c.txt";
	add_zip(&z, &m, 1, dir, "");
	LOOK(z);
	CHECK_INT(s.count[FINDING_EICAR], 2);
	made_free(&z);

	/* Its local header is nowhere. */
	add_local(&z, &good);
	dir = z.n;
	add_central(&z, &locked, 77777);
	add_end(&z, 1, z.n - dir, dir, "");
	LOOK(z);
	CHECK(s.count[FINDING_ARCHIVE_ENCRYPTED] && s.count[FINDING_DAMAGED]);
	made_free(&z);
}

/* A folder or nothing, says the directory. */
static void
test_empty(void)
{
	static const char *const names[] = { "a/", "a.txt" };
	struct seen s;
	struct made z = { 0 };
	struct member m = good;
	size_t i, k;

	for (i = 0; i < 4; i++) {
		m.name = names[i & 1];
		/* Where the other header has its size: there, or behind. */
		m.flags = m.cflags = i < 2 ? 0 : 8;
		add_zip(&z, &m, 1, 0, "");
		for (k = z.n; memcmp(z.p + k - 4, "PK\1\2", 4) != 0; k--)
			continue;
		memset(z.p + k - 4 + 20, 0, 8);
		LOOK(z);
		CHECK(ONLY2(FINDING_EICAR, FINDING_DAMAGED));
		/* Nothing in the other one either. */
		memset(z.p + 18, 0, 8);
		if (i >= 2)
			memcpy(z.p + 30 + strlen(m.name), "\3\0PK", 4);
		LOOK(z);
		CHECK_INT(seen_kinds(&s), 0);
		made_free(&z);
	}
}

/* Behind an archive of another kind. */
static void
test_behind(void)
{
	static const char *const paths[] = {
		"regress/fuzz/sevenzip/LZMA", "regress/fuzz/rar/stored5",
		"regress/fuzz/rar/stored4"
	};
	struct seen s;
	struct made z = { 0 };
	uint8_t *p;
	size_t i, n;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		p = seen_file(paths[i], &n);
		made_add(&z, p, n);
		add_zip(&z, &good, 1, n, "");
		LOOK(z);
		CHECK_INT(s.count[FINDING_EICAR], 1);
		free(p);
		made_free(&z);
	}
}

static void
test_no_directory(void)
{
	struct seen s;
	struct made z = { 0 };
	struct member m = good;

	m.flags = 8;
	add_local(&z, &m);		/* its end is found by unpacking */
	made_text(&z, "PK\7\x08" "123456789012");
	m.method = 0;
	add_local(&z, &m);		/* and by what follows */
	made_text(&z, "PK\7\x08" "123456789012");
	add_local(&z, &locked);
	LOOK(z);
	CHECK_INT(s.count[FINDING_EICAR], 2);
	CHECK(s.count[FINDING_DAMAGED]);
	CHECK(s.count[FINDING_ARCHIVE_ENCRYPTED]);
	CHECK_STR(s.detail[FINDING_ARCHIVE_ENCRYPTED], "b.txt");
	made_free(&z);

	/* Cut in its only member. */
	add_local(&z, &good);
	seen_look(&s, "z.zip", z.p, z.n - 20);
	CHECK(ONLY1(FINDING_DAMAGED));
	made_free(&z);
	made_text(&z, "PK\3\4 is how they begin");
	LOOK(z);
	CHECK(ONLY1(FINDING_DAMAGED));
	made_free(&z);
}

static void
test_zip64(void)
{
	struct seen s;
	struct made z = { 0 }, d = packed();
	size_t dir, rec;

	add_local(&z, &good);
	dir = z.n;
	made_text(&z, "PK\1\2");
	made_16(&z, 45);
	made_16(&z, 45);
	made_16(&z, 0);
	made_16(&z, 8);
	made_32(&z, 0);
	made_32(&z, 0);
	made_32(&z, 0xffffffff);
	made_32(&z, 0xffffffff);
	made_16(&z, 5);
	made_16(&z, 4 + 3 + 4 + 24);
	made_16(&z, 0);
	made_32(&z, 0);
	made_32(&z, 0);
	made_32(&z, 0xffffffff);
	made_text(&z, "a.txt");
	made_16(&z, 0x7777);		/* some other field first */
	made_16(&z, 3);
	made_text(&z, "abc");
	made_16(&z, 1);
	made_16(&z, 24);
	made_32(&z, SIZE);
	made_32(&z, 0);
	made_32(&z, (uint32_t)d.n);
	made_32(&z, 0);
	made_32(&z, 0);
	made_32(&z, 0);
	rec = z.n;
	made_text(&z, "PK\6\6");
	made_32(&z, 44);
	made_32(&z, 0);
	made_32(&z, 0);
	made_32(&z, 0);
	made_32(&z, 0);
	made_32(&z, 1);
	made_32(&z, 0);
	made_32(&z, 1);
	made_32(&z, 0);
	made_32(&z, (uint32_t)(rec - dir));
	made_32(&z, 0);
	made_32(&z, (uint32_t)dir);
	made_32(&z, 0);
	made_text(&z, "PK\6\7");
	made_32(&z, 0);
	made_32(&z, (uint32_t)rec);
	made_32(&z, 0);
	made_32(&z, 1);
	add_end(&z, 0xffff, 0xffffffff, 0xffffffff, "");
	LOOK(z);
	CHECK(ONLY1(FINDING_EICAR));
	made_free(&z);
	made_free(&d);
}

/* Every method that is read, and what only a password reads. */
static void
test_methods(void)
{
	static const struct {
		const char	*path;
		int		 encrypted;
	} files[] = {
		{ "regress/fuzz/zip/Deflate", 0 },
		{ "regress/fuzz/zip/Deflate64", 0 },
		{ "regress/fuzz/zip/BZip2", 0 },
		{ "regress/fuzz/zip/LZMA", 0 },
		{ "regress/fuzz/zip/PPMd", 0 },
		{ "regress/fuzz/zip/stored", 0 },
		{ "regress/fuzz/zip/zipcrypto", 1 },
		{ "regress/fuzz/zip/aes", 1 },
	};
	struct seen s;
	uint8_t *p;
	size_t i, n;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		p = seen_file(files[i].path, &n);
		seen_look(&s, NULL, p, n);
		CHECK_INT(s.count[FINDING_ARCHIVE_ENCRYPTED],
		    files[i].encrypted);
		CHECK_INT(s.count[FINDING_DAMAGED], 0);
		CHECK_INT(s.count[FINDING_OPAQUE], 0);
		CHECK(strstr(s.tree, files[i].encrypted ?
		    "2 a.txt unknown 740\n" : "2 a.txt text 740\n") != NULL);
		free(p);
	}
}

/* Zeros, a thousand times what they are packed in, twice: the ratio ends each,
   and what is behind them is still seen. */
static void
test_ratio(void)
{
	static uint8_t zeros[4 << 20], out[8192];
	struct seen s;
	struct made z = { 0 };
	z_stream zs;
	size_t dir, i;

	memset(&zs, 0, sizeof(zs));
	(void)deflateInit2(&zs, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	zs.next_in = zeros;
	zs.avail_in = sizeof(zeros);
	zs.next_out = out;
	zs.avail_out = sizeof(out);
	CHECK(deflate(&zs, Z_FINISH) == Z_STREAM_END);
	for (i = 0; i < 2; i++) {
		at[i] = z.n;
		made_text(&z, "PK\3\4");
		made_32(&z, 20);
		made_16(&z, 8);
		made_32(&z, 0);
		made_32(&z, 0);
		made_32(&z, (uint32_t)zs.total_out);
		made_32(&z, sizeof(zeros));
		made_32(&z, 1);
		made_text(&z, "z");
		made_add(&z, out, zs.total_out);
	}
	at[2] = z.n;
	add_local(&z, &good);
	dir = z.n;
	for (i = 0; i < 2; i++) {
		struct member m = { "z", 0, 8, 0, 8, (uint32_t)zs.total_out,
		    0 };

		add_central(&z, &m, (uint32_t)at[i]);
	}
	add_central(&z, &good, (uint32_t)at[2]);
	add_end(&z, 3, z.n - dir, dir, "");
	LOOK(z);
	CHECK(ONLY2(FINDING_EICAR, FINDING_OVER_BUDGET));
	CHECK(s.in.budget.over == BUDGET_RATIO);
	CHECK_INT(s.in.budget.held, 0);
	deflateEnd(&zs);
	made_free(&z);
}

int
main(void)
{
	test_sound();
	test_end();
	test_encrypted();
	test_disagree();
	test_empty();
	test_behind();
	test_no_directory();
	test_zip64();
	test_methods();
	test_ratio();
	return unit_end();
}
