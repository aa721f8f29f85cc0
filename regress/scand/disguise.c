/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "regress/scand/disguise.h"

/*
 * Disguises of an attachment: mails that some reader would show it in, however
 * they are written.
 */

struct buffer	letter;
#define msg	letter

void
letter_add(const void *p, size_t n)
{
	if (msg.size - msg.n < n) {
		msg.size = 2 * (msg.size + n);
		if ((msg.p = realloc(msg.p, msg.size)) == NULL)
			exit(1);
	}
	memcpy(msg.p + msg.n, p, n);
	msg.n += n;
}

void
letter_text(const char *s)
{
	letter_add(s, strlen(s));
}

void
letter_base64(const uint8_t *p, size_t n, size_t line, const char *noise)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i, column = 0;
	uint32_t v;
	char four[4];

	for (i = 0; i < n; i += 3) {
		v = (uint32_t)p[i] << 16;
		if (i + 1 < n)
			v |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < n)
			v |= p[i + 2];
		four[0] = digits[v >> 18];
		four[1] = digits[v >> 12 & 63];
		four[2] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		four[3] = i + 2 < n ? digits[v & 63] : '=';
		letter_add(four, 4);
		if (noise != NULL && i % 21 == 0)
			letter_text(noise);
		if ((column += 4) >= line) {
			letter_text("\r\n");
			column = 0;
		}
	}
	letter_text("\r\n");
}

void
letter_quoted(const uint8_t *p, size_t n)
{
	size_t i, column = 0;
	char hex[4];

	for (i = 0; i < n; i++) {
		if (p[i] > 32 && p[i] < 127 && p[i] != '=') {
			letter_add(&p[i], 1);
			column++;
		} else {
			(void)snprintf(hex, sizeof(hex), "=%02X", p[i]);
			letter_text(hex);
			column += 3;
		}
		if (column > 70) {
			letter_text("=\r\n");
			column = 0;
		}
	}
	letter_text("\r\n");
}

void
letter_uuencoded(const uint8_t *p, size_t n)
{
	size_t i, k, len;
	uint8_t t[3];
	char line[64];

	for (i = 0; i < n; i += 45) {
		len = n - i < 45 ? n - i : 45;
		line[0] = (char)(32 + len);
		for (k = 0; k < len; k += 3) {
			memset(t, 0, sizeof(t));
			memcpy(t, p + i + k, len - k < 3 ? len - k : 3);
			line[1 + k / 3 * 4] = (char)(32 + (t[0] >> 2));
			line[2 + k / 3 * 4] = (char)(32 + ((t[0] << 4 |
			    t[1] >> 4) & 63));
			line[3 + k / 3 * 4] = (char)(32 + ((t[1] << 2 |
			    t[2] >> 6) & 63));
			line[4 + k / 3 * 4] = (char)(32 + (t[2] & 63));
		}
		len = 1 + (len + 2) / 3 * 4;
		for (k = 0; k < len; k++) {
			if (line[k] == ' ')
				line[k] = '`';
		}
		letter_add(line, len);
		letter_text("\r\n");
	}
	letter_text("`\r\nend\r\n");
}

void
letter_begin(const char *fields)
{
	char date[64];
	time_t t = time(NULL);
	struct tm tm;

	msg.n = 0;
	(void)strftime(date, sizeof(date),
	    "Date: %a, %d %b %Y %H:%M:%S +0000\r\n", gmtime_r(&t, &tm));
	letter_text(date);
	letter_text("From: X Y <x@a.example>\r\nTo: z@uni.example\r\n"
	    "Subject: hello\r\nMessage-ID: <1@a.example>\r\n");
	letter_text(fields);
}

void
letter_yenc(const uint8_t *p, size_t n, const char *name)
{
	char head[128];
	uint8_t c, pair[2] = { '=', 0 };
	size_t i, column = 0;

	(void)snprintf(head, sizeof(head),
	    "=ybegin line=128 size=%zu name=%s\r\n", n, name);
	letter_text(head);
	for (i = 0; i < n; i++) {
		c = (uint8_t)(p[i] + 42);
		pair[1] = (uint8_t)(c + 64);
		if (c == 0 || c == '\n' || c == '\r' || c == '=' ||
		    (c == '.' && column == 0))
			letter_add(pair, 2);
		else
			letter_add(&c, 1);
		if (++column == 128) {
			letter_text("\r\n");
			column = 0;
		}
	}
	(void)snprintf(head, sizeof(head), "\r\n=yend size=%zu\r\n", n);
	letter_text(head);
}

void
letter_keep(struct buffer *b)
{
	if (b->size < msg.n &&
	    (b->p = realloc(b->p, b->size = msg.n)) == NULL)
		exit(1);
	b->n = msg.n;
	memcpy(b->p, msg.p, msg.n);
}

