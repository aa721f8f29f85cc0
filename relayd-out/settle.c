/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/proc.h"
#include "relayd-out/queue.h"

/*
 * What becomes of recipients: delivered, tried again, given up.  Nothing
 * vanishes: whoever is given up without having been delivered is reported to
 * the sender, and forgotten only when that report is durable.
 */

#define REPORT_RCPTS	50	/* recipients that one report is about */
#define REPORT_MS	60000	/* no memory for a report: later */
#define BUSY_MS		10000	/* its time has come, but it is under way */

/* A report on its way into the spool. */
struct report {
	char		 parent[ID_SIZE];
	enum dsn_action	 action;
	size_t		 n;
	uint16_t	 index[LIM_RCPTS];
};

/* Recipients that one report will be about, while it is gathered. */
struct gathered {
	enum dsn_action	 action;
	size_t		 n;
	uint16_t	 index[LIM_RCPTS];
	struct dsn_rcpt	 v[LIM_RCPTS];
};

static void	 log_rcpt(const struct entry *, const char *, size_t,
		    const struct outcome *, const char *, uint64_t);
static const struct rcpt *entry_rcpt(const struct entry *, size_t);
static void	 gather(struct gathered *, struct entry *, size_t,
		    const char *, const char *, const char *);
static void	 fail(struct entry *, size_t, struct gathered *, const char *,
		    const char *, const char *);
static void	 report(struct entry *, struct gathered *);
static int	 report_some(struct entry *, struct gathered *, size_t,
		    size_t);
static void	 report_failed(struct entry *, struct gathered *, size_t,
		    size_t);
static struct envelope *report_envelope(const struct entry *);
static void	 retry(struct entry *, struct part *, const struct result *);
static char	*note(const char *, const char *);
static void	 after(struct entry *, char **);

/* One audit line about one recipient. */
static void
log_rcpt(const struct entry *e, const char *event, size_t i,
    const struct outcome *o, const char *remote, uint64_t next)
{
	const struct rcpt	*r = entry_rcpt(e, i);
	struct audit		 a;

	audit_begin(&a, e->id, event);
	if (r != NULL)
		audit_path(&a, "rcpt", r->address);
	else
		audit_num(&a, "rcpt", (long long)i);
	if (remote != NULL && *remote != '\0')
		audit_str(&a, "to", remote);
	audit_str(&a, "status", o->code);
	audit_str(&a, "reply", o->text);
	audit_num(&a, "attempts", e->attempts);
	if (next != 0)
		audit_ms(&a, "next", next);
	audit_end(&a);
}

/* NULL when its envelope is not in memory. */
static const struct rcpt *
entry_rcpt(const struct entry *e, size_t i)
{
	if (e->stored == NULL || i >= e->stored->env->nrcpts)
		return NULL;
	return &e->stored->env->rcpts[i];
}

static void
gather(struct gathered *g, struct entry *e, size_t i, const char *code,
    const char *text, const char *remote)
{
	struct dsn_rcpt	*v = &g->v[g->n];

	v->rcpt = entry_rcpt(e, i);
	v->code = code;
	v->text = text;
	v->remote = remote;
	g->index[g->n++] = (uint16_t)i;
}

/*
 * Recipient i is given up: reported where a report is wanted.  A report that
 * cannot be delivered is not reported (RFC 5321 6.1), but stays on record.
 */
static void
fail(struct entry *e, size_t i, struct gathered *g, const char *code,
    const char *text, const char *remote)
{
	struct audit	 a;

	counts.failed++;
	e->rstate[i] = RCPT_FAILED;
	if (*e->sender == '\0') {
		audit_begin(&a, e->id, "undeliverable");
		audit_path(&a, "rcpt", entry_rcpt(e, i)->address);
		audit_str(&a, "status", code);
		audit_str(&a, "reply", text);
		audit_str(&a, "reason", "null sender: no report");
		audit_end(&a);
	} else if (dsn_wanted(e->stored->env, entry_rcpt(e, i), DSN_FAILED)) {
		e->rstate[i] = RCPT_REPORTING;
		gather(g, e, i, code, text, remote);
	}
}

