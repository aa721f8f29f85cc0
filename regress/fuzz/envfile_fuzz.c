/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "relayd-out/spool.h"

/*
 * Envelope files.  What the reader takes is printed and read again: it must
 * be the same, and no other id may be able to take its place.  A reader that
 * insists on right sums would hardly ever be got into, so the sums of the
 * input are made right first.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

/* A line "end" alone gets the sum of all before it since the last one. */
static void
mend(struct text *t, const uint8_t *p, size_t n, const char *id)
{
	char	 sum[SUM_SIZE];
	size_t	 i, len, start = 0;

	for (i = 0; i < n; i += len + 1) {
		const uint8_t *lf = memchr(p + i, '\n', n - i);

		len = lf == NULL ? n - i : (size_t)(lf - p) - i;
		if (len >= 7 && memcmp(p + i, "update:", 7) == 0)
			start = t->len;
		if (len == 3 && memcmp(p + i, "end", 3) == 0) {
			text_sum(t->p == NULL ? "" : t->p + start,
			    t->len - start, id, sum);
			text_fmt(t, "end %s", sum);
		} else
			text_add(t, p + i, len);
		if (lf != NULL)
			text_add(t, "\n", 1);
	}
}

static void
again(const struct stored *s)
{
	struct stored	*r;
	struct text	 t = { 0 };
	struct update	 u;
	size_t		 i;

	envfile_print(&t, s->env);
	memset(&u, 0, sizeof(u));
	memcpy(u.id, s->env->id, sizeof(u.id));
	u.next = s->next;
	u.attempts = s->attempts;
	u.flags = s->flags;
	memcpy(u.state, s->state, sizeof(u.state));
	for (i = 0; i < s->env->nrcpts; i++)
		u.note[i] = s->last[i];
	envfile_update(&t, &u, 1);
	if (!t.bad) {
		r = envfile_parse((const uint8_t *)t.p, t.len);
		check(r != NULL && r->env->nrcpts == s->env->nrcpts);
		check(strcmp(r->env->sender, s->env->sender) == 0);
		check(strcmp(r->env->trace, s->env->trace) == 0);
		check(strcmp(r->state, s->state) == 0);
		check(r->next == s->next && r->flags == s->flags);
		for (i = 0; i < s->env->nrcpts; i++) {
			check(strcmp(r->env->rcpts[i].address,
			    s->env->rcpts[i].address) == 0);
			check((r->last[i] == NULL) == (s->last[i] == NULL));
		}
		stored_free(r);
	}
	text_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char	 id[] = "01hq3vbk2t7m9c4e";
	struct stored		*s;
	struct text		 t = { 0 };

	stored_free(envfile_parse(data, size));
	mend(&t, data, size, id);
	if (t.p != NULL &&
	    (s = envfile_parse((const uint8_t *)t.p, t.len)) != NULL) {
		check(strcmp(s->env->id, id) == 0);
		check(strlen(s->state) == s->env->nrcpts);
		again(s);
		stored_free(s);
	}
	text_free(&t);
	return 0;
}
