/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat/syncgroup.h"
#include "common/log.h"
#include "common/proc.h"
#include "relayd-out/spool.h"

/*
 * The process that owns the spool directory.  It knows files, not mail:
 * stores what queue sends, returns it, notes changes, removes.
 *
 * All messages that came in one turn are written first and then share one
 * flush; what arrives during the flush is the next group.
 */

#define GROUP_MAX	128	/* messages that share a flush: two descriptors
				   each are open until then */
#define FEED_FRAME	(32 * 1024)	/* entries sent to queue at once */
#define FEED_QUEUED	8		/* frames; queue is slower than we */
#define FEED_SETTLED	8192
#define ADOPT_TEXT	(1024 * 1024)	/* lines written at once */
#define LEAVE_MS	20		/* for what is on its way to us */
#define EXPIRE_MS	500
#define LOCK_TRIES	100		/* of 100 ms: our predecessor leaves */

struct waiting {
	TAILQ_ENTRY(waiting)	 entry;
	char			 id[ID_SIZE];
	int			 open;		/* its file is wanted */
	int			 exists;	/* it was there already */
	int			 small;		/* its files will do again */
	struct spool_write	 w;
};

static struct spool_dirs	 dirs;
static struct journal		 journal;
static struct ipc		*queue;

static TAILQ_HEAD(, waiting)	 group = TAILQ_HEAD_INITIALIZER(group);
static unsigned			 ngroup;
static int			 unmarked;	/* synced, but no S written */
static struct deferred		 flush;
static struct timer		 compact_timer, leave_timer, expire_timer;

static struct journal_table	 table;		/* for feed and sweep */
static int			 table_used;
static size_t			 feed_pos, feed_end;
static int			 feeding;
static struct timer		 feed_timer, sweep_timer;
static unsigned			 sweep_next;
static struct sweep		 swept;

static int	 on_put(struct ipc *, struct imsg *);
static int	 on_open(struct ipc *, struct imsg *);
static int	 on_update(struct ipc *, struct imsg *);
static int	 on_remove(struct ipc *, struct imsg *);
static void	 store(struct envelope *, int, int, const struct composed *);
static void	 group_flush(void *);
static void	 group_answer(struct waiting *, int);
static void	 answer(const char *, int, const char *, int);
static void	 compact(void *);
static void	 expire(void *);
static void	 leave(void *);
static void	 take_stock(void);
static void	 check_suspects(void);
static void	 feed_begin(void);
static void	 feed(void *);
static void	 sweep(void *);
static void	 adopt(const struct stored *);
static void	 table_done(void);

const struct ipc_verb spool_verbs[SPOOL_NVERBS] = {
	{ VERB_SPOOL_PUT, PEER_BIT(PEER_QUEUE), LIM_FRAME, IPC_FD, on_put },
	{ VERB_SPOOL_OPEN, PEER_BIT(PEER_QUEUE), 64, IPC_NOFD, on_open },
	{ VERB_SPOOL_UPDATE, PEER_BIT(PEER_QUEUE), LIM_FRAME, IPC_NOFD,
	    on_update },
	{ VERB_SPOOL_REMOVE, PEER_BIT(PEER_QUEUE), 64, IPC_NOFD, on_remove },
};

/*
 * Two of us in one directory would remove each other's messages.  The lock
 * goes with the descriptor, which stays open for life.
 */
int
spool_init(const struct config *conf, unsigned instance)
{
	char	 path[1024];
	int	 fd, i, n;

	(void)instance;
	n = snprintf(path, sizeof(path), "%s/lock", conf->dir_spool);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		log_warnx("spool: the directory's name is too long");
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1) {
		log_warn("%s", path);
		return -1;
	}
	for (i = 0; flock(fd, LOCK_EX | LOCK_NB) == -1; i++) {
		if (errno != EWOULDBLOCK || i == LOCK_TRIES) {
			log_warn("%s: another gateway uses it", path);
			close(fd);
			return -1;
		}
		(void)usleep(100 * 1000);
	}
	return 0;
}

void
spool_start(void)
{
	int	 fresh;

	if (spool_dirs_open(&dirs) == -1)
		fatal("spool directories");
	if (journal_open(&journal, dirs.root, &fresh) == -1)
		fatal("journal");
	swept.rebuild = fresh;
	flush.fn = group_flush;
	timer_init(&compact_timer, compact, NULL);
	timer_init(&leave_timer, leave, NULL);
	timer_init(&expire_timer, expire, NULL);
	timer_init(&feed_timer, feed, NULL);
	timer_init(&sweep_timer, sweep, NULL);
	take_stock();
}

