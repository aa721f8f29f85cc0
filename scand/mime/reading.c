/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "scand/mime/parts.h"

/*
 * How the octets of a part may be read.  Nearly every part can be read in one
 * way only; where its fields contradict each other, or something stands in it
 * that some readers take for its end, there are more.
 */

#define STEP	65536		/* between two looks at the budget */

static int	put(struct reading *, size_t *, size_t, size_t, enum encoding);
static int	looks_base64(const uint8_t *, size_t);
static int	is_base64(unsigned);
static int	octets_room(struct octets *, struct budget *, size_t);

size_t
mime_readings(const struct mime *m, const struct mime_part *p,
    struct reading v[READINGS])
{
	size_t ends[3], starts[2], n = 0, nends = 0, i, k, e;
	enum encoding guess;
	int plain = 0;

	if (!(p->flags & PART_DOUBTFUL))
		ends[nends++] = p->end;
	ends[nends++] = p->end_near;
	ends[nends++] = p->end_own;
	starts[0] = p->body;
	starts[1] = p->body_other;
	for (e = 0; e < p->nencodings; e++) {
		plain |= p->encoding[e] == ENCODING_NONE;
		for (i = 0; i < 2; i++) {
			for (k = 0; k < nends; k++)
				put(v, &n, starts[i], ends[k], p->encoding[e]);
		}
	}
	/* Nobody says so, but perhaps its fields are not read rightly. */
	guess = ENCODING_NONE;
	if (n > 0 && plain && p->nencodings == 1 &&
	    looks_base64(m->p + v[0].from, v[0].to - v[0].from))
		guess = ENCODING_BASE64;
	if (n > 0 && plain == (guess == ENCODING_BASE64) &&
	    put(v, &n, p->body, ends[0], guess))
		v[n - 1].guess = 1;
	return n;
}

/* Unless it is empty or there already.  1 if it was put. */
static int
put(struct reading *v, size_t *n, size_t from, size_t to, enum encoding e)
{
	size_t i;

	if (from >= to || *n == READINGS)
		return 0;
	for (i = 0; i < *n; i++) {
		if (v[i].from == from && v[i].to == to && v[i].encoding == e)
			return 0;
	}
	v[*n].from = from;
	v[*n].to = to;
	v[*n].encoding = e;
	v[*n].how = 0;
	v[(*n)++].guess = 0;
	return 1;
}

size_t
mime_readings_base64(const struct reading *r, unsigned differs,
    struct reading v[READINGS])
{
	static const unsigned ways[] = { DECODE_STOP, DECODE_JOIN, DECODE_URL };
	size_t i, n = 0;

	for (i = 0; r->how == 0 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (differs & ways[i]) {
			v[n] = *r;
			v[n++].how = ways[i];
		}
	}
	return n;
}

/* The first few lines are base64 and nothing else. */
static int
looks_base64(const uint8_t *p, size_t n)
{
	size_t i, digits = 0;

	if (n > 400)
		n = 400;
	for (i = 0; i < n; i++) {
		if (is_base64(p[i]))
			digits++;
		else if (p[i] != '\r' && p[i] != '\n')
			return 0;
	}
	return digits >= 64;
}

static int
is_base64(unsigned c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

int
octets_read(struct octets *o, const struct mime *m, struct budget *b,
    const struct reading *r)
{
	struct decode d;
	size_t n = r->to - r->from, before;
	int more;

	o->differs = 0;
	if (budget_is_over(b))
		return -1;
	if (r->encoding == ENCODING_NONE) {
		o->p = m->p + r->from;
		o->n = n;
		return 0;
	}
	if (octets_room(o, b, decode_room(r->encoding, n)) == -1)
		return -1;
	decode_init(&d, r->encoding, r->how, m->p + r->from, n, o->buf);
	do {
		before = d.len;
		more = decode_step(&d, STEP);
		/* Blanks at the end of a line are taken back; there may be
		   work that yields nothing. */
		if (budget_out(b, d.len > before ? d.len - before : 0) == -1 ||
		    budget_work(b, n < STEP ? n : STEP) == -1)
			return -1;
	} while (more);
	o->p = o->buf;
	o->n = d.len;
	o->differs = d.differs;
	return 0;
}

static int
octets_room(struct octets *o, struct budget *b, size_t size)
{
	if (size <= o->size)
		return 0;
	octets_free(o, b);
	if (budget_hold(b, size) == -1)
		return -1;
	o->held = size;
	if ((o->buf = malloc(size)) == NULL)
		return -1;
	o->size = size;
	return 0;
}

void
octets_free(struct octets *o, struct budget *b)
{
	if (o == NULL)
		return;
	budget_release(b, o->held);
	free(o->buf);
	o->buf = NULL;
	o->size = o->held = 0;
}
