/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/mman.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#define ZLIB_CONST
#include <zlib.h>

#include "regress/scand/letters.h"

/* See letters.h. */

static uint32_t	chance(void);
static void	add_16(struct letter *, unsigned);
static void	add_32(struct letter *, size_t);
static void	zip_head(struct letter *, uLong, size_t, size_t, size_t, int);

static const char *const words[] = {
	"Rechnung", "meeting", "please", "the", "report", "of", "and",
	"Kundin", "schedule,", "review", "attached", "to", "for", "f\303\274r",
	"project.", "update", "regards", "morgen",
};
#define NWORDS	(sizeof(words) / sizeof(words[0]))

void
letter_init(struct letter *l, size_t size)
{
	l->n = 0;
	l->size = size;
	l->p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	if (l->p == MAP_FAILED)
		abort();
}

void
letter_free(struct letter *l)
{
	(void)munmap(l->p, l->size);
}

void
letter_add(struct letter *l, const void *p, size_t n)
{
	if (n > l->size - l->n)
		abort();
	memcpy(l->p + l->n, p, n);
	l->n += n;
}

void
letter_text(struct letter *l, const char *s)
{
	letter_add(l, s, strlen(s));
}

void
letter_begin(struct letter *l, const char *fields)
{
	char date[64];
	time_t t = time(NULL);
	struct tm tm;

	l->n = 0;
	(void)strftime(date, sizeof(date),
	    "Date: %a, %d %b %Y %H:%M:%S +0000\r\n", gmtime_r(&t, &tm));
	letter_text(l, date);
	letter_text(l, "From: X Y <x@a.example>\r\nTo: z@uni.example\r\n"
	    "Subject: hello\r\nMessage-ID: <1@a.example>\r\n"
	    "MIME-Version: 1.0\r\n");
	letter_text(l, fields);
}

void
letter_words(struct letter *l, size_t n)
{
	size_t end = l->n + n, column = 0, line = 0;
	const char *w;

	while (l->n < end) {
		w = words[chance() % NWORDS];
		if (column == 0 && ++line % 10 == 0)
			w = "https://www.example.org/a/b.html?c=d";
		letter_text(l, w);
		column += strlen(w) + 1;
		letter_text(l, column > 68 ? "\r\n" : " ");
		if (column > 68)
			column = 0;
	}
	letter_text(l, "\r\n");
}

void
letter_html(struct letter *l, size_t n)
{
	size_t end = l->n + n;
	int i;

	letter_text(l, "<html><head><title>x</title></head><body>\r\n");
	while (l->n < end) {
		letter_text(l, "<p style=\"color:#fff\" class=c>");
		for (i = 0; i < 8; i++) {
			letter_text(l, words[chance() % NWORDS]);
			letter_text(l, i == 4 ? "&nbsp;\r\n" : " ");
		}
		letter_text(l, "<a href=\"https://www.example.org/a\">here</a>"
		    "</p>\r\n");
	}
	letter_text(l, "</body></html>\r\n");
}

