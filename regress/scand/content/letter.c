/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "regress/scand/content/letter.h"

/* Every line that begins with "--" may be a boundary. */

static void	 part(struct inspect *, const char *, size_t);
static size_t	 base64(const char *, size_t, uint8_t *);
static size_t	 quoted(const char *, size_t, uint8_t *);
static int	 hex(int);

void
letter_look(struct inspect *in, const uint8_t *p, size_t n)
{
	char *text, *at, *next;

	if ((text = malloc(n + 1)) == NULL)
		err(1, NULL);
	memcpy(text, p, n);
	text[n] = '\0';
	for (at = text; at != NULL; at = next) {
		next = strstr(at, "\n--");
		part(in, at, next == NULL ? strlen(at) : (size_t)(next - at));
		if (next != NULL && (next = strchr(next + 1, '\n')) != NULL)
			next++;
	}
	free(text);
}

static void
part(struct inspect *in, const char *p, size_t n)
{
	const char *body, *crlf;
	uint8_t *out;
	char head[4096];
	size_t len;

	crlf = memmem(p, n, "\r\n\r\n", 4);
	body = memmem(p, n, "\n\n", 2);
	if (body == NULL || (crlf != NULL && crlf < body))
		body = crlf == NULL ? NULL : crlf + 2;
	if (body == NULL)
		return;
	body += 2;
	len = (size_t)(body - p) < sizeof(head) ? (size_t)(body - p) :
	    sizeof(head) - 1;
	memcpy(head, p, len);
	head[len] = '\0';
	n -= (size_t)(body - p);
	if ((out = malloc(n + 4)) == NULL)
		err(1, NULL);
	if (strcasestr(head, "\nContent-Transfer-Encoding: base64") != NULL)
		len = base64(body, n, out);
	else if (strcasestr(head, "\nContent-Transfer-Encoding: quoted"))
		len = quoted(body, n, out);
	else {
		memcpy(out, body, n);
		len = n;
	}
	if (len > 0)
		content_look(in, "part", out, len);
	free(out);
}

static size_t
base64(const char *p, size_t n, uint8_t *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *d;
	uint32_t v = 0;
	unsigned bits = 0;
	size_t len = 0;

	for (; n > 0 && *p != '='; n--, p++) {
		if (*p == '\0' || (d = strchr(digits, *p)) == NULL)
			continue;
		v = v << 6 | (uint32_t)(d - digits);
		if ((bits += 6) >= 8)
			out[len++] = (uint8_t)(v >> (bits -= 8));
	}
	return len;
}

static size_t
quoted(const char *p, size_t n, uint8_t *out)
{
	size_t i, len = 0;

	for (i = 0; i < n; i++) {
		if (p[i] != '=' || n - i < 3)
			out[len++] = (uint8_t)p[i];
		else if (p[i + 1] == '\n')
			i++;
		else if (p[i + 1] == '\r')
			i += 2;
		else {
			out[len++] = (uint8_t)(hex(p[i + 1]) << 4 |
			    hex(p[i + 2]));
			i += 2;
		}
	}
	return len;
}

static int
hex(int c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
