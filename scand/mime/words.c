/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/mime/parts.h"

/*
 * Encoded words (RFC 2047), as mail readers show them: also inside of quotes,
 * with blanks in them, and without blanks around them.  Octets of adjacent
 * words of one character set are joined before they are converted, for many
 * writers cut characters in two.
 */

#define PENDING	2048

struct words {
	char		*dst;
	size_t		 len, size;
	/* Decoded, of one character set, not yet converted. */
	uint8_t		 raw[PENDING];
	size_t		 nraw;
	char		 charset[64];
};

struct word {
	const char	*charset, *text;
	size_t		 ncharset, ntext;
	int		 base64;
	size_t		 all;		/* octets with all its marks */
};

static int	word_find(struct word *, const char *, size_t);
static void	word_decode(struct words *, const struct word *);
static void	words_flush(struct words *);
static void	words_plain(struct words *, const char *, size_t);
static int	is_blank(const char *, size_t);

size_t
words_utf8(const char *p, size_t n, char *dst, size_t size)
{
	struct words ws = { .dst = dst, .size = size };
	struct word w;
	size_t i = 0, from = 0;

	dst[0] = '\0';
	while (i < n) {
		if (p[i] != '=' || !word_find(&w, p + i, n - i)) {
			i++;
			continue;
		}
		/* 6.2: blanks between two of them are not shown. */
		if (ws.nraw == 0 || !is_blank(p + from, i - from))
			words_plain(&ws, p + from, i - from);
		word_decode(&ws, &w);
		i += w.all;
		from = i;
	}
	words_plain(&ws, p + from, n - from);
	return ws.len;
}

/* Is there one at p: =?charset*language?B?text?= */
static int
word_find(struct word *w, const char *p, size_t n)
{
	const char *q, *end = p + n, *star;

	if (n < 8 || p[1] != '?')
		return 0;
	w->charset = p + 2;
	if ((q = memchr(w->charset, '?', n - 2)) == NULL || end - q < 5 ||
	    q[2] != '?')
		return 0;
	w->ncharset = (size_t)(q - w->charset);
	/* RFC 2231 5 */
	if ((star = memchr(w->charset, '*', w->ncharset)) != NULL)
		w->ncharset = (size_t)(star - w->charset);
	if ((q[1] | 0x20) != 'b' && (q[1] | 0x20) != 'q')
		return 0;
	w->base64 = (q[1] | 0x20) == 'b';
	w->text = q + 3;
	/* It must end, and not inside of another one. */
	for (q = w->text; q + 1 < end; q++) {
		if (q[0] == '?' && q[1] == '=') {
			w->ntext = (size_t)(q - w->text);
			w->all = (size_t)(q + 2 - p);
			return 1;
		}
		if (q[0] == '=' && q[1] == '?' && q + 2 < end && q[2] != '=')
			break;
	}
	return 0;
}

static void
word_decode(struct words *ws, const struct word *w)
{
	struct decode d;
	char name[sizeof(ws->charset)];
	uint8_t in[PENDING / 2];
	size_t i, n = w->ntext < sizeof(in) ? w->ntext : sizeof(in);

	if (w->ncharset >= sizeof(name))
		name[0] = '\0';
	else {
		memcpy(name, w->charset, w->ncharset);
		name[w->ncharset] = '\0';
	}
	if (ws->nraw + decode_room(ENCODING_BASE64, n) > sizeof(ws->raw) ||
	    ws->nraw + decode_room(ENCODING_QP, n) > sizeof(ws->raw) ||
	    strcmp(name, ws->charset) != 0)
		words_flush(ws);
	memcpy(ws->charset, name, sizeof(name));
	for (i = 0; i < n; i++)		/* 4.2 (2) */
		in[i] = w->text[i] == '_' && !w->base64 ? ' ' :
		    (uint8_t)w->text[i];
	decode_init(&d, w->base64 ? ENCODING_BASE64 : ENCODING_QP, 0, in, n,
	    ws->raw + ws->nraw);
	while (decode_step(&d, n))
		continue;
	ws->nraw += d.len;
}

static void
words_flush(struct words *ws)
{
	if (ws->nraw > 0)
		ws->len += charset_utf8(ws->charset, ws->raw, ws->nraw,
		    ws->dst + ws->len, ws->size - ws->len);
	ws->nraw = 0;
}

static void
words_plain(struct words *ws, const char *p, size_t n)
{
	if (n == 0 && ws->nraw == 0)
		return;
	words_flush(ws);
	ws->len += charset_utf8(NULL, (const uint8_t *)p, n,
	    ws->dst + ws->len, ws->size - ws->len);
}

static int
is_blank(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r' &&
		    p[i] != '\n')
			return 0;
	}
	return 1;
}
