/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/config/build.h"
#include "common/limits.h"

/*
 * The configuration as an object: its defaults, its look-ups, its end.
 */

int	(*config_symbol_known)(const char *);

static int	 index_count(struct config *);
static void	 index_fill(struct config *);
static int	 index_boxes(struct config_participant *);
static void	 index_free(struct config_index *);
static int	 domain_cmp(const void *, const void *);
static int	 relay_cmp(const void *, const void *);
static int	 relay_order(const void *, const void *);
static int	 mailbox_order(const void *, const void *);
static int	 line_cmp(const struct config_where *,
		    const struct config_where *);
static int	 mailbox_find(const struct config_domain *, const char *, int);
static void	 participant_free(struct config_participant *);
static void	 names_free(struct config_names *);

struct config *
config_new(void)
{
	struct config	*cf;
	size_t		 d;

	if ((cf = calloc(1, sizeof(*cf))) == NULL)
		return NULL;
	TAILQ_INIT(&cf->pkis);
	TAILQ_INIT(&cf->listens);
	TAILQ_INIT(&cf->dnsbls);
	TAILQ_INIT(&cf->symbols);
	TAILQ_INIT(&cf->participants);

	cf->policy.role = POLICY_ORDINARY;
	cf->policy.greylist_at = LIM_DEF_GREYLIST_AT;
	cf->policy.reject_at = LIM_DEF_REJECT_AT;
	for (d = 0; d < DECISIVE_MAX; d++)
		cf->policy.decisive[d] = ACTION_REJECT;
	/* Old and rare formats are opaque as well: that only scores. */
	cf->policy.decisive[DECISIVE_OPAQUE] = ACTION_ACCEPT;
	cf->policy.decisive[DECISIVE_DMARC] = ACTION_ACCEPT;
	cf->antivirus = ANTIVIRUS_NONE;
	cf->antivirus_down = ACTION_TEMPFAIL;
	cf->state = STATE_LMDB;

	cf->grey_delay_s = LIM_DEF_GREY_DELAY_S;
	cf->grey_window_s = LIM_DEF_GREY_WINDOW_S;
	cf->grey_keep_s = LIM_DEF_GREY_KEEP_S;
	cf->message_max = LIM_DEF_MESSAGE;
	cf->memory = LIM_DEF_MEMORY;
	cf->limit_connections = LIM_DEF_CONNECTIONS;
	cf->limit_netconnections = LIM_DEF_NETCONNECTIONS;
	cf->limit_errors = LIM_DEF_ERRORS;
	cf->limit_commands = LIM_DEF_COMMANDS;
	cf->limit_messages = LIM_DEF_MESSAGES;
	cf->limit_rcpts = LIM_RCPTS;
	cf->limit_idle_s = LIM_DEF_IDLE_S;
	cf->limit_data_s = LIM_DEF_DATA_S;
	cf->limit_deadline_s = LIM_DEF_DEADLINE_S;
	cf->limit_dns_s = LIM_DEF_DNS_S;
	cf->limit_connect_s = LIM_DEF_CONNECT_S;
	cf->limit_drain_s = LIM_DEF_DRAIN_S;
	cf->limit_hopconnections = LIM_DEF_HOPCONNECTIONS;
	cf->limit_lists_s = LIM_DEF_LISTS_S;
	cf->limit_scan_depth = LIM_DEF_SCAN_DEPTH;
	cf->limit_scan_members = LIM_DEF_SCAN_THINGS;
	cf->limit_scan_bytes = LIM_DEF_SCAN_OUT;
	cf->limit_scan_ratio = LIM_DEF_SCAN_RATIO;
	cf->limit_scan_ms = LIM_DEF_SCAN_MS;
	cf->nsmtp = 1;
	cf->nscanner = 2;
	cf->ndeliver = 1;
	cf->queue_retry_s = LIM_DEF_QUEUE_RETRY_S;
	cf->queue_retrymax_s = LIM_DEF_QUEUE_RETRYMAX_S;
	cf->queue_warn_s = LIM_DEF_QUEUE_WARN_S;
	cf->queue_expire_s = LIM_DEF_QUEUE_EXPIRE_S;
	cf->dkim_rotate_s = LIM_DEF_ROTATE_S;

	cf->dir_runtime = strdup(CONFIG_DIR_RUNTIME);
	cf->dir_spool = strdup(CONFIG_DIR_SPOOL);
	cf->dir_state = strdup(CONFIG_DIR_STATE);
	cf->user_prefix = strdup(CONFIG_USER_PREFIX);
	if (cf->dir_runtime == NULL || cf->dir_spool == NULL ||
	    cf->dir_state == NULL || cf->user_prefix == NULL) {
		config_free(cf);
		return NULL;
	}
	return cf;
}

/*
 * Look-ups.
 */

