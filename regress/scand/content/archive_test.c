/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/build.h"
#include "regress/scand/content/seen.h"
#include "regress/unit.h"

/*
 * Archives other than ZIP: the seeds of their fuzz targets, each with a text
 * of 740 octets, and RAR, ARJ, ACE and 7z made here.
 */

static const struct {
	const char	*path;
	size_t		 skip;		/* of the seed: its selector */
	enum finding	 want;		/* FINDING_MAX: none */
	const char	*line;		/* of the tree, or NULL */
} files[] = {
	{ "sevenzip/LZMA", 0, FINDING_MAX, "2 a.txt text 740\n" },
	{ "sevenzip/LZMA2", 0, FINDING_MAX, "2 a.txt text 740\n" },
	{ "sevenzip/PPMd", 0, FINDING_MAX, "2 a.txt text 740\n" },
	{ "sevenzip/BZip2", 0, FINDING_MAX, "2 a.txt text 740\n" },
	{ "sevenzip/Copy", 0, FINDING_MAX, "2 a.txt text 740\n" },
	{ "sevenzip/bcj2", 0, FINDING_MAX, "2 a.txt text 740\n" },
	{ "sevenzip/plainheader", 0, FINDING_MAX, "2 a.txt text 740\n" },
	{ "sevenzip/aes", 0, FINDING_ARCHIVE_ENCRYPTED, NULL },
	{ "sevenzip/header", 0, FINDING_ARCHIVE_ENCRYPTED, NULL },
	/* One that is a pipe, and one that is a link, to Unix. */
	{ "sevenzip/fifo", 0, FINDING_MACRO, NULL },
	{ "sevenzip/link", 0, FINDING_OPAQUE, NULL },
	/* As many files as would need 6 GB to list. */
	{ "sevenzip/files", 0, FINDING_DAMAGED, NULL },
	{ "sevenzip/deflate64", 0, FINDING_OPAQUE, "2 - text 777\n" },
	{ "rar/stored4", 0, FINDING_MAX, "2 a.txt text 740\n" },
	{ "rar/member4", 0, FINDING_ARCHIVE_ENCRYPTED, NULL },
	{ "rar/header4", 0, FINDING_ARCHIVE_ENCRYPTED, NULL },
	{ "rar/stored5", 0, FINDING_MAX, "2 a.txt text 740\n" },
	{ "rar/member5", 0, FINDING_ARCHIVE_ENCRYPTED, NULL },
	{ "rar/header5", 0, FINDING_ARCHIVE_ENCRYPTED, NULL },
	{ "archive/gzip", 1, FINDING_MAX, "2 x text 740\n" },
	{ "archive/bzip2", 1, FINDING_MAX, "2 x text 740\n" },
	{ "archive/xz", 1, FINDING_MAX, "2 x text 740\n" },
	{ "archive/lzma", 1, FINDING_MAX, "2 x text 740\n" },
	{ "archive/lzip", 1, FINDING_MAX, "2 x text 740\n" },
	{ "archive/zstd", 1, FINDING_MAX, "2 x text 740\n" },
	{ "archive/compress", 1, FINDING_MAX, "2 x text 740\n" },
	{ "archive/lzh", 1, FINDING_MAX, "2 a.txt text 740\n" },
	{ "archive/cab", 1, FINDING_MAX, "2 a.txt text 740\n" },
	{ "archive/cpio", 1, FINDING_MAX, "2 a.txt text 740\n" },
	{ "archive/ar", 1, FINDING_MAX, "2 a.txt text 740\n" },
	{ "archive/arj", 1, FINDING_MAX, "2 a.txt text 740\n" },
	{ "archive/arjgarbled", 1, FINDING_ARCHIVE_ENCRYPTED, NULL },
	{ "archive/tar", 1, FINDING_MAX, "2 \xc3\xa4.txt text 740\n" },
	{ "archive/targz", 1, FINDING_MAX, "2 \xc3\xa4.txt text 740\n" },
	{ "archive/tarxz", 1, FINDING_MAX, "2 \xc3\xa4.txt text 740\n" },
};

