/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "relayd-out/spool.h"

/*
 * The journal, as it is and with the sums of its lines made right: whatever
 * it says, the table is in order and every living message can be told.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
one(const char *p, size_t n)
{
	struct journal_table	 t;
	struct loaded		 l;
	size_t			 i, live = 0;

	if (journal_read(&t, p, n) == -1)
		return;
	check(t.len <= n && t.live <= t.n && t.synced <= t.n);
	for (i = 0; i < t.n; i++) {
		live += t.v[i].live;
		check(journal_find(&t, t.v[i].id) == &t.v[i]);
		if (journal_loaded(&t, &t.v[i], &l) == 0 && l.live) {
			check(l.nrcpts > 0 && l.nrcpts <= LIM_RCPTS);
			check(strlen(l.state) == l.nrcpts);
		}
		loaded_free(&l);
	}
	check(live == t.live);
	journal_table_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text	 t = { 0 };
	char		 sum[SUM_SIZE];
	const char	*p = (const char *)data, *lf;
	size_t		 len;

	one(p, size);
	for (; size > 0; p += len + 1, size -= len + 1) {
		if ((lf = memchr(p, '\n', size)) == NULL)
			break;
		len = (size_t)(lf - p);
		text_sum(p, len, "", sum);
		text_add(&t, p, len);
		text_fmt(&t, " %s\n", sum);
	}
	if (t.p != NULL)
		one(t.p, t.len);
	text_free(&t);
	return 0;
}