const struct config_domain *
config_domain(const struct config *cf, const char *folded)
{
	const struct config_index	*ix = cf->index;
	size_t				 lo = 0, hi = ix->ndomains, mid;
	int				 r;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		r = strcmp(folded, ix->domains[mid]->name);
		if (r == 0)
			return ix->domains[mid];
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const struct config_relay *
config_relay(const struct config *cf, const struct netaddr *client)
{
	const struct config_index	*ix = cf->index;
	const struct config_relay	*r;
	struct config_relay		 key, *keyp = &key;
	struct config_relay		*const *found;
	size_t				 i;

	for (i = 0; i < ix->nruns; i++) {
		r = ix->relays[ix->runs[i].first];
		if (r->range.addr.family != client->family)
			continue;
		key.range.bits = r->range.bits;
		key.range.addr = *client;
		netaddr_mask(&key.range.addr, r->range.bits);
		found = bsearch(&keyp, ix->relays + ix->runs[i].first,
		    ix->runs[i].n, sizeof(*ix->relays), relay_cmp);
		if (found != NULL)
			return *found;
	}
	return NULL;
}

int
config_discard(const struct config_domain *domain, const char *folded)
{
	return mailbox_find(domain, folded, 0);
}

int
config_trap(const struct config_domain *domain, const char *folded)
{
	return mailbox_find(domain, folded, 1);
}

static int
mailbox_find(const struct config_domain *domain, const char *folded, int trap)
{
	const struct config_participant	*pa = domain->participant;
	size_t				 lo = 0, hi = pa->nboxes, mid;
	int				 r;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		r = strcmp(folded, pa->boxes[mid]->address);
		if (r == 0)
			return pa->boxes[mid]->trap == trap;
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return 0;
}

/*
 * The index.  Entries without a name are those of wrong statements; such a
 * configuration is only checked.
 */

int
config_index(struct config *cf)
{
	struct config_participant	*pa;

	index_free(cf->index);
	if ((cf->index = calloc(1, sizeof(*cf->index))) == NULL ||
	    index_count(cf) == -1)
		return -1;
	index_fill(cf);
	TAILQ_FOREACH(pa, &cf->participants, entry)
		if (index_boxes(pa) == -1)
			return -1;
	return 0;
}

static int
index_count(struct config *cf)
{
	struct config_index		*ix = cf->index;
	struct config_participant	*pa;
	struct config_domain		*d;
	struct config_relay		*r;
	size_t				 nd = 0, nr = 0;

	TAILQ_FOREACH(pa, &cf->participants, entry) {
		TAILQ_FOREACH(d, &pa->domains, entry)
			nd++;
		TAILQ_FOREACH(r, &pa->relays, entry)
			nr++;
	}
	ix->domains = calloc(nd + 1, sizeof(*ix->domains));
	ix->relays = calloc(nr + 1, sizeof(*ix->relays));
	ix->runs = calloc(nr + 1, sizeof(*ix->runs));
	return ix->domains == NULL || ix->relays == NULL ||
	    ix->runs == NULL ? -1 : 0;
}

static void
index_fill(struct config *cf)
{
	struct config_index		*ix = cf->index;
	struct config_participant	*pa;
	struct config_domain		*d;
	struct config_relay		*r;
	const struct cidr		*c, *last = NULL;
	size_t				 i;

	TAILQ_FOREACH(pa, &cf->participants, entry) {
		TAILQ_FOREACH(d, &pa->domains, entry)
			if (d->name != NULL)
				ix->domains[ix->ndomains++] = d;
		TAILQ_FOREACH(r, &pa->relays, entry)
			ix->relays[ix->nrelays++] = r;
	}
	qsort(ix->domains, ix->ndomains, sizeof(*ix->domains), domain_cmp);
	qsort(ix->relays, ix->nrelays, sizeof(*ix->relays), relay_order);
	for (i = 0; i < ix->nrelays; i++, last = c) {
		c = &ix->relays[i]->range;
		if (last == NULL || c->bits != last->bits ||
		    c->addr.family != last->addr.family)
			ix->runs[ix->nruns++].first = i;
		ix->runs[ix->nruns - 1].n++;
	}
}

static int
index_boxes(struct config_participant *pa)
{
	struct config_mailbox	*m;
	size_t			 n = 0;

	free(pa->boxes);
	pa->nboxes = 0;
	TAILQ_FOREACH(m, &pa->discards, entry)
		n++;
	TAILQ_FOREACH(m, &pa->traps, entry)
		n++;
	if ((pa->boxes = calloc(n + 1, sizeof(*pa->boxes))) == NULL)
		return -1;
	TAILQ_FOREACH(m, &pa->discards, entry)
		pa->boxes[pa->nboxes++] = m;
	TAILQ_FOREACH(m, &pa->traps, entry)
		pa->boxes[pa->nboxes++] = m;
	qsort(pa->boxes, n, sizeof(*pa->boxes), mailbox_order);
	return 0;
}

static int
domain_cmp(const void *a, const void *b)
{
	const struct config_domain	*x = *(struct config_domain *const *)a;
	const struct config_domain	*y = *(struct config_domain *const *)b;
	int				 r;

	if ((r = strcmp(x->name, y->name)) != 0)
		return r;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int
relay_cmp(const void *a, const void *b)
{
	const struct cidr	*x = &(*(struct config_relay *const *)a)->range;
	const struct cidr	*y = &(*(struct config_relay *const *)b)->range;

	if (x->addr.family != y->addr.family)
		return x->addr.family < y->addr.family ? -1 : 1;
	if (x->bits != y->bits)
		return x->bits > y->bits ? -1 : 1;
	return memcmp(x->addr.octets, y->addr.octets,
	    x->addr.family == AF_INET ? 4 : 16);
}

static int
relay_order(const void *a, const void *b)
{
	int	r;

	if ((r = relay_cmp(a, b)) != 0)
		return r;
	return line_cmp(&(*(struct config_relay *const *)a)->where,
	    &(*(struct config_relay *const *)b)->where);
}

static int
mailbox_order(const void *a, const void *b)
{
	const struct config_mailbox	*x = *(struct config_mailbox *const *)a;
	const struct config_mailbox	*y = *(struct config_mailbox *const *)b;
	int				 r;

	if ((r = strcmp(x->address, y->address)) != 0)
		return r;
	return line_cmp(&x->where, &y->where);
}

/* So that of two the later is the one too many. */
static int
line_cmp(const struct config_where *a, const struct config_where *b)
{
	return a->line < b->line ? -1 : a->line > b->line;
}

/*
 * The end.
 */

void
config_free(struct config *cf)
{
	struct config_participant	*pa;
	struct config_pki		*pki;
	struct config_listen		*l;
	struct config_dnsbl		*bl;
	struct config_symbol		*sym;

	if (cf == NULL)
		return;
	while ((pa = TAILQ_FIRST(&cf->participants)) != NULL) {
		TAILQ_REMOVE(&cf->participants, pa, entry);
		participant_free(pa);
	}
	while ((pki = TAILQ_FIRST(&cf->pkis)) != NULL) {
		TAILQ_REMOVE(&cf->pkis, pki, entry);
		free(pki->name);
		free(pki->cert);
		free(pki->key);
		free(pki);
	}
	while ((l = TAILQ_FIRST(&cf->listens)) != NULL) {
		TAILQ_REMOVE(&cf->listens, l, entry);
		free(l->pki_name);
		free(l);
	}
	while ((bl = TAILQ_FIRST(&cf->dnsbls)) != NULL) {
		TAILQ_REMOVE(&cf->dnsbls, bl, entry);
		free(bl->zone);
		free(bl->test_name);
		free(bl->ranges);
		free(bl);
	}
	while ((sym = TAILQ_FIRST(&cf->symbols)) != NULL) {
		TAILQ_REMOVE(&cf->symbols, sym, entry);
		free(sym);
	}
	cidr_list_free(&cf->network);
	cidr_list_free(&cf->network_except);
	cidr_list_free(&cf->cluster);
	names_free(&cf->clamd);
	names_free(&cf->virus_hashes);
	names_free(&cf->operators);
	names_free(&cf->dkim_selectors);
	cidr_list_free(&cf->forwarders);
	names_free(&cf->forwarder_names);
	names_free(&cf->arc_sealers);
	index_free(cf->index);
	free(cf->service);
	free(cf->node);
	free(cf->contact);
	free(cf->resolvers);
	free(cf->dnssec);
	free(cf->redis);
	free(cf->dir_runtime);
	free(cf->dir_spool);
	free(cf->dir_state);
	free(cf->user_prefix);
	free(cf->dkim_below);
	names_free(&cf->files);
	free(cf);
}

static void
participant_free(struct config_participant *pa)
{
	struct config_mailboxes	*lists[] = { &pa->discards, &pa->traps };
	struct config_domain	*d;
	struct config_relay	*r;
	struct config_mailbox	*m;
	size_t			 i;

	while ((d = TAILQ_FIRST(&pa->domains)) != NULL) {
		TAILQ_REMOVE(&pa->domains, d, entry);
		free(d->hop.host);
		free(d->name);
		free(d);
	}
	while ((r = TAILQ_FIRST(&pa->relays)) != NULL) {
		TAILQ_REMOVE(&pa->relays, r, entry);
		free(r);
	}
	for (i = 0; i < 2; i++)
		while ((m = TAILQ_FIRST(lists[i])) != NULL) {
			TAILQ_REMOVE(lists[i], m, entry);
			free(m->address);
			free(m);
		}
	free(pa->boxes);
	free(pa->name);
	free(pa->contact);
	free(pa);
}

static void
index_free(struct config_index *ix)
{
	if (ix == NULL)
		return;
	free(ix->domains);
	free(ix->relays);
	free(ix->runs);
	free(ix);
}

static void
names_free(struct config_names *names)
{
	while (names->n > 0)
		free(names->v[--names->n]);
	free(names->v);
	names->v = NULL;
}
