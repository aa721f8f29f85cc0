/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/magic.h"
#include "scand/content/octets.h"

/*
 * What kind of text something is.  None of these formats has a signature at a
 * fixed place: white space, marks of byte order and comments may come first,
 * and for MIME even lines that are none.
 */

#define SAMPLE		4096	/* of a text, to see that it is one */
#define HEAD		65536	/* where a MIME header has to begin */
/* Bits of the control characters that no text has: all but BS to CR, SUB and
   ESC. */
#define ODD		UINT32_C(0xf3ffc0ff)

static size_t	 skip_blanks(const uint8_t *, size_t);
static enum content_type markup(const uint8_t *, size_t);
static enum content_type markup16(const uint8_t *, size_t);
static size_t	 line_next(const uint8_t *, size_t, size_t);
static size_t	 field_name_len(const uint8_t *, size_t);
static int	 is_uuencode(const uint8_t *, size_t);
static int	 is_pem_cms(const uint8_t *, size_t);

enum content_type
magic_text(const uint8_t *p, size_t n)
{
	enum content_type t;
	size_t at = skip_blanks(p, n);

	if (n - at >= 4 && memcmp(p + at, "{\\rt", 4) == 0)
		return CONTENT_RTF;
	if (n - at >= 4 && (t = markup16(p, n)) != CONTENT_UNKNOWN)
		return t;
	if (at < n && p[at] == '<')
		return markup(p + at, n - at);
	if (magic_mime_start(p, n) < n)
		return CONTENT_MIME;
	/* Its lines have all octets but three. */
	if (n - at >= 8 && memcmp(p + at, "=ybegin ", 8) == 0)
		return CONTENT_YENC;
	if (!magic_is_text(p, n))
		return CONTENT_UNKNOWN;
	if (at == 0 && n > 2 && memcmp(p, "#!", 2) == 0)
		return CONTENT_SCRIPT;
	if (n - at >= 15 && memcmp(p + at, "-----BEGIN PGP ", 15) == 0)
		return CONTENT_PGP;
	if (is_pem_cms(p + at, n - at))
		return CONTENT_PKCS7;
	if (is_uuencode(p + at, n - at))
		return CONTENT_UUENCODE;
	return CONTENT_TEXT;
}

/* Blanks, line ends and the mark of UTF-8 before what is meant. */
static size_t
skip_blanks(const uint8_t *p, size_t n)
{
	size_t i = 0;

	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		i = 3;
	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' ||
	    p[i] == '\n'))
		i++;
	return i;
}

int
magic_is_text(const uint8_t *p, size_t n)
{
	size_t i, len = n < SAMPLE ? n : SAMPLE, odd = 0;

	if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) ||
	    (p[0] == 0xfe && p[1] == 0xff)))
		return 1;
	if (len > 0 && memchr(p, 0, len) != NULL)
		return 0;
	for (i = 0; i < len; i++)
		odd += p[i] < 0x20 ? ODD >> p[i] & 1 : p[i] == 0x7f;
	return odd <= len / 50;
}

/* p[0] is '<'. */
static enum content_type
markup(const uint8_t *p, size_t n)
{
	static const char *const html[] = {
		"<html", "<!doctype html", "<head", "<body", "<script", "<meta",
		"<title", "<table", "<div", "<style", "<a ", "<p>", "<br",
		"<center", "<font", "<img", "<iframe", "<form",
	};
	size_t i, k, len = n < SAMPLE ? n : SAMPLE;

	if (octets_ifind(p, len, 0, "<hta:application") < len)
		return CONTENT_HTA;
	if (octets_ibegin(p, n, "<?xml") || octets_ibegin(p, n, "<?mso-"))
		return CONTENT_XML;
	/* Behind comments and whatever else comes first. */
	for (i = 0; i < len; i++) {
		if (p[i] != '<')
			continue;
		for (k = 0; k < sizeof(html) / sizeof(html[0]); k++)
			if (octets_ibegin(p + i, n - i, html[k]))
				return CONTENT_HTML;
		if (octets_ibegin(p + i, n - i, "<?xml"))
			return CONTENT_XML;
	}
	if (n > 1 && (p[1] == '!' || p[1] == '?' || p[1] == '_' ||
	    (p[1] >= 'A' && p[1] <= 'Z') || (p[1] >= 'a' && p[1] <= 'z')) &&
	    magic_is_text(p, n))
		return CONTENT_XML;
	return magic_is_text(p, n) ? CONTENT_TEXT : CONTENT_UNKNOWN;
}

