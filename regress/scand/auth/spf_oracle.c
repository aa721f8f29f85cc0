/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/scand/auth/spf_oracle.h"
#include "scand/scand.h"

/*
 * A second opinion.  Grammar and macros are those of the guard; walking
 * through the terms, matching and counting are written anew, straight from
 * the text of the RFC.
 */

enum match { MATCH_NOT, MATCH_YES, MATCH_TEMPERROR, MATCH_PERMERROR };

struct oracle {
	struct spf_guard	 names;		/* for %{p} and "ptr" */
	char			 local[LIM_PATH + 1];
	unsigned		 terms, voids;
};

static enum spf_result	policy(struct oracle *, const char *,
			    enum spf_result);

static const struct answer *
ask(struct oracle *o, const char *name, enum dns_type type)
{
	const struct answer *a = answers_get(o->names.answers, name, type);

	if (a == NULL)
		abort();
	return a;
}

static int
failed(const struct answer *a)
{
	return a->status == DNS_FAIL || a->status == DNS_TIMEOUT;
}

/* 0, 1 or, with *e, -1. */
static int
empty(struct oracle *o, const struct answer *a, enum match *e)
{
	if (a->nrec > 0)
		return 0;
	if (++o->voids <= 2)
		return 1;
	*e = MATCH_PERMERROR;
	return -1;
}

static enum match
match_range(const struct oracle *o, const struct spf_term *t,
    const uint8_t *addr, size_t len)
{
	const struct netaddr *c = o->names.vars.client;
	struct cidr cidr;

	memset(&cidr, 0, sizeof(cidr));
	cidr.addr.family = len == 4 ? AF_INET : AF_INET6;
	if (cidr.addr.family != c->family)
		return MATCH_NOT;
	memcpy(cidr.addr.octets, addr, len);
	cidr.bits = (uint8_t)(len == 4 ? t->cidr4 : t->cidr6);
	netaddr_mask(&cidr.addr, cidr.bits);
	return cidr_contains(&cidr, c) ? MATCH_YES : MATCH_NOT;
}

static enum match
match_records(const struct oracle *o, const struct spf_term *t,
    const struct answer *a)
{
	size_t i;

	if (a->truncated)
		return MATCH_TEMPERROR;
	for (i = 0; i < a->nrec; i++) {
		if (match_range(o, t, a->rec[i].data, a->rec[i].len) ==
		    MATCH_YES)
			return MATCH_YES;
	}
	return MATCH_NOT;
}

/* The exchanges in order: the least preference above the last one. */
static enum match
match_mx(struct oracle *o, const struct spf_term *t, const char *name)
{
	const struct answer *mx = ask(o, name, DNS_MX), *a;
	enum match m = MATCH_NOT;
	char host[DNS_NAME];
	int last = -1, next, pref;
	size_t i;

	if (failed(mx))
		return MATCH_TEMPERROR;
	if (mx->nrec > 10)
		return MATCH_PERMERROR;
	if (empty(o, mx, &m) != 0)
		return m;
	for (;; last = next) {
		next = 65536;
		for (i = 0; i < mx->nrec; i++) {
			pref = mx->rec[i].data[0] * 256 + mx->rec[i].data[1];
			if (pref > last && pref < next)
				next = pref;
		}
		if (next == 65536)
			return MATCH_NOT;
		for (i = 0; i < mx->nrec; i++) {
			pref = mx->rec[i].data[0] * 256 + mx->rec[i].data[1];
			if (pref != next || record_text(&mx->rec[i], 2, host,
			    sizeof(host)) == -1 || host[0] == '\0')
				continue;
			a = ask(o, host, spf_guard_family(&o->names));
			m = failed(a) ? MATCH_TEMPERROR :
			    match_records(o, t, a);
			if (m != MATCH_NOT)
				return m;
		}
	}
}

static enum match
match_ptr(struct oracle *o, const char *name)
{
	int isvoid = 0, match = spf_ptr_match(&o->names, name, &isvoid);

	if (isvoid && ++o->voids > 2)
		return MATCH_PERMERROR;
	return match == 1 ? MATCH_YES : MATCH_NOT;
}

