/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "scand/rules/links.h"
#include "scand/scand.h"

/*
 * The links of a message: what is odd about them is told at once, their hosts
 * are kept for the lists.
 */

#define PIECE	65536		/* octets of text looked at together */

static void	scan_plain(struct links *, const uint8_t *, size_t);
static void	scan_piece(const uint8_t *, size_t, void *);
static size_t	quoted_decode(const uint8_t *, size_t, char *);
static int	looks_html(const char *, size_t);
static int	hex(uint8_t);
static void	report(struct job *, const struct links *);
static void	keep_hosts(struct job *, const struct links *);

void
rule_links(struct job *j, const struct view *v)
{
	static struct links links;

	links_reset(&links);
	scan_plain(&links, v->p + v->header.size, v->n - v->header.size);
	body_decode(v->p, v->n, scan_piece, &links);
	report(j, &links);
	keep_hosts(j, &links);
}

/* The body as it is, with quoted-printable undone; in pieces of lines. */
static void
scan_plain(struct links *l, const uint8_t *p, size_t n)
{
	static char text[PIECE];
	const uint8_t *lf;
	size_t len, cut;

	for (; n > 0 && l->scanned < LIM_LINK_TEXT; p += cut, n -= cut) {
		cut = n;
		if (cut > PIECE) {
			cut = PIECE;
			lf = memrchr(p, '\n', cut);
			if (lf != NULL && lf > p)
				cut = (size_t)(lf - p) + 1;
		}
		len = quoted_decode(p, cut, text);
		links_scan(l, text, len, looks_html(text, len));
	}
}

static void
scan_piece(const uint8_t *p, size_t n, void *arg)
{
	const char *text = (const char *)p;

	/* a picture, a program ... */
	if (memchr(p, '\0', n) != NULL)
		return;
	links_scan(arg, text, n, looks_html(text, n));
}

/* RFC 2045 6.7; other "=" stay.  dst has room for n octets. */
static size_t
quoted_decode(const uint8_t *p, size_t n, char *dst)
{
	size_t i, len = 0;

	for (i = 0; i < n; i++) {
		if (p[i] != '=') {
			dst[len++] = (char)p[i];
		} else if (i + 2 < n && hex(p[i + 1]) != -1 &&
		    hex(p[i + 2]) != -1) {
			dst[len++] = (char)(hex(p[i + 1]) << 4 |
			    hex(p[i + 2]));
			i += 2;
		} else if (i + 2 < n && p[i + 1] == '\r' && p[i + 2] == '\n')
			i += 2;
		else
			dst[len++] = '=';
	}
	return len;
}

static int
hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int
looks_html(const char *s, size_t n)
{
	static const char *const tags[] = {
		"<a ", "<html", "<body", "<div", "<p>", "<td", "<br", "<img",
		"</a>", "<form", "<span"
	};
	const char *p = s, *end = s + n;
	size_t i;

	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
			if ((size_t)(end - p) >= strlen(tags[i]) &&
			    strncasecmp(p, tags[i], strlen(tags[i])) == 0)
				return 1;
		}
		p++;
	}
	return 0;
}

static void
report(struct job *j, const struct links *l)
{
	static const enum symbol_id symbols[LINK_ODDS] = {
		[LINK_ADDRESS] = SYM_URL_IP_HOST,
		[LINK_OBSCURED] = SYM_URL_OBSCURED,
		[LINK_USER] = SYM_URL_USERINFO,
		[LINK_PORT] = SYM_URL_PORT,
		[LINK_MIXED] = SYM_URL_MIXED_SCRIPTS,
		[LINK_DIFFERS] = SYM_URL_TEXT_DIFFERS,
		[LINK_DOCUMENT] = SYM_URL_DOCUMENT
	};
	int i;

	for (i = 0; i < LINK_ODDS; i++) {
		if (l->odd[i].n > 0)
			findings_add(&j->found, symbols[i], "%s",
			    l->odd[i].example);
	}
}

static void
keep_hosts(struct job *j, const struct links *l)
{
	struct link_hosts *h = &j->links;
	size_t i, len;

	for (i = 0; i < l->n; i++) {
		len = strlen(l->v[i].host) + 1;
		if (len > sizeof(h->text) - h->len)
			continue;
		memcpy(h->text + h->len, l->v[i].host, len);
		h->v[h->n].at = (uint16_t)h->len;
		h->v[h->n++].family = l->v[i].family;
		h->len += len;
	}
}
