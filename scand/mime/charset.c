/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>

#include <unicode/ucnv.h>

#include "scand/content/octets.h"
#include "scand/mime/mime.h"
#include "scand/mime/parts.h"

/*
 * Text to UTF-8 by ICU, whose tables are inside its library, so that it works
 * in an empty root.  Who declares no or a wrong character set gets what most
 * readers show: UTF-8 where it is well formed, else windows-1252.
 */

#define NAME_MAX_CHARSET	40

static int	 charset_name(const char *, char *, size_t);
static int	 is_utf8_name(const char *);
static int	 is_latin_name(const char *);
static size_t	 copy(const uint8_t *, size_t, char *, size_t);
static size_t	 whole(const uint8_t *, size_t);
static size_t	 convert(UConverter *, const uint8_t *, size_t, char *,
		    size_t);
static UConverter *guess(const uint8_t *, size_t);

size_t
charset_utf8(const char *charset, const uint8_t *p, size_t n, char *dst,
    size_t size)
{
	char name[NAME_MAX_CHARSET + 1];
	UErrorCode e = U_ZERO_ERROR;
	UConverter *c = NULL;
	int named;
	size_t len;

	dst[0] = '\0';
	named = charset_name(charset, name, sizeof(name)) == 0;
	if ((!named || is_utf8_name(name)) && octets_utf8(p, n))
		return copy(p, n, dst, size);
	if (named && is_latin_name(name) && octets_ascii(p, n) == n)
		return copy(p, n, dst, size);
	if (named) {
		c = ucnv_open(name, &e);
		if (U_FAILURE(e))
			c = NULL;
	}
	if (c == NULL && (c = guess(p, n)) == NULL)
		return copy(p, 0, dst, size);
	len = convert(c, p, n, dst, size);
	ucnv_close(c);
	return len;
}

/* A name that can be asked for: ICU knows options behind a comma. */
static int
charset_name(const char *charset, char *dst, size_t size)
{
	size_t i, n = 0;

	if (charset == NULL)
		return -1;
	for (i = 0; charset[i] != '\0'; i++) {
		if (!isalnum((unsigned char)charset[i]) &&
		    strchr("-_.:+", charset[i]) == NULL)
			continue;
		if (n + 1 == size)
			return -1;
		dst[n++] = (char)tolower((unsigned char)charset[i]);
	}
	dst[n] = '\0';
	return n == 0 ? -1 : 0;
}

/* US-ASCII that has octets above 127 is UTF-8 more often than anything. */
static int
is_utf8_name(const char *name)
{
	return strcmp(name, "utf-8") == 0 || strcmp(name, "utf8") == 0 ||
	    strcmp(name, "us-ascii") == 0 || strcmp(name, "ascii") == 0;
}

/* What others say of texts that mostly are ASCII; it is part of all these. */
static int
is_latin_name(const char *name)
{
	return strncmp(name, "iso-8859-", 9) == 0 ||
	    strncmp(name, "windows-125", 11) == 0;
}

/* p is UTF-8: up to the last character that fits. */
static size_t
copy(const uint8_t *p, size_t n, char *dst, size_t size)
{
	if (n >= size)
		n = whole(p, size - 1);
	memcpy(dst, p, n);
	dst[n] = '\0';
	return n;
}

/* Without the beginning of a character whose end is not there. */
static size_t
whole(const uint8_t *p, size_t n)
{
	size_t i = n, more;

	while (i > 0 && n - i < 4 && (p[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0 || p[i - 1] < 0xc0)
		return n;
	more = p[i - 1] < 0xe0 ? 1 : p[i - 1] < 0xf0 ? 2 : 3;
	return n - i < more ? i - 1 : n;
}

static UConverter *
guess(const uint8_t *p, size_t n)
{
	UErrorCode e = U_ZERO_ERROR;
	UConverter *c;

	if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) ||
	    (p[0] == 0xfe && p[1] == 0xff)))
		c = ucnv_open("UTF-16", &e);
	else
		c = ucnv_open("windows-1252", &e);
	return U_FAILURE(e) ? NULL : c;
}

static size_t
convert(UConverter *from, const uint8_t *p, size_t n, char *dst, size_t size)
{
	UChar pivot[1024], *source = pivot, *target = pivot;
	UErrorCode e = U_ZERO_ERROR;
	UConverter *to = ucnv_open("UTF-8", &e);
	const char *in = (const char *)p;
	char *out = dst;
	size_t len;

	if (U_FAILURE(e))
		return copy(p, 0, dst, size);
	ucnv_convertEx(to, from, &out, dst + size - 1, &in, in + n, pivot,
	    &source, &target, pivot + 1024, 1, 1, &e);
	ucnv_close(to);
	len = whole((const uint8_t *)dst, (size_t)(out - dst));
	dst[len] = '\0';
	return len;
}
