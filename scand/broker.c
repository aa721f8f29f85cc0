/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/message.h"
#include "common/proc.h"
#include "scand/broker.h"

/*
 * The broker process: takes SCAN from the smtp children, checks what is
 * promised of the descriptor, hands the jobs to scanners and their verdicts
 * back.  It never looks at content.  All waiting is bounded by the deadline
 * that each job brings.
 */

#define SWEEP_MS	200	/* how exactly deadlines are kept */
#define DRAIN_MS	2000	/* what takes longer is asked again by its
				   owner, from the next broker */
#define DRAIN_HURRY_MS	1000

static struct ipc	*resolver;
static struct timer	 sweep_timer, drain_timer;
static int		 draining;

static int	 on_client(struct ipc *, struct imsg *);
static int	 on_sender(struct ipc *, struct imsg *);
static int	 on_scan(struct ipc *, struct imsg *);
static int	 on_cancel(struct ipc *, struct imsg *);
static int	 on_parked(struct ipc *, struct imsg *);
static int	 on_result(struct ipc *, struct imsg *);
static const char *scan_refuse(struct ipc *, const struct scan *, int);
static void	 sweep(void *);
static void	 drained(void *);
static void	 drain_check(void);

const struct ipc_verb broker_verbs[11] = {
	{ VERB_CLIENT, PEER_BIT(PEER_SMTP), 32, IPC_NOFD, on_client },
	{ VERB_SENDER, PEER_BIT(PEER_SMTP), 1024, IPC_NOFD, on_sender },
	{ VERB_SCAN, PEER_BIT(PEER_SMTP), LIM_FRAME, IPC_FD, on_scan },
	{ VERB_CANCEL, PEER_BIT(PEER_SMTP), 0, IPC_NOFD, on_cancel },
	{ VERB_PARKED, PEER_BIT(PEER_SCANNER), 0, IPC_NOFD, on_parked },
	{ VERB_RESULT, PEER_BIT(PEER_SCANNER), LIM_FRAME, IPC_NOFD,
	    on_result },
	{ VERB_CTL_STATUS, PEER_BIT(PEER_CONTROL), 0, IPC_NOFD,
	    operator_status },
	{ VERB_CTL_SCAN, PEER_BIT(PEER_CONTROL), 8192, IPC_FD,
	    operator_scan },
	{ VERB_CTL_RELOAD, PEER_BIT(PEER_CONTROL), 0, IPC_NOFD,
	    operator_reload },
	{ VERB_VIRUS_STATE, PEER_BIT(PEER_ANTIVIRUS), 1024, IPC_NOFD,
	    operator_virus },
	RESOLVER_VERB_ANSWER,
};

int
broker_init(const struct config *conf, unsigned instance)
{
	(void)instance;
	prefetch_configure(conf);
	return 0;
}

void
broker_start(void)
{
	timer_init(&sweep_timer, sweep, NULL);
	timer_init(&drain_timer, drained, NULL);
	timer_set(&sweep_timer, SWEEP_MS);
	lists_watch(child_config());
}

void
broker_peer_up(struct ipc *ipc)
{
	struct ipc *old;
	struct asker *a;

	switch (ipc->kind) {
	case PEER_SCANNER:
		worker_new(ipc);
		break;
	case PEER_RESOLVER:
		/* The old one leaves when nobody holds on to it. */
		old = resolver;
		resolver = ipc;
		dns_peer(ipc);
		ipc_close(old);
		break;
	case PEER_SMTP:
	case PEER_CONTROL:
		if ((a = calloc(1, sizeof(*a))) == NULL) {
			ipc_close(ipc);
			return;
		}
		TAILQ_INIT(&a->waiters);
		ipc->arg = a;
		break;
	default:
		break;
	}
}

void
broker_peer_gone(struct ipc *ipc)
{
	struct worker *w;

	switch (ipc->kind) {
	case PEER_SCANNER:
		if ((w = worker_of(ipc)) != NULL)
			worker_gone(w);
		drain_check();
		break;
	case PEER_RESOLVER:
		if (ipc == resolver)
			resolver = NULL;
		dns_peer_gone(ipc);
		break;
	case PEER_SMTP:
	case PEER_CONTROL:
		if (ipc->arg == NULL)
			break;
		operator_gone(ipc);
		asker_gone(ipc);
		free(ipc->arg);
		ipc->arg = NULL;
		break;
	default:
		break;
	}
}

void
broker_share(enum share_kind kind, uint32_t index, int fd)
{
	(void)index;
	if (kind != SHARE_RUNNING)
		close(fd);
	else if (running_map(fd, 0) == -1)
		log_warn("page of running jobs");
}

