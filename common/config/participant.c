/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config/build.h"
#include "common/limits.h"

/*
 * The statements in the block of a participant, and policies, which stand
 * there, behind a domain, and outside for everybody.
 */

static int	inside(struct parse *, const struct value *, const char *);
static int	build_hop(struct parse *, const struct value *,
		    const struct value *, struct config_hop *);
static void	build_relayrange(struct parse *, const struct value *,
		    uint32_t, uint32_t);
static void	build_mailbox(struct parse *, const struct value *, int);
static void	policy_apply(struct parse *, const struct items *,
		    struct policy *, uint16_t *, struct config_where *);
static int	policy_bit(int);
static void	policy_item(struct parse *, const struct item *,
		    struct policy *);
static const char *policy_word(int);
static void	grey_item(struct parse *, const struct item *);

static const char *const policy_words[] = {
	"greylist at", "reject at", "delay", "window", "keep"
};

/* name is NULL after a wrong head; its block is still read. */
void
build_participant(struct parse *p, struct value *name, struct value *contact)
{
	struct config_participant	*pa;

	pa = parse_own(p, sizeof(*pa));
	TAILQ_INIT(&pa->domains);
	TAILQ_INIT(&pa->relays);
	TAILQ_INIT(&pa->discards);
	TAILQ_INIT(&pa->traps);
	TAILQ_INSERT_TAIL(&p->cf->participants, pa, entry);
	p->participant = pa;
	pa->where = name == NULL ? p->lx.at : name->where;
	if (name != NULL)
		pa->name = build_name(p, name, "participant");
	if (contact != NULL)
		pa->contact = build_text(p, contact);
}

void
build_participant_end(struct parse *p)
{
	p->participant = NULL;
}

void
build_domain(struct parse *p, struct values *vs, struct value *host,
    struct value *port, struct items *policy)
{
	struct config_domain	*d;
	struct config_hop	 hop;
	struct config_where	 where;
	struct policy		 own;
	struct value		*v;
	uint16_t		 set = 0;

	if (!inside(p, vs->first, "domain"))
		return;
	memset(&own, 0, sizeof(own));
	if (policy != NULL)
		policy_apply(p, policy, &own, &set, &where);
	for (v = vs->first; v != NULL; v = v->next) {
		if (!build_hop(p, host, port, &hop))
			return;
		d = parse_own(p, sizeof(*d));
		TAILQ_INSERT_TAIL(&p->participant->domains, d, entry);
		d->where = v->where;
		d->index = p->ndomains++;
		d->participant = p->participant;
		d->policy = own;
		d->policy_set = set;
		d->hop = hop;
		d->name = build_domainname(p, v);
	}
}

/* A host by name or an address; the name is the caller's. */
static int
build_hop(struct parse *p, const struct value *host, const struct value *port,
    struct config_hop *hop)
{
	memset(hop, 0, sizeof(*hop));
	hop->port = 25;
	if (port != NULL && !build_port(p, port, &hop->port))
		return 0;
	if (netaddr_parse(&hop->addr, host->text) == 0)
		return 1;
	memset(&hop->addr, 0, sizeof(hop->addr));
	if (strchr(host->text, ':') != NULL) {
		parse_error(p, &host->where, "\"%s\" is neither a host nor "
		    "an address; the port follows the word port", host->text);
		return 0;
	}
	return (hop->host = build_domainname(p, host)) != NULL;
}

void
build_relay(struct parse *p, struct values *vs, struct value *rate)
{
	struct value	*v;
	const char	*why;
	uint32_t	 limit = 0, period = 0;

	if (!inside(p, vs->first, "relay"))
		return;
	if (rate != NULL) {
		why = unit_rate(rate->text, &limit, &period);
		if (why != NULL)
			parse_error(p, &rate->where, "\"%s\" is %s",
			    rate->text, why);
		else if (limit == 0)
			parse_error(p, &rate->where, "a limit of 0 cannot be "
			    "meant");
	}
	for (v = vs->first; v != NULL; v = v->next)
		build_relayrange(p, v, limit, period);
}

static void
build_relayrange(struct parse *p, const struct value *v, uint32_t limit,
    uint32_t period)
{
	struct config_relay	*r;
	struct cidr		 c;

	if (!build_cidr(p, v, &c) || !build_trusted(p, v, &c, "relay"))
		return;
	r = parse_own(p, sizeof(*r));
	TAILQ_INSERT_TAIL(&p->participant->relays, r, entry);
	r->where = v->where;
	r->range = c;
	r->limit = limit;
	r->period_s = period;
	r->participant = p->participant;
}

void
build_mailboxes(struct parse *p, struct values *vs, int trap)
{
	struct value	*v;

	if (!inside(p, vs->first, trap ? "trap" : "discard"))
		return;
	for (v = vs->first; v != NULL; v = v->next)
		build_mailbox(p, v, trap);
}

