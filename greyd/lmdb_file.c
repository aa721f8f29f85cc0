/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "greyd/greyd.h"
#include "greyd/lmdb.h"

/*
 * The database file.  It is written without syncing, so after a power failure
 * it may be damaged; losing it costs every sender one more delay, so nothing
 * is repaired.  A mark beside it tells how the last process left:
 *
 *	(empty)		closed in order
 *	running		killed: the file is read through before use
 *	checking	died while it did so, or was killed once more
 *	checking again	that, too: the file is moved aside
 */

#define FIRST_MAP	(64ULL << 20)
#define MARK_RUNNING	"running\n"
#define MARK_CHECKING	"checking\n"
#define MARK_AGAIN	"checking again\n"
#define CHECK_STEPS	100000000	/* more records than there can be */

static uint64_t	 first_map = FIRST_MAP;

static int	 mark_open(struct db *, const char *);
static int	 mark_is(const struct db *, const char *);
static void	 mark_set(const struct db *, const char *);
static int	 env_open(struct db *);
static void	 env_close(struct db *);
static int	 tables_open(struct db *);
static int	 is_short(const struct db *);
static int	 check_all(struct db *);
static int	 check_table(MDB_txn *, MDB_dbi, size_t, uint64_t *);
static void	 move_aside(struct db *, const char *);

void
db_first_map(uint64_t size)
{
	first_map = size;
}

int
db_open(struct db *db, const char *dir)
{
	struct stat	 st;
	const char	*why = NULL;
	int		 n, rc, unclean;

	memset(db, 0, sizeof(*db));
	db->markfd = -1;
	n = snprintf(db->path, sizeof(db->path), "%s/greyd.mdb",
	    strcmp(dir, "/") == 0 ? "" : dir);
	if (n < 0 || (size_t)n >= sizeof(db->path)) {
		log_warnx("%s: name too long", dir);
		return -1;
	}
	if (mark_open(db, dir) == -1)
		return -1;
	if (stat(db->path, &st) == 0) {
		unclean = !mark_is(db, "");
		if (mark_is(db, MARK_AGAIN))
			return db_replace(db, "it cannot be read through");
		mark_set(db, mark_is(db, MARK_CHECKING) ? MARK_AGAIN :
		    MARK_CHECKING);
		if ((rc = env_open(db)) != 0) {
			if (!db_is_damage(rc))
				goto fail;
			why = mdb_strerror(rc);
		} else if ((db->was_short || unclean) && check_all(db) == -1)
			why = "what is in it does not fit together";
		if (why != NULL)
			return db_replace(db, why);
	}
	if (db->env == NULL && (rc = env_open(db)) != 0)
		goto fail;
	mark_set(db, MARK_RUNNING);
	return 0;
fail:
	log_warnx("%s: %s", db->path, mdb_strerror(rc));
	env_close(db);
	close(db->markfd);
	db->markfd = -1;
	return -1;
}

void
db_close(struct db *db)
{
	if (db->env != NULL && mdb_env_sync(db->env, 1) == 0) {
		env_close(db);
		mark_set(db, "");
	}
	env_close(db);
	if (db->markfd != -1)
		close(db->markfd);
	db->markfd = -1;
}

int
db_replace(struct db *db, const char *why)
{
	int	 rc;

	env_close(db);
	move_aside(db, why);
	if ((rc = env_open(db)) != 0) {
		log_warnx("%s: %s", db->path, mdb_strerror(rc));
		env_close(db);
		return -1;
	}
	mark_set(db, MARK_RUNNING);
	return 0;
}

int
db_reopen(struct db *db)
{
	int	 rc;

	env_close(db);
	mark_set(db, MARK_CHECKING);
	if ((rc = env_open(db)) != 0 && !db_is_damage(rc)) {
		log_warnx("%s: %s", db->path, mdb_strerror(rc));
		env_close(db);
		return -1;
	}
	if (rc != 0 || check_all(db) == -1)
		return db_replace(db, "it is out of order");
	mark_set(db, MARK_RUNNING);
	return 0;
}

