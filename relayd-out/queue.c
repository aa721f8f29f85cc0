/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/proc.h"
#include "relayd-out/queue.h"

/*
 * The process that decides who delivers what when.  It sees envelopes and
 * passes descriptors on, but reads no content.  accept.c takes messages in,
 * dispatch.c gives them to deliver processes, settle.c deals with the outcome.
 *
 * Either neighbour may die at any time.  spool tells everything anew when it
 * is back: what queue knows better is told to it then.
 */

#define TICK_MS		1000
#define HOP_BACKOFF_MS	15000	/* a hop that does not answer: first pause */
/* A new spool often means a reload, and we are next: what came for a domain
   that only the new configuration has must not be routed by the old one. */
#define RELOAD_MS	1000
#define LEAVE_MS	10000	/* for deliveries under way, when draining */
#define HURRY_MS	2000

static struct ipc	*spool;
static int		 ready;		/* spool's READY has come */
static int		 ready_before;	/* that of another one had */
static uint64_t		 pause_until;
static int		 draining, leaving;
static struct deferred	 kick;
static struct timer	 tick_timer, leave_timer;

static int	 on_loaded(struct ipc *, struct imsg *);
static int	 on_ready(struct ipc *, struct imsg *);
static void	 load(const struct loaded *);
static void	 run(void *);
static void	 tick(void *);
static void	 leave(void *);

const struct ipc_verb queue_verbs[QUEUE_NVERBS] = {
	{ VERB_PUT, PEER_BIT(PEER_SMTP), LIM_FRAME, IPC_FD, accept_put },
	{ VERB_CANCEL, PEER_BIT(PEER_SMTP), 0, IPC_NOFD, accept_cancel },
	{ VERB_SPOOL_STORED, PEER_BIT(PEER_SPOOL), 512, IPC_FD,
	    accept_stored },
	{ VERB_SPOOL_OPENED, PEER_BIT(PEER_SPOOL), LIM_FRAME, IPC_FD,
	    dispatch_opened },
	{ VERB_SPOOL_LOADED, PEER_BIT(PEER_SPOOL), LIM_FRAME, IPC_NOFD,
	    on_loaded },
	{ VERB_SPOOL_READY, PEER_BIT(PEER_SPOOL), 8, IPC_NOFD, on_ready },
	{ VERB_DELIVERED, PEER_BIT(PEER_DELIVER), LIM_FRAME, IPC_NOFD,
	    dispatch_delivered },
	{ VERB_CTL_STATUS, PEER_BIT(PEER_CONTROL), 0, IPC_NOFD,
	    control_status },
	{ VERB_CTL_QUEUE, PEER_BIT(PEER_CONTROL), 256, IPC_NOFD,
	    control_queue },
	{ VERB_CTL_RELOAD, PEER_BIT(PEER_CONTROL), 0, IPC_NOFD,
	    control_reload },
};

void
queue_start(void)
{
	const struct config	*c = child_config();
	uint64_t		 first = HOP_BACKOFF_MS, max;

	max = (uint64_t)c->queue_retry_s * 1000;
	if (first > max)
		first = max;
	sched_init(c->limit_hopconnections, first, max);
	kick.fn = run;
	timer_init(&tick_timer, tick, NULL);
	timer_init(&leave_timer, leave, NULL);
	timer_set(&tick_timer, TICK_MS);
}

void
queue_peer_up(struct ipc *ipc)
{
	switch (ipc->kind) {
	case PEER_SPOOL:
		spool = ipc;
		ready = 0;
		break;
	case PEER_DELIVER:
		dispatch_worker_up(ipc);
		break;
	default:
		break;
	}
}

void
queue_peer_gone(struct ipc *ipc)
{
	switch (ipc->kind) {
	case PEER_SPOOL:
		if (ipc != spool)
			break;
		spool = NULL;
		ready = 0;
		break;
	case PEER_DELIVER:
		dispatch_worker_gone(ipc);
		break;
	case PEER_SMTP:
		accept_peer_gone(ipc);
		break;
	case PEER_CONTROL:
		control_gone(ipc);
		break;
	default:
		break;
	}
}

int
queue_ready(void)
{
	return ready;
}

int
queue_leaving(void)
{
	return leaving;
}

int
queue_spool(enum verb verb, int fd, const struct ibuf *b)
{
	if (spool != NULL)
		return ipc_send(spool, verb, 0, fd, b);
	if (fd != -1)
		close(fd);
	return -1;
}