static int
on_client(struct ipc *ipc, struct imsg *im)
{
	struct netaddr a;

	(void)ipc;
	netaddr_get(&im->data, &a);
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	broker_count.clients++;
	prefetch_client(&a);
	return 0;
}

static int
on_sender(struct ipc *ipc, struct imsg *im)
{
	char helo[LIM_HELO + 1], sender[LIM_PATH + 1];

	(void)ipc;
	ibuf_get_str(&im->data, helo, sizeof(helo));
	ibuf_get_str(&im->data, sender, sizeof(sender));
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	prefetch_sender(helo, sender);
	return 0;
}

static int
on_scan(struct ipc *ipc, struct imsg *im)
{
	static struct scan s;
	const uint8_t *data;
	const char *why;
	struct task *t;
	struct ibuf b;
	size_t len;

	if (scan_parse(&im->data, &s) == -1 ||
	    ibuf_get_end(&im->data) == -1) {
		scan_free(&s);
		return -1;
	}
	/* Our successor will be asked again for it. */
	if (draining)
		goto out;
	s.flags &= (uint8_t)~SCAN_EXPLAIN;
	if ((data = recent_get(s.id, &len)) != NULL) {
		broker_count.repeated++;
		ibuf_from(&b, data, len);
		(void)ipc_send(ipc, VERB_VERDICT, im->job, -1, &b);
		goto out;
	}
	if ((t = task_find(s.id)) != NULL)
		broker_count.joined++;
	else if ((why = scan_refuse(ipc, &s, im->fd)) != NULL) {
		scan_fail(ipc, im->job, &s, why);
		goto out;
	} else if ((t = task_new(&s, im->fd)) != NULL)
		im->fd = -1;
	if (t == NULL)
		scan_fail(ipc, im->job, &s, "too many jobs");
	else if (task_wait(t, ipc, im->job) == -1)
		scan_fail(ipc, im->job, &s, "asked for too often");
	workers_dispatch();
out:
	scan_free(&s);
	return 0;
}

/* NULL, or why the message cannot be taken. */
static const char *
scan_refuse(struct ipc *ipc, const struct scan *s, int fd)
{
	const struct asker *a = ipc->arg;

	if (a->n >= LIM_CREDITS_SCAN)
		return "more requests than credits";
	if (fd == -1)
		return "descriptor lost on the way";
	if (message_check(fd, s->size) == -1)
		return "descriptor is not a sealed message";
	if (poison_is(s->hash))
		return "has killed two scanners";
	return NULL;
}

static int
on_cancel(struct ipc *ipc, struct imsg *im)
{
	asker_cancel(ipc, im->job);
	return 0;
}

static int
on_parked(struct ipc *ipc, struct imsg *im)
{
	struct worker *w = worker_of(ipc);
	struct task *t;

	if (w != NULL && (t = worker_task(w, im->job)) != NULL) {
		worker_parked(w, t);
		if (t->nwaiters == 0) {
			worker_forget(t);
			task_free(t);
		}
		drain_check();
	}
	return 0;
}

static int
on_result(struct ipc *ipc, struct imsg *im)
{
	struct worker *w = worker_of(ipc);
	struct verdict v;
	struct task *t;
	const uint8_t *data = im->data.p + im->data.rpos;
	size_t len = ibuf_left(&im->data);

	if (verdict_parse(&im->data, &v) == -1)
		return -1;
	if (ibuf_get_end(&im->data) == -1) {
		verdict_free(&v);
		return -1;
	}
	/* Cancelled or overdue ones are not in the books any more. */
	if (w == NULL || (t = worker_task(w, im->job)) == NULL)
		goto out;
	if (strcmp(t->scan.id, v.id) != 0 ||
	    t->scan.npolicies != v.nactions) {
		verdict_free(&v);
		return -1;
	}
	if (!(t->scan.flags & SCAN_EXPLAIN) &&
	    v.actions[0] != ACTION_TEMPFAIL)
		recent_put(v.id, data, len);
	task_answer(t, &v, data, len);
	drain_check();
out:
	verdict_free(&v);
	return 0;
}

static void
sweep(void *arg)
{
	(void)arg;
	if (tasks_number() > 0) {
		tasks_expire();
		workers_watch();
		workers_dispatch();
	}
	timer_set(&sweep_timer, SWEEP_MS);
}

/*
 * What scanners are running is waited for, shortly; the rest its owners ask
 * again, from our successor.
 */
void
broker_drain(int hurry)
{
	draining = 1;
	timer_set(&drain_timer, hurry ? DRAIN_HURRY_MS : DRAIN_MS);
	drain_check();
}

static void
drain_check(void)
{
	if (draining && workers_given() == 0)
		child_exit();
}

static void
drained(void *arg)
{
	(void)arg;
	child_exit();
}
