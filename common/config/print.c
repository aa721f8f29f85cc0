/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>

#include "common/config/build.h"

/*
 * The canonical text: every setting written out, one way to write each, in
 * one order.  It is what children parse and what -nv shows.
 */

struct list {				/* { a, b }, in lines of 72 columns */
	FILE	*fp;
	int	 col, n;
};

static void	print_general(const struct config *, FILE *);
static void	print_networks(const struct config *, FILE *);
static void	print_policy(const struct config *, FILE *);
static void	print_lists(const struct config *, FILE *);
static void	print_forwarders(const struct config *, FILE *);
static void	list_head(const struct config_dnsbl *, char *, size_t);
static void	print_state(const struct config *, FILE *);
static void	print_dkim(const struct config *, FILE *);
static void	print_limits(const struct config *, FILE *);
static void	print_participant(const struct config_participant *, FILE *);
static void	print_domain(const struct config_domain *, FILE *);
static void	print_policyset(const struct policy *, uint16_t, FILE *);
static void	print_time(FILE *, const char *, uint32_t);
static void	print_string(FILE *, const char *, const char *);
static void	print_ranges(FILE *, const char *, const struct cidr_list *);
static void	print_names(FILE *, const char *, const struct config_names *);
static void	print_mailboxes(FILE *, const char *,
		    const struct config_mailboxes *);
static void	list_begin(struct list *, FILE *, const char *);
static void	list_add(struct list *, const char *);
static void	list_end(struct list *);
static void	dotted(uint32_t, char buf[16]);
static void	quote(FILE *, const char *);
static const char *action_word(unsigned);

const char *const config_decisive[DECISIVE_MAX] = {
	[DECISIVE_VIRUS] = "virus",
	[DECISIVE_MACRO] = "macros",
	[DECISIVE_MACRO_UNREADABLE] = "unreadable macros",
	[DECISIVE_PDF] = "encrypted pdf",
	[DECISIVE_PDF_OWNER] = "owner pdf",
	[DECISIVE_ARCHIVE] = "encrypted archive",
	[DECISIVE_ARCHIVE_HALF] = "half encrypted archive",
	[DECISIVE_OFFICE] = "encrypted office",
	[DECISIVE_PARTIAL] = "partial",
	[DECISIVE_OPAQUE] = "opaque",
	[DECISIVE_DMARC] = "dmarc",
};

int
config_print(const struct config *cf, FILE *fp)
{
	const struct config_participant	*pa;

	print_general(cf, fp);
	print_networks(cf, fp);
	print_policy(cf, fp);
	print_lists(cf, fp);
	print_forwarders(cf, fp);
	print_state(cf, fp);
	print_dkim(cf, fp);
	print_limits(cf, fp);
	TAILQ_FOREACH(pa, &cf->participants, entry)
		print_participant(pa, fp);
	return fflush(fp) == EOF || ferror(fp) ? -1 : 0;
}

static void
print_general(const struct config *cf, FILE *fp)
{
	print_string(fp, "service", cf->service);
	print_string(fp, "node", cf->node);
	print_string(fp, "contact", cf->contact);
	print_string(fp, "user prefix", cf->user_prefix);
	if (cf->operators.n > 0) {
		print_names(fp, "operators", &cf->operators);
		putc('\n', fp);
	}
}

static void
print_networks(const struct config *cf, FILE *fp)
{
	const struct config_pki		*pki;
	const struct config_listen	*l;
	const struct netaddr		*send[] = { &cf->send4, &cf->send6 };
	struct list			 list;
	char				 addr[NETADDR_STRLEN];
	char				 item[NETADDR_STRLEN + 16];
	size_t				 i;

	if (cf->network.n > 0) {
		print_ranges(fp, "network", &cf->network);
		if (cf->network_except.n > 0)
			print_ranges(fp, " except", &cf->network_except);
		putc('\n', fp);
	}
	if (cf->cluster.n > 0) {
		print_ranges(fp, "cluster", &cf->cluster);
		putc('\n', fp);
	}
	TAILQ_FOREACH(pki, &cf->pkis, entry) {
		fprintf(fp, "pki \"%s\" cert ", pki->name);
		quote(fp, pki->cert);
		fprintf(fp, " key ");
		quote(fp, pki->key);
		putc('\n', fp);
	}
	TAILQ_FOREACH(l, &cf->listens, entry) {
		fprintf(fp, "listen on %s port %u",
		    netaddr_print(&l->addr, addr, sizeof(addr)), l->port);
		if (l->pki_name != NULL)
			fprintf(fp, " tls pki \"%s\"", l->pki_name);
		putc('\n', fp);
	}
	if (cf->send4.family != 0 || cf->send6.family != 0) {
		list_begin(&list, fp, "send from");
		for (i = 0; i < 2; i++)
			if (send[i]->family != 0)
				list_add(&list, netaddr_print(send[i], addr,
				    sizeof(addr)));
		list_end(&list);
		putc('\n', fp);
	}
	if (cf->nresolvers > 0) {
		list_begin(&list, fp, "resolver");
		for (i = 0; i < cf->nresolvers; i++) {
			(void)snprintf(item, sizeof(item), "%s port %u",
			    netaddr_print(&cf->resolvers[i].addr, addr,
			    sizeof(addr)), cf->resolvers[i].port);
			list_add(&list, item);
		}
		list_end(&list);
		putc('\n', fp);
	}
	if (cf->dnssec != NULL) {
		fprintf(fp, "dnssec ");
		quote(fp, cf->dnssec);
		putc('\n', fp);
	}
}