/* Before anything else: what is there, and is it whole? */
static void
take_stock(void)
{
	if (journal_load(&journal, &table) == -1)
		fatal("journal");
	table_used = 1;
	check_suspects();
	if (swept.rebuild)
		while (sweep_next < SPOOL_DIRS)
			sweep(NULL);
	/* What was found is to stay before anybody relies on it. */
	if (compat_syncgroup(dirs.root, NULL, 0) == -1)
		fatal("spool: sync");
	journal_print_synced(&journal.rest);
	if (journal_write(&journal) == -1)
		log_warn("journal: write");
	if (table_used) {
		journal_unload(&table);
		table_used = 0;
	}
	if (journal_compact(&journal, 0) == -1)
		log_warn("journal: compact");
	if (sweep_next < SPOOL_DIRS) {
		if (journal_load(&journal, &table) == -1)
			fatal("journal");
		table_used = 1;
		timer_set(&sweep_timer, 10);
	}
}

/*
 * Messages of the last group before we went down: their line is there, but
 * the machine may have stopped before their files were on the disk.
 */
static void
check_suspects(void)
{
	struct journal_entry	*e;
	size_t			 i, gone = 0;

	for (i = table.synced; i < table.n; i++) {
		e = &table.v[i];
		if (!e->suspect || !e->live || sweep_whole(&dirs, e->id, 1))
			continue;
		(void)spool_remove(&dirs, e->id);
		journal_print_remove(&journal.rest, e->id, 0);
		e->live = 0;
		journal.live--;
		gone++;
	}
	if (gone != 0)
		log_info("spool: %zu half written messages removed", gone);
}

void
spool_peer_up(struct ipc *ipc)
{
	if (ipc->kind != PEER_QUEUE)
		return;
	queue = ipc;
	feed_begin();
}

void
spool_peer_gone(struct ipc *ipc)
{
	if (ipc != queue)
		return;
	queue = NULL;
	feeding = 0;
	timer_stop(&feed_timer);
	table_done();
}

/*
 * On a reload our successor cannot begin before we are gone, and queue tells
 * it whatever we have not read.  When all stop, queue has gone already.
 */
void
spool_drain(int hurry)
{
	(void)hurry;
	timer_set(&leave_timer, queue == NULL ? 0 : LEAVE_MS);
}

static void
leave(void *arg)
{
	(void)arg;
	group_flush(NULL);
	recycle_end(&dirs);
	child_exit();
}

static int
on_put(struct ipc *ipc, struct imsg *im)
{
	struct envelope	*e;
	struct composed	 c;
	char		 origin[ID_SIZE];
	uint8_t		 flags;

	/* From one that died before we read it, and its successor has been
	   told already what there is: who asked asks that one, by id. */
	if (ipc != queue)
		return 0;
	memset(&c, 0, sizeof(c));
	flags = ibuf_get_u8(&im->data);
	e = envelope_parse(&im->data);
	if (flags & SPUT_COMPOSE) {
		c.head = ibuf_get_blob(&im->data, &c.headlen);
		ibuf_get_raw(&im->data, origin, sizeof(origin));
		c.origin = origin;
		c.how = ibuf_get_u8(&im->data);
		c.tail = ibuf_get_blob(&im->data, &c.taillen);
	}
	if (ibuf_get_end(&im->data) == -1 || e == NULL) {
		envelope_free(e);
		return -1;
	}
	if (flags & SPUT_COMPOSE)
		store(e, -1, flags & SPUT_OPEN, &c);
	else if (im->fd == -1)
		answer(e->id, 0, "descriptor lost", -1);
	else
		store(e, im->fd, flags & SPUT_OPEN, NULL);
	envelope_free(e);
	return 0;
}

static void
store(struct envelope *e, int fd, int wanted, const struct composed *c)
{
	struct waiting	*w;
	int		 saved;

	if ((w = calloc(1, sizeof(*w))) == NULL) {
		answer(e->id, 0, strerror(ENOMEM), -1);
		return;
	}
	memcpy(w->id, e->id, sizeof(w->id));
	w->open = wanted;
	if (spool_store(&dirs, e, fd, c, &w->w) == -1) {
		if ((saved = errno) != EEXIST) {
			log_warn("spool: %s", e->id);
			answer(e->id, 0, strerror(saved), -1);
			free(w);
			return;
		}
		/* It was asked for before; so is the flush that it needs. */
		w->exists = 1;
	} else {
		w->small = e->size <= RECYCLE_MAX;
		journal_print_add(&journal.group, e);
		if (table_used)
			(void)journal_note(&table, e->id);
	}
	TAILQ_INSERT_TAIL(&group, w, entry);
	if (++ngroup >= GROUP_MAX)
		group_flush(NULL);
	else
		loop_defer(&flush);
}

