/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "relayd-out/spool.h"

/*
 * Files that are used again.  To make and to remove two files a message is
 * most of what a queue costs, and what a flush has to write.  So the files of
 * a small message that has been settled are kept for a moment, and the next
 * message gets them: renamed to its id, overwritten.
 *
 * A slot is free only after a flush that covers its removal: then its old
 * name is no message whatever a crash leaves, for the journal says so, the
 * envelope's first octet is struck out, and ids and sums in the envelope
 * match no other name.  What was not flushed yet under the new name shows by
 * its sums (envelope) and its hash (content).
 */

#define SLOTS_OPEN	256	/* live ones, for when they are settled */
#define SLOTS_FREE	256
#define FREE_MS		1000	/* then its content really goes */

enum slot_state { SLOT_LIVE, SLOT_DYING, SLOT_FREE };

struct slot {
	TAILQ_ENTRY(slot)	 entry;
	RB_ENTRY(slot)		 tree;		/* live ones */
	enum slot_state		 state;
	char			 id[ID_SIZE];
	struct spool_write	 w;
	uint64_t		 since;		/* it was settled */
};
TAILQ_HEAD(slots, slot);
RB_HEAD(slot_tree, slot);

static struct slots	 lists[3] = {
	TAILQ_HEAD_INITIALIZER(lists[SLOT_LIVE]),
	TAILQ_HEAD_INITIALIZER(lists[SLOT_DYING]),
	TAILQ_HEAD_INITIALIZER(lists[SLOT_FREE])
};
static unsigned		 nslots[3];
static struct slot_tree	 live = RB_INITIALIZER(&live);

static int	 slot_cmp(struct slot *, struct slot *);
static void	 slot_move(struct slot *, enum slot_state);
static void	 slot_drop(struct slot *, const struct spool_dirs *);

RB_PROTOTYPE(slot_tree, slot, tree, slot_cmp)
RB_GENERATE(slot_tree, slot, tree, slot_cmp)

static int
slot_cmp(struct slot *a, struct slot *b)
{
	return memcmp(a->id, b->id, LIM_ID);
}

static void
slot_move(struct slot *s, enum slot_state to)
{
	if (s->state == SLOT_LIVE)
		RB_REMOVE(slot_tree, &live, s);
	TAILQ_REMOVE(&lists[s->state], s, entry);
	nslots[s->state]--;
	s->state = to;
	TAILQ_INSERT_TAIL(&lists[to], s, entry);
	nslots[to]++;
}

/* Give up the slot; with dirs its files are removed too. */
static void
slot_drop(struct slot *s, const struct spool_dirs *d)
{
	if (d != NULL)
		(void)spool_remove(d, s->id);
	if (s->state == SLOT_LIVE)
		RB_REMOVE(slot_tree, &live, s);
	TAILQ_REMOVE(&lists[s->state], s, entry);
	nslots[s->state]--;
	spool_write_close(&s->w);
	free(s);
}

void
recycle_keep(const char *id, struct spool_write *w)
{
	struct slot	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL) {
		spool_write_close(w);
		return;
	}
	memcpy(s->id, id, sizeof(s->id));
	s->w = *w;
	w->content = w->envelope = -1;
	s->state = SLOT_LIVE;
	TAILQ_INSERT_TAIL(&lists[SLOT_LIVE], s, entry);
	nslots[SLOT_LIVE]++;
	if (RB_INSERT(slot_tree, &live, s) != NULL) {
		TAILQ_REMOVE(&lists[SLOT_LIVE], s, entry);
		nslots[SLOT_LIVE]--;
		spool_write_close(&s->w);
		free(s);
	} else if (nslots[SLOT_LIVE] > SLOTS_OPEN)
		slot_drop(TAILQ_FIRST(&lists[SLOT_LIVE]), NULL);
}

int
recycle_settle(const char *id, int keep, uint64_t now)
{
	struct slot	*s, find;

	memcpy(find.id, id, LIM_ID);
	if ((s = RB_FIND(slot_tree, &live, &find)) == NULL)
		return 0;
	if (!keep || nslots[SLOT_FREE] + nslots[SLOT_DYING] >= SLOTS_FREE) {
		slot_drop(s, NULL);
		return 0;
	}
	s->since = now;
	slot_move(s, SLOT_DYING);
	return 1;
}

void
recycle_synced(const struct spool_dirs *d)
{
	struct slot	*s;

	while ((s = TAILQ_FIRST(&lists[SLOT_DYING])) != NULL) {
		/* Not before: until its line is in the journal it lives. */
		if (pwrite(s->w.envelope, "-", 1, 0) == 1)
			slot_move(s, SLOT_FREE);
		else
			slot_drop(s, d);
	}
}

int
recycle_take(const struct spool_dirs *d, const char *id,
    struct spool_write *w)
{
	char		 from[SPOOL_NAME], to[SPOOL_NAME];
	struct stat	 st;
	struct slot	*s;
	int		 olddir, newdir = spool_dir(d, id);

	/* The one used last is the one still in the caches. */
	if ((s = TAILQ_LAST(&lists[SLOT_FREE], slots)) == NULL)
		return -1;
	/* A rename would replace a message of this id, if there is one. */
	if (fstatat(newdir, id, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT)
		return -1;
	olddir = spool_dir(d, s->id);
	spool_envelope_name(s->id, from);
	spool_envelope_name(id, to);
	if (renameat(olddir, s->id, newdir, id) == -1 ||
	    renameat(olddir, from, newdir, to) == -1) {
		log_warn("spool: rename");
		slot_drop(s, d);
		(void)spool_remove(d, id);
		return -1;
	}
	*w = s->w;
	s->w.content = s->w.envelope = -1;
	slot_drop(s, NULL);
	return 0;
}

int
recycle_expire(const struct spool_dirs *d, uint64_t now)
{
	struct slot	*s;

	while ((s = TAILQ_FIRST(&lists[SLOT_FREE])) != NULL &&
	    s->since + FREE_MS <= now)
		slot_drop(s, d);
	while ((s = TAILQ_FIRST(&lists[SLOT_DYING])) != NULL &&
	    s->since + FREE_MS <= now)
		slot_drop(s, d);
	return nslots[SLOT_FREE] + nslots[SLOT_DYING] != 0;
}

void
recycle_end(const struct spool_dirs *d)
{
	(void)recycle_expire(d, UINT64_MAX);
	while (!TAILQ_EMPTY(&lists[SLOT_LIVE]))
		slot_drop(TAILQ_FIRST(&lists[SLOT_LIVE]), NULL);
}
