/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/proc.h"
#include "relayd-out/queue.h"

/*
 * A message in the queue.  Of one that waits only what the schedule needs is
 * in memory; its envelope is read from the spool when its time has come
 * ("warm"), and given up when it waits again.
 */

#define WARM_MAX	512	/* idle ones whose descriptor is kept */
#define SETTLED_MAX	16384

RB_HEAD(entry_tree, entry);

struct settled {
	RB_ENTRY(settled)	 tree;
	char			 id[ID_SIZE];
};
RB_HEAD(settled_tree, settled);

struct queue_counts		 counts;

static struct entry_tree	 entries = RB_INITIALIZER(&entries);
static TAILQ_HEAD(, entry)	 warm = TAILQ_HEAD_INITIALIZER(warm);
static struct settled_tree	 settled = RB_INITIALIZER(&settled);
static struct settled		*ring;
static size_t			 ring_next;

static int	 entry_cmp(struct entry *, struct entry *);
static int	 settled_cmp(struct settled *, struct settled *);
static size_t	 parts_of(const struct loaded *, uint8_t *, struct hop **);
static struct hop *domain_hop(const char *, size_t, int);

RB_PROTOTYPE(entry_tree, entry, tree, entry_cmp)
RB_GENERATE(entry_tree, entry, tree, entry_cmp)
RB_PROTOTYPE(settled_tree, settled, tree, settled_cmp)
RB_GENERATE(settled_tree, settled, tree, settled_cmp)

static int
entry_cmp(struct entry *a, struct entry *b)
{
	return memcmp(a->id, b->id, LIM_ID);
}

static int
settled_cmp(struct settled *a, struct settled *b)
{
	return memcmp(a->id, b->id, LIM_ID);
}

static struct hop *
domain_hop(const char *domain, size_t len, int inbound)
{
	struct hopspec	 spec;
	char		 name[LIM_DOMAIN + 1];

	if (len >= sizeof(name))
		len = 0;
	memcpy(name, domain, len);
	name[len] = '\0';
	hopspec_route(child_config(), name, inbound, &spec);
	return sched_hop(&spec);
}

/*
 * Which hop each recipient belongs to, and how many hops there are.  0:
 * without memory.
 */
static size_t
parts_of(const struct loaded *l, uint8_t *part, struct hop **hops)
{
	struct hop	*h;
	const char	*p = l->domains, *sp;
	size_t		 i, j, len, nhops = 0;
	int		 inbound = (l->envflags & LOADED_INBOUND) != 0;

	for (i = 0; i < l->nrcpts; i++, p += len + (sp != NULL)) {
		sp = strchr(p, ' ');
		len = sp == NULL ? strlen(p) : (size_t)(sp - p);
		if (len == 1 && *p == '=' && i > 0) {
			part[i] = part[i - 1];
			continue;
		}
		if (len == 1 && (*p == '-' || *p == '.'))
			h = domain_hop("", 0, 0);
		else
			h = domain_hop(p, len, inbound);
		if (h == NULL)
			return 0;
		for (j = 0; j < nhops && hops[j] != h; j++)
			;
		if (j == nhops)
			hops[nhops++] = h;
		part[i] = (uint8_t)j;
	}
	return nhops;
}

struct entry *
entry_new(const struct loaded *l)
{
	struct entry	*e;
	struct hop	*hops[LIM_RCPTS];
	uint8_t		 part[LIM_RCPTS];
	size_t		 i, nparts, size, senderlen = strlen(l->sender);
	char		*tail;

	if (l->nrcpts == 0 || l->nrcpts > LIM_RCPTS ||
	    (nparts = parts_of(l, part, hops)) == 0)
		return NULL;
	size = sizeof(*e) + nparts * sizeof(e->parts[0]);
	if ((e = calloc(1, size + 2 * (size_t)l->nrcpts + senderlen + 1)) ==
	    NULL)
		return NULL;
	tail = (char *)e + size;
	e->rstate = (uint8_t *)tail;
	e->rpart = e->rstate + l->nrcpts;
	e->sender = (char *)e->rpart + l->nrcpts;
	memcpy(e->id, l->id, sizeof(e->id));
	memcpy(e->rstate, l->state, l->nrcpts);
	memcpy(e->rpart, part, l->nrcpts);
	memcpy(e->sender, l->sender, senderlen + 1);
	e->node.kind = NODE_ENTRY;
	e->nrcpts = l->nrcpts;
	e->nparts = (uint8_t)nparts;
	e->flags = l->flags;
	e->envflags = l->envflags;
	e->attempts = l->attempts;
	e->time = l->time;
	e->size = l->size;
	e->fd = -1;
	for (i = 0; i < nparts; i++) {
		part_init(&e->parts[i], e, hops[i]);
		e->parts[i].attempts = l->attempts > UINT16_MAX ? UINT16_MAX :
		    (uint16_t)l->attempts;
	}
	return e;
}

struct entry *
entry_from_envelope(const struct envelope *env)
{
	static struct text	 domains;
	struct loaded		 l;
	size_t			 i;

	memset(&l, 0, sizeof(l));
	text_reset(&domains);
	loaded_domains(&domains, env);
	text_add(&domains, "", 1);
	if (domains.bad || strlcpy(l.sender, env->sender, sizeof(l.sender)) >=
	    sizeof(l.sender) || env->nrcpts > LIM_RCPTS)
		return NULL;
	l.live = 1;
	memcpy(l.id, env->id, sizeof(l.id));
	l.time = env->time;
	l.size = env->size;
	l.envflags = loaded_flags(env);
	l.nrcpts = (uint16_t)env->nrcpts;
	for (i = 0; i < env->nrcpts; i++)
		l.state[i] = env->rcpts[i].discard ? RCPT_DISCARDED :
		    RCPT_PENDING;
	l.domains = domains.p;
	return entry_new(&l);
}