static void
test_files(void)
{
	struct seen s;
	char path[128];
	uint8_t *p;
	size_t i, n;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "regress/fuzz/%s", files[i].path);
		p = seen_file(path, &n);
		seen_look(&s, "x.y", p + files[i].skip, n - files[i].skip);
		/* Some have a program with two extensions as well. */
		s.count[FINDING_DOUBLE_EXTENSION] = 0;
		s.count[FINDING_EXECUTABLE] = 0;
		if (files[i].line != NULL &&
		    strstr(s.tree, files[i].line) == NULL)
			CHECK_STR(s.tree, files[i].line);
		if (files[i].want == FINDING_MAX ? seen_kinds(&s) != 0 :
		    seen_kinds(&s) != 1 || s.count[files[i].want] != 1)
			CHECK_STR(files[i].path, "told otherwise");
		CHECK_INT(s.in.budget.held, 0);
		free(p);
	}
}

/* Two files in a fixed VHD. */
static void
test_disk(void)
{
	static const uint8_t zeros[2048];
	struct seen s;
	struct made m = { 0 };
	uint8_t *p;
	size_t n;

	made_add(&m, zeros, 1024);
	p = seen_file("regress/fuzz/sevenzip/aes", &n);
	made_add(&m, p, n);
	made_add(&m, zeros, 2048 - n % 512);
	free(p);
	p = seen_file("regress/fuzz/sevenzip/fifo", &n);
	made_add(&m, p, n);
	made_add(&m, zeros, 1024 - n % 512);
	free(p);
	made_text(&m, "conectix");
	made_add(&m, zeros, 504);
	seen_look(&s, "a.vhd", m.p, m.n);
	CHECK(s.count[FINDING_MACRO] == 1);
	CHECK(s.count[FINDING_ARCHIVE_ENCRYPTED] == 1);
	CHECK(s.count[FINDING_DISK_IMAGE] == 1);
	CHECK_INT(seen_kinds(&s), 3);
	made_free(&m);
}

/* A tar archive begins with a name. */
static void
test_tar_name(void)
{
	static const char *const names[] = {
		"%PDF-1.4", "GIF89a", "MZ", "PK\3\4", "{\\rtf", "<html>",
		"Rar!\x1a\7\1"
	};
	struct seen s;
	char sum[8];
	unsigned total;
	uint8_t *p;
	size_t i, k, n;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		p = seen_file("regress/fuzz/archive/tar", &n);
		/* Behind the header for the long name, if there is one. */
		memcpy(p + 1, names[i], strlen(names[i]) + 1);
		memset(p + 1 + 148, ' ', 8);
		for (k = total = 0; k < 512; k++)
			total += p[1 + k];
		(void)snprintf(sum, sizeof(sum), "%06o", total);
		memcpy(p + 1 + 148, sum, 7);
		seen_look(&s, "x", p + 1, n - 1);
		CHECK(strstr(s.tree, "text 740") != NULL);
		free(p);
	}
}

/* Cut anywhere, each is damaged or opaque at most, and nothing else. */
static void
test_cut(void)
{
	struct seen s;
	char path[128];
	uint8_t *p;
	size_t i, n, len;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "regress/fuzz/%s", files[i].path);
		p = seen_file(path, &n);
		for (len = files[i].skip; len < n; len += 1 + len / 16) {
			seen_look(&s, "x.y", p + files[i].skip,
			    len - files[i].skip);
			s.count[FINDING_DOUBLE_EXTENSION] = 0;
			s.count[FINDING_EXECUTABLE] = 0;
			s.count[FINDING_DAMAGED] = 0;
			s.count[FINDING_OPAQUE] = 0;
			if (files[i].want != FINDING_MAX)
				s.count[files[i].want] = 0;
			CHECK_INT(seen_kinds(&s), 0);
			CHECK_INT(s.in.budget.held, 0);
		}
		free(p);
	}
}

/* One member more behind the first, as gzip and others allow. */
static void
test_joined(void)
{
	struct seen s;
	struct made m = { 0 };
	uint8_t *p;
	size_t i, n;
	static const char *const paths[] = {
		"regress/fuzz/archive/gzip", "regress/fuzz/archive/bzip2",
		"regress/fuzz/archive/xz", "regress/fuzz/archive/zstd",
		"regress/fuzz/archive/lzip"
	};

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		p = seen_file(paths[i], &n);
		made_add(&m, p + 1, n - 1);
		made_add(&m, p + 1, n - 1);
		seen_look(&s, "a.txt.z", m.p, m.n);
		CHECK(strstr(s.tree, "2 a.txt text 1480\n") != NULL);
		CHECK_INT(seen_kinds(&s), 0);
		free(p);
		made_free(&m);
	}
}