void
queue_remove(const char *id, int was_settled)
{
	static struct ibuf	 b;

	ibuf_reset(&b);
	ibuf_add_raw(&b, id, ID_SIZE);
	ibuf_add_u8(&b, was_settled != 0);
	(void)queue_spool(VERB_SPOOL_REMOVE, -1, &b);
}

void
queue_save(const struct entry *e, char *const *notes)
{
	static struct ibuf	 b;
	struct update		 u;
	size_t			 i;

	memset(&u, 0, sizeof(u));
	memcpy(u.id, e->id, sizeof(u.id));
	u.next = entry_next(e);
	u.attempts = e->attempts;
	u.flags = e->flags;
	for (i = 0; i < e->nrcpts; i++) {
		u.state[i] = e->rstate[i] == RCPT_REPORTING ? RCPT_PENDING :
		    (char)e->rstate[i];
		u.note[i] = notes == NULL ? NULL : notes[i];
	}
	ibuf_reset(&b);
	update_add(&b, &u);
	(void)queue_spool(VERB_SPOOL_UPDATE, -1, &b);
}

static int
on_loaded(struct ipc *ipc, struct imsg *im)
{
	struct loaded	 l;

	(void)ipc;
	while (ibuf_left(&im->data) != 0) {
		if (loaded_parse(&im->data, &l) == -1)
			return -1;
		load(&l);
		loaded_free(&l);
	}
	return ibuf_get_end(&im->data);
}

/* One message that lies in the spool, or did until lately. */
static void
load(const struct loaded *l)
{
	struct entry	*e;

	if (!l->live) {
		settled_add(l->id);
		return;
	}
	if (settled_has(l->id)) {
		/* Our order to remove it was lost with the last spool. */
		queue_remove(l->id, 1);
		return;
	}
	if ((e = entry_find(l->id)) != NULL) {
		/* We know it, and better. */
		if (e->put != NULL)
			accept_found(e);
		if (e->state == ENTRY_QUEUED && (e->flags != l->flags ||
		    e->nrcpts != l->nrcpts ||
		    memcmp(e->rstate, l->state, l->nrcpts) != 0))
			queue_save(e, NULL);
		return;
	}
	if ((e = entry_new(l)) == NULL) {
		log_warnx("id=%s stays in the spool: no memory or no "
		    "recipients", l->id);
		return;
	}
	e->state = ENTRY_QUEUED;
	if (entry_insert(e) == -1) {
		entry_free(e);
		return;
	}
	if (e->flags & ENTRY_HELD)
		counts.held++;
	entry_schedule(e, l->next);
	(void)settle_finish(e);
}

static int
on_ready(struct ipc *ipc, struct imsg *im)
{
	uint64_t	 n;

	(void)ipc;
	n = ibuf_get_u64(&im->data);
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	if (ready_before)
		pause_until = loop_now() + RELOAD_MS;
	ready = ready_before = 1;
	log_info("spool read: %llu messages", (unsigned long long)n);
	dispatch_ready();
	accept_ready();
	queue_kick();
	return 0;
}

void
queue_kick(void)
{
	loop_defer(&kick);
}

static void
run(void *arg)
{
	uint64_t	 due, now = loop_now();

	(void)arg;
	sched_tick(now, settle_deadline);
	if (ready && !draining && now >= pause_until)
		dispatch_run();
	due = sched_due();
	if (due < now + TICK_MS)
		timer_set(&tick_timer, due > now ? due - now : 1);
	if (draining && counts.storing == 0 &&
	    (leaving || counts.active == 0))
		child_exit();
}

static void
tick(void *arg)
{
	(void)arg;
	timer_set(&tick_timer, TICK_MS);
	accept_tick(loop_now());
	queue_kick();
}

/*
 * No new deliveries; what is under way may end, and messages that come are
 * still taken, for those who sent them cannot reach our successor yet.
 */
void
queue_drain(int hurry)
{
	draining = 1;
	timer_set(&leave_timer, hurry ? HURRY_MS : LEAVE_MS);
	queue_kick();
}

/*
 * Time is up: deliver tells our successor how its last jobs ended, and
 * messages without an answer are asked for again, by id.
 */
static void
leave(void *arg)
{
	(void)arg;
	if (leaving || counts.storing == 0)
		child_exit();
	leaving = 1;
	timer_set(&leave_timer, HURRY_MS);
}
