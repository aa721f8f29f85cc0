/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/loop.h"
#include "greyd/greyd.h"
#include "greyd/lmdb.h"

/*
 * The embedded back end.  Two tables: records (key > time of expiry, value)
 * and, in order of expiry, what expires when.  All of a turn is one write
 * transaction; what it does is noted as well, so that it can be done again
 * when the address space was too small.
 */

#define NOTES_MAX	4096	/* then the transaction ends within a turn */
#define EXPIRY_KEY	(8 + KEY_SIZE)
#define COUNTER_VALUE	24	/* period, its count, the one before */
#define HEARTBEAT_S	60
#define COMPLAIN_MS	60000	/* one line a minute about a sick store */

/* What was written: len 0 is a removal. */
struct note {
	struct key	 key;
	uint64_t	 expires;	/* ms */
	size_t		 len;
	uint8_t		 value[LIM_STATE_VALUE];
};

static struct db	 db;
static MDB_txn		*txn;
static uint64_t		 max_records;
static struct note	*notes;		/* NOTES_MAX */
static size_t		 nnotes;
static int		 dirty;		/* since the last sync */
static int		 ailing;	/* the last commit failed */
static uint64_t		 synced, complained;
static struct {
	uint64_t	 expired, evicted, failures;
} counts;

static void	 lmdb_get(const struct key *, backend_get_cb *, void *);
static void	 lmdb_put(const struct key *, const void *, size_t, uint32_t);
static void	 lmdb_remove(const struct key *);
static void	 lmdb_expire(const struct key *, uint32_t);
static void	 lmdb_count(const struct key *, int64_t, uint32_t,
		    backend_count_cb *, void *);
static void	 lmdb_turn(void);
static int	 lmdb_tick(void);
static void	 lmdb_status(FILE *);
static void	 lmdb_close(void);
static int	 begin(void);
static void	 commit(void);
static void	 trouble(int);
static void	 complain(int);
static int	 find(const struct key *, uint64_t *, const uint8_t **,
		    size_t *);
static void	 write_record(const struct key *, const void *, size_t,
		    uint64_t);
static int	 apply(const struct note *);
static int	 apply_put(const struct note *);
static int	 forget(const struct key *);
static int	 make_room(void);
static int	 first_to_expire(uint64_t *, struct key *);
static int	 again(void);
static void	 expiry_key(uint8_t *, uint64_t, const struct key *);
static void	 put64(uint8_t *, uint64_t);
static uint64_t	 get64(const uint8_t *);

static const struct backend	 backend_lmdb = {
	.name = "lmdb",
	.get = lmdb_get,
	.put = lmdb_put,
	.remove = lmdb_remove,
	.expire = lmdb_expire,
	.count = lmdb_count,
	.turn = lmdb_turn,
	.tick = lmdb_tick,
	.status = lmdb_status,
	.close = lmdb_close,
};

const struct backend *
backend_lmdb_open(const char *dir, uint64_t max)
{
	if ((notes = calloc(NOTES_MAX, sizeof(*notes))) == NULL) {
		log_warn("notes");
		return NULL;
	}
	if (db_open(&db, dir) == -1) {
		free(notes);
		notes = NULL;
		return NULL;
	}
	max_records = max;
	nnotes = 0;
	dirty = ailing = 0;
	synced = complained = 0;
	memset(&counts, 0, sizeof(counts));
	return &backend_lmdb;
}

static void
lmdb_close(void)
{
	commit();
	db_close(&db);
	free(notes);
	notes = NULL;
}

/* Reading and writing, from the caller's side. */

static void
lmdb_get(const struct key *key, backend_get_cb *cb, void *arg)
{
	const uint8_t	*value;
	uint64_t	 expires;
	size_t		 len;
	int		 rc;

	/* What a sick store forgets would be first contacts for ever. */
	rc = ailing ? MDB_PANIC : find(key, &expires, &value, &len);
	if (rc == 0)
		cb(BACKEND_FOUND, value, len, arg);
	else
		cb(rc == MDB_NOTFOUND ? BACKEND_NONE : BACKEND_FAILED, NULL, 0,
		    arg);
}

