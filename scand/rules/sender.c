/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/address.h"
#include "scand/scand.h"

/*
 * The reverse-path: a domain that cannot receive mail cannot have sent it
 * either, nor be told of a failure.
 */

static int	has_address(struct job *, int *known);

void
rule_sender(struct job *j)
{
	const struct answer *mx;
	int known = 1;

	if (j->sender_domain[0] == '\0' || j->sender_domain[0] == '[')
		return;
	if (!domain_valid(j->sender_domain, 1)) {
		findings_add(&j->found, SYM_SENDER_DOMAIN_NO_MX, "%s",
		    j->sender_domain);
		return;
	}
	mx = answers_get(&j->answers, j->sender_domain, DNS_MX);
	if (mx == NULL)
		return;
	/* RFC 7505: the null MX says that there is no mail. */
	if (mx->status == DNS_OK && mx->nrec == 1 && mx->rec[0].len <= 2) {
		findings_add(&j->found, SYM_SENDER_DOMAIN_NO_MX,
		    "%s has a null MX", j->sender_domain);
		return;
	}
	/* RFC 5321 5.1: without MX the address of the domain counts. */
	if (mx->status != DNS_NODATA && mx->status != DNS_NXDOMAIN)
		return;
	if (mx->status == DNS_NODATA &&
	    (has_address(j, &known) || !known))
		return;
	findings_add(&j->found, SYM_SENDER_DOMAIN_NO_MX, "%s",
	    j->sender_domain);
}

/* *known becomes 0 while an answer is missing or has failed. */
static int
has_address(struct job *j, int *known)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA };
	const struct answer *a;
	int i, found = 0;

	for (i = 0; i < 2; i++) {
		a = answers_get(&j->answers, j->sender_domain, types[i]);
		if (a != NULL && a->status == DNS_OK)
			found = 1;
		else if (a == NULL || (a->status != DNS_NODATA &&
		    a->status != DNS_NXDOMAIN))
			*known = 0;
	}
	return found;
}