#define MIXED	"MIME-Version: 1.0\r\n"					\
		"Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n"
#define HELLO	"--=_b\r\nContent-Type: text/plain\r\n\r\nHello,\r\n"	\
		"here it is.\r\n--=_b\r\n"
#define BASE64	"Content-Transfer-Encoding: base64\r\n"
#define END	"--=_b--\r\n"

static void
named(const char *type, const char *name)
{
	letter_text("Content-Type: ");
	letter_text(type);
	letter_text("\r\nContent-Disposition: attachment; filename=\"");
	letter_text(name);
	letter_text("\"\r\n");
}

static void
wrap_plain(const uint8_t *p, size_t n, const char *name)
{
	letter_begin(MIXED HELLO);
	named("application/octet-stream", name);
	letter_text(BASE64 "\r\n");
	letter_base64(p, n, 76, NULL);
	letter_text(END);
}

static void
wrap_quoted(const uint8_t *p, size_t n, const char *name)
{
	letter_begin(MIXED HELLO);
	named("image/png", name);
	letter_text("Content-Transfer-Encoding: Quoted-Printable (x)\r\n\r\n");
	letter_quoted(p, n);
	letter_text(END);
}

static void
wrap_alone(const uint8_t *p, size_t n, const char *name)
{
	letter_begin("MIME-Version: 1.0\r\n");
	named("text/plain", name);
	letter_text(BASE64 "\r\n");
	letter_base64(p, n, 4, NULL);
}

static void
wrap_noise(const uint8_t *p, size_t n, const char *name)
{
	letter_begin(MIXED HELLO);
	named("text/html", name);
	letter_text("content-transfer-encoding:\r\n\tBASE64\r\n\r\n");
	letter_base64(p, n, 60, "!\r\n \t{}");
	letter_text("\r\n");
}

static void
wrap_uuencode(const uint8_t *p, size_t n, const char *name)
{
	letter_begin("\r\nHello,\r\n\r\nbegin 644 ");
	letter_text(name);
	letter_text("\r\n");
	letter_uuencoded(p, n);
	letter_text("Yours\r\n");
}

static void
wrap_boundary(const uint8_t *p, size_t n, const char *name)
{
	letter_begin("Content-Type: multipart/mixed; boundary=other\r\n\r\n"
	    HELLO);
	named("x/y", name);
	letter_text(BASE64 "\r\n");
	letter_base64(p, n, 76, NULL);
	letter_text(END);
}

static void
wrap_twice(const uint8_t *p, size_t n, const char *name)
{
	letter_begin("Content-Type: text/plain\r\n" MIXED HELLO);
	named("x/y", name);
	letter_text("Content-Transfer-Encoding: 7bit\r\n" BASE64 "\r\n");
	letter_base64(p, n, 76, NULL);
	letter_text(END);
}

static void
wrap_message(const uint8_t *p, size_t n, const char *name)
{
	letter_begin(MIXED HELLO "Content-Type: message/rfc822\r\n\r\n"
	    "Subject: inner\r\n"
	    "Content-Type: multipart/related; boundary*0=a;boundary*1=bc\r\n"
	    "\r\n--abc\r\n\r\none\r\n--abc\r\n");
	named("application/pdf", name);
	letter_text(BASE64 "\r\n");
	letter_base64(p, n, 76, NULL);
	letter_text("--abc--\r\n" END);
}

/* A message that becomes part of the next. */
static struct buffer *
copy(void (*wrap)(const uint8_t *, size_t, const char *), const uint8_t *p,
    size_t n, const char *name)
{
	static struct buffer b;

	wrap(p, n, name);
	letter_keep(&b);
	return &b;
}

/* A letter in base64 as attachment. */
static void
wrap_inner(const uint8_t *p, size_t n, const char *name)
{
	struct buffer *b = copy(wrap_plain, p, n, name);

	letter_begin(MIXED HELLO "Content-Type: application/octet-stream\r\n"
	    BASE64 "\r\n");
	letter_base64(b->p, b->n, 76, NULL);
	letter_text(END);
}

static void
wrap_header(const uint8_t *p, size_t n, const char *name)
{
	letter_begin(MIXED HELLO);
	named("x/y", name);
	letter_text(" \r\n" BASE64 "no field\r\n\r\n");
	letter_base64(p, n, 76, NULL);
	letter_text("--=_bx\r\n");
}

/* The same as message/rfc822, which must not be encoded. */
static void
wrap_encoded(const uint8_t *p, size_t n, const char *name)
{
	struct buffer *b = copy(wrap_plain, p, n, name);

	letter_begin(MIXED HELLO "Content-Type: message/rfc822\r\n" BASE64
	    "\r\n");
	letter_base64(b->p, b->n, 76, NULL);
	letter_text(END);
}