void
settle_result(struct entry *e, struct part *p, struct result *r)
{
	struct gathered	 failed = { .action = DSN_FAILED };
	struct gathered	 relayed = { .action = DSN_RELAYED };
	struct outcome	*o;
	char		*notes[LIM_RCPTS] = { NULL };
	const char	*remote = *r->remote == '\0' ? NULL : r->remote;
	size_t		 k, i;

	for (k = 0; k < r->n; k++) {
		o = &r->v[k];
		i = o->index;
		if (i >= e->nrcpts || e->rstate[i] != RCPT_PENDING ||
		    (p != NULL && &e->parts[e->rpart[i]] != p))
			continue;
		notes[i] = note(r->remote, o->text);
		if (o->status == OUTCOME_DELIVERED) {
			counts.delivered++;
			e->rstate[i] = RCPT_DELIVERED;
			if (!o->dsn && *e->sender != '\0' && e->stored !=
			    NULL && dsn_wanted(e->stored->env,
			    entry_rcpt(e, i), DSN_RELAYED))
				gather(&relayed, e, i, o->code, o->text,
				    remote);
		} else if (p == NULL || e->stored == NULL) {
			/* Our predecessor's: it is simply tried again. */
			continue;
		} else if (o->status == OUTCOME_FAILED) {
			log_rcpt(e, "failed", i, o, remote, 0);
			fail(e, i, &failed, o->code, o->text, remote);
		}
	}
	if (p != NULL)
		retry(e, p, r);
	report(e, &failed);
	report(e, &relayed);
	after(e, notes);
}

/* The state has changed: save or remove, and what was asked meanwhile. */
static void
after(struct entry *e, char **notes)
{
	size_t	 i;

	if (settle_finish(e))
		goto out;
	queue_save(e, notes);
	if (e->nactive != 0)
		goto out;
	if (e->want != 0)
		dispatch_want(e, 0);
	else
		entry_cool(e);

out:
	for (i = 0; i < LIM_RCPTS && notes != NULL; i++) {
		free(notes[i]);
		notes[i] = NULL;
	}
}

/*
 * What is left of a part is tried again: as soon as its hop is back where
 * that was to blame, else after a pause that grows.
 */
static void
retry(struct entry *e, struct part *p, const struct result *r)
{
	const struct config	*c = child_config();
	size_t			 i, k, n = 0;

	for (i = 0; i < e->nrcpts; i++)
		n += &e->parts[e->rpart[i]] == p &&
		    e->rstate[i] == RCPT_PENDING;
	if (n == 0)
		return;
	counts.deferred += n;
	e->attempts++;
	if (e->flags & ENTRY_HELD)
		part_idle(p);
	else if (r->verdict == HOP_DOWN)
		part_ready(p);
	else {
		if (p->attempts < UINT16_MAX)
			p->attempts++;
		part_wait(p, loop_now() + sched_backoff(
		    (uint64_t)c->queue_retry_s * 1000,
		    (uint64_t)c->queue_retrymax_s * 1000, p->attempts - 1U));
	}
	for (k = 0; k < r->n; k++) {
		i = r->v[k].index;
		if (i < e->nrcpts && e->rstate[i] == RCPT_PENDING &&
		    &e->parts[e->rpart[i]] == p)
			log_rcpt(e, "deferred", i, &r->v[k], r->remote,
			    p->state == PART_WAITING ?
			    p->node.when - loop_now() : 0);
	}
}

/* "mx.example[192.0.2.1]: 451 4.7.1 later", for the envelope file. */
static char *
note(const char *remote, const char *text)
{
	char	*s;

	if (text == NULL)
		return NULL;
	if (asprintf(&s, "%s%s%s", remote, *remote == '\0' ? "" : ": ",
	    text) == -1)
		return NULL;
	return s;
}

