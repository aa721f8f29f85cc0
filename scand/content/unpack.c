/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "scand/content/unpack.h"

/*
 * Octets that come out of a decoder, collected in memory that the budget
 * grants.  When it grants no more, or when they are too many for what they
 * come from, the beginning is kept and looked at as such.
 */

#define RATIO_FROM	(1024 * 1024)	/* as struct budget says */

static int	 unpack_room(struct unpack *, size_t);

void
unpack_begin(struct unpack *u, struct inspect *in, uint64_t packed)
{
	memset(u, 0, sizeof(*u));
	u->in = in;
	u->packed = packed;
}

int
unpack_add(struct unpack *u, const uint8_t *p, size_t n)
{
	struct budget *b = &u->in->budget;

	if (budget_out(b, n) == -1) {
		u->cut = 1;
		return -1;
	}
	if (u->cut || n == 0)
		return 0;
	if (unpack_room(u, n) == -1) {
		u->cut = 1;
		return -1;
	}
	memcpy(u->p + u->n, p, n);
	u->n += n;
	if (b->ratio_max != 0 && u->packed != 0 && u->n > RATIO_FROM &&
	    u->n / b->ratio_max > u->packed) {
		b->over |= BUDGET_RATIO;
		u->cut = 1;
		return -1;
	}
	return 0;
}

int
unpack_add_zeros(struct unpack *u, uint64_t n)
{
	static const uint8_t zeros[UNPACK_STEP];
	size_t k;

	for (; n > 0; n -= k) {
		k = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);
		if (unpack_add(u, zeros, k) == -1)
			return -1;
	}
	return 0;
}

/* Double, then half as much again, as long as the budget has it. */
static int
unpack_room(struct unpack *u, size_t n)
{
	uint8_t *p;
	size_t more;

	if (n <= u->size - u->n)
		return 0;
	more = u->size < RATIO_FROM ? u->size : u->size / 2;
	if (more < 1024)
		more = 1024;
	while (u->size + more - u->n < n)
		more += n;
	if (budget_hold(&u->in->budget, more) == -1) {
		more = n;
		if (budget_hold(&u->in->budget, more) == -1)
			return -1;
	}
	if ((p = realloc(u->p, u->size + more)) == NULL) {
		budget_release(&u->in->budget, more);
		return -1;
	}
	u->p = p;
	u->size += more;
	return 0;
}

void
unpack_look(struct unpack *u, const char *name)
{
	if (u->cut)
		content_look_cut(u->in, name, u->p, u->n);
	else
		content_look(u->in, name, u->p, u->n);
}

void
unpack_free(struct unpack *u)
{
	if (u->in == NULL)
		return;
	budget_release(&u->in->budget, u->size);
	free(u->p);
	memset(u, 0, sizeof(*u));
}
