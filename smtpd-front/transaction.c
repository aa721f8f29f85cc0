/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * A mail transaction, from MAIL to the reply after the dot: its envelope, its
 * policy classes, and its content on the way into the memory file.  What
 * happens after the dot is in chain.c.
 */

#define STEP_SMALL	(16 * 1024)	/* memory is held in such steps ... */
#define STEP_LARGE	(256 * 1024)	/* ... and for large ones in these */

static void	 content_keep(struct transaction *, const uint8_t *, size_t);
static void	 content_drop(struct transaction *);
static void	 content_endless(struct transaction *);
static uint64_t	 step_up(uint64_t);
static int	 class_add(struct transaction *, const struct target *);

struct transaction *
transaction_new(struct session *s, const char *sender)
{
	struct transaction	*t;
	struct envelope		*e;
	char			 tls[64];

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->fd = -1;
	timer_init(&t->timer, NULL, t);
	if ((e = t->env = envelope_new()) == NULL)
		goto fail;
	id_new(e->id);
	memcpy(e->sid, s->sid, sizeof(e->sid));
	e->class = s->class;
	e->client = s->client;
	io_tls_info(s->io, tls, sizeof(tls));
	if (envelope_set(&e->helo, s->helo) == -1 ||
	    envelope_set(&e->sender, sender) == -1 ||
	    envelope_set(&e->tls, tls) == -1)
		goto fail;
	if (s->relay != NULL)
		t->participant = s->relay->participant;
	t->split = limit_split_has(&s->client, sender) != 0;
	t->session = s;
	s->transaction = t;
	return t;
fail:
	envelope_free(t->env);
	free(t);
	return NULL;
}

void
transaction_free(struct transaction *t)
{
	if (t == NULL)
		return;
	if (t->ask.state != ASK_IDLE)
		ask_cancel(&t->ask);
	timer_free(&t->timer);
	message_free(t->message);
	limit_release(&t->hold);
	verdict_free(t->verdict);
	free(t->verdict);
	free(t->rcpt_orcpt);
	envelope_free(t->env);
	if (t->held)
		limit_gauge(GAUGE_HELD, --front.nheld);
	if (t->session != NULL)
		t->session->transaction = NULL;
	else {
		front.norphans--;
		if (front.left != NULL)
			front.left();
	}
	free(t);
}

int
transaction_rcpt(struct transaction *t, const char *address,
    const struct target *target)
{
	struct session	*s = t->session;
	struct rcpt	*r;
	size_t		 i;

	/* The same one twice is one; RFC 5321 2.3.11: as spelt. */
	for (i = 0; i < t->env->nrcpts; i++)
		if (strcmp(t->env->rcpts[i].address, address) == 0)
			return 0;
	if (class_add(t, target) == -1)
		return -2;
	r = envelope_rcpt(t->env, address, t->rcpt_orcpt, t->rcpt_notify);
	if (r == NULL)
		return -1;
	r->discard = target->discard != 0;
	if (!policy_inside(target->domain))
		t->outside = 1;
	if (s->class == CLASS_RELAY)
		return 0;
	if (target->domain == NULL ||
	    (t->participant != NULL &&
	    t->participant != target->domain->participant))
		t->several = 1;
	else
		t->participant = target->domain->participant;
	return 0;
}

static int
class_add(struct transaction *t, const struct target *target)
{
	size_t	 i;
	int	 others = 0;

	for (i = 0; i < t->npolicies; i++) {
		if (policy_same(&t->policies[i], &target->policy))
			return 0;
		if (t->policies[i].role != POLICY_DUMMY)
			others = 1;
	}
	if (t->split && others && target->policy.role != POLICY_DUMMY)
		return -1;
	/* Never more classes than recipients, and those have been counted. */
	t->policies[t->npolicies++] = target->policy;
	return 0;
}

unsigned
transaction_open(struct transaction *t)
{
	const struct netaddr	*client = &t->session->client;

	if (!limit_room(client, t->declared) ||
	    limit_hold(&t->hold, client, STEP_SMALL) == -1)
		return REPLY_ROOM;
	if ((t->message = message_new()) == NULL) {
		log_warn("%s: no memory file", t->env->id);
		limit_release(&t->hold);
		return REPLY_NOMEM;
	}
	content_init(&t->content);
	t->stage = STAGE_DATA;
	t->window = loop_now();
	t->came = 0;
	return REPLY_DATA;
}