int
entry_insert(struct entry *e)
{
	if (RB_INSERT(entry_tree, &entries, e) != NULL)
		return -1;
	counts.entries++;
	return 0;
}

struct entry *
entry_find(const char *id)
{
	struct entry	 find;

	memcpy(find.id, id, LIM_ID);
	return RB_FIND(entry_tree, &entries, &find);
}

struct entry *
entry_after(const char *id)
{
	struct entry	 find, *e;

	if (*id == '\0')
		return RB_MIN(entry_tree, &entries);
	memcpy(find.id, id, LIM_ID);
	e = RB_NFIND(entry_tree, &entries, &find);
	if (e != NULL && memcmp(e->id, id, LIM_ID) == 0)
		e = RB_NEXT(entry_tree, &entries, e);
	return e;
}

void
entry_free(struct entry *e)
{
	size_t	 i;

	if (e == NULL)
		return;
	entry_cool(e);
	node_del(&e->node);
	for (i = 0; i < e->nparts; i++)
		part_free(&e->parts[i]);
	if (RB_FIND(entry_tree, &entries, e) == e) {
		RB_REMOVE(entry_tree, &entries, e);
		counts.entries--;
		if (e->flags & ENTRY_HELD)
			counts.held--;
	}
	free(e);
}

int
entry_pending(const struct entry *e)
{
	size_t	 i;
	int	 n = 0;

	for (i = 0; i < e->nrcpts; i++)
		n += e->rstate[i] == RCPT_PENDING;
	return n;
}

void
entry_hold(struct entry *e, int on)
{
	if (on == ((e->flags & ENTRY_HELD) != 0))
		return;
	e->flags ^= ENTRY_HELD;
	if (on)
		counts.held++;
	else
		counts.held--;
	entry_schedule(e, 0);
}

void
entry_schedule(struct entry *e, uint64_t next)
{
	uint64_t	 now = loop_now(), wall = clock_wall_ms();
	size_t		 i;
	uint8_t		 busy[LIM_RCPTS] = { 0 };

	for (i = 0; i < e->nrcpts; i++)
		if (e->rstate[i] == RCPT_PENDING)
			busy[e->rpart[i]] = 1;
	for (i = 0; i < e->nparts; i++) {
		if (e->parts[i].state == PART_ACTIVE)
			continue;
		if (!busy[i] || (e->flags & ENTRY_HELD))
			part_idle(&e->parts[i]);
		else if (next > wall)
			part_wait(&e->parts[i], now + (next - wall));
		else
			part_ready(&e->parts[i]);
	}
	entry_deadline(e);
}

/* Warning first, expiry later; a held one has no deadline. */
void
entry_deadline(struct entry *e)
{
	const struct config	*c = child_config();
	uint64_t		 wall = clock_wall_ms(), due, expire;

	if ((e->flags & ENTRY_HELD) || e->state != ENTRY_QUEUED) {
		node_del(&e->node);
		return;
	}
	expire = e->time + (uint64_t)c->queue_expire_s * 1000;
	due = e->time + (uint64_t)c->queue_warn_s * 1000;
	if ((e->flags & ENTRY_WARNED) || c->queue_warn_s == 0 || due > expire)
		due = expire;
	node_set(&e->node, loop_now() + (due > wall ? due - wall : 0));
}

uint64_t
entry_next(const struct entry *e)
{
	uint64_t	 next = UINT64_MAX, now = loop_now();
	size_t		 i;

	for (i = 0; i < e->nparts; i++)
		if (e->parts[i].state == PART_WAITING &&
		    e->parts[i].node.when < next)
			next = e->parts[i].node.when;
	if (next == UINT64_MAX)
		return 0;
	return clock_wall_ms() + (next > now ? next - now : 0);
}

void
entry_warm(struct entry *e, struct stored *s, int fd)
{
	struct entry	*old, *next;

	if (e->stored == NULL && e->fd == -1) {
		TAILQ_INSERT_TAIL(&warm, e, warm);
		counts.warm++;
	}
	if (s != e->stored)
		stored_free(e->stored);
	e->stored = s;
	if (e->fd != -1 && fd != e->fd)
		close(e->fd);
	e->fd = fd;
	if (counts.warm <= WARM_MAX + counts.active)
		return;
	for (old = TAILQ_FIRST(&warm); old != NULL; old = next) {
		next = TAILQ_NEXT(old, warm);
		if (old != e && old->nactive == 0) {
			entry_cool(old);
			return;
		}
	}
}

void
entry_cool(struct entry *e)
{
	if (e->stored == NULL && e->fd == -1)
		return;
	TAILQ_REMOVE(&warm, e, warm);
	counts.warm--;
	stored_free(e->stored);
	e->stored = NULL;
	if (e->fd != -1)
		close(e->fd);
	e->fd = -1;
}

void
settled_add(const char *id)
{
	struct settled	*s;

	if (ring == NULL &&
	    (ring = calloc(SETTLED_MAX, sizeof(*ring))) == NULL)
		return;
	if (settled_has(id))
		return;
	s = &ring[ring_next];
	ring_next = (ring_next + 1) % SETTLED_MAX;
	if (s->id[0] != '\0')
		RB_REMOVE(settled_tree, &settled, s);
	memcpy(s->id, id, sizeof(s->id));
	RB_INSERT(settled_tree, &settled, s);
}

int
settled_has(const char *id)
{
	struct settled	 find;

	memcpy(find.id, id, sizeof(find.id));
	return RB_FIND(settled_tree, &settled, &find) != NULL;
}
