/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/proc.h"
#include "common/protocol.h"
#include "greyd/greyd.h"

/*
 * The store process: takes the questions of the smtp processes and operators,
 * has them decided (grey.c, rate.c), answers, logs and counts.  A question
 * lives here until the back end has answered; whoever asked may have gone by
 * then.
 */

#define TICK_MS		1000
#define TICK_SOON_MS	20

/* A question that is open. */
struct request {
	TAILQ_ENTRY(request)	 entry;
	struct ipc		*ipc;		/* NULL: it has gone */
	uint32_t		 job;
	char			 id[ID_SIZE];
	char			 domain[LIM_DOMAIN + 1];	/* grey */
	int32_t			 score;
	char			 key[LIM_RATE_KEY + 1];		/* rate */
};

/* What has happened since the process began, for the operator. */
enum count {
	COUNT_GREY, COUNT_GREY_PASS, COUNT_GREY_WAIT, COUNT_GREY_REPEATED,
	COUNT_RATE, COUNT_RATE_WAIT, COUNT_FAILED, COUNT_REFUSED,
	COUNT_EVENT_TRAP, COUNT_EVENT_REFUSED, COUNT_EVENT_UNKNOWN, COUNT_MAX
};

static const char *const	 count_names[COUNT_MAX] = {
	[COUNT_GREY] = "grey.asked",
	[COUNT_GREY_PASS] = "grey.pass",
	[COUNT_GREY_WAIT] = "grey.wait",
	[COUNT_GREY_REPEATED] = "grey.repeated",
	[COUNT_RATE] = "rate.asked",
	[COUNT_RATE_WAIT] = "rate.wait",
	[COUNT_FAILED] = "store.unavailable",
	[COUNT_REFUSED] = "store.busy",
	[COUNT_EVENT_TRAP] = "event.trap",
	[COUNT_EVENT_REFUSED] = "event.refused",
	[COUNT_EVENT_UNKNOWN] = "event.unknown-rcpt",
};

static const struct backend	*backend;
static struct grey_policy	 policy;
static uint64_t			 counts[COUNT_MAX];
static uint64_t			 started;
static TAILQ_HEAD(, request)	 requests = TAILQ_HEAD_INITIALIZER(requests);
static size_t			 nrequests;
static struct deferred		 turn;
static struct timer		 tick;

static int	 on_grey(struct ipc *, struct imsg *);
static int	 on_rate(struct ipc *, struct imsg *);
static int	 on_event(struct ipc *, struct imsg *);
static int	 on_cancel(struct ipc *, struct imsg *);
static int	 on_status(struct ipc *, struct imsg *);
static int	 on_reload(struct ipc *, struct imsg *);
static void	 grey_decided(const struct grey_answer *, void *);
static void	 rate_decided(const struct rate_answer *, void *);
static void	 reloaded(int, const char *, void *);
static struct request *request_new(struct ipc *, uint32_t);
static void	 request_free(struct request *);
static void	 answer(struct ipc *, uint32_t, int, uint32_t, const char *);
static void	 control_text(struct ipc *, const char *);
static void	 control_end(struct ipc *, int, const char *);
static void	 end_turn(void *);
static void	 do_tick(void *);

const struct ipc_verb	 store_verbs[STORE_NVERBS] = {
	{ VERB_GREY,	PEER_BIT(PEER_SMTP), LIM_FRAME, IPC_NOFD, on_grey },
	{ VERB_RATE,	PEER_BIT(PEER_SMTP), LIM_RATE_KEY + 64, IPC_NOFD,
	    on_rate },
	{ VERB_EVENT,	PEER_BIT(PEER_SMTP), 1024, IPC_NOFD, on_event },
	{ VERB_CANCEL,	PEER_BIT(PEER_SMTP), 64, IPC_NOFD, on_cancel },
	{ VERB_CTL_STATUS, PEER_BIT(PEER_CONTROL), 0, IPC_NOFD, on_status },
	{ VERB_CTL_RELOAD, PEER_BIT(PEER_CONTROL), 0, IPC_NOFD, on_reload },
};

int
store_init(const struct config *c, unsigned instance)
{
	(void)instance;
	policy.delay_s = c->grey_delay_s;
	policy.window_s = c->grey_window_s;
	policy.keep_s = c->grey_keep_s;
	return 0;
}

