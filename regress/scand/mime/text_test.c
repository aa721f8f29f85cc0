/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "regress/unit.h"
#include "scand/mime/mime.h"
#include "scand/mime/parts.h"

/* Transfer encodings, character sets, encoded words, parameters. */

static char	dst[4096];

/* Decoded in steps of every size: the same each time. */
static const char *
decoded(enum encoding e, unsigned how, const char *s, unsigned *differs)
{
	static char first[4096];
	struct decode d;
	size_t n = strlen(s), step;
	uint8_t *buf = malloc(decode_room(e, n));

	for (step = 1; step <= n + 1; step++) {
		decode_init(&d, e, how, (const uint8_t *)s, n, buf);
		while (decode_step(&d, step))
			continue;
		CHECK(d.len <= decode_room(e, n));
		if (step == 1) {
			memcpy(first, buf, d.len);
			first[d.len] = '\0';
			if (differs != NULL)
				*differs = d.differs;
		} else
			CHECK(strlen(first) == d.len &&
			    memcmp(first, buf, d.len) == 0);
	}
	free(buf);
	return first;
}

static const char *
base64(const char *s, unsigned how)
{
	return decoded(ENCODING_BASE64, how, s, NULL);
}

static void
test_base64(void)
{
	unsigned d;

	CHECK_STR(base64("", 0), "");
	CHECK_STR(base64("SGVsbG8=", 0), "Hello");
	CHECK_STR(base64("SGVsbG8", 0), "Hello");
	CHECK_STR(base64(" SG\r\n\tVs!b\xff" "G\x01" "8=\r\n", 0), "Hello");
	CHECK_STR(base64("S===GVsbG8=", DECODE_JOIN), "Hello");
	CHECK_STR(base64("====", 0), "");
	CHECK_STR(decoded(ENCODING_BASE64, 0, "SGVsbG8=\r\n", &d), "Hello");
	CHECK_INT(d, 0);
	CHECK_STR(decoded(ENCODING_BASE64, 0, "SGU=bGxv", &d), "Hello");
	CHECK_INT(d, DECODE_STOP | DECODE_JOIN);
	CHECK_STR(base64("SGU=bGxv", DECODE_STOP), "He");
	CHECK_STR(decoded(ENCODING_BASE64, 0, "Pj4-Pz8_", &d), ">>\x0f\xcf");
	CHECK_INT(d, DECODE_URL);
	CHECK_STR(base64("Pj4-Pz8_", DECODE_URL), ">>>???");
	/* Groups that begin anywhere in a step. */
	CHECK_STR(base64("S GVsbG8g V29ybGQh", 0), "Hello World!");
}

static const char *
qp(const char *s)
{
	return decoded(ENCODING_QP, 0, s, NULL);
}

static void
test_qp(void)
{
	CHECK_STR(qp(""), "");
	CHECK_STR(qp("a=3db=3D"), "a=b=");
	CHECK_STR(qp("a=\r\nb=\nc= \t\r\nd=\t"), "abcd");
	CHECK_STR(qp("a  \r\n\tb \n"), "a\r\n\tb\n");
	CHECK_STR(qp("a=20\r\n"), "a \r\n");
	CHECK_STR(qp("a=g1=1 =1"), "a=g1=1 =1");
	CHECK_STR(qp("a \t"), "a \t");
	CHECK_STR(qp("=\r=\n=\r\nx\ry"), "x\ry");
}

static const char *
utf8(const char *charset, const char *s, size_t n)
{
	size_t len = charset_utf8(charset, (const uint8_t *)s, n, dst,
	    sizeof(dst));

	CHECK(len < sizeof(dst) && dst[len] == '\0');
	CHECK(octets_utf8((uint8_t *)dst, len));
	return dst;
}

static void
test_charset(void)
{
	char small[4];

	CHECK_STR(utf8("utf-8", "\xc3\xa4", 2), "\xc3\xa4");
	CHECK_STR(utf8("ISO-8859-1", "\xe4", 1), "\xc3\xa4");
	CHECK_STR(utf8("windows-1252", "\x80", 1), "\xe2\x82\xac");
	CHECK_STR(utf8("windows-1252", "abc", 3), "abc");
	CHECK_STR(utf8("ISO-8859-15", "\xa4", 1), "\xe2\x82\xac");
	CHECK_STR(utf8("iso-2022-jp", "\x1b$B$\"\x1b(B", 8), "\xe3\x81\x82");
	CHECK_STR(utf8("utf-16le", "a\0\xe4\0", 4), "a\xc3\xa4");
	CHECK_STR(utf8("utf-7", "+AOQ-", 5), "\xc3\xa4");
	CHECK_STR(utf8("\"koi8-r\"", "\xc1", 1), "\xd0\xb0");
	/* Wrong, unknown or none. */
	CHECK_STR(utf8("utf-8", "a\xff", 2), "a\xef\xbf\xbd");
	CHECK_STR(utf8("us-ascii", "\xc3\xa4", 2), "\xc3\xa4");
	CHECK_STR(utf8("x-user-defined", "\xe4", 1), "\xc3\xa4");
	CHECK_STR(utf8("no,such=\x01thing", "\xe4", 1), "\xc3\xa4");
	CHECK_STR(utf8(NULL, "\xe4", 1), "\xc3\xa4");
	CHECK_STR(utf8("", "\xc3\xa4", 2), "\xc3\xa4");
	CHECK_STR(utf8(NULL, "\xff\xfe" "a\0", 4), "a");
	CHECK_STR(utf8(NULL, "", 0), "");
	/* What does not fit is left out, in whole characters. */
	CHECK_INT(charset_utf8("utf-8", (const uint8_t *)"ab\xc3\xa4", 4,
	    small, sizeof(small)), 2);
	CHECK_STR(small, "ab");
	CHECK_INT(charset_utf8("iso-8859-1", (const uint8_t *)"ab\xe4", 3,
	    small, sizeof(small)), 2);
	CHECK_STR(small, "ab");
}

