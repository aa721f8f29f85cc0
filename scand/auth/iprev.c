/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/address.h"
#include "common/cidr.h"
#include "scand/scand.h"

/*
 * The client's name, confirmed both ways (RFC 8601 3): its address has a name,
 * and one of the name's addresses is the client's.
 */

#define NAMES	10	/* of one address that are followed, as by
			   RFC 7208 4.6.4 */

static int	name_leads_back(struct job *, const char *, int *);
static int	is_failure(const struct answer *);

void
auth_iprev(struct job *j)
{
	char name[DNS_NAME];
	const struct netaddr *client = &j->scan.client;
	const struct answer *ptr;
	size_t i;
	int unsure = 0;

	j->auth.iprev = IPREV_NONE;
	j->auth.rdns[0] = j->auth.ptr[0] = '\0';
	if (client->family == 0 || netaddr_reverse(client,
	    client->family == AF_INET ? "in-addr.arpa" : "ip6.arpa", name,
	    sizeof(name)) == -1)
		return;
	if ((ptr = answers_get(&j->answers, name, DNS_PTR)) == NULL)
		return;
	if (is_failure(ptr)) {
		j->auth.iprev = IPREV_TEMPERROR;
		findings_add(&j->found, SYM_RDNS_TEMPERROR, NULL);
		return;
	}
	for (i = 0; i < ptr->nrec && i < NAMES; i++) {
		if (record_text(&ptr->rec[i], 0, name, sizeof(name)) == -1 ||
		    !domain_valid(name, 0))
			continue;
		if (j->auth.ptr[0] == '\0')
			(void)strlcpy(j->auth.ptr, name, sizeof(j->auth.ptr));
		if (name_leads_back(j, name, &unsure)) {
			j->auth.iprev = IPREV_PASS;
			(void)strlcpy(j->auth.rdns, name,
			    sizeof(j->auth.rdns));
			return;
		}
	}
	if (unsure) {
		j->auth.iprev = IPREV_TEMPERROR;
		findings_add(&j->found, SYM_RDNS_TEMPERROR, "%s",
		    j->auth.ptr);
		return;
	}
	/* 2.7.3: without a name nothing could be evaluated. */
	if (j->auth.ptr[0] == '\0') {
		j->auth.iprev = IPREV_PERMERROR;
		findings_add(&j->found, SYM_NO_RDNS, NULL);
	} else {
		j->auth.iprev = IPREV_FAIL;
		findings_add(&j->found, SYM_RDNS_MISMATCH, "%s", j->auth.ptr);
	}
}

/* *unsure is set when an answer is missing or has failed. */
static int
name_leads_back(struct job *j, const char *name, int *unsure)
{
	const struct netaddr *client = &j->scan.client;
	const struct answer *a;
	size_t i, len = client->family == AF_INET ? 4 : 16;

	a = answers_get(&j->answers, name,
	    client->family == AF_INET ? DNS_A : DNS_AAAA);
	if (a == NULL || is_failure(a)) {
		*unsure = 1;
		return 0;
	}
	for (i = 0; i < a->nrec; i++) {
		if (a->rec[i].len == len &&
		    memcmp(a->rec[i].data, client->octets, len) == 0)
			return 1;
	}
	return 0;
}

static int
is_failure(const struct answer *a)
{
	return a->status == DNS_FAIL || a->status == DNS_TIMEOUT;
}
