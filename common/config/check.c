/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config/build.h"
#include "common/limits.h"

/*
 * What no single statement shows: what is missing, what contradicts itself,
 * what is there twice.  Then what was left open is filled in: policies are
 * handed down, names get their defaults.
 */

#define WHOLE	(-1)		/* for check_where */

static void	check_names(struct parse *);
static void	check_policies(struct parse *);
static void	policy_inherit(struct policy *, uint16_t,
		    const struct policy *);
static void	check_thresholds(struct parse *, const struct policy *,
		    const struct config_where *);
static void	check_times(struct parse *);
static void	check_memory(struct parse *);
static void	check_order(struct parse *, int, uint32_t, const char *, int,
		    uint32_t, const char *);
static void	check_networks(struct parse *);
static void	check_listens(struct parse *);
static int	listen_covers(const struct config_listen *,
		    const struct config_listen *);
static void	check_pkis(struct parse *);
static void	check_participants(struct parse *);
static int	participant_cmp(const void *, const void *);
static void	check_domains(struct parse *);
static void	check_hop(struct parse *, const struct config_domain *);
static void	check_mailboxes(struct parse *, struct config_participant *,
		    int);
static void	check_relays(struct parse *);
static void	check_directories(struct parse *);
static void	check_wheres(struct parse *);
static const struct config_where *check_where(struct parse *, int);

void
config_check(struct parse *p)
{
	/* What seems missing may only have been written wrong. */
	int				 complete = p->errors == 0;
	struct config_participant	*pa;

	check_policies(p);
	check_times(p);
	check_memory(p);
	check_networks(p);
	check_listens(p);
	check_directories(p);
	if (config_index(p->cf) == -1)
		parse_nomem(p);
	check_domains(p);
	check_participants(p);
	check_relays(p);
	check_wheres(p);
	TAILQ_FOREACH(pa, &p->cf->participants, entry) {
		check_mailboxes(p, pa, complete);
		if (complete && TAILQ_EMPTY(&pa->domains))
			parse_error(p, &pa->where, "participant \"%s\" has no "
			    "domain", pa->name);
	}
	if (complete) {
		check_pkis(p);
		check_names(p);
	}
}

/* What demands.c looks at, when the grammar has long been left. */
static void
check_wheres(struct parse *p)
{
	struct config	*cf = p->cf;
	int		 dir = ONCE_DIRECTORY;

	cf->where_user = *check_where(p, ONCE_USER);
	cf->where_operators = *check_where(p, ONCE_OPERATORS);
	cf->where_send = *check_where(p, ONCE_SEND);
	cf->where_antivirus = *check_where(p, ONCE_ANTIVIRUS);
	cf->where_runtime = *check_where(p, dir + ITEM_RUNTIME);
	cf->where_spool = *check_where(p, dir + ITEM_SPOOL);
	cf->where_state = *check_where(p, dir + ITEM_STATE);
}

/* Where a statement was written; or else the file as a whole. */
static const struct config_where *
check_where(struct parse *p, int once)
{
	static struct config_where	whole;

	if (once != WHOLE && p->once[once].file != NULL)
		return &p->once[once];
	whole.file = p->cf->files.v[0];
	whole.line = 0;
	return &whole;
}

static void
check_names(struct parse *p)
{
	struct config	*cf = p->cf;

	if (cf->service == NULL)
		parse_error(p, check_where(p, ONCE_SERVICE), "there is no "
		    "line: service NAME");
	if (cf->antivirus == ANTIVIRUS_NONE)
		parse_error(p, check_where(p, ONCE_ANTIVIRUS), "there is no "
		    "line: antivirus clamd PATH");
	if (TAILQ_EMPTY(&cf->listens))
		parse_error(p, check_where(p, WHOLE), "there is no "
		    "line: listen on ADDRESS");
	if (TAILQ_EMPTY(&cf->participants))
		parse_warn(p, check_where(p, WHOLE), "without a "
		    "participant no mail is taken");
	if (p->errors > 0)
		return;
	if (cf->node == NULL)
		cf->node = parse_strdup(p, cf->service);
	if (cf->contact == NULL &&
	    asprintf(&cf->contact, "postmaster@%s", cf->service) == -1) {
		cf->contact = NULL;
		parse_nomem(p);
	}
}

