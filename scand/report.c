/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scand/scand.h"

/*
 * What `gwctl scan' prints of a message: the tree of its parts with what was
 * found where, every symbol with points, group and explanation, and the score
 * against the thresholds.
 */

struct text {
	char	*p;
	size_t	 len, size;
};

static void	text_put(struct text *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

void
report_make(const struct job *j, const struct verdict *v, char *buf,
    size_t size)
{
	const struct hit *f;
	struct text t = { buf, 0, size };
	const char *detail;
	size_t i;

	buf[0] = '\0';
	if (j->tree != NULL)
		text_put(&t, "%-10s %10s  %s\n%s\n", "part", "octets",
		    "name (type)", j->tree);
	text_put(&t, "%8s  %-24s %-8s %s\n", "points", "symbol", "group",
	    "explanation");
	for (i = 0; i < j->found.n; i++) {
		f = &j->found.v[i];
		detail = hit_detail(&j->found, f);
		text_put(&t, "%8.2f  %-24s %-8s %s\n", f->points / 100.0,
		    symbol(f->id)->name, symbol(f->id)->group,
		    symbol(f->id)->text);
		if (*detail != '\0')
			text_put(&t, "%8s  %-24s %-8s [%s]\n", "", "", "",
			    detail);
	}
	text_put(&t, "%8.2f  score\n\n", v->score / 100.0);
	for (i = 0; i < v->nactions; i++)
		text_put(&t, "action %s (greylist at %.2f, reject at %.2f)\n",
		    action_name(v->actions[i]),
		    j->scan.policies[i].greylist_at / 100.0,
		    j->scan.policies[i].reject_at / 100.0);
	if (v->reply[0] != '\0')
		text_put(&t, "reply %s\n", v->reply);
}

/* What does not fit any more is left out. */
static void
text_put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->size - t->len)
		t->p[t->len] = '\0';
	else
		t->len += (size_t)n;
}