static void
print_policy(const struct config *cf, FILE *fp)
{
	char	buf[UNIT_STRLEN];
	int	d;

	fprintf(fp, "message max %s\n",
	    unit_print_size(cf->message_max, buf));
	fprintf(fp, "memory %s\n", unit_print_size(cf->memory, buf));
	fprintf(fp, "greylist at %s",
	    unit_print_points(cf->policy.greylist_at, buf));
	print_time(fp, " delay", cf->grey_delay_s);
	print_time(fp, " window", cf->grey_window_s);
	print_time(fp, " keep", cf->grey_keep_s);
	fprintf(fp, "\nreject at %s\n",
	    unit_print_points(cf->policy.reject_at, buf));
	for (d = 0; d < DECISIVE_MAX; d++)
		fprintf(fp, "%s %s\n", config_decisive[d],
		    action_word(cf->policy.decisive[d]));
	if (cf->antivirus == ANTIVIRUS_BUILTIN) {
		if (cf->virus_hashes.n == 0)
			fprintf(fp, "antivirus builtin");
		else
			print_names(fp, "antivirus builtin",
			    &cf->virus_hashes);
		putc('\n', fp);
		return;
	}
	print_names(fp, "antivirus clamd", &cf->clamd);
	fprintf(fp, " on failure %s\n", action_word(cf->antivirus_down));
}

static void
print_lists(const struct config *cf, FILE *fp)
{
	const struct config_dnsbl	*bl;
	const struct config_symbol	*sym;
	const struct config_range	*r;
	struct list			 list;
	char				 head[2 * LIM_DOMAIN + 64], item[128];
	char				 points[UNIT_STRLEN];
	char				 first[16], last[16];
	size_t				 i;

	TAILQ_FOREACH(bl, &cf->dnsbls, entry) {
		list_head(bl, head, sizeof(head));
		list_begin(&list, fp, head);
		for (i = 0; i < bl->nranges; i++) {
			r = &bl->ranges[i];
			unit_print_points(r->points, points);
			dotted(r->first, first);
			dotted(r->last, last);
			if (r->first == r->last)
				(void)snprintf(item, sizeof(item),
				    "%s points %s", first, points);
			else
				(void)snprintf(item, sizeof(item),
				    "%s - %s points %s", first, last, points);
			list_add(&list, item);
		}
		list_end(&list);
		putc('\n', fp);
	}
	TAILQ_FOREACH(sym, &cf->symbols, entry)
		fprintf(fp, "symbol %s points %s\n", sym->name,
		    unit_print_points(sym->points, points));
}

static void
print_forwarders(const struct config *cf, FILE *fp)
{
	struct list	list;
	char		item[LIM_DOMAIN + 3];
	size_t		i;

	if (cf->forwarders.n + cf->forwarder_names.n > 0) {
		list_begin(&list, fp, "forwarders");
		for (i = 0; i < cf->forwarders.n; i++)
			list_add(&list, cidr_print(&cf->forwarders.v[i], item,
			    sizeof(item)));
		for (i = 0; i < cf->forwarder_names.n; i++) {
			(void)snprintf(item, sizeof(item), "\"%s\"",
			    cf->forwarder_names.v[i]);
			list_add(&list, item);
		}
		list_end(&list);
		putc('\n', fp);
	}
	if (cf->arc_sealers.n > 0) {
		print_names(fp, "arc sealers", &cf->arc_sealers);
		putc('\n', fp);
	}
}

