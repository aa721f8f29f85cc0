/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/proc.h"
#include "common/tls.h"
#include "relayd-out/deliver.h"

/*
 * The process that talks to next hops.  queue says what goes where and how
 * many at a time; here a delivery gets a connection: an idle one to the same
 * hop, or a new one to the first address that answers.
 *
 * When queue dies, what has not been finished is dropped, since its successor
 * gives it out again; what only waits for the answer to its final dot is
 * waited for, and told to the successor by id.
 */

#define BAD_MS		60000		/* an address that failed comes last */
#define ROUTE_MIN_S	30		/* how long a route is used */
#define ROUTE_MAX_S	300
#define IDLE_MAX	200		/* connections; over this they close at
					   once */
#define SWEEP_MS	30000
#define HURRY_MS	8000		/* for answers to final dots */

/* A next hop as this process knows it. */
struct dest {
	RB_ENTRY(dest)		 tree;
	struct hopspec		 spec;
	char			 key[HOP_KEY];
	TAILQ_HEAD(, conn)	 idle;
	TAILQ_HEAD(, delivery)	 waiting;	/* for the route */
	struct route		*route;
	uint64_t		 route_until;
	struct route_ask	*ask;
	unsigned		 njobs, nconns;
};
RB_HEAD(dest_tree, dest);

struct conn {
	TAILQ_ENTRY(conn)	 entry;		/* of idle ones */
	struct client		*client;
	struct dest		*dest;
	struct delivery		*d;		/* it is for, or NULL */
	int			 addr;		/* index in the route */
	int			 isidle;
};

static struct ipc		*queue;
static struct dest_tree		 dests = RB_INITIALIZER(&dests);
static TAILQ_HEAD(, delivery)	 active = TAILQ_HEAD_INITIALIZER(active);
static struct tls_config	*tls_conf;
static unsigned			 nidle;
static int			 draining;
static struct timer		 sweep_timer, leave_timer;

static int	 dest_cmp(struct dest *, struct dest *);
static int	 on_deliver(struct ipc *, struct imsg *);
static struct delivery *delivery_parse(struct ipc *, struct imsg *,
		    struct hopspec *);
static int	 adopt(struct delivery *);
static struct dest *dest_get(const struct hopspec *);
static void	 start(struct delivery *);
static void	 try_next(struct delivery *);
static int	 try_address(struct delivery *, unsigned);
static void	 on_route(enum route_status, const struct route *,
		    const char *, const char *, void *);
static void	 route_unref(struct route *);
static void	 on_ready(struct client *, void *);
static void	 on_done(struct client *, struct delivery *, void *);
static void	 on_dead(struct client *, struct delivery *, enum client_end,
		    const char *, int, void *);
static void	 conn_idle(struct conn *, int);
static void	 conn_free(struct conn *);
static void	 address_failed(struct delivery *, const struct conn *,
		    const char *);
static void	 remember(struct delivery *, const char *);
static void	 finish(struct delivery *);
static void	 delivery_free(struct delivery *);
static void	 cut(struct delivery *);
static void	 sweep(void *);
static void	 leave(void *);

RB_PROTOTYPE(dest_tree, dest, tree, dest_cmp)
RB_GENERATE(dest_tree, dest, tree, dest_cmp)

static const struct client_ops	 ops = { on_ready, on_done, on_dead };

const struct ipc_verb deliver_verbs[DELIVER_NVERBS] = {
	{ VERB_DELIVER, PEER_BIT(PEER_QUEUE), LIM_FRAME, IPC_FD, on_deliver },
	RESOLVER_VERB_ANSWER,
};

static int
dest_cmp(struct dest *a, struct dest *b)
{
	return strcmp(a->key, b->key);
}

int
deliver_init(const struct config *conf, unsigned instance)
{
	(void)conf;
	(void)instance;
	if ((tls_conf = pki_client()) == NULL) {
		log_warnx("deliver: no TLS");
		return -1;
	}
	return 0;
}

void
deliver_start(void)
{
	const struct config	*c = child_config();

	client_setup(c->node, tls_conf, (uint64_t)c->limit_connect_s * 1000);
	timer_init(&sweep_timer, sweep, NULL);
	timer_init(&leave_timer, leave, NULL);
	timer_set(&sweep_timer, SWEEP_MS);
}

