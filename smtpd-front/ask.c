/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * The links to scand, greyd and relayd-out.  Never more requests are open
 * than the peer gave credits for; the rest waits here, in order.  When a
 * channel is lost, what was open goes back to the front of the queue and is
 * asked again by the next channel: an id that was seen gets the answer that was
 * given.
 *
 * The credit of a request that was given up is not free at once: a peer that
 * is stopped would else be fed without bound.  It comes back with the peer's
 * answer, or when the peer has answered something sent later.  A peer that
 * says nothing while others wait is cut off and must greet anew, which it
 * cannot while it is stopped.
 */

#define SILENT_MS	10000	/* given up, and no frame since: cut off ... */
#define NOTHING_MS	1000	/* ... where nothing else is open */
#define TELL_QUEUED	64	/* frames that wait before we keep quiet */

struct ghost {			/* sent, given up, not answered */
	TAILQ_ENTRY(ghost)	 entry;
	uint32_t		 job;
	uint32_t		 next;	/* the first job sent afterwards */
	uint64_t		 since;
};

struct link {
	struct ipc		*ipc;
	uint64_t		 heard;		/* last frame of the peer */
	uint64_t		 lost;		/* since when there is none */
	TAILQ_HEAD(asks, ask)	 waiting;
	struct asks		 sent;
	TAILQ_HEAD(, ghost)	 ghosts;
	unsigned		 nwaiting, nsent, nghosts;
	uint32_t		 most;		/* credits we use at most */
};

static struct link	 links[DAEMON_MAX];
static uint32_t		 next_job = 1;

static struct link	*channel_of(const struct ipc *);
static void		 pump(struct link *);
static int		 transmit(struct link *, struct ask *);
static void		 settle(struct link *, uint32_t);
static void		 forget(struct link *);
static void		 look_at(struct link *);
static void		 ghost_free(struct link *, struct ghost *);

void
ask_init(void)
{
	unsigned	 i, share = LIM_SCAN_JOBS / front.config->nsmtp;

	for (i = 0; i < DAEMON_MAX; i++) {
		memset(&links[i], 0, sizeof(links[i]));
		TAILQ_INIT(&links[i].waiting);
		TAILQ_INIT(&links[i].sent);
		TAILQ_INIT(&links[i].ghosts);
		links[i].lost = loop_now();
	}
	/* scand holds no more, of all of us. */
	links[DAEMON_SCAND].most = share < LIM_CREDITS_SCAN ? share :
	    LIM_CREDITS_SCAN;
	links[DAEMON_GREYD].most = LIM_CREDITS_GREY;
	links[DAEMON_RELAYD].most = LIM_CREDITS_PUT;
}

static struct link *
channel_of(const struct ipc *ipc)
{
	switch (ipc->kind) {
	case PEER_BROKER:
		return &links[DAEMON_SCAND];
	case PEER_STORE:
		return &links[DAEMON_GREYD];
	case PEER_QUEUE:
		return &links[DAEMON_RELAYD];
	default:
		return NULL;
	}
}

void
ask_up(struct ipc *ipc)
{
	struct link	*l;

	if ((l = channel_of(ipc)) == NULL)
		return;
	if (l->ipc != NULL && l->ipc != ipc)
		ask_down(l->ipc);
	log_debug("%s is there, %u credits", ipc->name, ipc->credits);
	l->ipc = ipc;
	l->heard = loop_now();
	pump(l);
}

void
ask_down(struct ipc *ipc)
{
	struct link	*l = channel_of(ipc);
	struct ask	*a;

	if (l == NULL || l->ipc != ipc)
		return;
	l->ipc = NULL;
	l->lost = loop_now();
	forget(l);
	/* Back to the front, oldest first. */
	while ((a = TAILQ_LAST(&l->sent, asks)) != NULL) {
		TAILQ_REMOVE(&l->sent, a, entry);
		l->nsent--;
		TAILQ_INSERT_HEAD(&l->waiting, a, entry);
		l->nwaiting++;
		a->state = ASK_WAITING;
	}
}

int
ask_isup(enum daemon_id d)
{
	return links[d].ipc != NULL;
}

int
ask_isaway(enum daemon_id d)
{
	return links[d].ipc == NULL &&
	    loop_now() >= links[d].lost + LIM_AWAY_S * 1000;
}

unsigned
ask_waiting(enum daemon_id d)
{
	return links[d].nwaiting;
}

unsigned
ask_sent(enum daemon_id d)
{
	return links[d].nsent;
}

void
ask_send(struct ask *a)
{
	struct link	*l = &links[a->to];

	TAILQ_INSERT_TAIL(&l->waiting, a, entry);
	l->nwaiting++;
	a->state = ASK_WAITING;
	pump(l);
}

