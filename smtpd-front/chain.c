/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * After the dot: what we refuse ourselves, then SCAN, GREY and PUT, one after
 * the other under one deadline.  Nothing is ever accepted that was not scanned
 * (but for what goes from cluster to cluster), and nothing is answered 250
 * that is not durable.  What is said to whom stands in to_scand.c, to_greyd.c
 * and to_relayd.c; here is the order, and what follows from the answers.
 */

#define HURRY_MS	8000	/* the parent kills after ten seconds */

static int	 refuse(struct transaction *);
static int	 seal(struct transaction *);
static void	 log_message(const struct transaction *);
static void	 log_verdict(const struct transaction *, unsigned);
static void	 out_of_time(void *);

void
chain_start(struct transaction *t)
{
	t->began = loop_now();
	t->deadline = t->began +
	    (uint64_t)front.config->limit_deadline_s * 1000;
	t->held = 1;
	limit_gauge(GAUGE_HELD, ++front.nheld);
	session_enter(t->session, SESSION_HELD);
	t->env->time = clock_wall_ms();
	if (refuse(t) || seal(t) == -1)
		return;
	log_message(t);
	chain_timer(t, chain_left(t));
	if (t->env->class == CLASS_CLUSTER && !t->outside) {
		log_verdict(t, ACTION_ACCEPT);
		put_start(t);
		return;
	}
	scan_start(t);
}

/* What needs nobody else.  1: refused, and t is gone. */
static int
refuse(struct transaction *t)
{
	struct audit	 a;
	const char	*why;
	unsigned	 say;

	if (t->big) {
		say = REPLY_BIG;
		why = "size";
	} else if (t->full) {
		say = REPLY_FULL;
		why = "memory";
	} else if (t->broken) {
		say = REPLY_LOCAL;
		why = "local error";
	} else if (t->content.bare) {
		say = REPLY_BARE;
		why = "bare CR, bare LF or NUL";
	} else if (t->content.hops > LIM_RECEIVED) {
		say = REPLY_LOOP;
		why = "loop";
	} else
		return 0;
	audit_begin(&a, t->env->id, "unfit");
	audit_str(&a, "sid", t->env->sid);
	audit_path(&a, "from", t->env->sender);
	audit_num(&a, "rcpts", (long long)t->env->nrcpts);
	audit_str(&a, "why", why);
	audit_end(&a);
	transaction_end(t, say);
	return 1;
}

static int
seal(struct transaction *t)
{
	t->env->size = message_size(t->message);
	t->fd = message_seal(t->message, t->env->hash);
	if (t->fd != -1)
		return 0;
	log_warn("%s: memory file", t->env->id);
	transaction_end(t, REPLY_LOCAL);
	return -1;
}

static void
log_message(const struct transaction *t)
{
	const struct envelope	*e = t->env;
	struct audit		 a;
	char			 client[NETADDR_STRLEN];

	audit_begin(&a, e->id, "message");
	audit_str(&a, "sid", e->sid);
	audit_str(&a, "class", class_name(e->class));
	audit_str(&a, "addr", netaddr_print(&e->client, client,
	    sizeof(client)));
	audit_str(&a, "helo", e->helo);
	audit_str(&a, "tls", *e->tls == '\0' ? NULL : e->tls);
	audit_num(&a, "size", (long long)e->size);
	audit_hex(&a, "sha256", e->hash, sizeof(e->hash));
	audit_path(&a, "from", e->sender);
	audit_num(&a, "rcpts", (long long)e->nrcpts);
	if (t->participant != NULL && !t->several)
		audit_str(&a, "participant", t->participant->name);
	audit_end(&a);
}

uint32_t
chain_left(const struct transaction *t)
{
	return t->deadline <= loop_now() ? 0 :
	    (uint32_t)(t->deadline - loop_now());
}

void
chain_ask(struct transaction *t, enum stage stage, enum daemon_id to,
    uint32_t verb, int (*fill)(void *, struct ibuf *, int *),
    int (*answer)(void *, struct imsg *))
{
	t->stage = stage;
	t->ask.to = to;
	t->ask.verb = verb;
	t->ask.fill = fill;
	t->ask.answer = answer;
	t->ask.arg = t;
	ask_send(&t->ask);
}

