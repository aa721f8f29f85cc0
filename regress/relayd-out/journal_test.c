/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "regress/relayd-out/sample.h"
#include "regress/unit.h"
#include "relayd-out/spool.h"

/* The journal: its lines, what they say together, torn and damaged ones, and
   the file. */

static void
lines(void)
{
	struct envelope		*e = sample_envelope(4);
	struct update		 u = { .next = 5, .attempts = 3, .flags = 1 };
	struct journal_record	 r;
	struct text		 t = { 0 };
	char			 want[200];
	size_t			 i, n;
	int			 odd = 0;

	journal_print_add(&t, e);
	CHECK_INT(journal_parse(t.p, t.len - 1, &r), 0);
	CHECK_INT(r.kind, JOURNAL_ADD);
	CHECK_STR(r.id, e->id);
	CHECK(r.time == e->time && r.size == e->size);
	CHECK_INT(r.envflags, loaded_flags(e));
	CHECK_INT(r.nrcpts, 4);
	(void)snprintf(want, sizeof(want), "%.*s", (int)r.domainslen,
	    r.domains);
	CHECK_STR(want, "dom0.example - dom1.example =");

	/* No changed octet goes unnoticed, no shorter line either. */
	n = t.len - 1;
	for (i = 0; i < n; i++) {
		t.p[i] ^= 1;
		odd += journal_parse(t.p, n, &r) == 0;
		t.p[i] ^= 1;
		odd += journal_parse(t.p, i, &r) == 0;
	}
	CHECK_INT(odd, 0);

	text_reset(&t);
	memcpy(u.id, e->id, sizeof(u.id));
	memcpy(u.state, "pxdf", 5);
	journal_print_update(&t, &u);
	CHECK_INT(journal_parse(t.p, t.len - 1, &r), 0);
	CHECK_INT(r.kind, JOURNAL_UPDATE);
	CHECK(r.next == 5 && r.attempts == 3 && r.flags == 1);
	CHECK(r.statelen == 4 && memcmp(r.state, "pxdf", 4) == 0);

	text_reset(&t);
	journal_print_remove(&t, e->id, 1);
	CHECK_INT(journal_parse(t.p, t.len - 1, &r), 0);
	CHECK(r.kind == JOURNAL_REMOVE && r.settled);
	text_reset(&t);
	journal_print_synced(&t);
	CHECK_INT(journal_parse(t.p, t.len - 1, &r), 0);
	CHECK_INT(r.kind, JOURNAL_SYNCED);
	text_free(&t);
	envelope_free(e);
}

static void
table(void)
{
	struct envelope		*e = sample_envelope(2);
	struct update		 u = { .next = 9, .attempts = 1 };
	struct journal_table	 j;
	struct journal_entry	*x;
	struct loaded		 l;
	struct text		 t = { 0 };
	size_t			 bad;

	sample_id(e->id, 1);
	journal_print_add(&t, e);
	sample_id(e->id, 2);
	journal_print_add(&t, e);
	memcpy(u.id, e->id, sizeof(u.id));
	memcpy(u.state, "dx", 3);
	journal_print_update(&t, &u);
	sample_id(e->id, 1);
	journal_print_remove(&t, e->id, 1);
	journal_print_synced(&t);
	bad = t.len;
	sample_id(e->id, 3);
	journal_print_add(&t, e);
	sample_id(e->id, 4);
	journal_print_add(&t, e);
	text_str(&t, "A torn li");
	t.p[bad + 20] ^= 4;

	CHECK_INT(journal_read(&j, t.p, t.len), 0);
	CHECK_INT((intmax_t)j.live, 2);
	CHECK_INT((intmax_t)j.damaged, 1);
	CHECK_INT((intmax_t)(t.len - j.len), 9);
	sample_id(e->id, 1);
	x = journal_find(&j, e->id);
	CHECK(x != NULL && !x->live && x->settled);
	sample_id(e->id, 2);
	x = journal_find(&j, e->id);
	CHECK(x != NULL && x->live && !x->suspect);
	CHECK_INT(journal_loaded(&j, x, &l), 0);
	CHECK(l.live && l.next == 9 && l.attempts == 1 && l.nrcpts == 2);
	CHECK_STR(l.sender, e->sender);
	CHECK_STR(l.state, "dx");
	CHECK_STR(l.domains, "dom0.example -");
	loaded_free(&l);
	sample_id(e->id, 3);
	CHECK(journal_find(&j, e->id) == NULL);
	sample_id(e->id, 4);
	x = journal_find(&j, e->id);
	CHECK(x != NULL && x->live && x->suspect);
	sample_id(e->id, 5);
	CHECK_INT(journal_note(&j, e->id), 0);
	CHECK(journal_find(&j, e->id) != NULL);
	journal_table_free(&j);
	text_free(&t);
	envelope_free(e);
}

