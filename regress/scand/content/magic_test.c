/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/seen.h"
#include "regress/unit.h"
#include "scand/content/inspect.h"
#include "scand/content/magic.h"

/* Types by content; names and what is said of them. */

#define S(s)	s, sizeof(s) - 1

static const struct {
	const char	*p;
	size_t		 n;
	enum content_type type;
} types[] = {
	{ S(""), CONTENT_EMPTY },
	{ S("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), CONTENT_CFB },
	{ S("PK\3\4"), CONTENT_ZIP },
	{ S("PK00PK\3\4"), CONTENT_ZIP },
	{ S("PK\7\x08PK\3\4"), CONTENT_ZIP },
	{ S("PK and nothing else"), CONTENT_TEXT },
	{ S("%PDF-1.4"), CONTENT_PDF },
	{ S("\n\r %PDF-1.4\n1 0 obj"), CONTENT_PDF },
	{ S("A PDF begins with %PDF-1.4, as you know."), CONTENT_TEXT },
	{ S("%!PS-Adobe-3.0 PDF-1.4\n1 0 obj"), CONTENT_PDF },
	{ S("%!PS-Adobe-3.0 EPSF-3.0\n"), CONTENT_TEXT },
	{ S("{\\rtf1"), CONTENT_RTF },
	{ S("\r\n \t{\\rt"), CONTENT_RTF },
	{ S("{\\r"), CONTENT_TEXT },
	{ S("7z\xbc\xaf\x27\x1c"), CONTENT_7Z },
	{ S("Rar!\x1a\7\0"), CONTENT_RAR4 },
	{ S("Rar!\x1a\7\1\0"), CONTENT_RAR5 },
	{ S("\x78\x9f\x3e\x22"), CONTENT_TNEF },
	{ S("\x1f\x8b\x08"), CONTENT_GZIP },
	{ S("BZh91AY&SY"), CONTENT_BZIP2 },
	{ S("BZh9 is not"), CONTENT_TEXT },
	{ S("\xfd" "7zXZ\0"), CONTENT_XZ },
	{ S("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0"), CONTENT_LZMA },
	{ S("\x5d\0\0\x04\0\x05\0\0\0\0\0\0\0\0"), CONTENT_LZMA },
	{ S("\x5d\0\0\x05\0\x05\0\0\0\0\0\0\0\0"), CONTENT_UNKNOWN },
	{ S("\x28\xb5\x2f\xfd"), CONTENT_ZSTD },
	{ S("\x50\x2a\x4d\x18\1\0\0\0x\x28\xb5\x2f\xfd"), CONTENT_ZSTD },
	{ S("\x1f\x9d\x90" "abc"), CONTENT_COMPRESS },
	{ S("LZIP\1"), CONTENT_LZIP },
	{ S("MSCF\0\0\0\0"), CONTENT_CAB },
	{ S("!<arch>\n"), CONTENT_AR },
	{ S("0123456**ACE**"), CONTENT_ACE },
	{ S("\x09\x08\x08\0\0\5\5\0"), CONTENT_BIFF },
	{ S("\x09\0\x09\0\x0a\0\x0a\0"), CONTENT_UNKNOWN },
	{ S("ID;PWXL;N;E"), CONTENT_SYLK },
	{ S("MZ, the initials of Mark Zbikowski"), CONTENT_TEXT },
	{ S("MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0\x40\0\0\0"),
	    CONTENT_PE },
	{ S("\x7f" "ELF"), CONTENT_ELF },
	{ S("\xca\xfe\xba\xbe\0\0\0\x34\0\0"), CONTENT_CLASS },
	{ S("\xca\xfe\xba\xbe\0\0\0\2\0\0"), CONTENT_MACHO },
	{ S("#!/bin/sh\n"), CONTENT_SCRIPT },
	{ S("L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"), CONTENT_LNK },
	{ S("ITSF"), CONTENT_CHM },
	{ S("<html>"), CONTENT_HTML },
	{ S("\xef\xbb\xbf\n<!-- a --><!DOCTYPE html>"), CONTENT_HTML },
	{ S("<html><HTA:Application>"), CONTENT_HTA },
	{ S("<?xml version='1.0'?><html>"), CONTENT_XML },
	{ S("<pkg:package>"), CONTENT_XML },
	{ S("<\0?\0x\0m\0l\0"), CONTENT_XML },
	{ S("\xff\xfe<\0h\0t\0m\0l\0>\0"), CONTENT_HTML },
	{ S("\xfe\xff\0a\0b"), CONTENT_TEXT },
	{ S("< 5 is less than 6"), CONTENT_TEXT },
	{ S("\n\nMIME-Version: 1.0\n\n"), CONTENT_MIME },
	{ S("content-type : text/plain\n\n"), CONTENT_MIME },
	{ S("From a Mon\nFrom: a\nTo: b\nSubject: c\n\n"), CONTENT_MIME },
	{ S("From: a\nTo: b\n\nno letter"), CONTENT_TEXT },
	{ S("junk\nMIME-Version: 1.0\nContent-Type: a/b\n"), CONTENT_MIME },
	{ S("junk\nMIME-Version: 1.0\n"), CONTENT_TEXT },
	{ S("-----BEGIN PGP MESSAGE-----\n"), CONTENT_PGP },
	{ S("-----BEGIN PKCS7-----\n"), CONTENT_PKCS7 },
	{ S("0\x80\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7\3\xa0\x80\x30"),
	    CONTENT_PKCS7 },
	{ S("begin 644 a.doc\n"), CONTENT_UUENCODE },
	{ S("begin 6 a.doc\nand more"), CONTENT_TEXT },
	{ S("=ybegin line=128 size=1 name=a\n"), CONTENT_YENC },
	{ S("\xff\xd8\xff"), CONTENT_IMAGE },
	{ S("\0\0\0\x20" "ftypisom"), CONTENT_MEDIA },
	{ S("\0\1\2\3"), CONTENT_UNKNOWN },
	{ S("a,b\n1,2\n"), CONTENT_TEXT },
};

static void
test_types(void)
{
	static char tar[512], iso[0x8006];
	enum content_type t;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		t = content_type((const uint8_t *)types[i].p, types[i].n);
		if (t != types[i].type)
			printf("%zu: %.*s\n", i, (int)types[i].n, types[i].p);
		CHECK_STR(content_type_name(t),
		    content_type_name(types[i].type));
	}
	/* The checksum of "a" and blanks where it stands itself: 0541. */
	tar[0] = 'a';
	memcpy(tar + 148, "000541", 6);
	CHECK(content_type((const uint8_t *)tar, 512) == CONTENT_TAR);
	tar[1] = 'a';
	CHECK(content_type((const uint8_t *)tar, 512) == CONTENT_UNKNOWN);
	memcpy(iso + 0x8001, "CD001", 5);
	CHECK(content_type((const uint8_t *)iso, sizeof(iso)) == CONTENT_ISO);
	CHECK_STR(content_type_name(CONTENT_MAX), "?");
	CHECK_STR(finding_name(FINDING_MAX), "?");
	for (i = 0; i < FINDING_MAX; i++)
		CHECK(finding_name(i)[0] != '?');
	for (i = 0; i < CONTENT_MAX; i++)
		CHECK(content_type_name(i)[0] != '?');
}

static const struct {
	const char	*name;
	enum content_type type;
	enum finding	 want;		/* FINDING_MAX: nothing */
} names[] = {
	{ "a.doc", CONTENT_CFB, FINDING_MAX },
	{ "a.doc", CONTENT_RTF, FINDING_MAX },
	{ "a.xls", CONTENT_HTML, FINDING_MAX },
	{ "a.txt", CONTENT_TEXT, FINDING_MAX },
	{ "a.zip", CONTENT_TEXT, FINDING_MAX },
	{ "a.pdf", CONTENT_UNKNOWN, FINDING_MAX },
	{ "a.b.c", CONTENT_PE, FINDING_MAX },
	{ "a.pdf", CONTENT_PE, FINDING_NAME_DISAGREES },
	{ "A.PDF", CONTENT_ZIP, FINDING_NAME_DISAGREES },
	{ "a.jpg . ", CONTENT_CFB, FINDING_NAME_DISAGREES },
	{ "a.txt", CONTENT_LNK, FINDING_NAME_DISAGREES },
	{ "a.pdf.exe", CONTENT_PE, FINDING_DOUBLE_EXTENSION },
	{ "a.PDF      .Exe.. ", CONTENT_PE, FINDING_DOUBLE_EXTENSION },
	{ "a.doc.zip", CONTENT_ZIP, FINDING_MAX },
	{ "setup.1.2.exe", CONTENT_PE, FINDING_MAX },
	{ "a.pdf/b.exe", CONTENT_PE, FINDING_MAX },
	{ "a.js", CONTENT_TEXT, FINDING_EXECUTABLE },
	{ "a.hta", CONTENT_HTML, FINDING_EXECUTABLE },
	{ "a.js", CONTENT_IMAGE, FINDING_MAX },
	{ "a.jar", CONTENT_ZIP, FINDING_EXECUTABLE },
	{ "a.img", CONTENT_UNKNOWN, FINDING_DISK_IMAGE },
	{ "a.7z.002", CONTENT_UNKNOWN, FINDING_OPAQUE },
	{ "a.z01", CONTENT_UNKNOWN, FINDING_OPAQUE },
	{ "a.r00", CONTENT_UNKNOWN, FINDING_OPAQUE },
	{ "a.doc.002", CONTENT_UNKNOWN, FINDING_MAX },
	{ "a.zip.002", CONTENT_TEXT, FINDING_MAX },
	{ "\xe2\x80", CONTENT_TEXT, FINDING_MAX },
	{ "", CONTENT_TEXT, FINDING_MAX },
	{ ".", CONTENT_TEXT, FINDING_MAX },
};

static void
test_names(void)
{
	struct seen s;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		seen_begin(&s);
		names_look(&s.in, names[i].name, names[i].type);
		if (names[i].want == FINDING_MAX ? seen_kinds(&s) != 0 :
		    seen_kinds(&s) != 1 || s.count[names[i].want] == 0)
			CHECK_STR(names[i].name, "told otherwise");
	}
}

