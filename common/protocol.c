/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/protocol.h"

/*
 * What crosses sockets between daemons, each type's write, parse and free side
 * by side.
 */

static void	 policy_add(struct ibuf *, const struct policy *);
static void	 policy_get(struct ibuf *, struct policy *);

const char *
daemon_name(enum daemon_id d)
{
	static const char *const	 names[DAEMON_MAX] = {
		[DAEMON_FRONT] = "smtpd-front",
		[DAEMON_SCAND] = "scand",
		[DAEMON_GREYD] = "greyd",
		[DAEMON_RELAYD] = "relayd-out",
	};

	return d < DAEMON_MAX ? names[d] : "unknown";
}

const char *
action_name(enum action a)
{
	static const char *const	 names[ACTION_MAX] = {
		[ACTION_ACCEPT] = "accept",
		[ACTION_GREYLIST] = "greylist",
		[ACTION_TEMPFAIL] = "tempfail",
		[ACTION_REJECT] = "reject",
	};

	return a < ACTION_MAX ? names[a] : "unknown";
}

void
netaddr_add(struct ibuf *b, const struct netaddr *a)
{
	ibuf_add_u8(b, a->family == AF_INET ? 4 : a->family == AF_INET6 ? 6 :
	    0);
	ibuf_add_raw(b, a->octets, sizeof(a->octets));
}

void
netaddr_get(struct ibuf *b, struct netaddr *a)
{
	uint8_t	 family;

	memset(a, 0, sizeof(*a));
	family = ibuf_get_u8(b);
	ibuf_get_raw(b, a->octets, sizeof(a->octets));
	if (family == 4)
		a->family = AF_INET;
	else if (family == 6)
		a->family = AF_INET6;
	else if (family != 0)
		b->bad = 1;
}

static void
policy_add(struct ibuf *b, const struct policy *p)
{
	ibuf_add_u8(b, p->role);
	ibuf_add_i32(b, p->greylist_at);
	ibuf_add_i32(b, p->reject_at);
	ibuf_add_raw(b, p->decisive, sizeof(p->decisive));
	ibuf_add_str(b, p->participant);
}

static void
policy_get(struct ibuf *b, struct policy *p)
{
	size_t	 i;

	p->role = ibuf_get_u8(b);
	p->greylist_at = ibuf_get_i32(b);
	p->reject_at = ibuf_get_i32(b);
	ibuf_get_raw(b, p->decisive, sizeof(p->decisive));
	ibuf_get_str(b, p->participant, sizeof(p->participant));
	if (p->role > POLICY_DUMMY)
		b->bad = 1;
	for (i = 0; i < DECISIVE_MAX; i++)
		if (p->decisive[i] >= ACTION_MAX)
			b->bad = 1;
}

void
scan_add(struct ibuf *b, const struct scan *s)
{
	size_t	 i;

	ibuf_add_raw(b, s->id, sizeof(s->id));
	ibuf_add_u32(b, s->deadline);
	ibuf_add_u8(b, s->flags);
	ibuf_add_u8(b, (uint8_t)s->class);
	netaddr_add(b, &s->client);
	ibuf_add_str(b, s->helo);
	ibuf_add_str(b, s->tls);
	ibuf_add_str(b, s->sender);
	ibuf_add_u64(b, s->size);
	ibuf_add_raw(b, s->hash, sizeof(s->hash));
	ibuf_add_u16(b, s->nrcpts);
	ibuf_add_str(b, s->rcpts);
	ibuf_add_u16(b, (uint16_t)s->npolicies);
	for (i = 0; i < s->npolicies; i++)
		policy_add(b, &s->policies[i]);
}

/*
 * policies[] past npolicies is left alone: the struct is large, and clearing
 * it for each message would cost more than the rest.
 */
int
scan_parse(struct ibuf *b, struct scan *s)
{
	size_t	 i;

	ibuf_get_raw(b, s->id, sizeof(s->id));
	s->deadline = ibuf_get_u32(b);
	s->flags = ibuf_get_u8(b);
	s->class = ibuf_get_u8(b);
	netaddr_get(b, &s->client);
	ibuf_get_str(b, s->helo, sizeof(s->helo));
	ibuf_get_str(b, s->tls, sizeof(s->tls));
	ibuf_get_str(b, s->sender, sizeof(s->sender));
	s->size = ibuf_get_u64(b);
	ibuf_get_raw(b, s->hash, sizeof(s->hash));
	s->nrcpts = ibuf_get_u16(b);
	s->rcpts = ibuf_get_strdup(b, LIM_RCPTS * (LIM_PATH + 1));
	s->npolicies = ibuf_get_u16(b);
	if (b->bad || !id_valid(s->id) || (unsigned)s->class > CLASS_CLUSTER ||
	    s->npolicies == 0 || s->npolicies > LIM_CLASSES)
		b->bad = 1;
	for (i = 0; !b->bad && i < s->npolicies; i++)
		policy_get(b, &s->policies[i]);
	if (b->bad) {
		scan_free(s);
		return -1;
	}
	return 0;
}

