/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "regress/scand/content/build.h"
#include "regress/scand/content/fake.h"
#include "regress/unit.h"
#include "scand/content/office.h"

/*
 * Packages and links of OLE, and the streams of Word, PowerPoint, Visio and
 * Outlook that have things inside.
 */

/* A package with these names; wide is the label that newer writers add. */
static struct made
package(const char *label, const char *path, const char *wide,
    const char *data, size_t n, int rtf)
{
	struct made m = { NULL, 0, 0 };
	uint32_t len = (uint32_t)strlen(path) + 1;

	if (!rtf)
		made_32(&m, 1234);
	made_16(&m, 2);
	made_add(&m, label, strlen(label) + 1);
	made_add(&m, path, len);
	made_32(&m, 0x30000);
	made_32(&m, len);
	made_add(&m, path, len);
	made_32(&m, (uint32_t)n);
	made_add(&m, data, n);
	if (wide != NULL) {
		made_32(&m, len);
		made_wide(&m, path);
		made_16(&m, 0);
		made_32(&m, (uint32_t)strlen(wide));
		made_wide(&m, wide);
	}
	return m;
}

static unsigned
program(const char *label, const char *path, const char *wide,
    const char *data)
{
	struct made m = package(label, path, wide, data, strlen(data), 0);
	struct fake f;

	fake_start(&f);
	ole10native_look(&f.in, m.p, m.n, 0);
	made_free(&m);
	CHECK_INT(f.looks, 1);
	CHECK_INT(f.n, strlen(data));
	return f.count[FINDING_OLE_PACKAGE];
}

static void
test_package(void)
{
	CHECK(program("a.vbs", "C:\\a.vbs", NULL, "x"));
	CHECK(program("a.txt", "C:\\x\\a.EXE", NULL, "x"));
	CHECK(program("invoice.pdf .hta . ", "a", NULL, "x"));
	CHECK(program("a.txt", "C:\\a.txt", "a.lnk", "x"));
	CHECK(program("a.txt", "C:\\a.txt", NULL, "MZ\1\2 and so on"));
	CHECK(!program("a.txt", "C:\\a.exe\\a.txt", "a.txt", "x"));
	CHECK(!program("exe", "C:\\exe", NULL, "x"));
	CHECK(!program(".", "", NULL, "x"));
}

static void
test_package_broken(void)
{
	struct made m = package("a.js", "b", NULL, "12345678", 8, 0);
	struct fake f;
	uint8_t *p;
	size_t n;

	for (n = 0; n <= m.n; n++) {
		if ((p = malloc(n + (n == 0))) == NULL)
			return;
		memcpy(p, m.p, n);
		fake_start(&f);
		ole10native_look(&f.in, p, n, 0);
		/* The data may be cut, the names may not. */
		CHECK_INT(f.count[FINDING_OLE_PACKAGE], n >= m.n - 8);
		free(p);
	}
	made_free(&m);
	/* No package: whatever can be recognised behind its length. */
	fake_start(&f);
	ole10native_look(&f.in, (const uint8_t *)"\0\0\0\0{\\rtf1}", 11, 0);
	CHECK_INT(f.looks, 1);
	fake_start(&f);
	ole10native_look(&f.in, (const uint8_t *)"\1\0\0\0BM12345", 11, 0);
	CHECK_INT(f.looks, 0);
}

static struct made
ole1(const char *class, unsigned format, const void *data, size_t n)
{
	struct made m = { NULL, 0, 0 };

	made_32(&m, 0x501);
	made_32(&m, format);
	made_32(&m, (uint32_t)strlen(class) + 1);
	made_add(&m, class, strlen(class) + 1);
	if (format == 1) {
		made_32(&m, (uint32_t)n);
		made_add(&m, data, n);
		made_32(&m, 0);
		return m;
	}
	made_32(&m, 0);
	made_32(&m, 0);
	made_32(&m, (uint32_t)n);
	made_add(&m, data, n);
	return m;
}