static struct envelope *
report_envelope(const struct entry *e)
{
	struct envelope	*env;
	struct rcpt	*r;

	if ((env = envelope_new()) == NULL)
		return NULL;
	id_new(env->id);
	memcpy(env->sid, e->stored->env->sid, sizeof(env->sid));
	env->time = clock_wall_ms();
	env->class = CLASS_RELAY;
	env->flags = ENV_BOUNCE | ENV_8BIT |
	    (e->stored->env->flags & ENV_UTF8);
	r = envelope_rcpt(env, e->sender, NULL, NOTIFY_NEVER);
	if (r == NULL || envelope_set(&env->helo, child_config()->node) == -1) {
		envelope_free(env);
		return NULL;
	}
	return env;
}

/* Report what was gathered; a report has to fit into a frame. */
static void
report(struct entry *e, struct gathered *g)
{
	size_t	 i, n;

	for (i = 0; i < g->n; i += n) {
		n = g->n - i < REPORT_RCPTS ? g->n - i : REPORT_RCPTS;
		if (report_some(e, g, i, n) == -1)
			report_failed(e, g, i, n);
	}
}

/* Make one report and have it stored. */
static int
report_some(struct entry *e, struct gathered *g, size_t from, size_t n)
{
	static struct text	 head, tail;
	const struct config	*c = child_config();
	struct envelope		*env;
	struct report		*rep;
	struct dsn		 d;
	struct audit		 a;

	env = report_envelope(e);
	rep = calloc(1, sizeof(*rep));
	if (env == NULL || rep == NULL)
		goto fail;
	memcpy(rep->parent, e->id, sizeof(rep->parent));
	rep->action = g->action;
	rep->n = n;
	memcpy(rep->index, g->index + from, n * sizeof(rep->index[0]));
	memset(&d, 0, sizeof(d));
	d.action = g->action;
	d.env = e->stored->env;
	d.service = c->service;
	d.contact = c->contact;
	d.node = c->node;
	d.id = env->id;
	d.now = env->time;
	d.until = e->time + (uint64_t)c->queue_expire_s * 1000;
	d.rcpts = g->v + from;
	d.nrcpts = n;
	text_reset(&head);
	text_reset(&tail);
	dsn_print(&d, &head, &tail);
	audit_begin(&a, e->id, "bounce");
	audit_str(&a, "report", env->id);
	audit_path(&a, "rcpt", e->sender);
	audit_str(&a, "action", dsn_action_name(g->action));
	audit_num(&a, "rcpts", (long long)n);
	if (accept_report(env, rep, &head, e->id, dsn_returns(&d), &tail) ==
	    -1)
		goto fail;
	audit_end(&a);
	counts.bounces++;
	e->nreports++;
	return 0;

fail:
	envelope_free(env);
	free(rep);
	return -1;
}

/* They are given up again after the next attempt. */
static void
report_failed(struct entry *e, struct gathered *g, size_t from, size_t n)
{
	struct part	*p;
	size_t		 i;

	log_warnx("id=%s: no memory for a report", e->id);
	for (i = from; i < from + n; i++) {
		if (e->rstate[g->index[i]] != RCPT_REPORTING)
			continue;
		e->rstate[g->index[i]] = RCPT_PENDING;
		p = &e->parts[e->rpart[g->index[i]]];
		if (p->state == PART_IDLE && !(e->flags & ENTRY_HELD))
			part_wait(p, loop_now() + REPORT_MS);
	}
	node_set(&e->node, loop_now() + REPORT_MS);
}

void
settle_report_free(struct report *r)
{
	free(r);
}

void
settle_reported(struct report *r)
{
	struct entry	*e;
	size_t		 i;

	if ((e = entry_find(r->parent)) == NULL || e->nreports == 0)
		return;
	e->nreports--;
	for (i = 0; i < r->n; i++)
		if (r->index[i] < e->nrcpts &&
		    e->rstate[r->index[i]] == RCPT_REPORTING)
			e->rstate[r->index[i]] = RCPT_FAILED;
	if (!settle_finish(e))
		queue_save(e, NULL);
}