/* Send what credits allow, in order. */
static void
pump(struct link *l)
{
	struct ask	*a;
	uint32_t	 credits;

	if (l->ipc == NULL)
		return;
	credits = l->ipc->credits < l->most ? l->ipc->credits : l->most;
	while (l->nsent + l->nghosts < credits &&
	    (a = TAILQ_FIRST(&l->waiting)) != NULL) {
		/* No descriptor or no memory now: with the next answer or
		   the next sweep. */
		if (transmit(l, a) == -1)
			break;
		TAILQ_REMOVE(&l->waiting, a, entry);
		l->nwaiting--;
		TAILQ_INSERT_TAIL(&l->sent, a, entry);
		l->nsent++;
		a->state = ASK_SENT;
	}
	l->ipc->inflight = l->nsent + l->nghosts;
}

static int
transmit(struct link *l, struct ask *a)
{
	struct ibuf	 b;
	int		 fd = -1, r;

	ibuf_init(&b);
	a->job = next_job++;
	r = a->fill(a->arg, &b, &fd);
	if (r == 0)
		r = ipc_send(l->ipc, a->verb, a->job, fd, &b);
	else if (fd != -1)
		close(fd);
	ibuf_free(&b);
	return r;
}

void
ask_cancel(struct ask *a)
{
	struct link	*l = &links[a->to];
	struct ghost	*g;

	if (a->state == ASK_WAITING) {
		TAILQ_REMOVE(&l->waiting, a, entry);
		l->nwaiting--;
	} else if (a->state == ASK_SENT) {
		TAILQ_REMOVE(&l->sent, a, entry);
		l->nsent--;
		/* A PUT may be half done and is left; greyd has answered
		   before it could be stopped. */
		if (a->verb == VERB_SCAN)
			(void)ipc_send(l->ipc, VERB_CANCEL, a->job, -1, NULL);
		/* Without memory the credit is free too early, that is all. */
		if ((g = calloc(1, sizeof(*g))) != NULL) {
			g->job = a->job;
			g->next = next_job;
			g->since = loop_now();
			TAILQ_INSERT_TAIL(&l->ghosts, g, entry);
			l->nghosts++;
		}
	}
	a->state = ASK_IDLE;
}

void
ask_tell(enum daemon_id d, uint32_t verb, const struct ibuf *b)
{
	struct link	*l = &links[d];

	if (l->ipc != NULL && l->ipc->ibuf.nout < TELL_QUEUED)
		(void)ipc_send(l->ipc, verb, 0, -1, b);
}

int
ask_answer(struct ipc *ipc, struct imsg *im)
{
	struct link	*l = channel_of(ipc);
	struct ask	*a;
	uint32_t	 job = im->job;

	if (l == NULL || l->ipc != ipc)
		return 0;
	l->heard = loop_now();
	TAILQ_FOREACH(a, &l->sent, entry)
		if (a->job == job)
			break;
	if (a != NULL) {
		TAILQ_REMOVE(&l->sent, a, entry);
		l->nsent--;
		a->state = ASK_IDLE;
		if (a->answer(a->arg, im) == -1) {
			TAILQ_INSERT_HEAD(&l->sent, a, entry);
			l->nsent++;
			a->state = ASK_SENT;
			return -1;
		}
		/* a may be gone */
	}
	settle(l, job);
	pump(l);
	return 0;
}

/* This job was answered: so all that was taken back before it is settled. */
static void
settle(struct link *l, uint32_t job)
{
	struct ghost	*g, *next;

	TAILQ_FOREACH_SAFE(g, &l->ghosts, entry, next)
		if (g->job == job || (int32_t)(job - g->next) >= 0)
			ghost_free(l, g);
}

static void
forget(struct link *l)
{
	struct ghost	*g;

	while ((g = TAILQ_FIRST(&l->ghosts)) != NULL)
		ghost_free(l, g);
}

static void
ghost_free(struct link *l, struct ghost *g)
{
	TAILQ_REMOVE(&l->ghosts, g, entry);
	l->nghosts--;
	free(g);
}

void
ask_sweep(void)
{
	unsigned	 i;

	for (i = 0; i < DAEMON_MAX; i++)
		if (links[i].ipc != NULL && links[i].nwaiting > 0) {
			look_at(&links[i]);
			pump(&links[i]);
		}
}

/*
 * Somebody waits for a credit, and requests that were given up hold some.  A
 * peer that has been heard of since does not answer those.  One that has not
 * may be stopped, or has nothing to say as all was taken back.
 */
static void
look_at(struct link *l)
{
	struct ghost	*g;
	uint64_t	 patience = l->nsent == 0 ? NOTHING_MS : SILENT_MS;

	while ((g = TAILQ_FIRST(&l->ghosts)) != NULL &&
	    loop_now() >= g->since + patience) {
		if (l->heard < g->since) {
			log_warnx("%s: no answer, channel made anew",
			    l->ipc->name);
			ipc_close(l->ipc);
			return;
		}
		ghost_free(l, g);
	}
}