static const char *
words(const char *s)
{
	size_t len = words_utf8(s, strlen(s), dst, sizeof(dst));

	CHECK_INT(len, strlen(dst));
	return dst;
}

static void
test_words(void)
{
	char small[6];

	CHECK_STR(words("plain"), "plain");
	CHECK_STR(words("=?utf-8?Q?a=20b_c?="), "a b c");
	CHECK_STR(words("=?utf-8?b?w6Q=?="), "\xc3\xa4");
	CHECK_STR(words("x=?iso-8859-1*de?q?=E4?=y"), "x\xc3\xa4y");
	CHECK_STR(words("=?utf-8?q?a?= \r\n =?utf-8?q?b?= c =?utf-8?q?d?="),
	    "ab c d");
	/* A character in two words. */
	CHECK_STR(words("=?utf-8?q?=C3?= =?utf-8?q?=A4?="), "\xc3\xa4");
	CHECK_STR(words("=?utf-8?q?a b?="), "a b");
	CHECK_STR(words("=?utf-8?q?a"), "=?utf-8?q?a");
	CHECK_STR(words("=?utf-8?x?a?="), "=?utf-8?x?a?=");
	CHECK_STR(words("=?utf-8?q?a=?utf-8?q?b?="), "=?utf-8?q?ab");
	CHECK_STR(words("=?=?=?q?" "?="), "=?");
	CHECK_STR(words("\xe4"), "\xc3\xa4");
	CHECK_INT(words_utf8("=?utf-8?q?abcdefgh?=ij", 22, small,
	    sizeof(small)), 5);
	CHECK_STR(small, "abcde");
}

/* "type|attribute=reading/reading|..." */
static const char *
params(const char *s)
{
	struct params ps;
	struct param pm;
	char word[32];
	unsigned i;

	params_begin(&ps, (const uint8_t *)s, strlen(s), word, sizeof(word));
	(void)strlcpy(dst, word, sizeof(dst));
	while (params_next(&ps, &pm)) {
		(void)strlcat(dst, "|", sizeof(dst));
		(void)strlcat(dst, pm.attribute, sizeof(dst));
		CHECK(pm.n >= 1 && pm.n <= PARAM_READINGS);
		for (i = 0; i < pm.n; i++) {
			(void)strlcat(dst, i == 0 ? "=" : "/", sizeof(dst));
			(void)strlcat(dst, pm.value[i], sizeof(dst));
		}
	}
	return dst;
}

static void
test_params(void)
{
	CHECK_STR(params(""), "");
	CHECK_STR(params("Text/Plain"), "text/plain");
	CHECK_STR(params(" text / plain ; Charset=utf-8"),
	    "text/plain|charset=utf-8");
	CHECK_STR(params("a/b; x=\"y\\\"z\"; u=v"), "a/b|x=y\"z/y\\\"z|u=v");
	CHECK_STR(params("a/b;x = \"y\"z;u=v"), "a/b|x=y/yz|u=v");
	CHECK_STR(params("a/b x=y z; u=\"v"), "a/b|x=y z/y|u=v");
	CHECK_STR(params("a/b; (c;d=e) x=y(f); ; =;g"), "a/b|x=y(f)/y");
	CHECK_STR(params("a/b; x=\r\n y\r\n z"), "a/b|x=y z/y");
	CHECK_STR(params("x=y"), "|x=y");
	CHECK_STR(params("a/b; (x=y"), "a/b|x=y");
	CHECK_STR(params("a/b; x="), "a/b|x=");
	CHECK_STR(params("a/b; x=\""), "a/b|x=");
}

static const char *
joined(const char *s)
{
	struct sections sec = { .n = 0 };
	struct params ps;
	struct param pm;

	params_begin(&ps, (const uint8_t *)s, strlen(s), dst, sizeof(dst));
	while (params_next(&ps, &pm))
		(void)sections_add(&sec, "n", &pm);
	(void)sections_utf8(&sec, dst, sizeof(dst));
	return dst;
}

static void
test_sections(void)
{
	CHECK_STR(joined("a; n=x"), "");
	CHECK_STR(joined("a; n*=utf-8''%c3%a4"), "\xc3\xa4");
	CHECK_STR(joined("a; n*=iso-8859-1'de'%E4b"), "\xc3\xa4" "b");
	CHECK_STR(joined("a; n*1=b; n*0=a; n*2*=%63"), "abc");
	CHECK_STR(joined("a; n*0*=iso-8859-1''%e4; n*1=%e4"),
	    "\xc3\xa4%e4");
	CHECK_STR(joined("a; n*=nothing"), "nothing");
	CHECK_STR(joined("a; n*=x'y"), "y");
	CHECK_STR(joined("a; n*=''%zz%4"), "%zz%4");
	CHECK_STR(joined("a; n*x=b; nn*=c; n*0x=d"), "");
}

int
main(void)
{
	test_base64();
	test_qp();
	test_charset();
	test_words();
	test_params();
	test_sections();
	return unit_end();
}
