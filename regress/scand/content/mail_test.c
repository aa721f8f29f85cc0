/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/build.h"
#include "regress/scand/content/seen.h"
#include "regress/unit.h"

/*
 * Things that come with mail: TNEF, what S/MIME signs, files inside texts,
 * OneNote.  Each holds the test file of virus scanners.
 */

static const char	 eicar[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR"
	"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

static void
tnef_begin(struct made *m)
{
	made_hex(m, "789f3e220100");
}

static void
tnef_add(struct made *m, uint32_t id, const void *p, size_t n)
{
	made_hex(m, "02");
	made_32(m, id);
	made_32(m, (uint32_t)n);
	made_add(m, p, n);
	made_16(m, 0xbad);
}

static void
test_tnef(void)
{
	struct seen s;
	struct made m = { 0 }, inner = { 0 }, props = { 0 };
	size_t i;

	/* The name before the data, then behind it. */
	for (i = 0; i < 2; i++) {
		tnef_begin(&m);
		tnef_add(&m, 0x69002, "", 0);
		if (i == 0)
			tnef_add(&m, 0x18010, "a.com", 6);
		tnef_add(&m, 0x6800f, eicar, 68);
		if (i == 1)
			tnef_add(&m, 0x18010, "a.com", 6);
		tnef_add(&m, 0x69002, "", 0);
		tnef_add(&m, 0x6800f, "text", 4);
		seen_look(&s, "winmail.dat", m.p, m.n);
		CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
		CHECK_STR(s.where[FINDING_EICAR], "winmail.dat > a.com");
		CHECK_INT(s.things, 3);
		made_free(&m);
	}
	/* A message as an object among properties; the long name wins. */
	tnef_begin(&inner);
	made_32(&props, 2);
	made_16(&props, 0x1f);
	made_16(&props, 0x3707);
	made_32(&props, 1);
	made_32(&props, 8);
	made_wide(&props, "b.tx");
	tnef_add(&inner, 0x6800f, eicar, 68);
	tnef_add(&inner, 0x69005, props.p, props.n);
	made_free(&props);
	made_32(&props, 3);
	made_16(&props, 3);		/* a number with a name of its own */
	made_16(&props, 0x8001);
	made_text(&props, "0123456789abcdef");
	made_32(&props, 1);
	made_32(&props, 3);
	made_text(&props, "a b ");
	made_32(&props, 7);
	made_16(&props, 0x101f);	/* two texts */
	made_16(&props, 0x1234);
	made_32(&props, 2);
	made_32(&props, 2);
	made_text(&props, "a b ");
	made_32(&props, 4);
	made_text(&props, "a b ");
	made_16(&props, 0xd);
	made_16(&props, 0x3701);
	made_32(&props, 1);
	made_32(&props, (uint32_t)(16 + inner.n));
	made_text(&props, "0123456789abcdef");
	made_add(&props, inner.p, inner.n);
	tnef_begin(&m);
	tnef_add(&m, 0x69005, props.p, props.n);
	seen_look(&s, "winmail.dat", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	CHECK_STR(s.where[FINDING_EICAR], "winmail.dat > object > b.tx");
	/* Cut anywhere it is damaged at most. */
	for (i = 6; i < m.n; i++) {
		seen_look(&s, "winmail.dat", m.p, i);
		s.count[FINDING_EICAR] = s.count[FINDING_DAMAGED] = 0;
		CHECK_INT(seen_kinds(&s), 0);
	}
	made_free(&m);
	made_free(&inner);
	made_free(&props);
	/* A length that cannot be. */
	tnef_begin(&m);
	made_hex(&m, "020f800600f0ffffff");
	made_text(&m, eicar);
	seen_look(&s, "winmail.dat", m.p, m.n);
	CHECK(s.count[FINDING_EICAR] == 1 && s.count[FINDING_DAMAGED] == 1);
	made_free(&m);
}

static void
tlv(struct made *m, uint8_t tag, const struct made *v)
{
	uint8_t len = (uint8_t)v->n;

	made_add(m, &tag, 1);
	if (len >= 128)
		made_hex(m, "81");
	made_add(m, &len, 1);
	made_add(m, v->p, v->n);
}

static void
test_pkcs7(void)
{
	static const char oid[] = "06092a864886f70d0107";
	static const char pem[] = "-----BEGIN PKCS7-----\n"
	    "MIAGCSqGSIb3DQEHAaCAJIAEClg1TyFQJUBBUFsEOjRcUFpYNTQoUF4pN0NDKTd9\n"
	    "JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCoAAAAAAAA=\n"
	    "-----END PKCS7-----\n";
	struct seen s;
	struct made a = { 0 }, b = { 0 }, c = { 0 }, z;
	unsigned kind;

	/* Indefinite lengths and an octet string in two pieces. */
	made_hex(&a, "3080");
	made_hex(&a, oid);
	made_hex(&a, "02a080308002010131003080");
	made_hex(&a, oid);
	made_hex(&a, "01a080248004");
	made_add(&a, "\x3a", 1);
	made_add(&a, eicar, 58);
	made_hex(&a, "040a");
	made_add(&a, eicar + 58, 10);
	made_hex(&a, "000000000000000000000000");
	seen_look(&s, "smime.p7m", a.p, a.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	made_free(&a);

	/* Definite ones, all kinds: only what is not encrypted is read. */
	for (kind = 1; kind <= 6; kind++) {
		char number[3];

		made_add(&c, eicar, 68);
		tlv(&a, 4, &c);
		made_free(&c);
		tlv(&b, 0xa0, &a);
		made_free(&a);
		if (kind != 1) {
			made_hex(&a, oid);
			made_hex(&a, "01");
			made_add(&a, b.p, b.n);
			made_free(&b);
			made_hex(&b, "0201013100");
			tlv(&b, 0x30, &a);
			made_free(&a);
			tlv(&a, 0x30, &b);
			made_free(&b);
			tlv(&b, 0xa0, &a);
			made_free(&a);
		}
		made_hex(&c, oid);
		snprintf(number, sizeof(number), "%02x", kind);
		made_hex(&c, number);
		made_add(&c, b.p, b.n);
		tlv(&a, 0x30, &c);
		seen_look(&s, "smime.p7m", a.p, a.n);
		CHECK_INT(s.count[FINDING_EICAR],
		    kind == 1 || kind == 2 || kind == 5);
		CHECK_INT(seen_kinds(&s), s.count[FINDING_EICAR]);
		made_free(&a);
		made_free(&b);
		made_free(&c);
	}

	/* RFC 3274. */
	z = make_zlib((const uint8_t *)eicar, 68);
	tlv(&a, 4, &z);
	made_free(&z);
	tlv(&b, 0xa0, &a);
	made_free(&a);
	made_hex(&a, oid);
	made_hex(&a, "01");
	made_add(&a, b.p, b.n);
	made_free(&b);
	made_hex(&b, "0201003000");
	tlv(&b, 0x30, &a);
	made_free(&a);
	tlv(&a, 0x30, &b);
	made_free(&b);
	tlv(&b, 0xa0, &a);
	made_free(&a);
	made_hex(&a, "060b2a864886f70d0109100109");
	made_add(&a, b.p, b.n);
	tlv(&c, 0x30, &a);
	seen_look(&s, "smime.p7z", c.p, c.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	made_free(&a);
	made_free(&b);
	made_free(&c);

	seen_look(&s, "smime.pem", pem, sizeof(pem) - 1);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
}

static void
test_texts(void)
{
	static const char uu[] = "Dear all,\n\nbegin 644 an eicar.com\n"
	    "M6#5/(5`E0$%06S1<4%I8-30H4%XI-T-#*3=])$5)0T%2+5-404Y$05)$+4%.\n"
	    "75$E625)54RU415-4+49)3$4A)$@K2\"H`\n`\nend\nYours\n";
	static const char base64[] = "begin-base64 644 a.com\r\n"
	    "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNU\r\n"
	    "QU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=\r\n====\r\n";
	static const char none[] = "begin 644 things and end none\n"
	    "begin 7\nbegin 644\nbegin 999 a\nbegins\nthe beginning\n";
	struct seen s;
	struct made m = { 0 };
	size_t i;
	uint8_t c;

	seen_look(&s, "a.txt", uu, sizeof(uu) - 1);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	CHECK_STR(s.where[FINDING_EICAR], "a.txt > an eicar.com");
	seen_look(&s, "a.txt", base64, sizeof(base64) - 1);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	seen_look(&s, "a.txt", none, sizeof(none) - 1);
	CHECK_INT(seen_kinds(&s), 0);
	for (i = 0; i < sizeof(uu) - 1; i++) {
		seen_look(&s, "a.txt", uu, i);
		CHECK(seen_kinds(&s) == s.count[FINDING_EICAR]);
	}

	made_text(&m, "=ybegin part=1 line=128 size=68 name=a b.com\r\n"
	    "=ypart begin=1 end=68\r\n");
	for (i = 0; i < 68; i++) {
		c = (uint8_t)(eicar[i] + 42);
		if (c == '=' || i % 20 == 7) {
			made_text(&m, "=");
			c = (uint8_t)(c + 64);
		}
		made_add(&m, &c, 1);
	}
	made_text(&m, "\r\n=yend size=68\r\n");
	seen_look(&s, "a.txt", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	CHECK_STR(s.where[FINDING_EICAR], "a.txt > a b.com");
	made_free(&m);
}

/* As some write it, and as others do not want it to be read. */
static void
test_uuencode(void)
{
#define LINE1	"M6#5/(5`E0$%06S1<4%I8-30H4%XI-T-#*3=])$5)"	\
		"0T%2+5-404Y$05)$+4%.\n"
#define LINE2	"75$E625)54RU415-4+49)3$4A)$@K2\"H`\n"
	static const char *const texts[] = {
		"Hi\nbegin 100644 a.com\n" LINE1 LINE2 "`\nend\n",
		"Hi\nbegin   644  a.com\n" LINE1 LINE2 "`\nend\n",
		"Hi\nbegin 644 a.com\n" LINE1 "\n" LINE2 "\n`\nend\n",
		/* One without an end, and one in it. */
		"Hi\nbegin 644 a.txt\nbegin 644 a.com\n" LINE1 LINE2
		    "end\n",
		"Hi\nbegin 644 a.txt\n#86)C\nbegin 644 a.com\n" LINE1 LINE2,
		"<html><p>Hi</p></html>\nbegin 644 a.com\n" LINE1 LINE2
		    "`\nend\n",
	};
	struct seen s;
	struct made m = { 0 };
	size_t i;
	uint8_t c;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		seen_look(&s, "a.txt", texts[i], strlen(texts[i]));
		CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	}
	/* Octets that are no text to anybody else. */
	made_text(&m, "=ybegin line=128 size=368 name=a.bin\r\n");
	for (i = 0; i < 300; i++) {
		c = (uint8_t)(i % 9 + 1);
		made_add(&m, &c, 1);
	}
	made_text(&m, "\r\n=yend size=300\r\n");
	CHECK_INT(content_type(m.p, m.n), CONTENT_YENC);
	m.n = 0;
	/* A line of nothing. */
	made_text(&m, "=ybegin line=128 size=3 name=a.b\r\n=\r\nabc\r\n");
	seen_look(&s, "a.txt", m.p, m.n);
	CHECK_INT(seen_kinds(&s), 0);
	made_free(&m);
}

/* Files of the Macintosh. */
static void
test_mac(void)
{
	static const char hqx[] = "Hello,\r\n"
	    "(This file must be converted with BinHex 4.0)\r\n"
	    "\r\n"
	    ":\"@%ZBfpY!&G%3Nj08eG%!!!!!!\"%!!!!!-5K@$92)9!P3%&"
	    "3@c4F8&TB063S8&i\r\n"
	    "T0d0$+6Gp*%9*3d&5,90838j%39*%,8&19%P@59*98be84908,"
	    "8C*6%8K*%JV5#S\r\n"
	    "!!!!!:\r\n";
	struct seen s;
	struct made m = { 0 };
	size_t i;

	seen_look(&s, "a.txt", hqx, sizeof(hqx) - 1);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	CHECK_STR(s.where[FINDING_EICAR], "a.txt > a.com");
	for (i = 0; i < sizeof(hqx) - 1; i++) {
		seen_look(&s, "a.txt", hqx, i);
		CHECK(seen_kinds(&s) == s.count[FINDING_EICAR]);
	}

	/* AppleSingle: its name, and a fork of data behind it. */
	made_hex(&m, "0005160000020000" "00000000000000000000000000000000");
	made_hex(&m, "0002" "00000003" "00000032" "00000005");
	made_hex(&m, "00000001" "00000037" "00000044");
	made_text(&m, "a.com");
	made_text(&m, eicar);
	seen_look(&s, "a.as", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	CHECK_STR(s.where[FINDING_EICAR], "a.as > a.com");
	for (i = 0; i < m.n; i++)
		seen_look(&s, "a.as", m.p, i);
	m.n = 0;

	/* MacBinary, the first version. */
	made_hex(&m, "0005");
	made_text(&m, "a.com");
	for (i = m.n; i < 128; i++)
		made_hex(&m, i == 86 ? "44" : "00");
	made_text(&m, eicar);
	seen_look(&s, "a.bin", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_EICAR] == 1);
	CHECK_STR(s.where[FINDING_EICAR], "a.bin > a.com");
	/* A wrong checksum: it is something else. */
	m.p[124] = 1;
	CHECK_INT(content_type(m.p, m.n), CONTENT_UNKNOWN);
	made_free(&m);
}

static void
test_onenote(void)
{
	struct seen s;
	struct made m = { 0 };

	made_hex(&m, "e4525c7b8cd8a74daeb15378d02996d3");
	made_text(&m, "something");
	made_hex(&m, "e716e3bd65261145a4c48d4d0b7a9eac4400000000000000");
	made_text(&m, "0123456789ab");
	made_text(&m, eicar);
	made_hex(&m, "e716e3bd65261145a4c48d4d0b7a9eacffffffffffffffff");
	made_text(&m, "0123456789abMZ\1\2");
	seen_look(&s, "a.one", m.p, m.n);
	CHECK(s.count[FINDING_EICAR] == 1);
	CHECK(s.count[FINDING_EXECUTABLE] == 2);
	CHECK(seen_kinds(&s) == 2);
	made_free(&m);
}

int
main(void)
{
	test_tnef();
	test_pkcs7();
	test_texts();
	test_uuencode();
	test_mac();
	test_onenote();
	return unit_end();
}