/* In the cage: the state directory is the root now. */
void
store_start(void)
{
	const struct backend	*be;

	if ((be = backend_lmdb_open("/", LIM_STATE_ENTRIES)) == NULL)
		fatalx("no database");
	store_use(be, &policy);
}

void
store_use(const struct backend *be, const struct grey_policy *p)
{
	backend = be;
	policy = *p;
	started = state_now();
	memset(counts, 0, sizeof(counts));
	turn.fn = end_turn;
	timer_init(&tick, do_tick, NULL);
	timer_set(&tick, TICK_MS);
}

/* All answers are out at the end of each turn, all writes too. */
void
store_drain(int hurry)
{
	(void)hurry;
	timer_free(&tick);
	loop_undefer(&turn);
	backend->close();
	child_exit();
}

void
store_peer_gone(struct ipc *ipc)
{
	struct request	*r;

	TAILQ_FOREACH(r, &requests, entry)
		if (r->ipc == ipc)
			r->ipc = NULL;
}

/* What all questions and events of this turn have written. */
static void
end_turn(void *arg)
{
	(void)arg;
	backend->turn();
}

static void
do_tick(void *arg)
{
	(void)arg;
	timer_set(&tick, backend->tick() ? TICK_SOON_MS : TICK_MS);
}

static struct request *
request_new(struct ipc *ipc, uint32_t job)
{
	struct request	*r;

	if (nrequests >= LIM_STATE_ASKS ||
	    (r = calloc(1, sizeof(*r))) == NULL) {
		counts[COUNT_REFUSED]++;
		return NULL;
	}
	r->ipc = ipc;
	r->job = job;
	TAILQ_INSERT_TAIL(&requests, r, entry);
	nrequests++;
	loop_defer(&turn);
	return r;
}

static void
request_free(struct request *r)
{
	TAILQ_REMOVE(&requests, r, entry);
	nrequests--;
	free(r);
}

static void
answer(struct ipc *ipc, uint32_t job, int pass, uint32_t wait_s,
    const char *why)
{
	struct ibuf	 b;

	if (ipc == NULL)
		return;
	ibuf_init(&b);
	ibuf_add_u8(&b, (uint8_t)pass);
	ibuf_add_u32(&b, wait_s);
	ibuf_add_str(&b, why);
	(void)ipc_send(ipc, VERB_GREYED, job, -1, &b);
	ibuf_free(&b);
}

static int
on_grey(struct ipc *ipc, struct imsg *im)
{
	struct grey_ask	 ask;
	struct request	*r;
	int		 rc;

	rc = grey_ask_parse(&im->data, &ask);
	if (rc == -1)
		return -1;
	if (ibuf_get_end(&im->data) == -1) {
		grey_ask_free(&ask);
		return -1;
	}
	counts[COUNT_GREY]++;
	if ((r = request_new(ipc, im->job)) == NULL) {
		answer(ipc, im->job, 1, 0, "too many questions are open");
		grey_ask_free(&ask);
		return 0;
	}
	(void)strlcpy(r->id, ask.id, sizeof(r->id));
	(void)strlcpy(r->domain, ask.domain, sizeof(r->domain));
	r->score = ask.score;
	if (grey_decide(backend, &policy, &ask, grey_decided, r) == -1) {
		answer(ipc, im->job, 1, 0, "no memory");
		counts[COUNT_REFUSED]++;
		request_free(r);
	}
	grey_ask_free(&ask);
	return 0;
}

static void
grey_decided(const struct grey_answer *g, void *arg)
{
	struct request	*r = arg;
	struct audit	 a;

	counts[g->pass ? COUNT_GREY_PASS : COUNT_GREY_WAIT]++;
	counts[COUNT_GREY_REPEATED] += g->repeated != 0;
	counts[COUNT_FAILED] += g->failed != 0;
	audit_begin(&a, r->id, "grey");
	audit_str(&a, "result", g->pass ? "pass" : "wait");
	if (!g->pass)
		audit_num(&a, "wait", g->wait_s);
	audit_str(&a, "why", g->why);
	audit_str(&a, "client", g->client);
	if (r->domain[0] != '\0')
		audit_str(&a, "domain", r->domain);
	audit_points(&a, "score", r->score);
	if (g->repeated)
		audit_num(&a, "repeated", 1);
	audit_end(&a);
	answer(r->ipc, r->job, g->pass, g->wait_s, g->why);
	request_free(r);
}