/*
 * Policies.
 */

static void
check_policies(struct parse *p)
{
	struct config_participant	*pa;
	struct config_domain		*d;
	uint16_t			 both;

	both = POLICY_SET_GREYLIST | POLICY_SET_REJECT;
	if (p->policy_set & both)
		check_thresholds(p, &p->cf->policy, &p->policy_where);
	TAILQ_FOREACH(pa, &p->cf->participants, entry) {
		policy_inherit(&pa->policy, pa->policy_set, &p->cf->policy);
		if (pa->name != NULL)
			(void)strlcpy(pa->policy.participant, pa->name,
			    sizeof(pa->policy.participant));
		if (pa->policy_set & both)
			check_thresholds(p, &pa->policy, &pa->policy_where);
		TAILQ_FOREACH(d, &pa->domains, entry) {
			policy_inherit(&d->policy, d->policy_set, &pa->policy);
			if (d->policy_set & both)
				check_thresholds(p, &d->policy, &d->where);
		}
	}
}

static void
policy_inherit(struct policy *policy, uint16_t set, const struct policy *from)
{
	int	d;

	policy->role = from->role;
	memcpy(policy->participant, from->participant,
	    sizeof(policy->participant));
	if (!(set & POLICY_SET_GREYLIST))
		policy->greylist_at = from->greylist_at;
	if (!(set & POLICY_SET_REJECT))
		policy->reject_at = from->reject_at;
	for (d = 0; d < DECISIVE_MAX; d++)
		if (!(set & POLICY_SET_DECISIVE(d)))
			policy->decisive[d] = from->decisive[d];
}

static void
check_thresholds(struct parse *p, const struct policy *policy,
    const struct config_where *where)
{
	char	grey[UNIT_STRLEN], reject[UNIT_STRLEN];

	if (policy->reject_at > policy->greylist_at)
		return;
	parse_error(p, where, "reject at %s is not above greylist at %s",
	    unit_print_points(policy->reject_at, reject),
	    unit_print_points(policy->greylist_at, grey));
}

/*
 * Times and sizes.
 */

static void
check_times(struct parse *p)
{
	const struct config	*cf = p->cf;
	int			 grey = ONCE_GREY, queue = ONCE_QUEUE;

	check_order(p, grey + ITEM_DELAY, cf->grey_delay_s, "delay",
	    grey + ITEM_WINDOW, cf->grey_window_s, "window");
	check_order(p, grey + ITEM_WINDOW, cf->grey_window_s, "window",
	    grey + ITEM_KEEP, cf->grey_keep_s, "keep");
	check_order(p, queue + ITEM_RETRY, cf->queue_retry_s, "queue retry",
	    queue + ITEM_MAX, cf->queue_retrymax_s, "queue max");
	check_order(p, queue + ITEM_MAX, cf->queue_retrymax_s, "queue max",
	    queue + ITEM_EXPIRE, cf->queue_expire_s, "queue expire");
	check_order(p, queue + ITEM_WARN, cf->queue_warn_s, "queue warn",
	    queue + ITEM_EXPIRE, cf->queue_expire_s, "queue expire");
}

/* As smtpd-front/memory.c deals it out: a message of the largest size has to
   fit into the part of one process. */
static void
check_memory(struct parse *p)
{
	const struct config	*cf = p->cf;
	uint64_t		 part, most, least;
	int			 where = ONCE_PROCESSES + ITEM_SMTP;
	char			 memory[UNIT_STRLEN], max[UNIT_STRLEN];

	if (cf->memory == 0 || cf->nsmtp == 0 || cf->message_max > UINT32_MAX)
		return;		/* that has been said */
	part = cf->memory / cf->nsmtp;
	most = part - part / LIM_RESERVE;
	if (most >= cf->message_max)
		return;
	if (p->once[ONCE_MEMORY].file != NULL)
		where = ONCE_MEMORY;
	else if (p->once[where].file == NULL)
		where = ONCE_MESSAGE;
	/* The least that has it. */
	least = (cf->message_max * LIM_RESERVE + LIM_RESERVE - 2) /
	    (LIM_RESERVE - 1) * cf->nsmtp;
	parse_error(p, check_where(p, where), "memory %s in %u smtp "
	    "process%s has no room for message max %s; it takes %llu octets",
	    unit_print_size(cf->memory, memory), cf->nsmtp,
	    cf->nsmtp == 1 ? "" : "es",
	    unit_print_size(cf->message_max, max),
	    (unsigned long long)least);
}