static void
list_head(const struct config_dnsbl *bl, char *head, size_t size)
{
	static const char *const	 kinds[] = {
		"", " for domains", " for links"
	};
	char				 addr[NETADDR_STRLEN];
	char				 test[LIM_DOMAIN + 16] = "";

	if (bl->test == LIST_TEST_NONE)
		(void)strlcpy(test, " test none", sizeof(test));
	else if (bl->test == LIST_TEST_ADDRESS)
		(void)snprintf(test, sizeof(test), " test %s",
		    netaddr_print(&bl->test_addr, addr, sizeof(addr)));
	else if (bl->test == LIST_TEST_NAME)
		(void)snprintf(test, sizeof(test), " test \"%s\"",
		    bl->test_name);
	(void)snprintf(head, size, "dnsbl \"%s\"%s%s", bl->zone,
	    kinds[bl->kind], test);
}

static void
print_state(const struct config *cf, FILE *fp)
{
	struct list	list;
	char		addr[NETADDR_STRLEN], item[NETADDR_STRLEN + 16];
	size_t		i;

	if (cf->state == STATE_LMDB)
		fprintf(fp, "state lmdb\n");
	else {
		list_begin(&list, fp, "state redis");
		for (i = 0; i < cf->nredis; i++) {
			netaddr_print(&cf->redis[i].addr, addr, sizeof(addr));
			(void)snprintf(item, sizeof(item),
			    cf->redis[i].addr.family == AF_INET ?
			    "\"%s:%u\"" : "\"[%s]:%u\"", addr,
			    cf->redis[i].port);
			list_add(&list, item);
		}
		list_end(&list);
		fprintf(fp, "%s\n", cf->redis_cluster ? " cluster" : "");
	}
	fprintf(fp, "directory runtime ");
	quote(fp, cf->dir_runtime);
	fprintf(fp, " spool ");
	quote(fp, cf->dir_spool);
	fprintf(fp, " state ");
	quote(fp, cf->dir_state);
	putc('\n', fp);
}

static void
print_dkim(const struct config *cf, FILE *fp)
{
	if (cf->dkim_below == NULL)
		return;
	print_names(fp, "dkim selectors", &cf->dkim_selectors);
	fprintf(fp, " below \"%s\" rotate", cf->dkim_below);
	print_time(fp, " every", cf->dkim_rotate_s);
	putc('\n', fp);
}

static void
print_limits(const struct config *cf, FILE *fp)
{
	const struct config_limit	*l;
	char				 buf[UNIT_STRLEN];
	uint32_t			 value;
	size_t				 i;

	for (i = 0; i < config_nlimits; i++) {
		l = &config_limits[i];
		memcpy(&value, (const char *)cf + l->offset, sizeof(value));
		fprintf(fp, "limit %s", l->name);
		if (l->unit == LIMIT_TIME)
			print_time(fp, "", value);
		else if (l->unit == LIMIT_SIZE)
			fprintf(fp, " %s", unit_print_size(value, buf));
		else
			fprintf(fp, " %u", value);
		putc('\n', fp);
	}
	fprintf(fp, "processes smtp %u scanner %u deliver %u\n", cf->nsmtp,
	    cf->nscanner, cf->ndeliver);
	fprintf(fp, "queue");
	print_time(fp, " retry", cf->queue_retry_s);
	print_time(fp, " max", cf->queue_retrymax_s);
	print_time(fp, " warn", cf->queue_warn_s);
	print_time(fp, " expire", cf->queue_expire_s);
	putc('\n', fp);
}

static void
print_participant(const struct config_participant *pa, FILE *fp)
{
	const struct config_domain	*d;
	const struct config_relay	*r;
	char				 buf[UNIT_STRLEN], range[64];

	fprintf(fp, "\nparticipant \"%s\"", pa->name);
	if (pa->contact != NULL) {
		fprintf(fp, " contact ");
		quote(fp, pa->contact);
	}
	fprintf(fp, " {\n");
	if (pa->policy_set != 0) {
		putc('\t', fp);
		print_policyset(&pa->policy, pa->policy_set, fp);
		putc('\n', fp);
	}
	TAILQ_FOREACH(d, &pa->domains, entry)
		print_domain(d, fp);
	TAILQ_FOREACH(r, &pa->relays, entry) {
		fprintf(fp, "\trelay from %s", cidr_print(&r->range, range,
		    sizeof(range)));
		if (r->limit > 0)
			fprintf(fp, " limit %s", unit_print_rate(r->limit,
			    r->period_s, buf));
		putc('\n', fp);
	}
	print_mailboxes(fp, "discard", &pa->discards);
	print_mailboxes(fp, "trap", &pa->traps);
	fprintf(fp, "}\n");
}