static void
test_ole1(void)
{
	struct made in, m;
	struct fake f;

	in = package("a.js", "b", NULL, "x", 1, 1);
	m = ole1("package", 2, in.p, in.n);
	fake_start(&f);
	CHECK_INT(ole1_look(&f.in, m.p, m.n), 1);
	CHECK_INT(f.count[FINDING_OLE_PACKAGE], 1);
	CHECK_STR(f.name, "a.js");
	made_free(&m);
	made_free(&in);
	m = ole1("Word.Document.8", 2, "{\\rtf1 }", 8);
	CHECK_INT(ole1_look(&f.in, m.p, m.n), 1);
	CHECK_STR(f.name, "Word.Document.8");
	made_free(&m);
	/* Rubbish before the container, a broken head. */
	m = ole1("X", 2, "??PK\3\4", 6);
	fake_start(&f);
	CHECK_INT(ole1_look(&f.in, m.p, m.n), 1);
	CHECK_INT(f.looks, 1);
	m.p[4] = 9;
	CHECK_INT(ole1_look(&f.in, m.p, m.n), 1);
	CHECK_INT(f.looks, 2);
	m.n -= 2;
	CHECK_INT(ole1_look(&f.in, m.p, m.n), 0);
	CHECK_INT(ole1_look(&f.in, m.p, 0), 0);
	made_free(&m);
	/* A link to another place, and to a file here. */
	m = ole1("htmlfile", 1, "http://a.example/x", 18);
	fake_start(&f);
	CHECK_INT(ole1_look(&f.in, m.p, m.n), 1);
	CHECK_STR(f.detail[FINDING_EXTERNAL_TEMPLATE], "http://a.example/x");
	made_free(&m);
	m = ole1("Excel.Sheet.8", 1, "C:\\a.xls", 8);
	fake_start(&f);
	CHECK_INT(ole1_look(&f.in, m.p, m.n), 1);
	CHECK_INT(f.count[FINDING_EXTERNAL_TEMPLATE], 0);
	made_free(&m);
}

static void
test_link(void)
{
	struct made m = { NULL, 0, 0 };
	struct fake f;

	made_hex(&m, "0100000201000000"
	    "e0c9ea79f9bace118c8200aa004ba90b" "20000000");
	made_wide(&m, "http://a.example/");
	fake_start(&f);
	olelink_look(&f.in, m.p, m.n);
	CHECK_STR(f.detail[FINDING_EXTERNAL_TEMPLATE], "http://a.example/");
	fake_start(&f);
	olelink_look(&f.in, m.p, 20);
	CHECK_INT(f.count[FINDING_EXTERNAL_TEMPLATE], 0);
	made_free(&m);
	CHECK(url_is_remote("\\\\server\\share"));
	CHECK(url_is_remote(" HTTPS://a"));
	CHECK(url_is_remote("file://server/x"));
	CHECK(url_is_remote("file:///\\\\server\\x"));
	CHECK(!url_is_remote("file:///C:\\Normal.dotm"));
	CHECK(!url_is_remote("Normal.dotm") && !url_is_remote(""));
}

/* A compound file with one stream. */
static void
one_stream(struct fake *f, const char *name, const struct made *s)
{
	struct item item = { name, 0, s->p, s->n };
	struct made m = make_cfb(&item, 1, 3);

	fake_start(f);
	cfb_look(&f->in, m.p, m.n);
	made_free(&m);
}

static void
test_ppt(void)
{
	static const uint8_t code[] = "Sub a()\r\nEnd Sub\r\n";
	struct made project = make_project(NULL, 0, (const char *)code, 3);
	struct made packed = make_zlib(project.p, project.n);
	struct made s = { NULL, 0, 0 };
	struct fake f;

	/* A record with a lying length in front, then the object. */
	made_hex(&s, "0f00e803ffffff7f" "10001110");
	made_32(&s, (uint32_t)packed.n + 4);
	made_32(&s, (uint32_t)project.n);
	made_add(&s, packed.p, packed.n);
	one_stream(&f, "PowerPoint Document", &s);
	CHECK_INT(f.count[FINDING_MACRO], 1);
	/* Cut: what unpacks is looked at. */
	s.n -= 10;
	one_stream(&f, "PowerPoint Document", &s);
	CHECK_INT(f.looks, 1);
	made_free(&s);
	/* Not packed. */
	made_hex(&s, "00001110");
	made_32(&s, (uint32_t)project.n);
	made_add(&s, project.p, project.n);
	one_stream(&f, "PowerPoint Document", &s);
	CHECK_INT(f.count[FINDING_MACRO], 1);
	made_free(&s);
	made_free(&packed);
	made_free(&project);
	/* The same two octets, and nothing behind them. */
	made_hex(&s, "000011101000111000000000000000007801111010001110");
	one_stream(&f, "PowerPoint Document", &s);
	CHECK_INT(f.looks, 0);
	made_free(&s);
}