/* Written, torn, read. */
static void
file(int dir)
{
	struct envelope		*e = sample_envelope(1);
	struct journal		 j;
	struct journal_table	 t;
	struct stat		 st;
	unsigned		 i;
	int			 fresh;

	CHECK_INT(journal_open(&j, dir, &fresh), 0);
	CHECK_INT(fresh, 1);
	for (i = 0; i < 3000; i++) {
		sample_id(e->id, i);
		journal_print_add(&j.group, e);
		if (i % 10 == 9)
			CHECK_INT(journal_write(&j), 0);
	}
	CHECK_INT(journal_write(&j), 0);
	CHECK(write(j.fd, "half a line", 11) == 11);
	journal_close(&j);

	CHECK_INT(journal_open(&j, dir, &fresh), 0);
	CHECK_INT(fresh, 0);
	CHECK_INT(journal_load(&j, &t), 0);
	CHECK_INT((intmax_t)t.live, 3000);
	CHECK_INT((intmax_t)t.damaged, 0);
	CHECK_INT((intmax_t)j.size, (intmax_t)t.len);
	CHECK(fstat(j.fd, &st) == 0 && (uint64_t)st.st_size == j.size);
	journal_unload(&t);
	journal_close(&j);
	envelope_free(e);
}

static void
compaction(int dir)
{
	struct envelope		*e = sample_envelope(1);
	struct journal		 j;
	struct journal_table	 t;
	uint64_t		 before;
	unsigned		 i;
	int			 fresh;

	(void)unlinkat(dir, "journal", 0);
	CHECK_INT(journal_open(&j, dir, &fresh), 0);
	for (i = 0; i < 3000; i++) {
		sample_id(e->id, i);
		journal_print_add(&j.group, e);
		CHECK_INT(journal_write(&j), 0);
		if (i % 100 != 0)
			journal_print_remove(&j.rest, e->id, i % 2);
	}
	CHECK_INT(journal_write(&j), 0);
	before = j.size;
	CHECK_INT(journal_compact(&j, 1), 0);
	CHECK(j.size < before / 2);
	CHECK_INT(journal_load(&j, &t), 0);
	CHECK_INT((intmax_t)t.live, 30);
	CHECK_INT((intmax_t)j.live, 30);
	/* Settled ones are remembered by id; what was never ours is not. */
	CHECK_INT((intmax_t)t.n, 30 + 1500);
	CHECK_INT((intmax_t)t.synced, (intmax_t)t.n);
	journal_unload(&t);
	journal_close(&j);
	(void)unlinkat(dir, "journal", 0);
	envelope_free(e);
}

int
main(void)
{
	int	 dir;
	char	 path[] = "/tmp/journal_test.XXXXXX";

	if (mkdtemp(path) == NULL ||
	    (dir = open(path, O_RDONLY | O_DIRECTORY)) == -1)
		err(1, "%s", path);
	lines();
	table();
	file(dir);
	compaction(dir);
	close(dir);
	if (rmdir(path) == -1)
		err(1, "%s", path);
	return unit_end();
}