/* The first time has to be shorter; told where one of them was written. */
static void
check_order(struct parse *p, int once1, uint32_t s1, const char *name1,
    int once2, uint32_t s2, const char *name2)
{
	char	time1[UNIT_STRLEN], time2[UNIT_STRLEN];

	if (s1 < s2 || (s1 == s2 && once1 == ONCE_QUEUE + ITEM_RETRY))
		return;
	parse_error(p, check_where(p, p->once[once2].file != NULL ? once2 :
	    once1), "%s %s is not shorter than %s %s", name1,
	    unit_print_time(s1, time1), name2, unit_print_time(s2, time2));
}

static void
check_directories(struct parse *p)
{
	const struct config	*cf = p->cf;
	const struct config_where *where;

	where = check_where(p, ONCE_DIRECTORY + ITEM_SPOOL);
	if (strcmp(cf->dir_spool, cf->dir_runtime) == 0 ||
	    strcmp(cf->dir_spool, cf->dir_state) == 0)
		parse_error(p, where, "%s cannot be two directories",
		    cf->dir_spool);
	where = check_where(p, ONCE_DIRECTORY + ITEM_STATE);
	if (strcmp(cf->dir_state, cf->dir_runtime) == 0)
		parse_error(p, where, "%s cannot be two directories",
		    cf->dir_state);
}

/*
 * Networks.
 */

static void
check_networks(struct parse *p)
{
	const struct cidr	*c;
	char			 buf[64];
	size_t			 i;

	for (i = 0; i < p->cf->network_except.n; i++) {
		c = &p->cf->network_except.v[i];
		if (!cidr_list_contains(&p->cf->network, &c->addr))
			parse_error(p, check_where(p, ONCE_NETWORK),
			    "except %s lies in no range of the network",
			    cidr_print(c, buf, sizeof(buf)));
	}
}

static void
check_listens(struct parse *p)
{
	struct config_listen	*l, *other;
	char			 addr[NETADDR_STRLEN];

	TAILQ_FOREACH(l, &p->cf->listens, entry)
		TAILQ_FOREACH(other, &p->cf->listens, entry) {
			if (other == l)
				break;
			if (!listen_covers(l, other) &&
			    !listen_covers(other, l))
				continue;
			parse_error(p, &l->where, "listening twice on %s port "
			    "%u (first at %s:%u)", netaddr_print(&l->addr,
			    addr, sizeof(addr)), l->port, other->where.file,
			    other->where.line);
			break;
		}
}

/* The same address, or all of its family. */
static int
listen_covers(const struct config_listen *a, const struct config_listen *b)
{
	struct netaddr	any;

	if (a->port == 0 || a->port != b->port ||
	    a->addr.family != b->addr.family)
		return 0;
	memset(&any, 0, sizeof(any));
	any.family = a->addr.family;
	return netaddr_cmp(&a->addr, &b->addr) == 0 ||
	    netaddr_cmp(&a->addr, &any) == 0;
}

static void
check_pkis(struct parse *p)
{
	struct config_pki	*pki;
	struct config_listen	*l;
	uint8_t			*used;

	used = parse_alloc(p, p->npkis + 1);
	TAILQ_FOREACH(l, &p->cf->listens, entry) {
		if (l->pki_name == NULL)
			continue;
		TAILQ_FOREACH(pki, &p->cf->pkis, entry)
			if (strcmp(pki->name, l->pki_name) == 0)
				break;
		if ((l->pki = pki) != NULL)
			used[pki->index] = 1;
		else
			parse_error(p, &l->where, "there is no pki \"%s\"",
			    l->pki_name);
	}
	TAILQ_FOREACH(pki, &p->cf->pkis, entry)
		if (!used[pki->index])
			parse_error(p, &pki->where, "no listen line uses "
			    "pki \"%s\"", pki->name);
}

/*
 * Participants.
 */

