/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "relayd-out/spool.h"

/*
 * What lies in the spool and is in no journal: messages half written when the
 * machine or spool went down (their clients never saw a 250: removed), and
 * whole ones whose line was lost (adopted; nothing accepted is lost).
 */

static int	 name_id(const char *, char[ID_SIZE]);
static int	 content_same(int, const struct envelope *);
static void	 sweep_one(const struct spool_dirs *, const char *,
		    struct journal_table *, const struct journal_entry *,
		    struct sweep *, void (*)(const struct stored *));

/* The id that a file belongs to; other files are not ours to touch. */
static int
name_id(const char *name, char id[ID_SIZE])
{
	size_t	 n = strlen(name);

	if (n != LIM_ID && (n != LIM_ID + 4 ||
	    strcmp(name + LIM_ID, ".env") != 0))
		return -1;
	memcpy(id, name, LIM_ID);
	id[LIM_ID] = '\0';
	return id_valid(id) ? 0 : -1;
}

int
sweep_whole(const struct spool_dirs *d, const char *id, int content)
{
	struct stored		*s;
	enum open_status	 st;
	int			 fd = -1, ok;

	st = spool_open(d, id, &s, content ? &fd : NULL);
	/* When the system fails us now, rather keep it. */
	ok = st == OPEN_FAILED || (st == OPEN_OK && (!content ||
	    content_same(fd, s->env)));
	if (fd != -1)
		close(fd);
	stored_free(s);
	return ok;
}

/* Has the content the hash that it had when it was accepted? */
static int
content_same(int fd, const struct envelope *e)
{
	static uint8_t	 buf[64 * 1024];
	uint8_t		 digest[MESSAGE_HASH];
	struct hash	*h;
	uint64_t	 off = 0;
	ssize_t		 n;

	if ((h = hash_new()) == NULL)
		return 1;
	while ((n = pread(fd, buf, sizeof(buf), (off_t)off)) > 0) {
		hash_add(h, buf, (size_t)n);
		off += (uint64_t)n;
	}
	hash_final(h, digest);
	return n == 0 && memcmp(digest, e->hash, sizeof(digest)) == 0;
}

int
sweep_dir(const struct spool_dirs *d, unsigned n, struct journal_table *t,
    struct sweep *sw, void (*adopt)(const struct stored *))
{
	struct journal_entry	*e;
	struct dirent		*de;
	DIR			*dir;
	char			 id[ID_SIZE];
	int			 fd;

	if ((fd = openat(d->v[n], ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return -1;
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return -1;
	}
	while ((de = readdir(dir)) != NULL) {
		if (name_id(de->d_name, id) == -1)
			continue;
		e = journal_find(t, id);
		if (e == NULL || !e->live)
			sweep_one(d, id, t, e, sw, adopt);
	}
	closedir(dir);
	return 0;
}

static void
sweep_one(const struct spool_dirs *d, const char *id, struct journal_table *t,
    const struct journal_entry *e, struct sweep *sw,
    void (*adopt)(const struct stored *))
{
	struct stored		*s;
	enum open_status	 st = spool_open(d, id, &s, NULL);

	/* Its files may have been another's, so look at the content too; not
	   at that of a whole queue, which delivery does. */
	if (st == OPEN_OK && !sw->rebuild && !sweep_whole(d, id, 1))
		st = OPEN_BROKEN;
	if (st == OPEN_FAILED)
		log_warn("spool: %s", id);
	else if (st == OPEN_OK && (e == NULL || !e->settled)) {
		if (journal_note(t, id) == 0) {
			sw->adopted++;
			adopt(s);
		}
	} else if (st == OPEN_BROKEN && sw->rebuild &&
	    spool_set_aside(d, id) == 0)
		/* Without a journal it may be one that was accepted and has
		   been damaged since. */
		sw->aside++;
	else
		/* Half written, or settled when the machine stopped. */
		sw->removed += spool_remove(d, id) != 0;
	stored_free(s);
}
