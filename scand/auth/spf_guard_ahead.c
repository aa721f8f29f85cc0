/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/auth/spf.h"
#include "scand/scand.h"

/*
 * Looking ahead.  An evaluation stops at the first answer that is missing;
 * what the terms behind it will ask for is noted with it, so that a record
 * needs as many rounds of DNS as it is deep, not as it has terms.  No more
 * terms are looked at than an evaluation may still follow.
 */

static void	ahead_record(struct spf_guard *, const struct spf_record *,
		    size_t, unsigned *);
static void	ahead_term(struct spf_guard *, const struct spf_record *,
		    const struct spf_term *, unsigned *);
static void	ahead_policy(struct spf_guard *, const char *, unsigned *);
static void	ahead_hosts(struct spf_guard *, const char *);

void
spf_ahead(struct spf_guard *g, size_t record, size_t off)
{
	const struct spf_record *r = &g->records[record];
	unsigned budget = g->terms < LIM_SPF_TERMS ?
	    LIM_SPF_TERMS - g->terms : 0;

	for (;;) {
		ahead_record(g, r, off, &budget);
		if (r->parent < 0)
			break;
		off = r->resume;
		r = &g->records[r->parent];
	}
}

static void
ahead_record(struct spf_guard *g, const struct spf_record *r, size_t off,
    unsigned *budget)
{
	struct spf_term t;
	const char *why;

	while (*budget > 0 && spf_term_read(r, &off, &t, &why) == 1) {
		if (t.mech == SPF_ALL)
			return;
		if (t.mech < SPF_REDIRECT)
			ahead_term(g, r, &t, budget);
	}
	off = r->redirect;
	if (off != 0 && *budget > 0 && spf_term_read(r, &off, &t, &why) == 1)
		ahead_term(g, r, &t, budget);
}

static void
ahead_term(struct spf_guard *g, const struct spf_record *r,
    const struct spf_term *t, unsigned *budget)
{
	char target[DNS_NAME];
	int isvoid;

	if (t->mech == SPF_IP4 || t->mech == SPF_IP6)
		return;
	(*budget)--;
	if (spf_guard_target(g, r, t, target) != 0)
		return;
	switch (t->mech) {
	case SPF_INCLUDE:
	case SPF_REDIRECT:
		ahead_policy(g, target, budget);
		break;
	case SPF_A:
		(void)answers_get(g->answers, target, spf_guard_family(g));
		break;
	case SPF_PTR:
		(void)spf_ptr_match(g, target, &isvoid);
		break;
	case SPF_MX:
		ahead_hosts(g, target);
		break;
	default:
		(void)answers_get(g->answers, target, DNS_A);
		break;
	}
}

static void
ahead_policy(struct spf_guard *g, const char *domain, unsigned *budget)
{
	struct spf_record r;
	const struct answer *a = answers_get(g->answers, domain, DNS_TXT);
	const char *why;

	if (a == NULL || spf_answer_failed(a, DNS_TXT) ||
	    spf_guard_select(a, &r) != 1 || r.len > LIM_SPF_RECORD ||
	    spf_record_check(&r, &why) == -1)
		return;
	(void)strlcpy(r.domain, domain, sizeof(r.domain));
	ahead_record(g, &r, SPF_VERSION_LEN, budget);
}

static void
ahead_hosts(struct spf_guard *g, const char *domain)
{
	char name[DNS_NAME];
	const struct answer *a = answers_get(g->answers, domain, DNS_MX);
	size_t i;

	if (a == NULL || a->nrec > LIM_SPF_MX)
		return;
	for (i = 0; i < a->nrec; i++) {
		if (spf_mx_name(a, i, name) == 0)
			(void)answers_get(g->answers, name,
			    spf_guard_family(g));
	}
}