/* The signature behind a program counts if its header has a checksum. */
static void
test_selfextract(void)
{
	static const char *const paths[] = {
		"regress/fuzz/rar/member4", "regress/fuzz/rar/member5",
		"regress/fuzz/sevenzip/aes", "regress/fuzz/zip/aes",
	};
	struct seen s;
	struct made m = { 0 };
	uint8_t *p;
	size_t i, n;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		p = seen_file(paths[i], &n);
		made_text(&m, "MZ\1\2Rar!\x1a\7");
		made_add(&m, "", 1);
		made_text(&m, "7z\xbc\xaf\x27\x1cPK\3\4PK\5\6 and the like");
		made_add(&m, "\0\0\0\0", 4);
		seen_look(&s, "a", m.p, m.n);
		CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EXECUTABLE]);
		made_add(&m, p, n);
		seen_look(&s, "a", m.p, m.n);
		CHECK_INT(s.count[FINDING_ARCHIVE_ENCRYPTED], 1);
		made_free(&m);
		free(p);
	}
}

static void
rar_block(struct made *m, uint8_t type, unsigned flags, const char *rest,
    size_t n)
{
	made_16(m, 0);
	made_add(m, &type, 1);
	made_16(m, flags);
	made_16(m, (unsigned)(7 + n));
	made_add(m, rest, n);
}

static void
test_rar(void)
{
	/* A compressed member that goes on in the next volume. */
	static const char part[] = "\4\0\0\0" "\4\0\0\0" "\2\0\0\0\0\0\0\0\0"
	    "\x14\x33\1\0\0\0\0\0a";
	struct seen s;
	struct made m = { 0 };

	made_add(&m, "Rar!\x1a\7\0", 7);
	rar_block(&m, 0x73, 1, "\0\0\0\0\0\0", 6);
	rar_block(&m, 0x74, 0x8002, part, sizeof(part) - 1);
	made_text(&m, "data");
	seen_look(&s, "a.rar", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_OPAQUE] == 1);
	made_free(&m);

	made_add(&m, "Rar!\x1a\7\0", 7);
	rar_block(&m, 0x73, 0, "\0\0\0\0\0\0", 2);
	made_16(&m, 7);
	seen_look(&s, "a.rar", m.p, m.n);
	CHECK_INT(s.count[FINDING_DAMAGED], 0);
	rar_block(&m, 0x74, 0x8000, "\xff\xff\xff\x7f", 4);
	seen_look(&s, "a.rar", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_DAMAGED] == 1);
	made_free(&m);
}

static void
test_ace(void)
{
	struct seen s;
	struct made m = { 0 };

	made_text(&m, "xx");
	made_16(&m, 14);
	made_add(&m, "\0\0\0", 3);
	made_text(&m, "**ACE**1234");
	seen_look(&s, "a.ace", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_OPAQUE] == 1);
	made_text(&m, "xx");
	made_16(&m, 11);
	made_add(&m, "\1\1\x40\3\0\0\0abcd", 11);
	seen_look(&s, "a.ace", m.p, m.n);
	CHECK_INT(s.count[FINDING_ARCHIVE_ENCRYPTED], 1);
	made_free(&m);
}

/* A dictionary that does not fit: said by its header alone. */
static void
test_dictionary(void)
{
	static const char lzma[] = "\x5d\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\xff\xff\xff\0\0\0\0\0\0\0\0";
	static const char zstd[] = "\x28\xb5\x2f\xfd\0\xb8\1\0\0";
	struct seen s;

	seen_look(&s, "a", lzma, sizeof(lzma) - 1);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_OVER_BUDGET] == 1);
	seen_look(&s, "a", zstd, sizeof(zstd) - 1);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_OVER_BUDGET] == 1);
	CHECK_INT(s.in.budget.held, 0);
}

int
main(void)
{
	test_files();
	test_disk();
	test_tar_name();
	test_cut();
	test_joined();
	test_selfextract();
	test_rar();
	test_ace();
	test_dictionary();
	return unit_end();
}