void
deliver_peer_up(struct ipc *ipc)
{
	switch (ipc->kind) {
	case PEER_RESOLVER:
		dns_peer(ipc);
		break;
	case PEER_QUEUE:
		queue = ipc;
		outcome_again(queue);
		break;
	default:
		break;
	}
}

void
deliver_peer_gone(struct ipc *ipc)
{
	struct delivery	*d, *next;

	if (ipc->kind == PEER_RESOLVER)
		dns_peer_gone(ipc);
	if (ipc != queue)
		return;
	queue = NULL;
	TAILQ_FOREACH_SAFE(d, &active, entry, next) {
		if (d->conn != NULL && client_dot_out(d->conn->client))
			d->orphan = 1;
		else
			cut(d);
	}
}

void
deliver_drain(int hurry)
{
	struct delivery	*d, *next;

	draining = 1;
	TAILQ_FOREACH_SAFE(d, &active, entry, next)
		if (hurry && (d->conn == NULL ||
		    !client_dot_out(d->conn->client)))
			cut(d);
	if (TAILQ_EMPTY(&active))
		child_exit();
	if (hurry)
		timer_set(&leave_timer, HURRY_MS);
}

static void
leave(void *arg)
{
	(void)arg;
	child_exit();
}

static int
on_deliver(struct ipc *ipc, struct imsg *im)
{
	struct delivery	*d;
	struct hopspec	 spec;

	if ((d = delivery_parse(ipc, im, &spec)) == NULL)
		return -1;
	if (adopt(d))
		return 0;
	d->active = 1;
	TAILQ_INSERT_TAIL(&active, d, entry);
	if ((d->dest = dest_get(&spec)) != NULL)
		d->dest->njobs++;
	if (d->dest == NULL || d->fd == -1) {
		outcome_rest(d, OUTCOME_DEFERRED, HOP_UNTOUCHED, "4.3.0",
		    d->fd == -1 ? "descriptor lost" : "no memory");
		finish(d);
		return 0;
	}
	start(d);
	return 0;
}

static struct delivery *
delivery_parse(struct ipc *ipc, struct imsg *im, struct hopspec *spec)
{
	struct delivery	*d;
	size_t		 i, n;

	(void)ipc;
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	d->fd = -1;
	d->job = im->job;
	if (hopspec_parse(&im->data, spec) == -1)
		goto fail;
	n = ibuf_get_u16(&im->data);
	if (n == 0 || n > LIM_RCPTS)
		goto fail;
	for (i = 0; i < n; i++)
		d->index[i] = ibuf_get_u16(&im->data);
	d->env = envelope_parse(&im->data);
	if (ibuf_get_end(&im->data) == -1 || d->env == NULL ||
	    d->env->nrcpts != n)
		goto fail;
	memcpy(d->result.id, d->env->id, sizeof(d->result.id));
	d->fd = im->fd;
	im->fd = -1;
	return d;

fail:
	envelope_free(d->env);
	free(d);
	return NULL;
}

/*
 * The last queue gave this out already, and its dot is out: the answer will
 * do for both.
 */
static int
adopt(struct delivery *d)
{
	struct delivery	*o;

	TAILQ_FOREACH(o, &active, entry) {
		if (!o->orphan || strcmp(o->env->id, d->env->id) != 0 ||
		    o->env->nrcpts != d->env->nrcpts ||
		    memcmp(o->index, d->index, sizeof(d->index)) != 0)
			continue;
		o->orphan = 0;
		o->job = d->job;
		delivery_free(d);
		return 1;
	}
	return 0;
}

static struct dest *
dest_get(const struct hopspec *spec)
{
	struct dest	*t, find;

	(void)hopspec_key(spec, find.key);
	if ((t = RB_FIND(dest_tree, &dests, &find)) != NULL)
		return t;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->spec = *spec;
	memcpy(t->key, find.key, sizeof(t->key));
	TAILQ_INIT(&t->idle);
	TAILQ_INIT(&t->waiting);
	RB_INSERT(dest_tree, &dests, t);
	return t;
}

