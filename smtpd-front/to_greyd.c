/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * What we say to greyd: GREY for a message between the thresholds, RATE at
 * MAIL of a relay client, EVENT when a client has done something.
 */

static int	 fill_grey(void *, struct ibuf *, int *);
static int	 on_greyed(void *, struct imsg *);
static int	 fill_rate(void *, struct ibuf *, int *);
static int	 on_rate(void *, struct imsg *);
static void	 rate_done(struct transaction *, uint32_t);
static int	 read_greyed(struct imsg *, uint8_t *, uint32_t *, char *,
		    size_t);

void
greyd_event(const struct netaddr *client, enum session_class class,
    enum client_event event, const char *what)
{
	struct ibuf	 b;

	if (class != CLASS_INBOUND)
		return;
	ibuf_init(&b);
	ibuf_add_u8(&b, (uint8_t)event);
	netaddr_add(&b, client);
	ibuf_add_str(&b, what);
	ask_tell(DAEMON_GREYD, VERB_EVENT, &b);
	ibuf_free(&b);
}

void
grey_start(struct transaction *t)
{
	/* What it would hear most of the time anyway. */
	if (!ask_isup(DAEMON_GREYD)) {
		transaction_end(t, REPLY_GREY_AWAY);
		return;
	}
	if (chain_left(t) > LIM_GREY_S * 1000)
		timer_set(&t->timer, LIM_GREY_S * 1000);
	chain_ask(t, STAGE_GREY, DAEMON_GREYD, VERB_GREY, fill_grey, on_greyed);
}

static int
fill_grey(void *arg, struct ibuf *b, int *fd)
{
	struct transaction	*t = arg;
	const struct envelope	*e = t->env;
	struct grey_ask		 g;
	char			 folded[LIM_PATH + 1];
	const char		*domain;
	size_t			 i, n = 1;

	(void)fd;
	memset(&g, 0, sizeof(g));
	memcpy(g.id, e->id, sizeof(g.id));
	g.client = e->client;
	(void)strlcpy(g.sender, e->sender, sizeof(g.sender));
	(void)strlcpy(g.domain, t->verdict->domain, sizeof(g.domain));
	g.score = t->verdict->score;
	for (i = 0; i < e->nrcpts; i++)
		n += LIM_DOMAIN + 2;
	if ((g.rcpt_domains = calloc(1, n)) == NULL)
		return -1;
	for (i = 0; i < e->nrcpts; i++) {
		if (address_fold(e->rcpts[i].address, folded,
		    sizeof(folded)) == -1 ||
		    (domain = address_domain(folded)) == NULL)
			continue;
		/* With an LF at both ends whole lines can be found. */
		folded[0] = '\n';
		(void)memmove(folded + 1, domain, strlen(domain) + 1);
		(void)strlcat(folded, "\n", sizeof(folded));
		if (strncmp(g.rcpt_domains, folded + 1,
		    strlen(folded + 1)) == 0 ||
		    strstr(g.rcpt_domains, folded) != NULL)
			continue;
		(void)strlcat(g.rcpt_domains, folded + 1, n);
	}
	grey_ask_add(b, &g);
	grey_ask_free(&g);
	return 0;
}

/* u8 pass, u32 seconds, str why */
static int
read_greyed(struct imsg *im, uint8_t *pass, uint32_t *seconds, char *why,
    size_t size)
{
	*pass = ibuf_get_u8(&im->data);
	*seconds = ibuf_get_u32(&im->data);
	ibuf_get_str(&im->data, why, size);
	return ibuf_get_end(&im->data);
}

static int
on_greyed(void *arg, struct imsg *im)
{
	struct transaction	*t = arg;
	struct answer		 an;
	struct audit		 a;
	uint32_t		 seconds;
	uint8_t			 pass;
	char			 why[512], number[16];

	if (read_greyed(im, &pass, &seconds, why, sizeof(why)) == -1)
		return -1;
	audit_begin(&a, t->env->id, "grey");
	audit_str(&a, "result", pass ? "pass" : "wait");
	if (!pass)
		audit_num(&a, "seconds", seconds);
	audit_str(&a, "why", *why == '\0' ? NULL : why);
	audit_end(&a);
	if (pass) {
		timer_set(&t->timer, chain_left(t));
		put_start(t);
		return 0;
	}
	(void)snprintf(number, sizeof(number), "%u", seconds);
	answer_set(&an, REPLY_GREY, number, NULL);
	transaction_finish(t, &an);
	return 0;
}

void
rate_start(struct transaction *t)
{
	if (!ask_isup(DAEMON_GREYD)) {
		rate_local(t);
		return;
	}
	chain_timer(t, LIM_RATE_S * 1000);
	session_enter(t->session, SESSION_ASK);
	chain_ask(t, STAGE_RATE, DAEMON_GREYD, VERB_RATE, fill_rate, on_rate);
}

void
rate_local(struct transaction *t)
{
	rate_done(t, policy_rate(t->session->relay));
}

static int
fill_rate(void *arg, struct ibuf *b, int *fd)
{
	struct transaction		*t = arg;
	const struct config_relay	*relay = t->session->relay;
	char				 range[NETADDR_STRLEN + 8];
	char				 key[sizeof(range) + 8];

	(void)fd;
	(void)snprintf(key, sizeof(key), "relay %s",
	    cidr_print(&relay->range, range, sizeof(range)));
	ibuf_add_str(b, key);
	ibuf_add_u32(b, 1);
	ibuf_add_u32(b, relay->limit);
	ibuf_add_u32(b, relay->period_s);
	return 0;
}

static int
on_rate(void *arg, struct imsg *im)
{
	uint32_t	 seconds;
	uint8_t		 pass;
	char		 why[512];

	if (read_greyed(im, &pass, &seconds, why, sizeof(why)) == -1)
		return -1;
	rate_done(arg, pass ? 0 : seconds == 0 ? 1 : seconds);
	return 0;
}

/* The reply to MAIL. */
static void
rate_done(struct transaction *t, uint32_t seconds)
{
	struct session	*s = t->session;
	struct audit	 a;
	char		 number[16];

	timer_stop(&t->timer);
	t->stage = STAGE_OPEN;
	if (seconds == 0)
		reply(s, REPLY_SENDER_OK);
	else {
		audit_begin(&a, t->env->id, "rate");
		audit_str(&a, "sid", s->sid);
		audit_path(&a, "from", t->env->sender);
		audit_num(&a, "seconds", seconds);
		audit_end(&a);
		(void)snprintf(number, sizeof(number), "%u", seconds);
		reply_args(s, REPLY_RATE, number, NULL);
		transaction_free(t);
	}
	if (s->state == SESSION_ASK) {
		session_enter(s, SESSION_COMMAND);
		session_resume(s);
	}
}