static void
print_domain(const struct config_domain *d, FILE *fp)
{
	char	addr[NETADDR_STRLEN];

	fprintf(fp, "\tdomain \"%s\" deliver to ", d->name);
	if (d->hop.host != NULL)
		fprintf(fp, "\"%s\"", d->hop.host);
	else
		fprintf(fp, "%s", netaddr_print(&d->hop.addr, addr,
		    sizeof(addr)));
	fprintf(fp, " port %u", d->hop.port);
	if (d->policy_set != 0) {
		putc(' ', fp);
		print_policyset(&d->policy, d->policy_set, fp);
	}
	putc('\n', fp);
}

/*
 * Parts.
 */

static void
print_policyset(const struct policy *policy, uint16_t set, FILE *fp)
{
	const char	*sep = "";
	char		 buf[UNIT_STRLEN];
	unsigned	 d;

	if (set & POLICY_SET_GREYLIST) {
		fprintf(fp, "greylist at %s",
		    unit_print_points(policy->greylist_at, buf));
		sep = " ";
	}
	if (set & POLICY_SET_REJECT) {
		fprintf(fp, "%sreject at %s", sep,
		    unit_print_points(policy->reject_at, buf));
		sep = " ";
	}
	for (d = 0; d < DECISIVE_MAX; d++)
		if (set & POLICY_SET_DECISIVE(d)) {
			fprintf(fp, "%s%s %s", sep, config_decisive[d],
			    action_word(policy->decisive[d]));
			sep = " ";
		}
}

static const char *
action_word(unsigned action)
{
	return action == ACTION_ACCEPT ? "accept" :
	    action == ACTION_TEMPFAIL ? "tempfail" : "reject";
}

static void
print_time(FILE *fp, const char *what, uint32_t seconds)
{
	char	buf[UNIT_STRLEN];

	fprintf(fp, "%s %s", what, unit_print_time(seconds, buf));
}

static void
print_string(FILE *fp, const char *what, const char *s)
{
	fprintf(fp, "%s ", what);
	quote(fp, s);
	putc('\n', fp);
}

static void
print_ranges(FILE *fp, const char *what, const struct cidr_list *ranges)
{
	struct list	list;
	char		buf[64];
	size_t		i;

	list_begin(&list, fp, what);
	for (i = 0; i < ranges->n; i++)
		list_add(&list, cidr_print(&ranges->v[i], buf, sizeof(buf)));
	list_end(&list);
}

static void
print_names(FILE *fp, const char *what, const struct config_names *names)
{
	size_t	i;

	fprintf(fp, "%s {", what);
	for (i = 0; i < names->n; i++) {
		fprintf(fp, i == 0 ? " " : i % 4 == 0 ? ",\n    " : ", ");
		quote(fp, names->v[i]);
	}
	fprintf(fp, " }");
}

static void
print_mailboxes(FILE *fp, const char *what,
    const struct config_mailboxes *boxes)
{
	const struct config_mailbox	*m;

	TAILQ_FOREACH(m, boxes, entry) {
		fprintf(fp, "\t%s ", what);
		quote(fp, m->address);
		putc('\n', fp);
	}
}

static void
list_begin(struct list *list, FILE *fp, const char *what)
{
	list->fp = fp;
	list->n = 0;
	list->col = fprintf(fp, "%s {", what);
}

static void
list_add(struct list *list, const char *item)
{
	int	len = (int)strlen(item);

	if (list->n++ > 0) {
		putc(',', list->fp);
		list->col++;
	}
	if (list->col + len + 1 > 72)
		list->col = fprintf(list->fp, "\n    %s", item) - 1;
	else
		list->col += fprintf(list->fp, " %s", item);
}

static void
list_end(struct list *list)
{
	fprintf(list->fp, " }");
}

static void
dotted(uint32_t a, char buf[16])
{
	(void)snprintf(buf, 16, "%u.%u.%u.%u", a >> 24, a >> 16 & 0xff,
	    a >> 8 & 0xff, a & 0xff);
}

static void
quote(FILE *fp, const char *s)
{
	putc('"', fp);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', fp);
		putc(*s, fp);
	}
	putc('"', fp);
}