/* An idle connection, a known route, or first ask. */
static void
start(struct delivery *d)
{
	struct dest	*t = d->dest;
	struct conn	*k;

	if ((k = TAILQ_FIRST(&t->idle)) != NULL) {
		conn_idle(k, 0);
		k->d = d;
		d->conn = k;
		client_send(k->client, d);
		return;
	}
	if (t->route != NULL && t->route_until > loop_now()) {
		d->route = t->route;
		d->route->refs++;
		try_next(d);
		return;
	}
	d->waiting = 1;
	TAILQ_INSERT_TAIL(&t->waiting, d, wait);
	if (t->ask != NULL)
		return;
	t->ask = route_find(child_config(), &t->spec, on_route, t);
	if (t->ask == NULL)
		on_route(ROUTE_DEFER, NULL, "4.3.0", "no memory", t);
}

static void
on_route(enum route_status st, const struct route *r, const char *code,
    const char *why, void *arg)
{
	struct dest	*t = arg;
	struct delivery	*d;
	uint32_t	 ttl;

	t->ask = NULL;
	route_unref(t->route);
	t->route = NULL;
	if (st == ROUTE_OK) {
		if ((t->route = malloc(sizeof(*t->route))) == NULL)
			st = ROUTE_DEFER;
		else {
			*t->route = *r;
			t->route->refs = 1;
			ttl = r->ttl < ROUTE_MIN_S ? ROUTE_MIN_S :
			    r->ttl > ROUTE_MAX_S ? ROUTE_MAX_S : r->ttl;
			t->route_until = loop_now() + (uint64_t)ttl * 1000;
		}
	}
	while ((d = TAILQ_FIRST(&t->waiting)) != NULL) {
		TAILQ_REMOVE(&t->waiting, d, wait);
		d->waiting = 0;
		if (st == ROUTE_OK) {
			d->route = t->route;
			d->route->refs++;
			try_next(d);
			continue;
		}
		outcome_rest(d, st == ROUTE_FAIL ? OUTCOME_FAILED :
		    OUTCOME_DEFERRED, st == ROUTE_FAIL ? HOP_UNTOUCHED :
		    HOP_DOWN, code, why);
		finish(d);
	}
}

static void
route_unref(struct route *r)
{
	if (r != NULL && --r->refs == 0)
		free(r);
}

/* The next address: those that failed lately come last. */
static void
try_next(struct delivery *d)
{
	const struct route	*r = d->route;
	uint64_t		 now = loop_now();
	unsigned		 i, best;

	for (;;) {
		best = ROUTE_MAX;
		for (i = 0; i < r->n; i++) {
			if (d->tried & 1U << i)
				continue;
			if (best == ROUTE_MAX)
				best = i;
			if (r->v[i].bad <= now) {
				best = i;
				break;
			}
		}
		if (best == ROUTE_MAX)
			break;
		d->tried |= 1U << best;
		if (try_address(d, best) == 0)
			return;
	}
	outcome_rest(d, OUTCOME_DEFERRED, HOP_DOWN, "4.4.1", d->why == NULL ?
	    "no address" : d->why);
	finish(d);
}

static int
try_address(struct delivery *d, unsigned i)
{
	const struct config	*c = child_config();
	struct route		*r = d->route;
	const struct netaddr	*addr = &r->v[i].addr;
	struct conn		*k;
	char			 a[NETADDR_STRLEN], why[LIM_REPLY];

	if ((k = calloc(1, sizeof(*k))) == NULL)
		return -1;
	k->dest = d->dest;
	k->d = d;
	k->addr = (int)i;
	k->client = client_connect(r->v[i].host, addr, r->port,
	    addr->family == AF_INET ? &c->send4 : &c->send6, d->plain, &ops,
	    k);
	if (k->client == NULL) {
		(void)snprintf(why, sizeof(why), "%s[%s]: %s", r->v[i].host,
		    netaddr_print(addr, a, sizeof(a)), strerror(errno));
		remember(d, why);
		r->v[i].bad = loop_now() + BAD_MS;
		free(k);
		return -1;
	}
	k->dest->nconns++;
	d->conn = k;
	return 0;
}

/* It can take a delivery: the one it was made for, or the next. */
static void
on_ready(struct client *c, void *arg)
{
	struct conn	*k = arg;

	if (k->d != NULL)
		client_send(c, k->d);
	else if (draining)
		client_quit(c);
	else
		conn_idle(k, 1);
}