/* UTF-16, with or without its mark: the same question of its low octets. */
static enum content_type
markup16(const uint8_t *p, size_t n)
{
	uint8_t low[1024] = { 0 };
	enum content_type t;
	size_t i, k = 0, at = 0;
	int big;

	if ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)) {
		big = p[0] == 0xfe;
		at = 2;
	} else if (p[0] == '<' && p[1] == 0 && p[3] == 0)
		big = 0;
	else if (p[0] == 0 && p[1] == '<' && p[2] == 0)
		big = 1;
	else
		return CONTENT_UNKNOWN;
	for (i = at; i + 1 < n && k < sizeof(low); i += 2)
		low[k++] = p[i + !big] != 0 ? '?' : p[i + big];
	i = skip_blanks(low, k);
	if (i < k && low[i] == '<') {
		t = markup(low + i, k - i);
		return t == CONTENT_UNKNOWN ? CONTENT_TEXT : t;
	}
	return CONTENT_TEXT;
}

/*
 * MIME: a header section with MIME-Version or Content-Type, or one that looks
 * like that of a letter.  Word takes an MHTML file with anything before
 * MIME-Version, so that field is looked for in other lines as well.
 */
size_t
magic_mime_start(const uint8_t *p, size_t n)
{
	static const char *const letter[] = {
		"from", "to", "subject", "date", "received", "return-path",
		"message-id", "delivered-to", "reply-to",
	};
	size_t first, at, len, i, head = n < HEAD ? n : HEAD;
	unsigned fields = 0;

	at = first = skip_blanks(p, head);
	if (head - at >= 5 && memcmp(p + at, "From ", 5) == 0)
		at = line_next(p, head, at);
	for (; at < head; at = line_next(p, head, at)) {
		if (p[at] == ' ' || p[at] == '\t')
			continue;
		if ((len = field_name_len(p + at, head - at)) == 0)
			break;
		if ((len == 12 && octets_ibegin(p + at, 12, "mime-version")) ||
		    (len == 12 && octets_ibegin(p + at, 12, "content-type")))
			return first;
		for (i = 0; i < sizeof(letter) / sizeof(letter[0]); i++)
			if (len == strlen(letter[i]) &&
			    octets_ibegin(p + at, len, letter[i]))
				fields++;
	}
	if (fields >= 3)
		return first;
	for (; at < head; at = line_next(p, head, at))
		if (octets_ibegin(p + at, head - at, "mime-version:"))
			return octets_ifind(p, head, at, "content-type:") <
			    head ? at : n;
	return n;
}

static size_t
line_next(const uint8_t *p, size_t n, size_t at)
{
	const uint8_t *end = memchr(p + at, '\n', n - at);

	return end == NULL ? n : (size_t)(end - p) + 1;
}

/* Length of the name, if a header field begins here, else 0 (RFC 5322 2.2). */
static size_t
field_name_len(const uint8_t *p, size_t n)
{
	size_t i, len;

	for (i = 0; i < n && p[i] > 32 && p[i] < 127 && p[i] != ':'; i++)
		continue;
	len = i;
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i < n && p[i] == ':' ? len : 0;
}

static int
is_uuencode(const uint8_t *p, size_t n)
{
	size_t i;

	if (n > 17 && memcmp(p, "begin-base64 ", 13) == 0)
		i = 13;
	else if (n > 10 && memcmp(p, "begin ", 6) == 0)
		i = 6;
	else
		return 0;
	return p[i] >= '0' && p[i] <= '7' && p[i + 1] >= '0' &&
	    p[i + 1] <= '7' && p[i + 2] >= '0' && p[i + 2] <= '7';
}

/* RFC 7468 8 and 9. */
static int
is_pem_cms(const uint8_t *p, size_t n)
{
	return (n > 21 && memcmp(p, "-----BEGIN PKCS7-----", 21) == 0) ||
	    (n > 19 && memcmp(p, "-----BEGIN CMS-----", 19) == 0);
}