static void
group_flush(void *arg)
{
	struct waiting	*w;
	int		 fds[2 * GROUP_MAX + 1], ok = 0, written;
	size_t		 n = 0;

	(void)arg;
	if (ngroup != 0 && unmarked)
		journal_print_synced(&journal.rest);
	written = journal_write(&journal) == 0;
	if (!written)
		log_warn("journal: write");
	if (ngroup == 0)
		return;
	fds[n++] = journal.fd;
	TAILQ_FOREACH(w, &group, entry) {
		if (w->w.content != -1)
			fds[n++] = w->w.content;
		if (w->w.envelope != -1)
			fds[n++] = w->w.envelope;
	}
	if (written) {
		ok = compat_syncgroup(dirs.root, fds, n) == 0;
		if (ok)
			recycle_synced(&dirs);
		else
			log_warn("spool: flush of %u messages", ngroup);
	}
	while ((w = TAILQ_FIRST(&group)) != NULL) {
		TAILQ_REMOVE(&group, w, entry);
		if (!w->exists && written) {
			journal.lines++;
			journal.live++;
		}
		group_answer(w, ok);
	}
	ngroup = 0;
	unmarked = ok;
	if (journal.lines > 1000)
		timer_set(&compact_timer, 0);
}

/* One of a group, after its flush. */
static void
group_answer(struct waiting *w, int ok)
{
	int	 fd = -1;

	if (ok && w->small)
		recycle_keep(w->id, &w->w);
	spool_write_close(&w->w);
	if (ok && w->open)
		fd = openat(spool_dir(&dirs, w->id), w->id,
		    O_RDONLY | O_CLOEXEC);
	if (!ok && !w->exists) {
		(void)spool_remove(&dirs, w->id);
		journal_print_remove(&journal.rest, w->id, 0);
		loop_defer(&flush);
	}
	answer(w->id, ok, ok ? "" : "not durable", fd);
	free(w);
}