/* A multipart that is encoded as a whole. */
static void
wrap_whole(const uint8_t *p, size_t n, const char *name)
{
	struct buffer *b = copy(wrap_plain, p, n, name);
	uint8_t *body = memmem(b->p, b->n, "\r\n\r\n", 4);

	if (body == NULL)
		exit(1);
	letter_begin(BASE64 MIXED);
	letter_base64(body + 4, b->n - (size_t)(body + 4 - b->p), 76, NULL);
}

/* Each line by itself, with padding. */
static void
wrap_padded(const uint8_t *p, size_t n, const char *name)
{
	size_t i;

	letter_begin(MIXED HELLO);
	named("x/y", name);
	letter_text(BASE64 "\r\n");
	for (i = 0; i < n; i += 40)
		letter_base64(p + i, n - i < 40 ? n - i : 40, 76, NULL);
	letter_text(END);
}

/* In the middle stands what some take for a boundary. */
static void
wrap_broken(const uint8_t *p, size_t n, const char *name)
{
	size_t half = n / 2 / 57 * 57;

	letter_begin("Content-Type: multipart/mixed; boundary=..\r\n\r\n"
	    "--..\r\n");
	named("x/y", name);
	letter_text(BASE64 "\r\n");
	letter_base64(p, half, 76, NULL);
	letter_text("--......\r\n");
	letter_base64(p + half, n - half, 76, NULL);
	letter_text("--..--\r\n");
}

/* The outer boundary, which is noise, inside of the inner part. */
static void
wrap_outer(const uint8_t *p, size_t n, const char *name)
{
	size_t half = n / 2 / 57 * 57;

	letter_begin("MIME-Version: 1.0\r\nContent-Type: multipart/mixed;"
	    " boundary=\"....\"\r\n\r\n--....\r\n"
	    "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n");
	named("x/y", name);
	letter_text(BASE64 "\r\n");
	letter_base64(p, half, 76, NULL);
	letter_text("--....\r\n");
	letter_base64(p + half, n - half, 76, NULL);
	letter_text("--x--\r\n--....--\r\n");
}

static void
wrap_epilogue(const uint8_t *p, size_t n, const char *name)
{
	letter_begin(MIXED HELLO "\r\n--=_b--\r\n");
	named("x/y", name);
	letter_text(BASE64 "\r\n");
	letter_base64(p, n, 76, NULL);
	letter_text("--=_b--\r\n");
}

/* An empty header section, and then another. */
static void
wrap_late(const uint8_t *p, size_t n, const char *name)
{
	letter_begin(MIXED HELLO "\r\n");
	named("x/y", name);
	letter_text(BASE64 "\r\n");
	letter_base64(p, n, 76, NULL);
	letter_text(END);
}

static void
wrap_mbox(const uint8_t *p, size_t n, const char *name)
{
	struct buffer *b = copy(wrap_plain, p, n, name);

	letter_begin(MIXED HELLO "Content-Type: text/plain\r\n" BASE64 "\r\n");
	letter_text("RnJvbSB4QGEuZXhhbXBsZSBNb24gSmFuICAxIDAwOjAwOjAw"
	    "IDIwMjQK");
	letter_text("\r\n");
	letter_base64(b->p, b->n, 76, NULL);
	letter_text(END);
}

static void
wrap_yenc(const uint8_t *p, size_t n, const char *name)
{
	letter_begin("MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n");
	letter_yenc(p, n, name);
}

static const struct {
	const char	*name;
	void		(*wrap)(const uint8_t *, size_t, const char *);
} wraps[] = {
	{ "plain", wrap_plain },
	{ "quoted-printable", wrap_quoted },
	{ "alone", wrap_alone },
	{ "noise", wrap_noise },
	{ "uuencode", wrap_uuencode },
	{ "boundary", wrap_boundary },
	{ "twice", wrap_twice },
	{ "message", wrap_message },
	{ "inner", wrap_inner },
	{ "header", wrap_header },
	{ "encoded", wrap_encoded },
	{ "whole", wrap_whole },
	{ "padded", wrap_padded },
	{ "broken", wrap_broken },
	{ "outer", wrap_outer },
	{ "epilogue", wrap_epilogue },
	{ "late", wrap_late },
	{ "mbox", wrap_mbox },
	{ "yenc", wrap_yenc },
};
#define NWRAPS	(sizeof(wraps) / sizeof(wraps[0]))

const char *
disguise(size_t i, const uint8_t *p, size_t n, const char *name)
{
	if (i >= NWRAPS)
		return disguise_shape(i - NWRAPS, p, n, name);
	wraps[i].wrap(p, n, name);
	return wraps[i].name;
}