static void
check_participants(struct parse *p)
{
	struct config_participant	*pa, **v;
	struct config_domain		*d;
	size_t				 n = 0, i;

	TAILQ_FOREACH(pa, &p->cf->participants, entry)
		n++;
	v = parse_alloc(p, (n + 1) * sizeof(*v));
	n = 0;
	TAILQ_FOREACH(pa, &p->cf->participants, entry) {
		TAILQ_FOREACH(d, &pa->domains, entry)
			check_hop(p, d);
		if (pa->name != NULL)
			v[n++] = pa;
	}
	qsort(v, n, sizeof(*v), participant_cmp);
	for (i = 1; i < n; i++)
		if (strcmp(v[i - 1]->name, v[i]->name) == 0)
			parse_error(p, &v[i]->where, "participant \"%s\" is "
			    "given twice (first at %s:%u)", v[i]->name,
			    v[i - 1]->where.file, v[i - 1]->where.line);
}

static int
participant_cmp(const void *a, const void *b)
{
	const struct config_participant	*x, *y;
	int				 r;

	x = *(struct config_participant *const *)a;
	y = *(struct config_participant *const *)b;
	if ((r = strcmp(x->name, y->name)) != 0)
		return r;
	return x->where.line < y->where.line ? -1 :
	    x->where.line > y->where.line;
}

static void
check_domains(struct parse *p)
{
	const struct config_index	*ix = p->cf->index;
	const struct config_domain	*d, *first;
	size_t				 i;

	for (i = 1; i < ix->ndomains; i++) {
		first = ix->domains[i - 1];
		d = ix->domains[i];
		if (strcmp(d->name, first->name) == 0)
			parse_error(p, &d->where, "domain \"%s\" is given "
			    "twice (first at %s:%u)", d->name,
			    first->where.file, first->where.line);
	}
}

static void
check_hop(struct parse *p, const struct config_domain *d)
{
	const struct config		*cf = p->cf;
	const struct config_listen	*l;
	char				 addr[NETADDR_STRLEN];

	if (d->hop.host != NULL)
		return;
	netaddr_print(&d->hop.addr, addr, sizeof(addr));
	if (cf->network.n > 0 &&
	    !cidr_list_contains(&cf->network, &d->hop.addr))
		parse_error(p, &d->where, "deliver to %s: not in the network",
		    addr);
	else if (cidr_list_contains(&cf->network_except, &d->hop.addr))
		parse_error(p, &d->where, "deliver to %s: excepted from the "
		    "network", addr);
	TAILQ_FOREACH(l, &cf->listens, entry)
		if (l->port == d->hop.port &&
		    netaddr_cmp(&l->addr, &d->hop.addr) == 0)
			parse_error(p, &d->where, "deliver to %s port %u: we "
			    "listen there ourselves", addr, l->port);
}

static void
check_mailboxes(struct parse *p, struct config_participant *pa, int complete)
{
	const struct config_domain	*d;
	struct config_mailbox		*m;
	size_t				 i;

	for (i = 0; i < pa->nboxes; i++) {
		m = pa->boxes[i];
		if (i > 0 && strcmp(pa->boxes[i - 1]->address,
		    m->address) == 0)
			parse_error(p, &m->where, "\"%s\" is given twice "
			    "(also at %s:%u)", m->address,
			    pa->boxes[i - 1]->where.file,
			    pa->boxes[i - 1]->where.line);
		d = config_domain(p->cf, address_domain(m->address));
		if ((d == NULL && complete) ||
		    (d != NULL && d->participant != pa))
			parse_error(p, &m->where, "\"%s\" is in no domain of "
			    "the participant", m->address);
	}
}

static void
check_relays(struct parse *p)
{
	const struct config_index	*ix = p->cf->index;
	const struct config_relay	*a, *b;
	char				 buf[64];
	size_t				 i;

	for (i = 1; i < ix->nrelays; i++) {
		a = ix->relays[i - 1];
		b = ix->relays[i];
		if (a->range.bits == b->range.bits &&
		    netaddr_cmp(&a->range.addr, &b->range.addr) == 0)
			parse_error(p, &b->where, "relay from %s is given "
			    "twice (first at %s:%u)", cidr_print(&b->range,
			    buf, sizeof(buf)), a->where.file, a->where.line);
	}
}
