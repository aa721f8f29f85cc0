/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"
#include "common/loop.h"
#include "scand/broker.h"

/*
 * A client has connected: ask what its message will be judged by, so that the
 * resolver has the answers when the message comes.  The answers themselves
 * are not looked at here, but for the name that leads to the next question.
 */

struct fetch {
	struct dns_question	*question;
	struct netaddr		 client;
	int			 forward;	/* then ask for its name's */
};

static const struct config	*config;
static size_t			 nopen;

static void	fetch_ask(const char *, enum dns_type, const struct netaddr *,
		    int);
static void	fetch_done(const struct dns_answer *, void *);

void
prefetch_configure(const struct config *conf)
{
	config = conf;
}

size_t
prefetch_open(void)
{
	return nopen;
}

void
prefetch_client(const struct netaddr *client)
{
	const struct config_dnsbl *l;
	char name[DNS_NAME];

	if (client->family == 0)
		return;
	if (netaddr_reverse(client, client->family == AF_INET ?
	    "in-addr.arpa" : "ip6.arpa", name, sizeof(name)) == 0)
		fetch_ask(name, DNS_PTR, client, 1);
	TAILQ_FOREACH(l, &config->dnsbls, entry) {
		if (netaddr_reverse(client, l->zone, name,
		    sizeof(name)) == 0)
			fetch_ask(name, DNS_A, client, 0);
	}
}

static void
fetch_ask(const char *name, enum dns_type type, const struct netaddr *client,
    int forward)
{
	struct fetch *f;

	if (nopen >= LIM_PREFETCH || (f = calloc(1, sizeof(*f))) == NULL)
		return;
	f->client = *client;
	f->forward = forward;
	f->question = dns_ask(name, type, config->limit_dns_s * 1000ULL,
	    fetch_done, f);
	if (f->question == NULL) {
		free(f);
		return;
	}
	nopen++;
	broker_count.prefetched++;
}

static void
fetch_done(const struct dns_answer *a, void *arg)
{
	struct fetch *f = arg;
	char name[DNS_NAME];

	nopen--;
	if (f->forward && a->status == DNS_OK && a->nrec > 0 &&
	    record_text(&a->rec[0], 0, name, sizeof(name)) == 0)
		fetch_ask(name, f->client.family == AF_INET ? DNS_A :
		    DNS_AAAA, &f->client, 0);
	free(f);
}