/* In pieces: tools warn of such characters, as they should. */
static void
test_override(void)
{
	static const unsigned char marks[][4] = {
		{ 0xe2, 0x80, 0xae, 0 }, { 0xe2, 0x81, 0xa6, 0 },
		{ 0xe2, 0x81, 0xa9, 0 }
	};
	struct seen s;
	char name[32], buf[32];
	size_t i;

	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "a%sfdp.exe",
		    (const char *)marks[i]);
		seen_begin(&s);
		names_look(&s.in, name, CONTENT_PE);
		CHECK(seen_kinds(&s) == 1 && s.count[FINDING_NAME_OVERRIDE]);
		(void)names_print(buf, sizeof(buf), name);
		CHECK_STR(buf, "a???fdp.exe");
	}
}

static void
test_print(void)
{
	char buf[21], wide[64];
	size_t i;

	CHECK(names_print(buf, sizeof(buf), "a\nb\x7f\xe4" "c") == 6);
	CHECK_STR(buf, "a?b??c");
	(void)names_print(buf, sizeof(buf), "12345678901234567890");
	CHECK_STR(buf, "12345678901234567890");
	(void)names_print(buf, sizeof(buf), "123456789012345678901.exe");
	CHECK_STR(buf, "12345678901...exe");
	/* Cut between characters, whatever the room. */
	for (i = 1; i < sizeof(wide); i++) {
		(void)names_print(wide, i, "\xe2\x82\xac\xe2\x82\xac\xc3\xa4"
		    "\xf0\x9f\x98\x80\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
		    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac");
		CHECK(strlen(wide) < i);
		CHECK(strchr(wide, '?') == NULL);
	}
}

int
main(void)
{
	test_types();
	test_names();
	test_override();
	test_print();
	return unit_end();
}