static enum match
match_include(struct oracle *o, const char *name)
{
	switch (policy(o, name, SPF_PERMERROR)) {
	case SPF_PASS:
		return MATCH_YES;
	case SPF_TEMPERROR:
		return MATCH_TEMPERROR;
	case SPF_PERMERROR:
		return MATCH_PERMERROR;
	default:
		return MATCH_NOT;
	}
}

static enum match
match_term(struct oracle *o, const struct spf_record *r,
    const struct spf_term *t)
{
	char name[DNS_NAME];
	const struct answer *a;
	enum dns_type type = t->mech == SPF_A ?
	    spf_guard_family(&o->names) : DNS_A;
	enum match m = MATCH_NOT;

	if (t->mech == SPF_ALL)
		return MATCH_YES;
	if (t->mech == SPF_IP4 || t->mech == SPF_IP6)
		return match_range(o, t, t->addr, t->mech == SPF_IP4 ? 4 : 16);
	if (++o->terms > 10)
		return MATCH_PERMERROR;
	if (spf_guard_target(&o->names, r, t, name) != 0)
		return t->mech == SPF_INCLUDE ? MATCH_PERMERROR : MATCH_NOT;
	switch (t->mech) {
	case SPF_INCLUDE:
		return match_include(o, name);
	case SPF_MX:
		return match_mx(o, t, name);
	case SPF_PTR:
		return match_ptr(o, name);
	default:
		a = ask(o, name, type);
		if (failed(a) || a->truncated)
			return MATCH_TEMPERROR;
		if (empty(o, a, &m) != 0)
			return m;
		return t->mech == SPF_EXISTS ? MATCH_YES :
		    match_records(o, t, a);
	}
}

static enum spf_result
qualified(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

static enum spf_result
redirect(struct oracle *o, const struct spf_record *r)
{
	char name[DNS_NAME];
	struct spf_term t;
	const char *why;
	size_t off = r->redirect;

	if (off == 0)
		return SPF_NEUTRAL;
	if (++o->terms > 10 || spf_term_read(r, &off, &t, &why) != 1 ||
	    spf_guard_target(&o->names, r, &t, name) != 0)
		return SPF_PERMERROR;
	return policy(o, name, SPF_PERMERROR);
}

static enum spf_result
policy(struct oracle *o, const char *domain, enum spf_result none)
{
	struct spf_record r;
	struct spf_term t;
	const struct answer *a = ask(o, domain, DNS_TXT);
	const char *why;
	size_t off = SPF_VERSION_LEN, n;

	if (failed(a) || a->truncated)
		return SPF_TEMPERROR;
	if ((n = spf_guard_select(a, &r)) != 1)
		return n == 0 ? none : SPF_PERMERROR;
	(void)strlcpy(r.domain, domain, sizeof(r.domain));
	if (r.len > LIM_SPF_RECORD || spf_record_check(&r, &why) == -1)
		return SPF_PERMERROR;
	while (spf_term_read(&r, &off, &t, &why) == 1) {
		if (t.mech >= SPF_REDIRECT)
			continue;
		switch (match_term(o, &r, &t)) {
		case MATCH_NOT:
			break;
		case MATCH_YES:
			return qualified(t.qualifier);
		case MATCH_TEMPERROR:
			return SPF_TEMPERROR;
		case MATCH_PERMERROR:
			return SPF_PERMERROR;
		}
	}
	return redirect(o, &r);
}

enum spf_result
spf_oracle(struct answers *answers, const struct spf_query *q,
    const char *domain)
{
	static struct oracle o;
	const char *at = strrchr(q->sender, '@');

	memset(&o, 0, sizeof(o));
	(void)snprintf(o.local, sizeof(o.local), "%.*s",
	    at == NULL ? 0 : (int)(at - q->sender), q->sender);
	o.names.answers = answers;
	o.names.vars.client = q->client;
	o.names.vars.local = o.local[0] == '\0' ? "postmaster" : o.local;
	o.names.vars.domain = domain;
	o.names.vars.helo = q->helo;
	o.names.vars.receiver = q->receiver;
	o.names.vars.client_name = spf_client_name;
	o.names.vars.arg = &o.names;
	return policy(&o, domain, SPF_NONE);
}