static int
on_rate(struct ipc *ipc, struct imsg *im)
{
	struct request	*r;
	char		 key[LIM_RATE_KEY + 1];
	uint32_t	 cost, limit, period;

	ibuf_get_str(&im->data, key, sizeof(key));
	cost = ibuf_get_u32(&im->data);
	limit = ibuf_get_u32(&im->data);
	period = ibuf_get_u32(&im->data);
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	counts[COUNT_RATE]++;
	if ((r = request_new(ipc, im->job)) == NULL) {
		answer(ipc, im->job, 1, 0, "too many questions are open");
		return 0;
	}
	(void)strlcpy(r->key, key, sizeof(r->key));
	if (rate_take(backend, key, cost, limit, period, rate_decided, r) ==
	    -1) {
		answer(ipc, im->job, 1, 0, "no memory");
		counts[COUNT_REFUSED]++;
		request_free(r);
	}
	return 0;
}

static void
rate_decided(const struct rate_answer *ra, void *arg)
{
	struct request	*r = arg;
	struct audit	 a;

	counts[COUNT_RATE_WAIT] += !ra->pass;
	counts[COUNT_FAILED] += ra->failed != 0;
	if (!ra->pass) {
		audit_begin(&a, NULL, "rate");
		audit_str(&a, "result", "wait");
		audit_num(&a, "wait", ra->wait_s);
		audit_str(&a, "key", r->key);
		audit_end(&a);
	}
	answer(r->ipc, r->job, ra->pass, ra->wait_s,
	    ra->pass ? "below the limit" : "limit reached");
	request_free(r);
}

static int
on_event(struct ipc *ipc, struct imsg *im)
{
	struct netaddr	 client;
	char		 text[LIM_PATH + 1];
	uint8_t		 event;

	(void)ipc;
	event = ibuf_get_u8(&im->data);
	netaddr_get(&im->data, &client);
	ibuf_get_str(&im->data, text, sizeof(text));
	if (ibuf_get_end(&im->data) == -1 || event > EVENT_UNKNOWN_RCPT)
		return -1;
	counts[COUNT_EVENT_TRAP + event]++;
	event_count(backend, event, &client);
	loop_defer(&turn);
	return 0;
}

/* Answers are there before their asker can change its mind. */
static int
on_cancel(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	(void)im;
	return 0;
}

static void
control_text(struct ipc *ipc, const char *text)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_str(&b, text);
	(void)ipc_send(ipc, VERB_CTL_TEXT, 0, -1, &b);
	ibuf_free(&b);
}

static void
control_end(struct ipc *ipc, int status, const char *error)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_u8(&b, (uint8_t)status);
	ibuf_add_str(&b, error);
	(void)ipc_send(ipc, VERB_CTL_END, 0, -1, &b);
	ibuf_free(&b);
}

static int
on_status(struct ipc *ipc, struct imsg *im)
{
	char	*text = NULL;
	size_t	 len = 0, i;
	FILE	*f;

	(void)im;
	if ((f = open_memstream(&text, &len)) == NULL) {
		control_end(ipc, 1, "no memory");
		return 0;
	}
	fprintf(f, "generation %u\n", child_generation());
	fprintf(f, "uptime %llu\n",
	    (unsigned long long)((state_now() - started) / 1000));
	fprintf(f, "state %s\n", backend->name);
	for (i = 0; i < COUNT_MAX; i++)
		fprintf(f, "%s %llu\n", count_names[i],
		    (unsigned long long)counts[i]);
	fprintf(f, "store.open %zu\n", nrequests);
	backend->status(f);
	loop_defer(&turn);
	if (fclose(f) == 0) {
		control_text(ipc, text);
		control_end(ipc, 0, "");
	} else
		control_end(ipc, 1, "no memory");
	free(text);
	return 0;
}

/* The parent's answer finds the operator by his request. */
static int
on_reload(struct ipc *ipc, struct imsg *im)
{
	struct request	*r;

	log_info("reload asked for by user %u", (unsigned)ipc->uid);
	if ((r = request_new(ipc, im->job)) == NULL) {
		control_end(ipc, 1, "too many requests");
		return 0;
	}
	child_reload(reloaded, r);
	return 0;
}

static void
reloaded(int ok, const char *text, void *arg)
{
	struct request	*r = arg;

	if (r->ipc != NULL) {
		if (ok)
			control_text(r->ipc, text);
		control_end(r->ipc, ok ? 0 : 1, ok ? "" : text);
	}
	request_free(r);
}