size_t
transaction_data(struct transaction *t, const uint8_t *p, size_t n)
{
	const uint8_t	*seg;
	size_t		 done = 0, used, len;
	int		 over;

	t->came += n;
	while (done < n) {
		over = content_take(&t->content, p + done, n - done, &used,
		    &seg, &len);
		done += used;
		if (len > 0)
			content_keep(t, seg, len);
		if (over) {
			chain_start(t);
			return done;
		}
	}
	/* A second message's worth thrown away: it will not end. */
	if (t->thrown > front.config->message_max)
		content_endless(t);
	return done;
}

static void
content_keep(struct transaction *t, const uint8_t *p, size_t n)
{
	uint64_t	 size;

	if (t->message == NULL) {
		t->thrown += n;
		return;
	}
	size = message_size(t->message) + n;
	if (size > front.config->message_max)
		t->big = 1;
	else if (size > t->hold.size && limit_hold(&t->hold,
	    &t->session->client, step_up(size)) == -1)
		t->full = 1;
	else if (message_write(t->message, p, n) == -1) {
		log_warn("%s: memory file", t->env->id);
		t->broken = 1;
	} else
		return;
	content_drop(t);
}

static uint64_t
step_up(uint64_t size)
{
	uint64_t	 step = size <= LIM_SMALL ? STEP_SMALL : STEP_LARGE;

	step = (size + step - 1) / step * step;
	/* It will not be larger than that, which always fits. */
	return step < front.config->message_max ? step :
	    front.config->message_max;
}

/* It will be refused, and is only read to its end. */
static void
content_drop(struct transaction *t)
{
	message_free(t->message);
	t->message = NULL;
	limit_release(&t->hold);
}

static void
content_endless(struct transaction *t)
{
	struct session	*s = t->session;
	struct answer	 an;
	char		 most[24];

	(void)snprintf(most, sizeof(most), "%llu",
	    (unsigned long long)front.config->message_max);
	answer_set(&an, REPLY_BIG, most, NULL);
	reply_answer(s, &an, t->env->id);
	limit_count(COUNT_REFUSED, 1);
	session_close(s, REPLY_MAX, "endless message");
}

int
transaction_slow(struct transaction *t)
{
	uint64_t	 period = (uint64_t)front.config->limit_data_s * 1000;
	int		 slow;

	if (loop_now() - t->window < period)
		return 0;
	slow = t->came < LIM_TRICKLE * (period / 1000);
	t->window = loop_now();
	t->came = 0;
	return slow;
}

/*
 * A PUT that is out may be done already.  It is waited for, so that the log
 * tells what became of the message; the client will come again, and that is a
 * duplicate which SMTP permits (RFC 5321 4.5.3.2.6, RFC 1047).
 */
void
transaction_abandon(struct transaction *t)
{
	struct audit	 a;

	if (t == NULL)
		return;
	if (t->held) {
		audit_begin(&a, t->env->id, "abandoned");
		audit_str(&a, "stage", t->stage == STAGE_SCAN ? "scan" :
		    t->stage == STAGE_GREY ? "grey" : "put");
		audit_end(&a);
	}
	if (t->stage == STAGE_PUT && t->ask.state == ASK_SENT) {
		t->session->transaction = NULL;
		t->session = NULL;
		front.norphans++;
		return;
	}
	transaction_free(t);
}

void
transaction_end(struct transaction *t, unsigned reply)
{
	struct answer	 an;
	char		 most[24];

	(void)snprintf(most, sizeof(most), "%llu",
	    (unsigned long long)front.config->message_max);
	answer_set(&an, reply, reply == REPLY_ACCEPTED ? t->env->id : most,
	    NULL);
	transaction_finish(t, &an);
}

void
transaction_finish(struct transaction *t, const struct answer *an)
{
	struct session	*s = t->session;

	reply_answer(s, an, t->env->id);
	if (an->code < 400) {
		limit_count(COUNT_ACCEPTED, 1);
		limit_count(COUNT_OCTETS, t->env->size);
	} else
		limit_count(an->code < 500 ? COUNT_DEFERRED : COUNT_REFUSED,
		    1);
	if (s != NULL) {
		if (an->code < 400)
			s->accepted++;
		else if (an->code >= 500)
			s->refused++;
		s->commands = 0;
	}
	transaction_free(t);
	if (s != NULL) {
		session_enter(s, SESSION_COMMAND);
		session_resume(s);
	}
}
