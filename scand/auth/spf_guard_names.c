/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/auth/spf.h"
#include "scand/scand.h"

/*
 * Names that DNS gives: the exchanges of a domain, and the names of the
 * client, which count when they lead back to it (RFC 7208 5.5).
 */

/* How near a client's name is to a domain (7.3). */
enum near { NEAR_NOT, NEAR_BELOW, NEAR_EQUAL };

static const struct answer *ptr_ask(struct spf_guard *);
static enum near name_near(const char *, const char *);
static int	 name_leads_back(struct spf_guard *, const char *);

int
spf_answer_failed(const struct answer *a, enum dns_type type)
{
	if (a->status == DNS_FAIL || a->status == DNS_TIMEOUT ||
	    a->security == DNS_BOGUS)
		return 1;
	/* Which records are missing is chance.  Of exchanges that are too many
	   and of names of the client only the first are wanted. */
	return a->truncated && type != DNS_MX && type != DNS_PTR;
}

int
spf_mx_name(const struct answer *a, size_t want, char dst[DNS_NAME])
{
	const struct dns_record *best = NULL, *r;
	unsigned char taken[LIM_SPF_MX] = { 0 };
	size_t i, round;

	for (round = 0; round <= want; round++) {
		best = NULL;
		for (i = 0; i < a->nrec && i < LIM_SPF_MX; i++) {
			r = &a->rec[i];
			if (!taken[i] && r->len > 2 && (best == NULL ||
			    memcmp(r->data, best->data, 2) < 0))
				best = r;
		}
		if (best == NULL)	/* or a null MX, RFC 7505 */
			return -1;
		taken[best - a->rec] = 1;
	}
	return record_text(best, 2, dst, DNS_NAME);
}

int
spf_ptr_match(struct spf_guard *g, const char *domain, int *isvoid)
{
	char name[DNS_NAME];
	const struct answer *a;
	size_t i;
	int match = 0, open = 0, back;

	if ((a = ptr_ask(g)) == NULL)
		return g->stopped ? -1 : 0;
	*isvoid = a->nrec == 0;
	for (i = 0; i < a->nrec && i < LIM_SPF_PTR; i++) {
		if (record_text(&a->rec[i], 0, name, sizeof(name)) == -1 ||
		    name_near(name, domain) == NEAR_NOT)
			continue;
		back = name_leads_back(g, name);
		match |= back == 1;
		open |= back == -1;
	}
	if (match || !open)
		return match;
	return spf_guard_stop(g, SPF_PENDING, NULL, NULL);
}

const char *
spf_client_name(void *arg)
{
	struct spf_guard *g = arg;
	char name[DNS_NAME];
	const struct answer *a;
	enum near near, best = NEAR_NOT;
	size_t i;
	int found = 0, open = 0, back;

	(void)strlcpy(g->client_name, "unknown", sizeof(g->client_name));
	if ((a = ptr_ask(g)) == NULL)
		return g->stopped ? NULL : g->client_name;
	for (i = 0; i < a->nrec && i < LIM_SPF_PTR; i++) {
		if (record_text(&a->rec[i], 0, name, sizeof(name)) == -1 ||
		    name[0] == '\0')
			continue;
		if ((back = name_leads_back(g, name)) == -1)
			open = 1;
		if (back != 1)
			continue;
		near = name_near(name, g->vars.current);
		if (!found || near > best)
			(void)strlcpy(g->client_name, name,
			    sizeof(g->client_name));
		best = near > best ? near : best;
		found = 1;
	}
	return open ? NULL : g->client_name;
}

/* NULL: the guard has stopped, or there are no names: 5.5, an error is not
   more than that. */
static const struct answer *
ptr_ask(struct spf_guard *g)
{
	char name[DNS_NAME];
	const struct netaddr *client = g->vars.client;
	const struct answer *a;

	if (netaddr_reverse(client, client->family == AF_INET ?
	    "in-addr.arpa" : "ip6.arpa", name, sizeof(name)) == -1)
		return NULL;
	a = spf_guard_ask(g, name, DNS_PTR);
	return a == NULL || spf_answer_failed(a, DNS_PTR) ? NULL : a;
}

static enum near
name_near(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	if (n == d)
		return strcmp(name, domain) == 0 ? NEAR_EQUAL : NEAR_NOT;
	return n > d && name[n - d - 1] == '.' &&
	    strcmp(name + n - d, domain) == 0 ? NEAR_BELOW : NEAR_NOT;
}

/* -1: not known yet. */
static int
name_leads_back(struct spf_guard *g, const char *name)
{
	const struct netaddr *client = g->vars.client;
	enum dns_type type = spf_guard_family(g);
	const struct answer *a = answers_get(g->answers, name, type);
	size_t i, len = client->family == AF_INET ? 4 : 16;

	if (a == NULL)
		return -1;
	if (spf_answer_failed(a, type))
		return 0;
	for (i = 0; i < a->nrec; i++) {
		if (a->rec[i].len == len &&
		    memcmp(a->rec[i].data, client->octets, len) == 0)
			return 1;
	}
	return 0;
}