static void
lmdb_put(const struct key *key, const void *value, size_t len, uint32_t ttl_s)
{
	write_record(key, value, len, state_now() + (uint64_t)ttl_s * 1000);
}

static void
lmdb_remove(const struct key *key)
{
	write_record(key, NULL, 0, 0);
}

static void
lmdb_expire(const struct key *key, uint32_t ttl_s)
{
	uint8_t		 copy[LIM_STATE_VALUE];
	const uint8_t	*value;
	uint64_t	 expires;
	size_t		 len;

	if (find(key, &expires, &value, &len) != 0)
		return;
	memcpy(copy, value, len);	/* it lies in the page to be written */
	lmdb_put(key, copy, len, ttl_s);
}

static void
lmdb_count(const struct key *key, int64_t add, uint32_t period_s,
    backend_count_cb *cb, void *arg)
{
	uint8_t		 value[COUNTER_VALUE];
	const uint8_t	*old;
	uint64_t	 expires, period, now = 0, before = 0;
	size_t		 len;
	int		 rc;

	rc = ailing ? MDB_PANIC : find(key, &expires, &old, &len);
	if (rc != 0 && rc != MDB_NOTFOUND) {
		cb(BACKEND_FAILED, 0, 0, arg);
		return;
	}
	period = state_now() / ((uint64_t)period_s * 1000);
	if (rc == 0 && len == COUNTER_VALUE) {
		if (get64(old) == period) {
			now = get64(old + 8);
			before = get64(old + 16);
		} else if (get64(old) + 1 == period)
			before = get64(old + 8);
	}
	if (add < 0)
		now = now > (uint64_t)-add ? now - (uint64_t)-add : 0;
	else
		now += (uint64_t)add;
	put64(value, period);
	put64(value + 8, now);
	put64(value + 16, before);
	write_record(key, value, sizeof(value),
	    (period + 2) * period_s * 1000);
	cb(BACKEND_FOUND, now, before, arg);
}

static void
lmdb_turn(void)
{
	commit();
}

static int
lmdb_tick(void)
{
	static const struct key	 heartbeat;
	struct key		 key;
	uint64_t		 expires, now = state_now();
	int			 i, rc;

	if (ailing)
		lmdb_put(&heartbeat, "", 1, HEARTBEAT_S);
	for (i = 0; i < LIM_STATE_SWEEP; i++) {
		if (first_to_expire(&expires, &key) != 0 || expires > now)
			break;
		write_record(&key, NULL, 0, 0);
		counts.expired++;
	}
	commit();
	if (dirty && (now < synced ||
	    now - synced >= LIM_STATE_SYNC_S * 1000)) {
		if ((rc = mdb_env_sync(db.env, 1)) != 0)
			complain(rc);
		dirty = 0;
		synced = now;
	}
	return i == LIM_STATE_SWEEP;
}

static void
lmdb_status(FILE *f)
{
	MDB_stat	 st;

	memset(&st, 0, sizeof(st));
	if (begin() == 0)
		(void)mdb_stat(txn, db.records, &st);
	fprintf(f, "store.records %zu\n", st.ms_entries);
	fprintf(f, "store.records.max %llu\n", (unsigned long long)max_records);
	fprintf(f, "store.octets %llu\n", (unsigned long long)db_size(&db));
	fprintf(f, "store.octets.max %llu\n", (unsigned long long)db.map);
	fprintf(f, "store.expired %llu\n", (unsigned long long)counts.expired);
	fprintf(f, "store.evicted %llu\n", (unsigned long long)counts.evicted);
	fprintf(f, "store.failures %llu\n",
	    (unsigned long long)counts.failures);
	fprintf(f, "store.state %s\n", ailing ? "failing" : "ok");
}