void
scan_free(struct scan *s)
{
	if (s == NULL)
		return;
	free(s->rcpts);
	s->rcpts = NULL;
}

void
verdict_add(struct ibuf *b, const struct verdict *v)
{
	size_t	 i;

	ibuf_add_raw(b, v->id, sizeof(v->id));
	ibuf_add_i32(b, v->score);
	ibuf_add_u32(b, v->ms);
	ibuf_add_u16(b, (uint16_t)v->nactions);
	ibuf_add_raw(b, v->actions, v->nactions);
	ibuf_add_u16(b, (uint16_t)v->nhits);
	for (i = 0; i < v->nhits; i++) {
		ibuf_add_str(b, v->hits[i].name);
		ibuf_add_i32(b, v->hits[i].points);
		ibuf_add_str(b, v->hits[i].detail);
	}
	ibuf_add_str(b, v->reply);
	ibuf_add_str(b, v->rdns);
	ibuf_add_str(b, v->domain);
	ibuf_add_str(b, v->trace);
	ibuf_add_str(b, v->report);
}

int
verdict_parse(struct ibuf *b, struct verdict *v)
{
	size_t	 i, n;

	memset(v, 0, sizeof(*v));
	ibuf_get_raw(b, v->id, sizeof(v->id));
	v->score = ibuf_get_i32(b);
	v->ms = ibuf_get_u32(b);
	n = ibuf_get_u16(b);
	if (b->bad || !id_valid(v->id) || n == 0 || n > LIM_CLASSES)
		goto bad;
	v->nactions = n;
	ibuf_get_raw(b, v->actions, n);
	for (i = 0; i < n; i++)
		if (v->actions[i] >= ACTION_MAX)
			goto bad;
	n = ibuf_get_u16(b);
	if (b->bad || n > LIM_SYMBOLS ||
	    (n != 0 && (v->hits = calloc(n, sizeof(*v->hits))) == NULL))
		goto bad;
	v->nhits = n;
	for (i = 0; i < n; i++) {
		ibuf_get_str(b, v->hits[i].name, sizeof(v->hits[i].name));
		v->hits[i].points = ibuf_get_i32(b);
		ibuf_get_str(b, v->hits[i].detail, sizeof(v->hits[i].detail));
	}
	ibuf_get_str(b, v->reply, sizeof(v->reply));
	ibuf_get_str(b, v->rdns, sizeof(v->rdns));
	ibuf_get_str(b, v->domain, sizeof(v->domain));
	v->trace = ibuf_get_strdup(b, LIM_TRACE);
	v->report = ibuf_get_strdup(b, LIM_STRING);
	if (!b->bad)
		return 0;
bad:
	b->bad = 1;
	verdict_free(v);
	return -1;
}

void
verdict_free(struct verdict *v)
{
	if (v == NULL)
		return;
	free(v->hits);
	free(v->trace);
	free(v->report);
	v->hits = NULL;
	v->nhits = 0;
	v->trace = v->report = NULL;
}

void
grey_ask_add(struct ibuf *b, const struct grey_ask *g)
{
	ibuf_add_raw(b, g->id, sizeof(g->id));
	netaddr_add(b, &g->client);
	ibuf_add_str(b, g->sender);
	ibuf_add_str(b, g->domain);
	ibuf_add_str(b, g->rcpt_domains);
	ibuf_add_i32(b, g->score);
}

int
grey_ask_parse(struct ibuf *b, struct grey_ask *g)
{
	memset(g, 0, sizeof(*g));
	ibuf_get_raw(b, g->id, sizeof(g->id));
	netaddr_get(b, &g->client);
	ibuf_get_str(b, g->sender, sizeof(g->sender));
	ibuf_get_str(b, g->domain, sizeof(g->domain));
	g->rcpt_domains = ibuf_get_strdup(b, LIM_RCPTS * (LIM_DOMAIN + 1));
	g->score = ibuf_get_i32(b);
	if (b->bad || !id_valid(g->id)) {
		b->bad = 1;
		grey_ask_free(g);
		return -1;
	}
	return 0;
}

void
grey_ask_free(struct grey_ask *g)
{
	if (g == NULL)
		return;
	free(g->rcpt_domains);
	g->rcpt_domains = NULL;
}
