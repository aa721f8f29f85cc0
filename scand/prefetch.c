/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/cidr.h"
#include "common/loop.h"
#include "scand/broker.h"
#include "scand/rules/links.h"

/*
 * A client has connected, or has said MAIL: ask what its message will be
 * judged by, so that the resolver has the answers when the message comes.  The
 * answers themselves are not looked at here, but for the name that leads to
 * the next question.
 */

struct fetch {
	struct dns_question	*question;
	struct netaddr		 client;
	const struct config_dnsbl *list;	/* in which it is sought */
	int			 forward;	/* then ask for its name's */
};

static const struct config	*config;
static size_t			 nopen;

static void	 prefetch_list(const struct config_dnsbl *,
		    const struct netaddr *);
static void	 prefetch_names(const char *);
static struct fetch *fetch_ask(const char *, enum dns_type);
static void	 fetch_done(const struct dns_answer *, void *);

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
	struct fetch *f;
	char name[DNS_NAME];

	if (client->family == 0)
		return;
	if (netaddr_reverse(client, client->family == AF_INET ?
	    "in-addr.arpa" : "ip6.arpa", name, sizeof(name)) == 0 &&
	    (f = fetch_ask(name, DNS_PTR)) != NULL) {
		f->client = *client;
		f->forward = 1;
	}
	TAILQ_FOREACH(l, &config->dnsbls, entry) {
		if (l->kind == LIST_ADDRESSES)
			prefetch_list(l, client);
	}
}

static void
prefetch_list(const struct config_dnsbl *l, const struct netaddr *client)
{
	struct fetch *f;
	char name[DNS_NAME];

	if ((lists_may(l) & (client->family == AF_INET ? LIST_ASK_V4 :
	    LIST_ASK_V6)) != 0 &&
	    netaddr_reverse(client, l->zone, name, sizeof(name)) == 0 &&
	    (f = fetch_ask(name, DNS_A)) != NULL)
		f->list = l;
}

/*
 * SPF and the MX of the sender, and the policy of an author of the same name,
 * as most are.
 */
void
prefetch_sender(const char *helo, const char *sender)
{
	char name[DNS_NAME], domain[LIM_DOMAIN + 1];
	const char *d = address_domain(sender);

	if (strlcpy(domain, d == NULL ? helo : d, sizeof(domain)) >=
	    sizeof(domain))
		return;
	domain_fold(domain);
	if (!domain_valid(domain, 1) || strchr(domain, '.') == NULL)
		return;
	(void)fetch_ask(domain, DNS_TXT);
	prefetch_names(domain);
	if (d == NULL)
		return;
	(void)fetch_ask(domain, DNS_MX);
	if ((size_t)snprintf(name, sizeof(name), "_dmarc.%s", domain) <
	    sizeof(name))
		(void)fetch_ask(name, DNS_TXT);
}

static void
prefetch_names(const char *host)
{
	const struct config_dnsbl *l;
	const char *names[2] = { host_domain(host), host_below(host) };
	char name[DNS_NAME];
	int i;

	if (config_domain(config, host) != NULL)
		return;
	TAILQ_FOREACH(l, &config->dnsbls, entry) {
		if (l->kind != LIST_DOMAINS ||
		    !(lists_may(l) & LIST_ASK_NAMES))
			continue;
		for (i = 0; i < 2; i++) {
			if (names[i] != NULL && (size_t)snprintf(name,
			    sizeof(name), "%s.%s", names[i], l->zone) <
			    sizeof(name))
				(void)fetch_ask(name, DNS_A);
		}
	}
}

/* To be filled by the caller; it is answered later.  NULL: not asked. */
static struct fetch *
fetch_ask(const char *name, enum dns_type type)
{
	struct fetch *f;

	if (nopen >= LIM_PREFETCH || (f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	f->question = dns_ask(name, type, config->limit_dns_s * 1000ULL,
	    fetch_done, f);
	if (f->question == NULL) {
		free(f);
		return NULL;
	}
	nopen++;
	broker_count.prefetched++;
	return f;
}

static void
fetch_done(const struct dns_answer *a, void *arg)
{
	struct fetch *f = arg, *next;
	char name[DNS_NAME];

	nopen--;
	if (f->list != NULL && a->status <= DNS_NXDOMAIN)
		lists_looked(f->list, a->status == DNS_OK);
	if (f->forward && a->status == DNS_OK && a->nrec > 0 &&
	    record_text(&a->rec[0], 0, name, sizeof(name)) == 0 &&
	    (next = fetch_ask(name, f->client.family == AF_INET ? DNS_A :
	    DNS_AAAA)) != NULL)
		next->client = f->client;
	free(f);
}
