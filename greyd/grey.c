/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/address.h"
#include "common/imsg.h"
#include "common/log.h"
#include "greyd/greyd.h"

/*
 * The greylist.  Whoever comes for the first time is asked to come again
 * later, which a mail server does and most who send spam do not.  What is
 * remembered:
 *
 *	first	a triple (who, sender, recipient domain) that was seen once;
 *		for `window'
 *	known	a triple that came again after `delay'; for `keep' after its
 *		last pass
 *	pair	how many triples became known for (who, recipient domain):
 *		from LIM_GREY_PAIR on it is a mail server and new senders of
 *		it pass at once; for `keep'
 *	answer	what was said about a message id; for LIM_GREY_REPEAT_S
 *
 * who is the authenticated domain where there is one, so that senders with
 * many addresses do not begin anew with each, else the client's network.
 */

enum triple_state { TRIPLE_NONE, TRIPLE_FIRST, TRIPLE_KNOWN };

/* One recipient domain of a question. */
struct target {
	struct grey	*grey;
	struct key	 triple_key, pair_key;
	enum triple_state state;
	uint64_t	 since;		/* ms; first seen, or known since */
	uint32_t	 pairs;
	uint32_t	 wait_s;
	char		 why[sizeof(((struct grey_answer *)0)->why)];
};

struct grey {
	const struct backend	*be;
	struct grey_policy	 policy;
	struct key		 id_key;
	char			*who;		/* "d example.org" */
	char			 sender[LIM_PATH + 1];
	size_t			 pending;	/* answers of the store */
	uint64_t		 now;
	struct grey_answer	 answer;
	void			(*cb)(const struct grey_answer *, void *);
	void			*arg;
	size_t			 ntargets;
	struct target		 targets[];
};

static struct grey *grey_new(const struct grey_ask *);
static void	 grey_free(struct grey *);
static int	 grey_who(struct grey *, const struct grey_ask *);
static size_t	 count_lines(const char *);
static void	 grey_targets(struct grey *, const char *, size_t);
static void	 lower(char *);
static void	 got_answer(enum backend_status, const uint8_t *, size_t,
		    void *);
static void	 got_triple(enum backend_status, const uint8_t *, size_t,
		    void *);
static void	 got_pair(enum backend_status, const uint8_t *, size_t, void *);
static void	 look_up(struct grey *);
static void	 looked_up(struct grey *);
static void	 judge(struct target *);
static void	 since_text(char *, size_t, const char *, uint64_t);
static void	 remember(struct grey *);
static void	 remember_first(struct target *);
static void	 remember_pass(struct target *);
static void	 finish(struct grey *);

int
grey_decide(const struct backend *be, const struct grey_policy *policy,
    const struct grey_ask *ask, void (*cb)(const struct grey_answer *, void *),
    void *arg)
{
	struct grey	*g;

	if ((g = grey_new(ask)) == NULL)
		return -1;
	g->be = be;
	g->policy = *policy;
	g->now = state_now();
	g->cb = cb;
	g->arg = arg;
	key_make(&g->id_key, "answer", ask->id, NULL, NULL);
	be->get(&g->id_key, got_answer, g);
	return 0;
}

static struct grey *
grey_new(const struct grey_ask *ask)
{
	struct grey	*g;
	size_t		 n;

	n = count_lines(ask->rcpt_domains);
	if (n > LIM_RCPTS)
		n = LIM_RCPTS;
	g = calloc(1, sizeof(*g) + n * sizeof(g->targets[0]));
	if (g == NULL)
		return NULL;
	if (address_fold(ask->sender, g->sender, sizeof(g->sender)) == -1)
		(void)strlcpy(g->sender, ask->sender, sizeof(g->sender));
	/* Bob and bob at one host are the same sender. */
	lower(g->sender);
	if (grey_who(g, ask) == -1) {
		grey_free(g);
		return NULL;
	}
	grey_targets(g, ask->rcpt_domains, n);
	return g;
}

static void
grey_free(struct grey *g)
{
	if (g == NULL)
		return;
	free(g->who);
	free(g);
}

static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
}

