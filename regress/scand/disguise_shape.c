/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "regress/scand/disguise.h"

/*
 * Disguises that are only other words around a file: fields that contradict
 * each other, boundaries that are hard to find, parts in parts.
 */

enum body {
	BODY_BASE64, BODY_QUOTED, BODY_UUENCODE, BODY_YENC, BODY_SPACED,
	BODY_LINE, BODY_URL
};

/* What stands before a file and behind it in a mail; @ is its name. */
struct shape {
	const char	*name;
	const char	*pre;
	enum body	 body;
	const char	*post;
};

#define VERSION	"MIME-Version: 1.0\r\n"
#define HELLO	"Content-Type: text/plain\r\n\r\nHello\r\n"
#define NAMED	"Content-Type: x/y\r\n"				\
		"Content-Disposition: attachment; filename=\"@\"\r\n"
#define BASE64	"Content-Transfer-Encoding: base64\r\n"
#define MIXED	"Content-Type: multipart/mixed; boundary="

static const struct shape shapes[] = {
	{ "related",
	    VERSION "Content-Type: multipart/related; "
	    "boundary=\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n"
	    "Content-Type: image/png\r\n" "Content-ID: <1@x>\r\n" BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "alternative",
	    VERSION "Content-Type: multipart/alternative; "
	    "boundary=\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "unknown multipart",
	    VERSION "Content-Type: multipart/x-foo; boundary=\"=_b\"\r\n\r\n"
	    "--=_b\r\n" HELLO "--=_b\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "digest",
	    VERSION "Content-Type: multipart/digest; boundary=out\r\n\r\n"
	    "--out\r\n\r\n" "Subject: x\r\n" VERSION MIXED "\"in\"\r\n\r\n"
	    "--in\r\n" HELLO "--in\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--in--\r\n" "--out--\r\n" },
	{ "report",
	    VERSION "Content-Type: multipart/report; boundary=out\r\n\r\n"
	    "--out\r\n" HELLO "--out\r\n" "Content-Type: message/rfc822\r\n\r\n"
	    "Subject: x\r\n" VERSION MIXED "\"in\"\r\n\r\n" "--in\r\n" HELLO
	    "--in\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--in--\r\n" "--out--\r\n" },
	{ "signed",
	    VERSION "Content-Type: multipart/signed; boundary=out\r\n\r\n"
	    "--out\r\n" VERSION MIXED "\"in\"\r\n\r\n" "--in\r\n" HELLO
	    "--in\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--in--\r\n" "--out\r\n"
	    "Content-Type: application/pkcs7-signature\r\n\r\n" "x\r\n"
	    "--out--\r\n" },
	{ "nested",
	    VERSION MIXED "n0\r\n\r\n" "--n0\r\n" MIXED "n1\r\n\r\n" "--n1\r\n"
	    MIXED "n2\r\n\r\n" "--n2\r\n" MIXED "n3\r\n\r\n" "--n3\r\n" MIXED
	    "n4\r\n\r\n" "--n4\r\n" MIXED "n5\r\n\r\n" "--n5\r\n" MIXED
	    "n6\r\n\r\n" "--n6\r\n" MIXED "n7\r\n\r\n" "--n7\r\n" NAMED BASE64
	    "\r\n",
	    BODY_BASE64, "" },
	{ "messages",
	    VERSION "Content-Type: message/rfc822\r\n\r\n" "Subject: 0\r\n"
	    "Content-Type: message/rfc822\r\n\r\n" "Subject: 1\r\n"
	    "Content-Type: message/rfc822\r\n\r\n" "Subject: 2\r\n"
	    "Content-Type: message/rfc822\r\n\r\n" "Subject: 3\r\n"
	    "Content-Type: message/rfc822\r\n\r\n" "Subject: 4\r\n"
	    "Content-Type: message/rfc822\r\n\r\n" "Subject: 5\r\n" NAMED BASE64
	    "\r\n",
	    BODY_BASE64, "" },
	{ "encoding twice",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    "Content-Transfer-Encoding: 7bit\r\n" BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "encoding third",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" BASE64
	    NAMED "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "encoding 8bit",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    "Content-Transfer-Encoding: 8bit\r\n\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "encoding missing",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "encoding quoted",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    "Content-Transfer-Encoding: \"base64\"\r\n\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "encoding comments",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    "Content-Transfer-Encoding: ((7bit) base64 " "(8bit);\r\n\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "encoding folded",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    "Content-Transfer-Encoding:\r\n" " \tBase64\r\n\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "encoding uuencode",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    "Content-Transfer-Encoding: x-uuencode\r\n\r\n",
	    BODY_UUENCODE, "--=_b--\r\n" },
	{ "encoding yEnc",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    "Content-Transfer-Encoding: x-yenc\r\n\r\n",
	    BODY_YENC, "--=_b--\r\n" },
	{ "spaced",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_SPACED, "--=_b--\r\n" },
	{ "one line",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_LINE, "--=_b--\r\n" },
	{ "other alphabet",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_URL, "--=_b--\r\n" },
	{ "boundary folded",
	    VERSION MIXED "\r\n" "\t\"=_b\" (x)\r\n\r\n" "--=_b\r\n" HELLO
	    "--=_b\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "boundary in sections",
	    VERSION MIXED "x; boundary*1=c; boundary*0=ab\r\n\r\n" "--abc\r\n"
	    HELLO "--abc\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--abc--\r\n" },
	{ "boundary encoded",
	    VERSION MIXED "x; boundary*=us-ascii''a%62c\r\n\r\n" "--abc\r\n"
	    HELLO "--abc\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--abc--\r\n" },
	{ "boundary twice",
	    VERSION MIXED "foo; boundary=abc\r\n\r\n" "--abc\r\n" HELLO
	    "--abc\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--abc--\r\n" },
	{ "boundary first",
	    VERSION MIXED "abc; boundary=foo\r\n\r\n" "--abc\r\n" HELLO
	    "--abc\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--abc--\r\n" },
	{ "boundary in quotes",
	    VERSION MIXED "'abc'\r\n\r\n" "--abc\r\n" HELLO "--abc\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_BASE64, "--abc--\r\n" },
	{ "boundary of words",
	    VERSION MIXED "a b\r\n\r\n" "--a b\r\n" HELLO "--a b\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_BASE64, "--a b--\r\n" },
	{ "boundary unknown",
	    VERSION MIXED "\"\"\r\n\r\n" "--abc\r\n" HELLO "--abc\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_BASE64, "--abc--\r\n" },
	{ "boundary longer",
	    VERSION MIXED "abc\r\n\r\n" "--abcdef\r\n" HELLO "--abcdef\r\n"
	    NAMED BASE64 "\r\n",
	    BODY_BASE64, "--abcdef--\r\n" },
	{ "type in comments",
	    VERSION "Content-Type: (x)multipart/(y)mixed(z); "
	    "boundary=\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "type quoted",
	    VERSION "Content-Type: \"multipart/mixed\"; "
	    "boundary=\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_BASE64, "" },
	{ "type folded",
	    VERSION "Content-Type: multipart/\r\n"
	    " mixed; boundary=\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n"
	    NAMED BASE64 "\r\n",
	    BODY_BASE64, "" },
	{ "type with blank",
	    VERSION "Content-Type : multipart/mixed; boundary=\"=_b\"\r\n\r\n"
	    "--=_b\r\n" HELLO "--=_b\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "" },
	{ "type without semicolon",
	    VERSION "Content-Type: multipart/mixed boundary=\"=_b\"\r\n\r\n"
	    "--=_b\r\n" HELLO "--=_b\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "" },
	{ "type text",
	    VERSION "Content-Type: text/plain; boundary=\"=_b\"\r\n\r\n"
	    "--=_b\r\n" HELLO "--=_b\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "" },
	{ "type missing",
	    VERSION "\r\n" "--=_b\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "type again",
	    VERSION MIXED "\"=_b\"\r\n" "Content-Type: text/plain\r\n\r\n"
	    "--=_b\r\n" HELLO "--=_b\r\n" NAMED BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "no version",
	    MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED BASE64
	    "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "lines in header",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n"
	    "X-A: 1\r\n" "no field\r\n" NAMED ">From x\r\n" BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "name in sections",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n"
	    "Content-Disposition: attachment;\r\n"
	    " filename*0*=utf-8''a%20;\r\n" " filename*1=\"@\"\r\n" BASE64
	    "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "name encoded",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n"
	    "Content-Type: text/plain; " "name=\"=?utf-8?B?YS5kb2M=?=\"\r\n"
	    BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "external body",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n"
	    "Content-Type: message/external-body; " "access-type=url\r\n\r\n"
	    NAMED BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "uuencode without end",
	    "\r\n" "Hello\r\n" "begin 100644 @\r\n",
	    BODY_UUENCODE, "Yours\r\n" },
	{ "uuencode after another",
	    "\r\n" "Hello\r\n" "begin 644 a.txt\r\n",
	    BODY_UUENCODE, "Yours\r\n" },
	{ "uuencode in HTML",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n"
	    "Content-Type: text/html\r\n\r\n" "<p>Hello</p>\r\n",
	    BODY_UUENCODE, "--=_b--\r\n" },
	{ "mail archive",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n"
	    "Content-Type: text/plain\r\n\r\n\r\n" VERSION
	    "Content-Type: multipart/related; boundary=m\r\n\r\n" "--m\r\n"
	    "Content-Location: x.mso\r\n" BASE64 "\r\n",
	    BODY_BASE64, "--=_b--\r\n" },
	{ "end missing",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_BASE64, "" },
	{ "another ends",
	    VERSION MIXED "\"=_b\"\r\n\r\n" "--=_b\r\n" HELLO "--=_b\r\n" NAMED
	    BASE64 "\r\n",
	    BODY_BASE64, "--foo--\r\n" "--=_b\r\n\r\n" "--=_b--\r\n" },
};
#define NSHAPES	(sizeof(shapes) / sizeof(shapes[0]))

static void
put_named(const char *s, const char *name)
{
	const char *at;

	for (; (at = strchr(s, '@')) != NULL; s = at + 1) {
		letter_add(s, (size_t)(at - s));
		letter_text(name);
	}
	letter_text(s);
}

static void
put_body(enum body body, const uint8_t *p, size_t n, const char *name)
{
	size_t from = letter.n;

	switch (body) {
	case BODY_QUOTED:
		letter_quoted(p, n);
		break;
	case BODY_UUENCODE:
		letter_text("begin 644 ");
		letter_text(name);
		letter_text("\r\n");
		letter_uuencoded(p, n);
		break;
	case BODY_YENC:
		letter_yenc(p, n, name);
		break;
	case BODY_SPACED:
		letter_base64(p, n, 76, " \t\x01 ");
		break;
	case BODY_LINE:
		letter_base64(p, n, SIZE_MAX, NULL);
		break;
	case BODY_BASE64:
	case BODY_URL:
		letter_base64(p, n, 76, NULL);
		break;
	}
	for (; body == BODY_URL && from < letter.n; from++) {
		if (letter.p[from] == '+' || letter.p[from] == '/')
			letter.p[from] = letter.p[from] == '+' ? '-' : '_';
	}
}

const char *
disguise_shape(size_t i, const uint8_t *p, size_t n, const char *name)
{
	if (i >= NSHAPES)
		return NULL;
	letter_begin("");
	put_named(shapes[i].pre, name);
	put_body(shapes[i].body, p, n, name);
	letter_text(shapes[i].post);
	return shapes[i].name;
}