int
settle_finish(struct entry *e)
{
	size_t	 i;

	if (e->state != ENTRY_QUEUED || e->nactive != 0 || e->nreports != 0)
		return 0;
	for (i = 0; i < e->nrcpts; i++)
		if (e->rstate[i] == RCPT_PENDING ||
		    e->rstate[i] == RCPT_REPORTING)
			return 0;
	settle_remove(e);
	return 1;
}

void
settle_remove(struct entry *e)
{
	counts.removed++;
	settled_add(e->id);
	queue_remove(e->id, 1);
	entry_free(e);
}

/* Warning or expiry is due. */
void
settle_deadline(struct entry *e)
{
	uint64_t	 expire, wall = clock_wall_ms();
	size_t		 i;

	expire = e->time + (uint64_t)child_config()->queue_expire_s * 1000;
	if (e->nactive != 0 || e->opening || !queue_ready()) {
		node_set(&e->node, loop_now() + BUSY_MS);
		return;
	}
	if (wall < expire) {
		if (!(e->flags & ENTRY_WARNED))
			dispatch_want(e, WANT_WARN);
		else
			entry_deadline(e);
		return;
	}
	for (i = 0; i < e->nparts; i++)
		part_idle(&e->parts[i]);
	dispatch_want(e, WANT_EXPIRE);
}

void
settle_giveup(struct entry *e, enum giveup why)
{
	struct gathered	 failed = { .action = DSN_FAILED };
	struct outcome	 o;
	const char	*last;
	char		*notes[LIM_RCPTS] = { NULL };
	char		 text[LIM_REPLY + 128];
	size_t		 i;

	memset(&o, 0, sizeof(o));
	(void)strlcpy(o.code, why == GIVEUP_EXPIRED ? "5.4.7" : "5.7.0",
	    sizeof(o.code));
	for (i = 0; i < e->nrcpts; i++) {
		if (e->rstate[i] != RCPT_PENDING)
			continue;
		last = e->stored->last[i];
		if (last == NULL)
			last = e->parts[e->rpart[i]].hop->why;
		(void)snprintf(text, sizeof(text), "%s%s%s",
		    why == GIVEUP_EXPIRED ? "could not be delivered in time" :
		    "removed from the queue by the operator",
		    last == NULL ? "" : "; last answer: ",
		    last == NULL ? "" : last);
		if ((notes[i] = strdup(text)) == NULL)
			continue;
		o.text = notes[i];
		log_rcpt(e, why == GIVEUP_EXPIRED ? "expired" : "removed", i,
		    &o, NULL, 0);
		fail(e, i, &failed, o.code, notes[i], NULL);
	}
	report(e, &failed);
	after(e, notes);
}

void
settle_warn(struct entry *e)
{
	struct gathered	 g = { .action = DSN_DELAYED };
	const char	*last;
	size_t		 i;

	e->flags |= ENTRY_WARNED;
	for (i = 0; i < e->nrcpts && *e->sender != '\0'; i++) {
		if (e->rstate[i] != RCPT_PENDING || !dsn_wanted(
		    e->stored->env, entry_rcpt(e, i), DSN_DELAYED))
			continue;
		last = e->stored->last[i];
		if (last == NULL)
			last = e->parts[e->rpart[i]].hop->why;
		gather(&g, e, i, "4.4.7", last, NULL);
	}
	report(e, &g);
	entry_deadline(e);
	after(e, NULL);
}

void
settle_drop(struct entry *e)
{
	struct audit	 a;

	audit_begin(&a, e->id, "dropped");
	audit_path(&a, "from", e->sender);
	audit_num(&a, "rcpts", entry_pending(e));
	audit_str(&a, "by", "operator");
	audit_end(&a);
	settle_remove(e);
}

void
settle_discards(const struct envelope *env)
{
	struct audit	 a;
	size_t		 i;

	for (i = 0; i < env->nrcpts; i++) {
		if (!env->rcpts[i].discard)
			continue;
		counts.discarded++;
		audit_begin(&a, env->id, "discarded");
		audit_path(&a, "rcpt", env->rcpts[i].address);
		audit_end(&a);
	}
}
