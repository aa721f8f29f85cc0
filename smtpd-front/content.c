/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>

#include "smtpd-front/smtpd-front.h"

/*
 * The octets after DATA: where they end, the dots that were added (RFC 5321
 * 4.5.2), what must not be in them (2.3.8), and how many servers the message
 * has passed (6.3).  A message with a bare CR, bare LF or NUL is read to its
 * end by the same rule and refused then: whoever sees another end in it is
 * not given the chance (SMTP smuggling).
 */

enum {
	LINE_BEGIN,	/* behind CRLF */
	LINE_DOT,	/* behind CRLF and a dot, which is not content */
	LINE_DOTCR,	/* CRLF . CR */
	LINE_MIDDLE,
	LINE_CR		/* the CR is content */
};

static const char	 received[] = "received:";

static const uint8_t	*line_middle(struct content *, const uint8_t *,
			    const uint8_t *);
static void		 count_hops(struct content *, const uint8_t *, size_t);

void
content_init(struct content *c)
{
	memset(c, 0, sizeof(*c));
	c->state = LINE_BEGIN;
}

int
content_take(struct content *c, const uint8_t *p, size_t n, size_t *used,
    const uint8_t **seg, size_t *seglen)
{
	const uint8_t	*cur = p, *end = p + n, *stop = end;
	int		 over = 0;

	while (cur < end && stop == end && !over) {
		switch (c->state) {
		case LINE_BEGIN:
			if (*cur == '.') {
				stop = cur++;
				c->state = LINE_DOT;
			} else
				c->state = LINE_MIDDLE;
			break;
		case LINE_DOT:
			if (*cur == '\r') {
				stop = cur++;
				c->state = LINE_DOTCR;
			} else
				c->state = LINE_MIDDLE;
			break;
		case LINE_DOTCR:
			if (*cur == '\n') {
				stop = cur++;
				over = 1;
			} else {
				/* a CR we did not keep: refused anyhow */
				c->bare = 1;
				c->state = LINE_MIDDLE;
			}
			break;
		case LINE_CR:
			if (*cur == '\n') {
				cur++;
				c->state = LINE_BEGIN;
			} else {
				c->bare = 1;
				c->state = LINE_MIDDLE;
			}
			break;
		default:
			cur = line_middle(c, cur, end);
			break;
		}
	}
	*used = (size_t)(cur - p);
	*seg = p;
	*seglen = (size_t)(stop - p);
	if (!c->body && *seglen > 0)
		count_hops(c, p, *seglen);
	return over;
}

/* From the middle of a line to behind its end, or to the end of the piece. */
static const uint8_t *
line_middle(struct content *c, const uint8_t *p, const uint8_t *end)
{
	const uint8_t	*lf, *cr, *stop;

	lf = memchr(p, '\n', (size_t)(end - p));
	stop = lf == NULL ? end : lf;
	if (memchr(p, '\0', (size_t)(stop - p)) != NULL)
		c->bare = 1;
	for (; (cr = memchr(p, '\r', (size_t)(stop - p))) != NULL &&
	    cr + 1 < stop; p = cr + 1)
		c->bare = 1;
	if (cr == NULL && lf != NULL)
		c->bare = 1;
	else if (lf != NULL)
		c->state = LINE_BEGIN;
	else if (cr != NULL)
		c->state = LINE_CR;
	return lf == NULL ? end : lf + 1;
}

/*
 * Received fields of the header section, which ends at the first empty line
 * or with a line that is no field and no continuation; the latter is left to
 * scand, counting too much of a body does no harm below the limit.
 */
static void
count_hops(struct content *c, const uint8_t *p, size_t n)
{
	const uint8_t	*end = p + n;

	/* match: octets matched since the line's begin; past the word: no. */
	while (p < end) {
		if (c->match >= sizeof(received)) {
			p = memchr(p, '\n', (size_t)(end - p));
			if (p == NULL)
				return;
			p++;
			c->match = 0;
			continue;
		}
		if (c->match == 0 && (*p == '\r' || *p == '\n')) {
			c->body = 1;
			return;
		}
		if (tolower(*p) != received[c->match]) {
			c->match = sizeof(received);
			continue;
		}
		p++;
		if (++c->match == sizeof(received) - 1) {
			c->hops++;
			c->match = sizeof(received);
		}
	}
}
