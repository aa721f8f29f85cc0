/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/rules/links.h"
#include "scand/scand.h"

/*
 * The links of a message: its text parts are decoded, what is odd about their
 * links is told at once, their hosts are kept for the lists.
 */

#define PIECE	65536		/* octets of a part looked at together */
#define GROWTH	3		/* in UTF-8, at most */

static void	scan_part(struct links *, const struct mime *,
		    const struct mime_part *, const uint8_t *, size_t);
static size_t	piece_length(const uint8_t *, size_t);
static void	report(struct job *, const struct links *);
static void	keep_hosts(struct job *, const struct links *);

void
rule_links(struct job *j, const struct view *v)
{
	static struct links links;
	const struct mime *m = &v->mime;
	struct budget budget = v->budget;
	struct reading r[READINGS];
	struct octets o = { .p = NULL };
	size_t i;

	links_reset(&links);
	for (i = 0; i < m->nparts && links.scanned < LIM_LINK_TEXT; i++) {
		if (!(m->parts[i].flags & PART_TEXT) ||
		    mime_readings(m, &m->parts[i], r) == 0 ||
		    octets_read(&o, m, &budget, &r[0]) == -1)
			continue;
		scan_part(&links, m, &m->parts[i], o.p, o.n);
	}
	octets_free(&o, &budget);
	report(j, &links);
	keep_hosts(j, &links);
}

static void
scan_part(struct links *l, const struct mime *m, const struct mime_part *part,
    const uint8_t *p, size_t n)
{
	static char text[GROWTH * PIECE + 1];
	size_t cut;

	for (; n > 0 && l->scanned < LIM_LINK_TEXT; p += cut, n -= cut) {
		cut = piece_length(p, n);
		links_scan(l, text, charset_utf8(mime_string(m,
		    part->charset), p, cut, text, sizeof(text)),
		    (part->flags & PART_HTML) != 0);
	}
}

/* Up to the end of a line, where charsets with a state begin anew; wide
   characters have octets that look like one. */
static size_t
piece_length(const uint8_t *p, size_t n)
{
	const uint8_t *lf;

	if (n <= PIECE)
		return n;
	lf = memchr(p, '\0', 64) != NULL ? NULL : memrchr(p, '\n', PIECE);
	return lf == NULL ? PIECE : (size_t)(lf - p) + 1;
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