/* Whoever holds the lock is the only one: LMDB's own lock is not used. */
static int
mark_open(struct db *db, const char *dir)
{
	char	 path[PATH_MAX];
	int	 n;

	n = snprintf(path, sizeof(path), "%s/greyd.mark",
	    strcmp(dir, "/") == 0 ? "" : dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	db->markfd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (db->markfd == -1) {
		log_warn("%s", path);
		return -1;
	}
	if (flock(db->markfd, LOCK_EX | LOCK_NB) == -1) {
		log_warn("%s: another process uses this directory", path);
		close(db->markfd);
		db->markfd = -1;
		return -1;
	}
	return 0;
}

static int
mark_is(const struct db *db, const char *text)
{
	char	 buf[16];
	ssize_t	 n;

	n = pread(db->markfd, buf, sizeof(buf), 0);
	return n >= 0 && (size_t)n == strlen(text) &&
	    memcmp(buf, text, (size_t)n) == 0;
}

static void
mark_set(const struct db *db, const char *text)
{
	size_t	 len = strlen(text);

	if (ftruncate(db->markfd, 0) == -1 ||
	    pwrite(db->markfd, text, len, 0) != (ssize_t)len ||
	    fdatasync(db->markfd) == -1)
		log_warn("greyd.mark");
}

static int
env_open(struct db *db)
{
	struct stat	 st;
	int		 rc;

	db->map = first_map;
	if (stat(db->path, &st) == 0)
		while (db->map < LIM_STATE_MAP &&
		    db->map < (uint64_t)st.st_size * 2)
			db->map *= 2;
	if ((rc = mdb_env_create(&db->env)) != 0) {
		db->env = NULL;
		return rc;
	}
	/*
	 * NOSYNC: durable once a few seconds (db_close, backend tick), which
	 * is a thousandth of the cost.  NOLOCK: the mark is the lock.
	 */
	if ((rc = mdb_env_set_maxdbs(db->env, 4)) != 0 ||
	    (rc = mdb_env_set_mapsize(db->env, db->map)) != 0 ||
	    (rc = mdb_env_open(db->env, db->path, MDB_NOSUBDIR | MDB_NOSYNC |
	    MDB_NOLOCK, 0600)) != 0)
		return rc;
	db->was_short = is_short(db);
	return tables_open(db);
}

static void
env_close(struct db *db)
{
	if (db->env != NULL)
		mdb_env_close(db->env);
	db->env = NULL;
}

static int
tables_open(struct db *db)
{
	MDB_txn	*txn;
	int	 rc;

	if ((rc = mdb_txn_begin(db->env, NULL, 0, &txn)) != 0)
		return rc;
	if ((rc = mdb_dbi_open(txn, "records", MDB_CREATE,
	    &db->records)) != 0 ||
	    (rc = mdb_dbi_open(txn, "expiry", MDB_CREATE, &db->expiry)) != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/*
 * LMDB maps as much as its meta page says; pages beyond the end of the file
 * would be SIGBUS.  Make it long enough, so that reading it through finds zeros
 * instead; pages that were allocated and never written are no damage.
 */
static int
is_short(const struct db *db)
{
	MDB_envinfo	 info;
	MDB_stat	 st;
	uint64_t	 need;
	mdb_filehandle_t fd;

	if (mdb_env_info(db->env, &info) != 0 ||
	    mdb_env_stat(db->env, &st) != 0)
		return 1;
	need = ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
	if (db_size(db) >= need)
		return 0;
	if (mdb_env_get_fd(db->env, &fd) != 0 ||
	    ftruncate(fd, (off_t)need) == -1)
		log_warn("%s", db->path);
	return 1;
}

/* Read everything once.  If that is our death, the mark tells it. */
static int
check_all(struct db *db)
{
	MDB_txn		*txn;
	uint64_t	 nfree, nrecords, nexpiry;
	int		 ok;

	if (mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn) != 0)
		return -1;
	/* 0: the table of free pages. */
	ok = check_table(txn, 0, 0, &nfree) == 0 &&
	    check_table(txn, db->records, KEY_SIZE, &nrecords) == 0 &&
	    check_table(txn, db->expiry, KEY_SIZE + 8, &nexpiry) == 0 &&
	    nrecords == nexpiry;
	mdb_txn_abort(txn);
	return ok ? 0 : -1;
}

/* keysize 0: any. */
static int
check_table(MDB_txn *txn, MDB_dbi dbi, size_t keysize, uint64_t *n)
{
	MDB_cursor	*c;
	MDB_val		 k, v;
	MDB_stat	 st;
	int		 rc;

	*n = 0;
	if (mdb_stat(txn, dbi, &st) != 0 || mdb_cursor_open(txn, dbi, &c) != 0)
		return -1;
	while ((rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
		if ((keysize != 0 && k.mv_size != keysize) ||
		    ++*n > CHECK_STEPS)
			break;
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND && *n == st.ms_entries ? 0 : -1;
}

static void
move_aside(struct db *db, const char *why)
{
	char	 to[PATH_MAX];
	int	 n;

	n = snprintf(to, sizeof(to), "%s.damaged", db->path);
	if (n < 0 || (size_t)n >= sizeof(to))
		return;
	log_warnx("%s is damaged (%s): it is kept as %s, the greylist begins "
	    "anew", db->path, why, to);
	if (rename(db->path, to) == -1 && errno != ENOENT) {
		log_warn("%s", to);
		(void)unlink(db->path);
	}
}

int
db_grow(struct db *db)
{
	int	 rc;

	if (db->map >= LIM_STATE_MAP)
		return -1;
	if ((rc = mdb_env_set_mapsize(db->env, db->map * 2)) != 0) {
		log_warnx("%s: no more address space: %s", db->path,
		    mdb_strerror(rc));
		return -1;
	}
	db->map *= 2;
	log_info("%s: address space is %llu MB now", db->path,
	    (unsigned long long)(db->map >> 20));
	return 0;
}

int
db_is_tight(const struct db *db)
{
	MDB_envinfo	 info;
	MDB_stat	 st;

	if (mdb_env_info(db->env, &info) != 0 ||
	    mdb_env_stat(db->env, &st) != 0)
		return 0;
	return (uint64_t)info.me_last_pgno * st.ms_psize > db->map / 4 * 3;
}

uint64_t
db_size(const struct db *db)
{
	struct stat	 st;

	return stat(db->path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int
db_is_damage(int rc)
{
	return rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ||
	    rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH ||
	    rc == MDB_INCOMPATIBLE || rc == MDB_CURSOR_FULL;
}