/* The transaction of this turn. */

static int
begin(void)
{
	int	 rc;

	if (txn != NULL)
		return 0;
	if (db_is_tight(&db))
		(void)db_grow(&db);
	if ((rc = mdb_txn_begin(db.env, NULL, 0, &txn)) != 0) {
		txn = NULL;
		trouble(rc);
	}
	return rc;
}

static void
commit(void)
{
	int	 rc;

	if (txn == NULL)
		return;
	if (nnotes == 0) {
		mdb_txn_abort(txn);	/* only read */
		txn = NULL;
		return;
	}
	rc = mdb_txn_commit(txn);
	txn = NULL;
	if (rc == MDB_MAP_FULL && (rc = again()) == 0) {
		rc = mdb_txn_commit(txn);
		txn = NULL;
	}
	nnotes = 0;
	if (rc != 0) {
		trouble(rc);
		return;
	}
	dirty = 1;
	if (ailing)
		log_warnx("the greylist can be written again");
	ailing = 0;
}

/*
 * A transaction failed.  What it held is lost: a sender is delayed once
 * more.  No disk error may end in refusing mail, so from here on questions
 * pass until a write has worked.
 */
static void
trouble(int rc)
{
	complain(rc);
	if (txn != NULL)
		mdb_txn_abort(txn);
	txn = NULL;
	nnotes = 0;
	ailing = 1;
	if (db_is_damage(rc)) {
		if (db_replace(&db, mdb_strerror(rc)) == -1)
			fatalx("no database");
	} else if (rc == MDB_PANIC && db_reopen(&db) == -1)
		fatalx("no database");
}

static void
complain(int rc)
{
	uint64_t	 now = clock_ms();

	counts.failures++;
	if (complained != 0 && now - complained < COMPLAIN_MS)
		return;
	log_warnx("greylist database: %s; while it cannot be used everything "
	    "passes", mdb_strerror(rc));
	complained = now;
}

/* 0, MDB_NOTFOUND also when it has expired, or another error. */
static int
find(const struct key *key, uint64_t *expires, const uint8_t **value,
    size_t *len)
{
	struct key	 copy = *key;
	MDB_val		 k, v;
	int		 rc;

	if ((rc = begin()) != 0)
		return rc;
	k.mv_data = copy.b;
	k.mv_size = KEY_SIZE;
	if ((rc = mdb_get(txn, db.records, &k, &v)) != 0) {
		if (rc != MDB_NOTFOUND)
			trouble(rc);
		return rc;
	}
	if (v.mv_size < 8 || v.mv_size > 8 + LIM_STATE_VALUE)
		return MDB_NOTFOUND;
	*expires = get64(v.mv_data);
	*value = (const uint8_t *)v.mv_data + 8;
	*len = v.mv_size - 8;
	return *expires > state_now() ? 0 : MDB_NOTFOUND;
}

/* value NULL: remove. */
static void
write_record(const struct key *key, const void *value, size_t len,
    uint64_t expires)
{
	struct note	*n;
	int		 rc;

	if (len > LIM_STATE_VALUE || (value != NULL && len == 0))
		fatalx("record of %zu octets", len);
	if (nnotes == NOTES_MAX)
		commit();
	if (begin() != 0)
		return;
	n = &notes[nnotes++];
	n->key = *key;
	n->expires = expires;
	n->len = len;
	if (len != 0)
		memcpy(n->value, value, len);
	rc = apply(n);
	if (rc == MDB_MAP_FULL)
		rc = again();
	if (rc != 0)
		trouble(rc);
}

/* More address space, then all of this turn once more. */
static int
again(void)
{
	size_t	 i;
	int	 rc = MDB_MAP_FULL;

	while (rc == MDB_MAP_FULL) {
		if (txn != NULL)
			mdb_txn_abort(txn);
		txn = NULL;
		if (db_grow(&db) == -1)
			return MDB_MAP_FULL;
		rc = mdb_txn_begin(db.env, NULL, 0, &txn);
		for (i = 0; rc == 0 && i < nnotes; i++)
			rc = apply(&notes[i]);
	}
	return rc;
}