void
letter_base64(struct letter *l, const uint8_t *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char line[78];
	size_t i, k = 0;
	uint32_t v;

	for (i = 0; i < n; i += 3) {
		v = (uint32_t)p[i] << 16 |
		    (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
		    (i + 2 < n ? p[i + 2] : 0);
		line[k++] = digits[v >> 18];
		line[k++] = digits[v >> 12 & 63];
		line[k++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		line[k++] = i + 2 < n ? digits[v & 63] : '=';
		if (k == 76 || i + 3 >= n) {
			line[k++] = '\r';
			line[k++] = '\n';
			letter_add(l, line, k);
			k = 0;
		}
	}
}

void
packing_begin(struct packing *z, size_t size)
{
	letter_init(&z->zip, size);
	letter_init(&z->dir, 4 * 1024 * 1024);
	z->members = 0;
}

void
packing_free(struct packing *z)
{
	letter_free(&z->zip);
	letter_free(&z->dir);
}

/* APPNOTE 4.3.7 and 4.3.12 from the version on. */
static void
zip_head(struct letter *l, uLong crc, size_t csize, size_t n, size_t name,
    int stored)
{
	add_16(l, 20);
	add_16(l, 0);
	add_16(l, stored ? 0 : 8);
	add_32(l, 0x5a215a21);
	add_32(l, crc);
	add_32(l, csize);
	add_32(l, n);
	add_16(l, (unsigned)name);
	add_16(l, 0);
}

void
packing_add(struct packing *z, const char *name, const uint8_t *p, size_t n,
    int stored)
{
	uLong crc = crc32(0, p, (uInt)n);
	size_t at = z->zip.n, len = strlen(name), size = n;
	uint8_t *packed = NULL;
	z_stream s = { .next_in = NULL };

	if (!stored) {
		if ((packed = malloc(compressBound(n))) == NULL ||
		    deflateInit2(&s, 6, Z_DEFLATED, -15, 8, 0) != Z_OK)
			abort();
		s.next_in = p;
		s.avail_in = (uInt)n;
		s.next_out = packed;
		s.avail_out = (uInt)compressBound(n);
		(void)deflate(&s, Z_FINISH);
		size = s.total_out;
		(void)deflateEnd(&s);
	}
	letter_add(&z->zip, "PK\3\4", 4);
	zip_head(&z->zip, crc, size, n, len, stored);
	letter_text(&z->zip, name);
	letter_add(&z->zip, stored ? p : packed, size);
	letter_add(&z->dir, "PK\1\2\24", 6);
	zip_head(&z->dir, crc, size, n, len, stored);
	letter_add(&z->dir, "\0\0\0\0\0\0\0\0\0\0", 10);
	add_32(&z->dir, at);
	letter_text(&z->dir, name);
	z->members++;
	free(packed);
}

void
packing_end(struct packing *z)
{
	size_t at = z->zip.n;

	letter_add(&z->zip, z->dir.p, z->dir.n);
	letter_add(&z->zip, "PK\5\6\0\0\0\0", 8);
	add_16(&z->zip, z->members);
	add_16(&z->zip, z->members);
	add_32(&z->zip, z->dir.n);
	add_32(&z->zip, at);
	add_16(&z->zip, 0);
}

void
packing_docx(struct packing *z, size_t n)
{
	static const char types[] = "<?xml version=\"1.0\"?><Types xmlns="
	    "\"http://schemas.openxmlformats.org/package/2006/content-types\">"
	    "<Override PartName=\"/word/document.xml\" ContentType="
	    "\"application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.document.main+xml\"/></Types>";
	struct letter xml;
	uint8_t *picture = malloc(n / 2);
	char buf[200];
	size_t i;

	if (picture == NULL)
		abort();
	packing_add(z, "[Content_Types].xml", (const uint8_t *)types,
	    sizeof(types) - 1, 0);
	/* Packs to about a sixth. */
	letter_init(&xml, 4 * n + 4096);
	letter_text(&xml, "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://"
	    "schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>");
	while (xml.n < 3 * n) {
		(void)snprintf(buf, sizeof(buf), "<w:p w:rsidR=\"%08X\"><w:r>"
		    "<w:rPr><w:b/></w:rPr><w:t>%s ", chance(),
		    words[chance() % NWORDS]);
		letter_text(&xml, buf);
		for (i = 0; i < 6; i++) {
			letter_text(&xml, words[chance() % NWORDS]);
			letter_text(&xml, " ");
		}
		letter_text(&xml, "</w:t></w:r></w:p>");
	}
	letter_text(&xml, "</w:body></w:document>");
	packing_add(z, "word/document.xml", xml.p, xml.n, 0);
	letter_free(&xml);
	noise(picture, n / 2);
	memcpy(picture, "\x89PNG\r\n\x1a\n", 8);
	packing_add(z, "word/media/image1.png", picture, n / 2, 0);
	free(picture);
	packing_end(z);
}

void
noise(uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(chance() >> 24);
}

/* The same each time, so that figures can be compared. */
static uint32_t
chance(void)
{
	static uint32_t r = 17;

	r = r * 1103515245U + 12345U;
	return r >> 3 ^ r << 11;
}

static void
add_16(struct letter *l, unsigned v)
{
	uint8_t p[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	letter_add(l, p, 2);
}

static void
add_32(struct letter *l, size_t v)
{
	add_16(l, (unsigned)(v & 0xffff));
	add_16(l, (unsigned)(v >> 16 & 0xffff));
}