void
chain_timer(struct transaction *t, uint64_t ms)
{
	timer_free(&t->timer);
	timer_init(&t->timer, out_of_time, t);
	timer_set(&t->timer, ms);
}

void
chain_hurry(struct transaction *t)
{
	if (chain_left(t) <= HURRY_MS)
		return;
	t->deadline = loop_now() + HURRY_MS;
	timer_set(&t->timer, HURRY_MS);
}

static void
out_of_time(void *arg)
{
	struct transaction	*t = arg;

	if (t->ask.state != ASK_IDLE)
		ask_cancel(&t->ask);
	switch (t->stage) {
	case STAGE_RATE:
		rate_local(t);
		break;
	case STAGE_GREY:
		transaction_end(t, REPLY_GREY_AWAY);
		break;
	case STAGE_PUT:
		transaction_end(t, REPLY_QUEUE_AWAY);
		break;
	default:
		transaction_end(t, REPLY_UNSCANNED);
		break;
	}
}

/* A new descriptor of the sealed file, for a frame. */
int
chain_file(const struct transaction *t, int *fd)
{
	*fd = fcntl(t->fd, F_DUPFD_CLOEXEC, 0);
	return *fd == -1 ? -1 : 0;
}

void
chain_verdict(struct transaction *t)
{
	struct verdict	*v = t->verdict;
	struct answer	 an;
	unsigned	 action;

	action = policy_agree(t->policies, v->actions, v->nactions,
	    t->env->class);
	log_verdict(t, action);
	switch (action) {
	case ACTION_ACCEPT:
		put_start(t);
		return;
	case ACTION_GREYLIST:
		grey_start(t);
		return;
	case ACTION_REJECT:
		greyd_event(&t->env->client, t->env->class, EVENT_REFUSED,
		    t->env->id);
		answer_foreign(&an, REPLY_REJECT, v->reply);
		break;
	case POLICY_SPLIT:
		limit_split_add(&t->env->client, t->env->sender);
		answer_set(&an, REPLY_SPLIT, NULL, NULL);
		break;
	default:
		answer_foreign(&an, REPLY_TEMPFAIL, v->reply);
		break;
	}
	transaction_finish(t, &an);
}

static void
log_verdict(const struct transaction *t, unsigned action)
{
	const struct verdict	*v = t->verdict;
	const struct policy	*p = &t->policies[0];
	struct audit		 a;
	char			 sym[LIM_LOGLINE / 2];
	size_t			 i, n = 0;
	int			 w, points;

	audit_begin(&a, t->env->id, "verdict");
	audit_str(&a, "action", action == POLICY_SPLIT ? "split" :
	    action_name(action));
	if (v == NULL) {
		audit_str(&a, "why", "cluster");
		audit_end(&a);
		return;
	}
	audit_points(&a, "score", v->score);
	audit_points(&a, "greylist", p->greylist_at);
	audit_points(&a, "reject", p->reject_at);
	audit_num(&a, "classes", (long long)t->npolicies);
	sym[0] = '\0';
	for (i = 0; i < v->nhits && n < sizeof(sym); i++) {
		points = v->hits[i].points;
		w = snprintf(sym + n, sizeof(sym) - n, "%s%s:%s%d.%02d",
		    n == 0 ? "" : ",", v->hits[i].name, points < 0 ? "-" : "",
		    abs(points / 100), abs(points % 100));
		if (w < 0 || (size_t)w >= sizeof(sym) - n) {
			sym[n] = '\0';
			break;
		}
		n += (size_t)w;
	}
	audit_str(&a, "sym", *sym == '\0' ? NULL : sym);
	audit_str(&a, "rdns", *v->rdns == '\0' ? NULL : v->rdns);
	audit_str(&a, "domain", *v->domain == '\0' ? NULL : v->domain);
	audit_num(&a, "ms", v->ms);
	audit_end(&a);
}