static void
answer(const char *id, int ok, const char *why, int fd)
{
	static struct ibuf	 b;

	if (queue == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	ibuf_reset(&b);
	ibuf_add_raw(&b, id, ID_SIZE);
	ibuf_add_u8(&b, ok != 0);
	ibuf_add_str(&b, why);
	(void)ipc_send(queue, VERB_SPOOL_STORED, 0, fd, &b);
}

static int
on_open(struct ipc *ipc, struct imsg *im)
{
	struct stored	*s = NULL;
	struct ibuf	 b;
	char		 id[ID_SIZE];
	int		 fd = -1;
	uint8_t		 st;

	ibuf_get_raw(&im->data, id, sizeof(id));
	if (ibuf_get_end(&im->data) == -1 || !id_valid(id))
		return -1;
	st = (uint8_t)spool_open(&dirs, id, &s, &fd);
	if (st == OPEN_FAILED)
		log_warn("spool: open %s", id);
	ibuf_init(&b);
	ibuf_add_raw(&b, id, sizeof(id));
	ibuf_add_u8(&b, st);
	if (s != NULL)
		stored_add(&b, s);
	(void)ipc_send(ipc, VERB_SPOOL_OPENED, 0, fd, &b);
	ibuf_free(&b);
	stored_free(s);
	return 0;
}

static int
on_update(struct ipc *ipc, struct imsg *im)
{
	struct update	 u;

	(void)ipc;
	if (update_parse(&im->data, &u) == -1)
		return -1;
	if (ibuf_get_end(&im->data) == -1) {
		update_free(&u);
		return -1;
	}
	if (spool_update(&dirs, &u, clock_wall_ms()) == -1)
		log_warn("spool: state of %s", u.id);
	journal_print_update(&journal.rest, &u);
	journal.lines++;
	loop_defer(&flush);
	update_free(&u);
	return 0;
}

/* Files first: a line without files is dropped when they are opened, files
   without a line would be delivered again. */
static int
on_remove(struct ipc *ipc, struct imsg *im)
{
	char	 id[ID_SIZE];
	uint8_t	 settled;

	(void)ipc;
	ibuf_get_raw(&im->data, id, sizeof(id));
	settled = ibuf_get_u8(&im->data);
	if (ibuf_get_end(&im->data) == -1 || !id_valid(id))
		return -1;
	/* What was never ours must not look whole for a moment longer. */
	if (!recycle_settle(id, settled, loop_now()))
		(void)spool_remove(&dirs, id);
	else if (!timer_isset(&expire_timer))
		timer_set(&expire_timer, EXPIRE_MS);
	journal_print_remove(&journal.rest, id, settled);
	journal.lines++;
	if (journal.live > 0)
		journal.live--;
	loop_defer(&flush);
	return 0;
}

static void
expire(void *arg)
{
	(void)arg;
	if (recycle_expire(&dirs, loop_now()))
		timer_set(&expire_timer, EXPIRE_MS);
}

/* Outside a group: nothing waits for a flush now. */
static void
compact(void *arg)
{
	(void)arg;
	if (feeding || table_used)
		return;
	group_flush(NULL);
	if (journal_compact(&journal, 0) == -1)
		log_warn("journal: compact");
}

/* Tell queue everything, from the beginning. */
static void
feed_begin(void)
{
	group_flush(NULL);
	if (table_used && table.mapped != journal.size) {
		journal_unload(&table);
		table_used = 0;
	}
	if (!table_used && journal_load(&journal, &table) == -1)
		fatal("journal");
	table_used = 1;
	feed_pos = 0;
	feed_end = table.n;
	feeding = 1;
	timer_set(&feed_timer, 0);
}

static void
feed(void *arg)
{
	static struct ibuf	 b;
	struct journal_entry	*e;
	struct loaded		 l;

	(void)arg;
	while (feed_pos < feed_end && queue->ibuf.nout < FEED_QUEUED) {
		ibuf_reset(&b);
		for (; feed_pos < feed_end && b.len < FEED_FRAME; feed_pos++) {
			e = &table.v[feed_pos];
			if (!e->live && (!e->settled ||
			    feed_end - feed_pos > FEED_SETTLED))
				continue;
			if (journal_loaded(&table, e, &l) == 0)
				loaded_add(&b, &l);
			loaded_free(&l);
		}
		if (b.len != 0)
			(void)ipc_send(queue, VERB_SPOOL_LOADED, 0, -1, &b);
	}
	if (feed_pos < feed_end) {
		timer_set(&feed_timer, 1);
		return;
	}
	feeding = 0;
	ibuf_reset(&b);
	ibuf_add_u64(&b, table.live);
	(void)ipc_send(queue, VERB_SPOOL_READY, 0, -1, &b);
	table_done();
}

/* One directory a turn, so that mail is not held up. */
static void
sweep(void *arg)
{
	(void)arg;
	if (sweep_dir(&dirs, sweep_next, &table, &swept, adopt) == -1)
		log_warn("spool: sweep");
	sweep_next++;
	if (sweep_next < SPOOL_DIRS) {
		timer_set(&sweep_timer, 50);
		return;
	}
	if (swept.removed != 0 || swept.adopted != 0 || swept.aside != 0)
		log_info("spool: %zu half written messages removed, %zu whole "
		    "ones found, %zu damaged ones put into %s",
		    swept.removed, swept.adopted, swept.aside, SPOOL_BROKEN);
	timer_stop(&sweep_timer);
	table_done();
}

/* A message that the journal did not know of. */
static void
adopt(const struct stored *s)
{
	struct loaded	 l;
	struct update	 u;
	struct text	 t;
	struct ibuf	 b;

	journal_print_add(&journal.rest, s->env);
	memset(&u, 0, sizeof(u));
	memcpy(u.id, s->env->id, sizeof(u.id));
	u.next = s->next;
	u.attempts = s->attempts;
	u.flags = s->flags;
	memcpy(u.state, s->state, sizeof(u.state));
	journal_print_update(&journal.rest, &u);
	journal.lines += 2;
	journal.live++;
	if (journal.rest.len > ADOPT_TEXT && journal_write(&journal) == -1)
		log_warn("journal: write");
	loop_defer(&flush);
	if (queue == NULL)
		return;
	memset(&l, 0, sizeof(l));
	memset(&t, 0, sizeof(t));
	l.live = 1;
	memcpy(l.id, s->env->id, sizeof(l.id));
	l.time = s->env->time;
	l.size = s->env->size;
	l.next = s->next;
	l.attempts = s->attempts;
	l.flags = s->flags;
	l.envflags = loaded_flags(s->env);
	l.nrcpts = (uint16_t)s->env->nrcpts;
	(void)strlcpy(l.sender, s->env->sender, sizeof(l.sender));
	memcpy(l.state, s->state, sizeof(l.state));
	loaded_domains(&t, s->env);
	text_add(&t, "", 1);
	ibuf_init(&b);
	if (!t.bad) {
		l.domains = t.p;
		loaded_add(&b, &l);
		(void)ipc_send(queue, VERB_SPOOL_LOADED, 0, -1, &b);
	}
	ibuf_free(&b);
	text_free(&t);
}

/* The table's memory goes when neither feed nor sweep needs it. */
static void
table_done(void)
{
	if (!table_used || feeding || sweep_next < SPOOL_DIRS)
		return;
	journal_unload(&table);
	table_used = 0;
}