static void
test_ppt_encrypted(void)
{
	struct made doc = { NULL, 0, 0 }, user = doc, m;
	struct item items[2];
	struct fake f;
	int i;

	made_hex(&doc, "0000000000000000" "0000f50f20000000");
	made_hex(&user, "0000f60f1c000000" "140000005fc091e3" "08000000");
	for (i = 0; i < 3; i++) {
		if (i == 1)
			doc.p[12] = 0x1c;
		if (i == 2)
			memcpy(user.p + 12, "\xdf\xc4\xd1\xf3", 4);
		items[0] = (struct item){ "PowerPoint Document", 0, doc.p,
			doc.n };
		items[1] = (struct item){ "Current User", 0, user.p, user.n };
		m = make_cfb(items, 2, 3);
		fake_start(&f);
		cfb_look(&f.in, m.p, m.n);
		CHECK_INT(f.count[FINDING_OFFICE_ENCRYPTED], i != 1);
		made_free(&m);
	}
	made_free(&doc);
	made_free(&user);
}

static void
test_word(void)
{
	struct made s = { NULL, 0, 0 };
	struct fake f;

	/* Word 6: the table of commands has 10 octets. */
	made_hex(&s, "dca56500");
	made_add(&s, "0123456789012345678901234567890", 28);
	memset(s.p + 4, 0, 28);
	while (s.n < 0x118)
		made_16(&s, 0);
	made_32(&s, 0x20);
	made_32(&s, 10);
	made_text(&s, "\x13 DDEAUTO c:\\\\a \x14");
	one_stream(&f, "WordDocument", &s);
	CHECK_INT(f.count[FINDING_WORDBASIC], 1);
	CHECK_INT(f.count[FINDING_DDE], 1);
	CHECK_INT(f.count[FINDING_OFFICE_ENCRYPTED], 0);
	/* None, and another field. */
	s.p[0x11c] = 2;
	memcpy(s.p + 0x121, " DATE", 5);
	one_stream(&f, "WordDocument", &s);
	CHECK_INT(f.count[FINDING_WORDBASIC], 0);
	CHECK_INT(f.count[FINDING_DDE], 0);
	s.p[11] = 1;
	one_stream(&f, "WordDocument", &s);
	CHECK_INT(f.count[FINDING_OFFICE_ENCRYPTED], 1);
	/* A text that is called so. */
	s.p[0] = 'x';
	one_stream(&f, "WordDocument", &s);
	CHECK_INT(f.count[FINDING_OFFICE_ENCRYPTED], 0);
	made_free(&s);
}

/* What Visio's LZSS would make of it, in literals. */
static struct made
literals(const uint8_t *p, size_t n)
{
	struct made m = { NULL, 0, 0 };
	size_t i;

	for (i = 0; i < n; i += 8) {
		made_add(&m, "\xff", 1);
		made_add(&m, p + i, n - i < 8 ? n - i : 8);
	}
	return m;
}

static void
pointer(struct made *m, uint32_t type, size_t offset, size_t len,
    unsigned format)
{
	made_32(m, type);
	made_32(m, 0);
	made_32(m, (uint32_t)offset);
	made_32(m, (uint32_t)len);
	made_16(m, format);
}