static void
build_mailbox(struct parse *p, const struct value *v, int trap)
{
	struct config_mailbox	*m;
	const char		*why;
	char			 folded[LIM_PATH + 1];

	if (address_mailbox(v->text, 1, &why) == -1 ||
	    address_domain(v->text) == NULL ||
	    address_fold(v->text, folded, sizeof(folded)) == -1) {
		parse_error(p, &v->where, "\"%s\" is no mail address",
		    v->text);
		return;
	}
	/* RFC 5321 4.5.1, RFC 2142 */
	if (address_is_local(folded, "postmaster") ||
	    address_is_local(folded, "abuse")) {
		parse_error(p, &v->where, "\"%s\" is always read by somebody",
		    v->text);
		return;
	}
	m = parse_own(p, sizeof(*m));
	if (trap)
		TAILQ_INSERT_TAIL(&p->participant->traps, m, entry);
	else
		TAILQ_INSERT_TAIL(&p->participant->discards, m, entry);
	m->where = v->where;
	m->trap = trap;
	m->participant = p->participant;
	m->address = parse_strdup(p, folded);
}

static int
inside(struct parse *p, const struct value *v, const char *what)
{
	if (p->participant != NULL)
		return 1;
	parse_error(p, &v->where, "%s \"%s\" without a participant", what,
	    v->text);
	return 0;
}

/*
 * Policies.
 */

void
build_policy(struct parse *p, struct items *is)
{
	struct config_participant	*pa = p->participant;

	if (pa != NULL)
		policy_apply(p, is, &pa->policy, &pa->policy_set,
		    &pa->policy_where);
	else
		policy_apply(p, is, &p->cf->policy, &p->policy_set,
		    &p->policy_where);
}

static void
policy_apply(struct parse *p, const struct items *is, struct policy *policy,
    uint16_t *set, struct config_where *where)
{
	struct item	*i;
	int		 bit;

	for (i = is->first; i != NULL; i = i->next) {
		if (i->kind == ITEM_DELAY || i->kind == ITEM_WINDOW ||
		    i->kind == ITEM_KEEP) {
			if (policy != &p->cf->policy)
				parse_error(p, &i->a->where, "%s is the same "
				    "for all participants and stands outside",
				    policy_words[i->kind]);
			else
				grey_item(p, i);
			continue;
		}
		bit = policy_bit(i->kind);
		if (*set & bit)
			parse_error(p, &i->a->where, "%s is given twice",
			    policy_word(i->kind));
		*set |= (uint16_t)bit;
		if (i->kind < ITEM_DECISIVE)
			*where = i->a->where;
		policy_item(p, i, policy);
	}
}

static const char *
policy_word(int kind)
{
	return kind < ITEM_DECISIVE ? policy_words[kind] :
	    config_decisive[kind - ITEM_DECISIVE];
}

static int
policy_bit(int kind)
{
	if (kind == ITEM_GREYLIST)
		return POLICY_SET_GREYLIST;
	if (kind == ITEM_REJECT)
		return POLICY_SET_REJECT;
	return POLICY_SET_DECISIVE(kind - ITEM_DECISIVE);
}

static void
policy_item(struct parse *p, const struct item *i, struct policy *policy)
{
	int32_t		*points;
	enum decisive	 d;

	if (i->kind < ITEM_DECISIVE) {
		points = i->kind == ITEM_GREYLIST ? &policy->greylist_at :
		    &policy->reject_at;
		if (build_points(p, i->a, points) && *points <= 0)
			parse_error(p, &i->a->where, "%s \"%s\" would hold "
			    "for every message", policy_words[i->kind],
			    i->a->text);
		return;
	}
	d = (enum decisive)(i->kind - ITEM_DECISIVE);
	if (strcmp(i->a->text, "accept") == 0) {
		if (d == DECISIVE_VIRUS)
			parse_error(p, &i->a->where, "viruses are not "
			    "accepted: reject or tempfail");
		policy->decisive[d] = ACTION_ACCEPT;
	} else if (strcmp(i->a->text, "tempfail") == 0)
		policy->decisive[d] = ACTION_TEMPFAIL;
	else
		policy->decisive[d] = ACTION_REJECT;
}

static void
grey_item(struct parse *p, const struct item *i)
{
	uint32_t	*s;

	s = i->kind == ITEM_DELAY ? &p->cf->grey_delay_s :
	    i->kind == ITEM_WINDOW ? &p->cf->grey_window_s :
	    &p->cf->grey_keep_s;
	if (build_once(p, ONCE_GREY + i->kind, &i->a->where,
	    policy_words[i->kind]))
		build_time(p, i->a, s);
}
