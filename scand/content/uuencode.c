/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/octets.h"
#include "scand/content/text.h"

/*
 * Files inside texts: uuencode, its base64 form, and yEnc.  A text that only
 * speaks of it yields octets in which nothing is recognised.
 */

static size_t	 uu_look(struct inspect *, const uint8_t *, size_t, size_t);
static size_t	 yenc_look(struct inspect *, const uint8_t *, size_t, size_t);
static size_t	 line_end(const uint8_t *, size_t, size_t, size_t *);
static int	 uu_line(struct unpack *, const uint8_t *, size_t);
static void	 keep_name(char *, size_t, const uint8_t *, size_t);
static int	 is_mode(const uint8_t *, size_t);

void
uuencode_look(struct inspect *in, const uint8_t *p, size_t n)
{
	size_t at;

	for (at = 0; (at = octets_find_by(p, n, at, "begin", 5, 0)) < n; ) {
		if (budget_step(&in->budget) == -1)
			return;
		if ((at == 0 || p[at - 1] == '\n' || p[at - 1] == '\r') &&
		    n - at > 12)
			at = uu_look(in, p, n, at);
		else if (at > 1 && p[at - 2] == '=' && p[at - 1] == 'y' &&
		    (at == 2 || p[at - 3] == '\n'))
			at = yenc_look(in, p, n, at);
		else
			at += 5;
	}
}

/* A file whose "begin" is at an offset; where to go on. */
static size_t
uu_look(struct inspect *in, const uint8_t *p, size_t n, size_t at)
{
	struct unpack u;
	char name[256];
	size_t next, len, from = at + 5;
	int base64 = n - at > 13 && memcmp(p + from, "-base64 ", 8) == 0;

	from += base64 ? 7 : 0;
	if (p[from] != ' ')
		return at + 5;
	next = line_end(p, n, from, &len);
	while (from < len && p[from] == ' ')
		from++;
	if (!is_mode(p + from, len - from))
		return at + 5;
	for (; from < len && p[from] != ' '; from++)
		continue;
	keep_name(name, sizeof(name), p + from, len - from);
	unpack_begin(&u, in, 0);
	if (base64) {
		from = next;
		next = octets_find(p, n, from, "\n====", 5);
		(void)text_base64(&u, p + from, next - from);
	} else {
		for (from = next; from < n; from = next) {
			next = line_end(p, n, from, &len);
			/* Lines that something has doubled on the way. */
			if (len == from)
				continue;
			if (uu_line(&u, p + from, len - from) == -1) {
				/* It may begin the next file. */
				next = from;
				break;
			}
		}
	}
	if (u.n > 0)
		unpack_look(&u, name);
	unpack_free(&u);
	return next;
}

/* -1: that was the end. */
static int
uu_line(struct unpack *u, const uint8_t *p, size_t n)
{
	uint8_t out[64];
	uint32_t v;
	size_t len, i, k = 0;
	int j;

	if (n == 0 || p[0] < ' ' || p[0] > '`')
		return -1;
	len = (size_t)(p[0] - ' ') & 63;
	if (len == 0 || (n == 3 && memcmp(p, "end", 3) == 0))
		return -1;
	for (i = 1; k < len; i += 4) {
		v = 0;
		for (j = 0; j < 4; j++) {
			/* Blanks at the end get lost on the way. */
			v <<= 6;
			if (i + (size_t)j < n)
				v |= (uint32_t)(p[i + (size_t)j] - ' ') & 63;
		}
		for (j = 16; j >= 0 && k < len; j -= 8)
			out[k++] = (uint8_t)(v >> j);
	}
	return unpack_add(u, out, len);
}

/* "=ybegin ... name=", lines of octets, "=yend". */
static size_t
yenc_look(struct inspect *in, const uint8_t *p, size_t n, size_t at)
{
	struct unpack u;
	char name[256];
	uint8_t out[1024];
	size_t next, end, from, k;
	int stop = 0;

	next = line_end(p, n, at, &end);
	from = octets_find(p, end, at, "name=", 5);
	if (from == end)
		return at + 5;
	keep_name(name, sizeof(name), p + from + 5, end - from - 5);
	unpack_begin(&u, in, 0);
	for (from = next; from < n && !stop; from = next) {
		next = line_end(p, n, from, &end);
		if (end - from >= 5 && memcmp(p + from, "=yend", 5) == 0)
			break;
		if (end - from >= 6 && memcmp(p + from, "=ypart", 6) == 0)
			continue;
		while (from < end && !stop) {
			for (k = 0; k < sizeof(out) && from < end; from++) {
				if (p[from] != '=')
					out[k++] = (uint8_t)(p[from] - 42);
				else if (++from < end)
					out[k++] = (uint8_t)(p[from] - 106);
			}
			stop = unpack_add(&u, out, k) == -1;
		}
	}
	if (u.n > 0)
		unpack_look(&u, name);
	unpack_free(&u);
	return next;
}

/* Where the next line begins; *end: where this one ends, without CR and LF. */
static size_t
line_end(const uint8_t *p, size_t n, size_t at, size_t *end)
{
	size_t lf = octets_find(p, n, at, "\n", 1);

	*end = lf;
	while (*end > at && p[*end - 1] == '\r')
		(*end)--;
	return lf < n ? lf + 1 : n;
}

static void
keep_name(char *dst, size_t size, const uint8_t *p, size_t n)
{
	size_t k = 0;

	while (n > 0 && *p == ' ') {
		p++;
		n--;
	}
	while (n > 0 && p[n - 1] == ' ')
		n--;
	for (; n > 0 && k + 1 < size; n--, p++)
		dst[k++] = *p == 0 ? '?' : (char)*p;
	dst[k] = '\0';
}

/* Three octal digits or more, as many as a kind of file needs, and a blank. */
static int
is_mode(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && i < 7 && p[i] >= '0' && p[i] <= '7'; i++)
		continue;
	return i >= 3 && i < n && p[i] == ' ';
}

int
text_base64(struct unpack *u, const uint8_t *p, size_t n)
{
	uint8_t out[3072];
	uint32_t v = 0;
	size_t i, k = 0;
	unsigned bits = 0;
	int c;

	for (i = 0; i < n; i++) {
		c = p[i];
		c = c >= 'A' && c <= 'Z' ? c - 'A' :
		    c >= 'a' && c <= 'z' ? c - 'a' + 26 :
		    c >= '0' && c <= '9' ? c - '0' + 52 :
		    c == '+' ? 62 : c == '/' ? 63 : -1;
		if (c < 0)
			continue;
		v = v << 6 | (uint32_t)c;
		if ((bits += 6) < 8)
			continue;
		bits -= 8;
		out[k++] = (uint8_t)(v >> bits);
		if (k == sizeof(out)) {
			if (unpack_add(u, out, k) == -1)
				return -1;
			k = 0;
		}
	}
	return k > 0 ? unpack_add(u, out, k) : 0;
}