static int
apply(const struct note *n)
{
	int	 rc;

	if ((rc = forget(&n->key)) != 0)
		return rc;
	if (n->len == 0)
		return 0;
	if ((rc = make_room()) != 0)
		return rc;
	return apply_put(n);
}

static int
apply_put(const struct note *n)
{
	uint8_t		 buf[8 + LIM_STATE_VALUE], ekey[EXPIRY_KEY];
	struct key	 copy = n->key;
	MDB_val		 k, v;
	int		 rc;

	put64(buf, n->expires);
	memcpy(buf + 8, n->value, n->len);
	k.mv_data = copy.b;
	k.mv_size = KEY_SIZE;
	v.mv_data = buf;
	v.mv_size = 8 + n->len;
	if ((rc = mdb_put(txn, db.records, &k, &v, 0)) != 0)
		return rc;
	expiry_key(ekey, n->expires, &n->key);
	k.mv_data = ekey;
	k.mv_size = sizeof(ekey);
	v.mv_data = buf;
	v.mv_size = 0;
	return mdb_put(txn, db.expiry, &k, &v, 0);
}

/* Both rows of a key, if it is there. */
static int
forget(const struct key *key)
{
	uint8_t		 ekey[EXPIRY_KEY];
	struct key	 copy = *key;
	MDB_val		 k, v;
	int		 rc;

	k.mv_data = copy.b;
	k.mv_size = KEY_SIZE;
	if ((rc = mdb_get(txn, db.records, &k, &v)) != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	if (v.mv_size < 8)
		return MDB_CORRUPTED;
	expiry_key(ekey, get64(v.mv_data), key);
	if ((rc = mdb_del(txn, db.records, &k, NULL)) != 0)
		return rc;
	k.mv_data = ekey;
	k.mv_size = sizeof(ekey);
	rc = mdb_del(txn, db.expiry, &k, NULL);
	return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
}

/* For one record more: those that would expire first go first. */
static int
make_room(void)
{
	MDB_stat	 st;
	struct key	 key;
	uint64_t	 expires;
	int		 rc;

	if ((rc = mdb_stat(txn, db.records, &st)) != 0)
		return rc;
	for (; st.ms_entries >= max_records; st.ms_entries--) {
		if ((rc = first_to_expire(&expires, &key)) != 0)
			return rc == MDB_NOTFOUND ? 0 : rc;
		if ((rc = forget(&key)) != 0)
			return rc;
		if (expires > state_now())
			counts.evicted++;
		else
			counts.expired++;
	}
	return 0;
}

static int
first_to_expire(uint64_t *expires, struct key *key)
{
	MDB_cursor	*c;
	MDB_val		 k, v;
	int		 rc;

	if ((rc = begin()) != 0 ||
	    (rc = mdb_cursor_open(txn, db.expiry, &c)) != 0)
		return rc;
	rc = mdb_cursor_get(c, &k, &v, MDB_FIRST);
	if (rc == 0 && k.mv_size != EXPIRY_KEY)
		rc = MDB_CORRUPTED;
	if (rc == 0) {
		*expires = get64(k.mv_data);
		memcpy(key->b, (const uint8_t *)k.mv_data + 8, KEY_SIZE);
	}
	mdb_cursor_close(c);
	return rc;
}

/* Big-endian, so that the table is in order of time. */
static void
expiry_key(uint8_t *buf, uint64_t expires, const struct key *key)
{
	put64(buf, expires);
	memcpy(buf + 8, key->b, KEY_SIZE);
}

static void
put64(uint8_t *p, uint64_t v)
{
	int	 i;

	for (i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static uint64_t
get64(const uint8_t *p)
{
	uint64_t	 v = 0;
	int		 i;

	for (i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}