static void
test_visio(void)
{
	struct made project = make_project(NULL, 0, "Sub a()\r\nEnd Sub", 3);
	struct made s = { NULL, 0, 0 }, piece[3] = { { NULL, 0, 0 } }, raw;
	struct fake f;
	size_t half = 2000, at[3];
	int i;

	/* Two pieces, the second one packed; the node; the trailer. */
	made_32(&piece[0], (uint32_t)half);
	made_add(&piece[0], project.p, half);
	raw = (struct made){ NULL, 0, 0 };
	made_32(&raw, (uint32_t)(project.n - half));
	made_add(&raw, project.p + half, project.n - half);
	piece[1] = literals(raw.p, raw.n);
	made_free(&raw);
	made_text(&s, "Visio (TM) Drawing\r\n");
	while (s.n < 0x24 + 18)
		made_add(&s, "", 1);
	for (i = 0; i < 2; i++) {
		at[i] = s.n;
		made_add(&s, piece[i].p, piece[i].n);
	}
	at[2] = s.n;
	made_32(&s, 4);
	made_32(&s, 3);
	made_32(&s, 0);
	pointer(&s, 0x1f, at[0], piece[0].n, 0);
	pointer(&s, 0x16, 0, 10, 0);
	pointer(&s, 0x1f, at[1], piece[1].n, 2);
	made_32(&piece[2], 4);
	made_32(&piece[2], 1000);
	made_32(&piece[2], 0);
	pointer(&piece[2], 0x0d, at[2], s.n - at[2], 0);
	raw = (struct made){ NULL, 0, 0 };
	pointer(&raw, 0x14, s.n, piece[2].n, 0);
	made_add(&s, piece[2].p, piece[2].n);
	memcpy(s.p + 0x24, raw.p, raw.n);
	one_stream(&f, "VisioDocument", &s);
	CHECK_INT(f.count[FINDING_MACRO], 1);
	/* A trailer that points to itself. */
	memcpy(s.p + 0x24 + 8, "\x24\0\0\0", 4);
	one_stream(&f, "VisioDocument", &s);
	CHECK_INT(f.looks, 0);
	s.n = 0x30;
	one_stream(&f, "VisioDocument", &s);
	CHECK_INT(f.looks, 0);
	for (i = 0; i < 3; i++)
		made_free(&piece[i]);
	made_free(&raw);
	made_free(&s);
	made_free(&project);
}

static void
test_message(void)
{
	static const uint8_t name[] = { 'a', 0, 0xe4, 0, '.', 0, 'x', 0 };
	struct item items[] = {
		{ "__attach_version1.0_#00000000", 0, NULL, 0 },
		{ "__substg1.0_37010102", 1, (const uint8_t *)"data", 4 },
		{ "__substg1.0_3707001F", 1, name, sizeof(name) },
		{ "Package", 0, (const uint8_t *)"PK\3\4", 4 },
		{ "Other", 0, (const uint8_t *)"text", 4 }
	};
	struct made m = make_cfb(items, 3, 3);
	struct fake f;

	fake_start(&f);
	cfb_look(&f.in, m.p, m.n);
	CHECK_INT(f.looks, 1);
	CHECK_STR(f.name, "a\xc3\xa4.x");
	made_free(&m);
	m = make_cfb(items, 5, 3);
	fake_start(&f);
	cfb_look(&f.in, m.p, m.n);
	CHECK_INT(f.looks, 2);
	CHECK_STR(f.name, "Package");
	made_free(&m);
}

static void
test_installer(void)
{
	struct made m = make_cfb(NULL, 0, 3);
	uint8_t *class = m.p + 512 * ((size_t)le32(m.p + 48) + 1) + 80;
	struct fake f;

	fake_start(&f);
	cfb_look(&f.in, m.p, m.n);
	CHECK_INT(f.count[FINDING_EXECUTABLE], 0);
	memcpy(class, "\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", 16);
	cfb_look(&f.in, m.p, m.n);
	CHECK_INT(f.count[FINDING_EXECUTABLE], 1);
	made_free(&m);
}

static void
test_activemime(void)
{
	struct made in = make_cfb(NULL, 0, 3), z = make_zlib(in.p, in.n);
	struct made m = { NULL, 0, 0 };
	struct fake f;

	made_add(&m, "ActiveMime\0", 12);
	while (m.n < 0x1e)
		made_add(&m, "", 1);
	made_32(&m, 4);
	while (m.n < 0x32)
		made_add(&m, "", 1);
	made_add(&m, z.p, z.n);
	fake_start(&f);
	activemime_look(&f.in, m.p, m.n);
	CHECK_STR(f.name, "oledata.mso");
	CHECK_INT(f.n, in.n);
	/* The place is wrong. */
	m.p[0x1f] = 0xff;
	fake_start(&f);
	activemime_look(&f.in, m.p, m.n);
	CHECK_INT(f.n, in.n);
	m.n = 0x30;
	fake_start(&f);
	activemime_look(&f.in, m.p, m.n);
	CHECK_INT(f.looks, 0);
	CHECK_INT(f.count[FINDING_DAMAGED], 1);
	made_free(&m);
	made_free(&z);
	made_free(&in);
}

int
main(void)
{
	test_package();
	test_package_broken();
	test_ole1();
	test_link();
	test_ppt();
	test_ppt_encrypted();
	test_word();
	test_visio();
	test_message();
	test_installer();
	test_activemime();
	return unit_end();
}