static void
on_done(struct client *c, struct delivery *d, void *arg)
{
	struct conn	*k = arg;

	k->d = NULL;
	d->conn = NULL;
	outcome_log(d, client_tls(c));
	finish(d);
}

static void
on_dead(struct client *c, struct delivery *d, enum client_end how,
    const char *why, int sent, void *arg)
{
	struct conn	*k = arg;
	struct audit	 a;
	char		 text[LIM_REPLY];

	/* What it was made for, if it did not get as far as beginning it. */
	if (d == NULL)
		d = k->d;
	k->d = NULL;
	if (d == NULL) {
		conn_free(k);
		return;
	}
	d->conn = NULL;
	(void)snprintf(text, sizeof(text), "%s: %s", client_remote(c), why);
	switch (how) {
	case CLIENT_TLSFAILED:
		audit_begin(&a, d->env->id, "plain");
		audit_str(&a, "to", client_remote(c));
		audit_str(&a, "reason", why);
		audit_end(&a);
		d->plain = 1;
		d->tried &= ~(1U << k->addr);
		conn_free(k);
		try_next(d);
		return;
	case CLIENT_STALE:
		conn_free(k);
		start(d);
		return;
	case CLIENT_UNREACHABLE:
	case CLIENT_CLOSED:
		address_failed(d, k, text);
		conn_free(k);
		try_next(d);
		return;
	case CLIENT_LOST:
		break;
	}
	if (sent)
		log_warnx("id=%s: %s; it may have arrived, and is sent again",
		    d->env->id, text);
	conn_free(k);
	outcome_rest(d, OUTCOME_DEFERRED, HOP_BUSY, "4.4.2", text);
	finish(d);
}

/* Into the list of idle ones, or out of it. */
static void
conn_idle(struct conn *k, int on)
{
	if (on && nidle >= IDLE_MAX) {
		client_quit(k->client);
		return;
	}
	if (on == k->isidle)
		return;
	k->isidle = on;
	if (on) {
		/* The warmest first. */
		TAILQ_INSERT_HEAD(&k->dest->idle, k, entry);
		nidle++;
	} else {
		TAILQ_REMOVE(&k->dest->idle, k, entry);
		nidle--;
	}
}

/* Its client frees itself, or was freed. */
static void
conn_free(struct conn *k)
{
	conn_idle(k, 0);
	k->dest->nconns--;
	free(k);
}

static void
address_failed(struct delivery *d, const struct conn *k, const char *why)
{
	if (d->route != NULL)
		d->route->v[k->addr].bad = loop_now() + BAD_MS;
	remember(d, why);
}

static void
remember(struct delivery *d, const char *why)
{
	free(d->why);
	d->why = strdup(why);
}

/* It is decided: tell queue. */
static void
finish(struct delivery *d)
{
	outcome_tell(queue, d->orphan ? 0 : d->job, &d->result);
	delivery_free(d);
	if (draining && TAILQ_EMPTY(&active))
		child_exit();
}

/* Out of all lists. */
static void
delivery_free(struct delivery *d)
{
	if (d->waiting)
		TAILQ_REMOVE(&d->dest->waiting, d, wait);
	if (d->active) {
		TAILQ_REMOVE(&active, d, entry);
		if (d->dest != NULL)
			d->dest->njobs--;
	}
	route_unref(d->route);
	envelope_free(d->env);
	result_free(&d->result);
	if (d->fd != -1)
		close(d->fd);
	free(d->why);
	free(d);
}

/* Nothing comes of it, and nobody is told. */
static void
cut(struct delivery *d)
{
	struct conn	*k;

	if ((k = d->conn) != NULL) {
		client_free(k->client);
		conn_free(k);
	}
	delivery_free(d);
}

/* Hops that nobody needs any more. */
static void
sweep(void *arg)
{
	struct dest	*t, *next;

	(void)arg;
	timer_set(&sweep_timer, SWEEP_MS);
	RB_FOREACH_SAFE(t, dest_tree, &dests, next) {
		if (t->njobs != 0 || t->nconns != 0 || t->ask != NULL ||
		    t->route_until > loop_now())
			continue;
		RB_REMOVE(dest_tree, &dests, t);
		route_unref(t->route);
		free(t);
	}
}
