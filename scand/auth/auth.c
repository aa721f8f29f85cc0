/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/scand.h"

/*
 * What the methods of authentication have in common.
 */

void
auth_reset(struct auth *a)
{
	a->iprev = IPREV_NONE;
	a->rdns[0] = a->ptr[0] = a->domain[0] = '\0';
	a->spf = AUTH_NONE;
	a->spf_domain[0] = '\0';
	a->nsigs = a->nauthors = a->nspoofed = 0;
	a->more_authors = 0;
}

int
domain_below(const char *upper, const char *domain)
{
	size_t n = strlen(domain), m = strlen(upper);

	return n == m ? strcmp(domain, upper) == 0 :
	    n > m && domain[n - m - 1] == '.' &&
	    strcmp(domain + n - m, upper) == 0;
}

/*
 * SPF says whose machine it is, a signature of the author's domain whose
 * letter: either makes a sender the same from many addresses.
 */
void
auth_domain(struct job *j)
{
	struct auth *a = &j->auth;
	const struct dkim_result *r;
	size_t i, k;

	a->domain[0] = '\0';
	if (a->spf == AUTH_PASS) {
		(void)strlcpy(a->domain, a->spf_domain, sizeof(a->domain));
		return;
	}
	for (i = 0; i < a->nsigs; i++) {
		r = &a->sigs[i];
		/* A name of a single label is nobody's. */
		if (r->result != AUTH_PASS || strchr(r->domain, '.') == NULL)
			continue;
		for (k = 0; k < a->nauthors; k++) {
			if (domain_below(r->domain, a->dmarc[k].author) ||
			    domain_below(a->dmarc[k].author, r->domain))
				break;
		}
		if (k < a->nauthors) {
			(void)strlcpy(a->domain, r->domain,
			    sizeof(a->domain));
			return;
		}
	}
}