static int
grey_who(struct grey *g, const struct grey_ask *ask)
{
	struct netaddr	 net;
	char		 addr[NETADDR_STRLEN];
	int		 n;

	netaddr_network(&net, &ask->client);
	(void)snprintf(g->answer.client, sizeof(g->answer.client), "%s/%d",
	    netaddr_print(&net, addr, sizeof(addr)),
	    net.family == AF_INET ? 24 : 64);
	if (ask->domain[0] != '\0')
		n = asprintf(&g->who, "d %s", ask->domain);
	else
		n = asprintf(&g->who, "n %s", g->answer.client);
	if (n == -1) {
		g->who = NULL;
		return -1;
	}
	lower(g->who);
	return 0;
}

static size_t
count_lines(const char *p)
{
	size_t	 n = 1;

	for (; *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

/* One target a line; a question without any has nothing to wait for. */
static void
grey_targets(struct grey *g, const char *domains, size_t max)
{
	struct target	*t;
	char		 name[LIM_DOMAIN + 1];
	const char	*p;
	size_t		 len;

	for (p = domains; *p != '\0'; p += len + (p[len] == '\n')) {
		len = strcspn(p, "\n");
		if (len == 0 || len >= sizeof(name) || g->ntargets == max)
			continue;
		memcpy(name, p, len);
		name[len] = '\0';
		lower(name);
		t = &g->targets[g->ntargets++];
		t->grey = g;
		key_make(&t->triple_key, "triple", g->who, g->sender, name);
		key_make(&t->pair_key, "pair", g->who, name, NULL);
	}
}

/* Has this very question been answered already? */
static void
got_answer(enum backend_status status, const uint8_t *value, size_t len,
    void *arg)
{
	struct grey	*g = arg;
	struct ibuf	 b;

	if (status == BACKEND_FAILED)
		g->answer.failed = 1;
	if (status == BACKEND_FOUND) {
		ibuf_from(&b, value, len);
		g->answer.pass = ibuf_get_u8(&b);
		g->answer.wait_s = ibuf_get_u32(&b);
		ibuf_get_str(&b, g->answer.why, sizeof(g->answer.why));
		if (ibuf_get_end(&b) == 0) {
			g->answer.repeated = 1;
			finish(g);
			return;
		}
	}
	look_up(g);
}

/* Everything is asked for at once; what comes last goes on. */
static void
look_up(struct grey *g)
{
	size_t	 i, n = g->ntargets;

	g->pending = 2 * n + 1;
	for (i = 0; i < n; i++) {
		g->be->get(&g->targets[i].triple_key, got_triple,
		    &g->targets[i]);
		g->be->get(&g->targets[i].pair_key, got_pair, &g->targets[i]);
	}
	looked_up(g);
}

static void
got_triple(enum backend_status status, const uint8_t *value, size_t len,
    void *arg)
{
	struct target	*t = arg;
	struct ibuf	 b;
	uint8_t		 state;

	if (status == BACKEND_FAILED)
		t->grey->answer.failed = 1;
	if (status == BACKEND_FOUND) {
		ibuf_from(&b, value, len);
		state = ibuf_get_u8(&b);
		t->since = ibuf_get_u64(&b);
		if (ibuf_get_end(&b) == 0 && state <= TRIPLE_KNOWN)
			t->state = state;
	}
	looked_up(t->grey);
}

static void
got_pair(enum backend_status status, const uint8_t *value, size_t len,
    void *arg)
{
	struct target	*t = arg;
	struct ibuf	 b;
	uint32_t	 pairs;

	if (status == BACKEND_FAILED)
		t->grey->answer.failed = 1;
	if (status == BACKEND_FOUND) {
		ibuf_from(&b, value, len);
		pairs = ibuf_get_u32(&b);
		if (ibuf_get_end(&b) == 0)
			t->pairs = pairs;
	}
	looked_up(t->grey);
}

/* All targets must pass; else it is the longest wait. */
static void
looked_up(struct grey *g)
{
	struct target	*worst = NULL, *t;
	size_t		 i;

	if (--g->pending != 0)
		return;
	g->answer.pass = 1;
	if (g->answer.failed) {
		(void)strlcpy(g->answer.why, "the state is not available",
		    sizeof(g->answer.why));
		finish(g);
		return;
	}
	for (i = 0; i < g->ntargets; i++) {
		t = &g->targets[i];
		judge(t);
		if (worst == NULL || t->wait_s > worst->wait_s)
			worst = t;
	}
	if (worst != NULL) {
		g->answer.pass = worst->wait_s == 0;
		g->answer.wait_s = worst->wait_s;
		(void)strlcpy(g->answer.why, worst->why,
		    sizeof(g->answer.why));
	}
	remember(g);
	finish(g);
}

/* wait_s and why of one target. */
static void
judge(struct target *t)
{
	const struct grey_policy *p = &t->grey->policy;
	uint64_t		 now = t->grey->now, age;

	/* The clock was set back: what is in the future begins now. */
	if (t->since > now && t->state == TRIPLE_FIRST)
		t->state = TRIPLE_NONE;
	age = t->state == TRIPLE_NONE ? 0 : (now - t->since) / 1000;
	if (t->state == TRIPLE_FIRST && age > p->window_s)
		t->state = TRIPLE_NONE;

	t->wait_s = 0;
	if (t->state == TRIPLE_KNOWN)
		since_text(t->why, sizeof(t->why), "known since", t->since);
	else if (t->pairs >= LIM_GREY_PAIR)
		(void)snprintf(t->why, sizeof(t->why),
		    "retried %u times before", t->pairs);
	else if (t->state == TRIPLE_NONE) {
		(void)strlcpy(t->why, "first contact", sizeof(t->why));
		t->wait_s = p->delay_s;
	} else if (age < p->delay_s) {
		(void)strlcpy(t->why, "too early", sizeof(t->why));
		t->wait_s = p->delay_s - (uint32_t)age;
	} else
		(void)snprintf(t->why, sizeof(t->why), "retry after %llu s",
		    (unsigned long long)age);
}

/* The day is enough, and is the same on all nodes. */
static void
since_text(char *buf, size_t size, const char *what, uint64_t ms)
{
	struct tm	 tm;
	time_t		 t = (time_t)(ms / 1000);
	char		 day[16];

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%d", &tm) == 0)
		day[0] = '\0';
	(void)snprintf(buf, size, "%s %s", what, day);
}

static void
remember(struct grey *g)
{
	struct ibuf	 b;
	size_t		 i;

	for (i = 0; i < g->ntargets; i++) {
		if (g->answer.pass)
			remember_pass(&g->targets[i]);
		else if (g->targets[i].wait_s != 0)
			remember_first(&g->targets[i]);
	}
	ibuf_init(&b);
	ibuf_add_u8(&b, (uint8_t)g->answer.pass);
	ibuf_add_u32(&b, g->answer.wait_s);
	ibuf_add_str(&b, g->answer.why);
	if (!b.bad)
		g->be->put(&g->id_key, b.p, b.len, LIM_GREY_REPEAT_S);
	ibuf_free(&b);
}

static void
remember_first(struct target *t)
{
	struct grey	*g = t->grey;
	struct ibuf	 b;

	if (t->state != TRIPLE_NONE)
		return;
	ibuf_init(&b);
	ibuf_add_u8(&b, TRIPLE_FIRST);
	ibuf_add_u64(&b, g->now);
	if (!b.bad)
		g->be->put(&t->triple_key, b.p, b.len, g->policy.window_s);
	ibuf_free(&b);
}

/* What passes is kept from now on; what passes newly counts for its pair. */
static void
remember_pass(struct target *t)
{
	struct grey	*g = t->grey;
	struct ibuf	 b;

	ibuf_init(&b);
	switch (t->state) {
	case TRIPLE_KNOWN:
		g->be->expire(&t->triple_key, g->policy.keep_s);
		break;
	case TRIPLE_FIRST:
		ibuf_add_u8(&b, TRIPLE_KNOWN);
		ibuf_add_u64(&b, g->now);
		if (!b.bad)
			g->be->put(&t->triple_key, b.p, b.len,
			    g->policy.keep_s);
		ibuf_reset(&b);
		ibuf_add_u32(&b, t->pairs < UINT32_MAX ? t->pairs + 1 :
		    t->pairs);
		if (!b.bad)
			g->be->put(&t->pair_key, b.p, b.len,
			    g->policy.keep_s);
		break;
	case TRIPLE_NONE:
		break;
	}
	if (t->state != TRIPLE_FIRST && t->pairs != 0)
		g->be->expire(&t->pair_key, g->policy.keep_s);
	ibuf_free(&b);
}

static void
finish(struct grey *g)
{
	g->cb(&g->answer, g->arg);
	grey_free(g);
}
