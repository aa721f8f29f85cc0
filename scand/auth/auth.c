/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/auth/spf.h"
#include "scand/scand.h"

/*
 * SPF for a message, and what the methods of authentication come to together.
 */

static void	 spf_take(struct spf_outcome *, const struct spf_check *);
static void	 spf_symbols(struct job *);
static int	 is_forwarded(const struct auth *);
static int	 is_near(const char *, const char *);
static int	 is_authors(const struct auth *, const struct dkim_result *);

void
auth_reset(struct auth *a)
{
	a->iprev = IPREV_NONE;
	a->rdns[0] = a->ptr[0] = a->domain[0] = '\0';
	memset(&a->spf, 0, sizeof(a->spf));
	memset(&a->helo, 0, sizeof(a->helo));
	a->spf_open = a->forwarder = 0;
	a->nsigs = a->nauthors = a->nspoofed = 0;
	a->more_authors = 0;
	a->arc = AUTH_NONE;
	a->arc_why = NULL;
	a->arc_sealer[0] = '\0';
	a->arc_sets = 0;
}

int
domain_below(const char *upper, const char *domain)
{
	size_t n = strlen(domain), m = strlen(upper);

	return n == m ? strcmp(domain, upper) == 0 :
	    n > m && domain[n - m - 1] == '.' &&
	    strcmp(domain + n - m, upper) == 0;
}

/* While the client's name is not known, it is none. */
void
auth_forwarder(struct job *j)
{
	const struct config *conf = job_config();
	size_t i;

	j->auth.forwarder = j->scan.client.family != 0 &&
	    cidr_list_contains(&conf->forwarders, &j->scan.client);
	for (i = 0; i < conf->forwarder_names.n; i++) {
		if (domain_below(conf->forwarder_names.v[i], j->auth.rdns))
			j->auth.forwarder = 1;
	}
}

void
auth_spf(struct job *j)
{
	struct spf_query q = { &j->scan.client, j->scan.helo, j->scan.sender,
	    job_config()->service };
	struct auth *a = &j->auth;
	struct spf_check c;

	a->spf_open = spf_mailfrom(&j->answers, &q, &c);
	spf_take(&a->spf, &c);
	if (j->scan.sender[0] != '\0') {
		a->spf_open |= spf_helo(&j->answers, &q, &c);
		spf_take(&a->helo, &c);
	}
	/* What forgives a fail is not known before. */
	if (!a->spf_open && j->dkim == NULL)
		spf_symbols(j);
}

static void
spf_take(struct spf_outcome *o, const struct spf_check *c)
{
	static const enum auth_result results[SPF_RESULTS] = {
		[SPF_PENDING] = AUTH_NONE, [SPF_NONE] = AUTH_NONE,
		[SPF_NEUTRAL] = AUTH_NEUTRAL, [SPF_PASS] = AUTH_PASS,
		[SPF_FAIL] = AUTH_FAIL, [SPF_SOFTFAIL] = AUTH_SOFTFAIL,
		[SPF_TEMPERROR] = AUTH_TEMPERROR,
		[SPF_PERMERROR] = AUTH_PERMERROR
	};

	o->result = results[c->result];
	o->why = c->problem;
	(void)strlcpy(o->domain, c->domain, sizeof(o->domain));
}

static void
spf_symbols(struct job *j)
{
	static const struct {
		enum auth_result result;
		enum symbol_id	 symbol;
	} symbols[] = {
		{ AUTH_PASS, SYM_SPF_PASS },
		{ AUTH_FAIL, SYM_SPF_FAIL },
		{ AUTH_SOFTFAIL, SYM_SPF_SOFTFAIL },
		{ AUTH_NEUTRAL, SYM_SPF_NEUTRAL },
		{ AUTH_NONE, SYM_SPF_NONE },
		{ AUTH_TEMPERROR, SYM_SPF_TEMPERROR },
		{ AUTH_PERMERROR, SYM_SPF_PERMERROR },
	};
	const struct auth *a = &j->auth;
	const struct spf_outcome *o = &a->spf;
	enum symbol_id id;
	size_t i;

	for (i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		if (symbols[i].result != o->result)
			continue;
		id = symbols[i].symbol;
		if ((o->result == AUTH_FAIL || o->result == AUTH_SOFTFAIL) &&
		    is_forwarded(a))
			id = SYM_SPF_FORWARDED;
		if (id == SYM_SPF_NONE && symbol_points(id) == 0)
			break;
		findings_add(&j->found, id, "%s%s%s", o->domain,
		    o->why == NULL ? "" : ": ", o->why == NULL ? "" : o->why);
	}
	if (a->helo.result == AUTH_FAIL)
		findings_add(&j->found, SYM_SPF_HELO_FAIL, "%s",
		    a->helo.domain);
}

/* RFC 7208 11.4 and D: it is a known forwarder, or one that keeps the sender,
   and the letter as it was signed. */
static int
is_forwarded(const struct auth *a)
{
	size_t i;

	if (a->forwarder)
		return 1;
	for (i = 0; i < a->nsigs; i++) {
		if ((a->sigs[i].result == AUTH_PASS && !a->sigs[i].partial &&
		    is_near(a->sigs[i].domain, a->spf.domain)) ||
		    is_authors(a, &a->sigs[i]))
			return 1;
	}
	return 0;
}

/* One is the other, or above it; a single label is nobody's. */
static int
is_near(const char *a, const char *b)
{
	return strchr(a, '.') != NULL && strchr(b, '.') != NULL &&
	    (domain_below(a, b) || domain_below(b, a));
}

/*
 * SPF says whose machine it is, a signature of the author's domain whose
 * letter: either makes a sender the same from many addresses.
 */
void
auth_domain(struct job *j)
{
	struct auth *a = &j->auth;
	size_t i;

	a->domain[0] = '\0';
	if (a->spf.result == AUTH_PASS) {
		(void)strlcpy(a->domain, a->spf.domain, sizeof(a->domain));
		return;
	}
	for (i = 0; i < a->nsigs; i++) {
		if (is_authors(a, &a->sigs[i])) {
			(void)strlcpy(a->domain, a->sigs[i].domain,
			    sizeof(a->domain));
			return;
		}
	}
}

/* A valid signature of an author's domain, or of one near it. */
static int
is_authors(const struct auth *a, const struct dkim_result *r)
{
	size_t i;

	if (r->result != AUTH_PASS || r->partial)
		return 0;
	for (i = 0; i < a->nauthors; i++) {
		if (is_near(r->domain, a->dmarc[i].author))
			return 1;
	}
	return 0;
}
