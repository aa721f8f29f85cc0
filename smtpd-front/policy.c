/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "smtpd-front/smtpd-front.h"

/*
 * What the configuration says about a client and about a recipient: the class
 * of a session, the policy class of a recipient (whose thresholds and switches
 * are the same, and whose role), one action from those of all classes, and the
 * rate of relay clients while greyd is away.
 */

#define RATES	1024		/* relay ranges that we count for */

struct rate {
	const struct config_relay	*relay;
	uint64_t			 began;
	uint32_t			 n;
};
static struct rate	 rates[RATES];

static int	 ours(const char *);
static int	 listens_at(const char *);
static int	 postmaster(char *, size_t);
static int	 stands_in(const char *, char *, size_t);

enum session_class
policy_session(const struct netaddr *client, const struct config_relay **relay)
{
	*relay = NULL;
	if (cidr_list_contains(&front.config->cluster, client))
		return CLASS_CLUSTER;
	*relay = config_relay(front.config, client);
	return *relay == NULL ? CLASS_INBOUND : CLASS_RELAY;
}

int
policy_target(char *address, size_t size, struct target *t)
{
	char		 folded[LIM_PATH + 1];
	const char	*domain;

	memset(t, 0, sizeof(*t));
	if (address_fold(address, folded, sizeof(folded)) == -1)
		return -1;
	if (ours(folded) && (postmaster(address, size) == -1 ||
	    address_fold(address, folded, sizeof(folded)) == -1))
		return -1;
	if ((domain = address_domain(folded)) == NULL)
		return -1;
	t->domain = config_domain(front.config, domain);
	if (t->domain == NULL) {
		t->policy = front.config->policy;
		t->policy.role = POLICY_ORDINARY;
		return 0;
	}
	t->policy = t->domain->policy;
	t->policy.role = POLICY_ORDINARY;
	/* RFC 2142: these two always exist, and hear complaints about us. */
	if (address_is_local(folded, "abuse") ||
	    address_is_local(folded, "postmaster"))
		t->policy.role = POLICY_POSTMASTER;
	else if (config_trap(t->domain, folded))
		t->trap = 1;
	else if (config_discard(t->domain, folded)) {
		t->discard = 1;
		t->policy.role = POLICY_DUMMY;
	}
	return 0;
}

/*
 * Those who run this service have no mailbox here, but are written to:
 * <Postmaster> without a domain (RFC 5321 4.5.1), and at our own names, which
 * stand in refusals and reports, and addresses (RFC 1123 5.2.17).
 */
static int
ours(const char *folded)
{
	const char	*domain = address_domain(folded);

	if (domain == NULL)
		return strcmp(folded, "postmaster") == 0;
	return (address_is_local(folded, "postmaster") ||
	    address_is_local(folded, "abuse") ||
	    address_is_local(folded, "mailer-daemon")) &&
	    config_domain(front.config, domain) == NULL &&
	    (strcasecmp(domain, front.config->service) == 0 ||
	    strcasecmp(domain, front.config->node) == 0 ||
	    listens_at(domain));
}

static int
listens_at(const char *literal)
{
	const struct config_listen	*l;
	char				 text[NETADDR_STRLEN + 8];

	TAILQ_FOREACH(l, &front.config->listens, entry)
		if (strcasecmp(literal, netaddr_literal(&l->addr, text,
		    sizeof(text))) == 0)
			return 1;
	return 0;
}

/*
 * Who that is: the contact of the configuration where that is an address that
 * we serve, else the first such contact of a participant, else the postmaster
 * of the first domain.
 */
static int
postmaster(char *address, size_t size)
{
	const struct config_participant	*p;
	const struct config_domain	*d;
	int				 n;

	if (stands_in(front.config->contact, address, size))
		return 0;
	TAILQ_FOREACH(p, &front.config->participants, entry)
		if (stands_in(p->contact, address, size))
			return 0;
	if ((p = TAILQ_FIRST(&front.config->participants)) == NULL ||
	    (d = TAILQ_FIRST(&p->domains)) == NULL)
		return -1;
	n = snprintf(address, size, "postmaster@%s", d->name);
	return n > 0 && (size_t)n < size ? 0 : -1;
}

static int
stands_in(const char *contact, char *address, size_t size)
{
	char		 folded[LIM_PATH + 1];
	const char	*domain, *why;

	if (contact == NULL || address_mailbox(contact, 1, &why) == -1 ||
	    address_fold(contact, folded, sizeof(folded)) == -1 ||
	    (domain = address_domain(folded)) == NULL ||
	    config_domain(front.config, domain) == NULL)
		return 0;
	return strlcpy(address, contact, size) < size;
}

int
policy_inside(const struct config_domain *d)
{
	/* A name may lead anywhere tomorrow. */
	return d != NULL && d->hop.host == NULL &&
	    cidr_list_contains(&front.config->cluster, &d->hop.addr);
}

int
policy_same(const struct policy *a, const struct policy *b)
{
	return a->role == b->role && a->greylist_at == b->greylist_at &&
	    a->reject_at == b->reject_at &&
	    memcmp(a->decisive, b->decisive, sizeof(a->decisive)) == 0 &&
	    strcmp(a->participant, b->participant) == 0;
}

unsigned
policy_agree(const struct policy *policies, const uint8_t *actions, size_t n,
    enum session_class class)
{
	unsigned	 one, all = POLICY_SPLIT;
	size_t		 i;
	int		 pass, differ = 0, temp = 0;

	/* What goes to a dummy is dropped: it has no say beside others. */
	for (pass = 0; pass < 2 && all == POLICY_SPLIT; pass++)
		for (i = 0; i < n; i++) {
			if ((policies[i].role == POLICY_DUMMY) != pass)
				continue;
			one = actions[i];
			if (one == ACTION_GREYLIST && class != CLASS_INBOUND)
				one = ACTION_ACCEPT;
			if (one >= ACTION_MAX || one == ACTION_TEMPFAIL)
				temp = 1;
			if (all == POLICY_SPLIT)
				all = one;
			else if (all != one)
				differ = 1;
		}
	/* Not judged is not judged, for all of them. */
	if (temp || all == POLICY_SPLIT)
		return ACTION_TEMPFAIL;
	return differ ? POLICY_SPLIT : all;
}

/*
 * A window of the relay's period, and of its limit the part of one process:
 * nobody tells us what the others let pass.
 */
uint32_t
policy_rate(const struct config_relay *relay)
{
	uint64_t	 period = (uint64_t)relay->period_s * 1000;
	uint32_t	 part;
	unsigned	 i;

	for (i = 0; i < RATES - 1; i++)
		if (rates[i].relay == relay || rates[i].relay == NULL)
			break;
	/* The last place is shared by those that found none. */
	if (rates[i].relay == NULL || loop_now() - rates[i].began >= period) {
		rates[i].relay = relay;
		rates[i].began = loop_now();
		rates[i].n = 0;
	}
	part = relay->limit / (front.config->nsmtp == 0 ? 1 :
	    front.config->nsmtp);
	if (rates[i].n < part || rates[i].n == 0) {
		rates[i].n++;
		return 0;
	}
	return (uint32_t)((rates[i].began + period - loop_now() + 999) / 1000);
}
