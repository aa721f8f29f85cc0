/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/cidr.h"
#include "scand/rules/links.h"
#include "scand/scand.h"

/*
 * DNS lists of names: those that the sender goes by, and the hosts of links.
 * Of each host the part is looked up that somebody has registered, and the
 * name below that, since some lists have the subdomains of what is shared.
 * A list counts once for the links and once for the sender, with the worst
 * name.  Who writes a name in a message does not have it, so only what is
 * proven may lower the score.
 */

#define NAMES	(LIM_LINKS + LIM_DMARC_AUTHORS + 4)

#define NAME_SENDER	0x01
#define NAME_LINK	0x02
#define NAME_PROVEN	0x04

struct name {
	const char	*host;
	uint8_t		 family;	/* 0, or 4 or 6: an address */
	unsigned	 how;		/* NAME_* */
};

struct names {
	struct name	 v[NAMES];
	size_t		 n;
	char		 helo[LIM_HELO + 1];
	unsigned	 questions;	/* asked of all lists */
};

/* The worst, or the best, of the names in one list. */
struct verdict_of {
	int32_t		 points;	/* 0: none */
	char		 code[INET_ADDRSTRLEN];
	char		 name[DNS_NAME];
};

static void	collect_sender(struct job *, struct names *);
static void	collect_links(struct job *, struct names *);
static void	collect(struct names *, const char *, uint8_t, unsigned);
static int	is_ours(const char *);
static void	list_names(struct job *, struct names *,
		    const struct config_dnsbl *);
static void	list_name(struct job *, struct names *,
		    const struct config_dnsbl *, const struct name *,
		    struct verdict_of *);
static void	list_ask(struct job *, struct names *,
		    const struct config_dnsbl *, const char *, const char *,
		    struct verdict_of *);
static void	take(struct verdict_of *, const struct verdict_of *, int);
static void	report(struct job *, const struct config_dnsbl *,
		    enum symbol_id, const struct verdict_of *);

void
rule_domains(struct job *j)
{
	const struct config_dnsbl *l;
	struct names names;

	names.n = 0;
	names.questions = 0;
	if (j->scan.class == CLASS_INBOUND)
		collect_sender(j, &names);
	collect_links(j, &names);
	TAILQ_FOREACH(l, &job_config()->dnsbls, entry) {
		if (l->kind != LIST_ADDRESSES)
			list_names(j, &names, l);
	}
}

static void
collect_sender(struct job *j, struct names *n)
{
	size_t i;

	if (strlcpy(n->helo, j->scan.helo, sizeof(n->helo)) <
	    sizeof(n->helo)) {
		domain_fold(n->helo);
		collect(n, n->helo, 0, NAME_SENDER);
	}
	collect(n, j->auth.rdns, 0, NAME_SENDER | NAME_PROVEN);
	collect(n, j->sender_domain, 0, NAME_SENDER);
	for (i = 0; i < j->auth.nauthors; i++)
		collect(n, j->auth.dmarc[i].author, 0, NAME_SENDER);
	collect(n, j->auth.domain, 0, NAME_SENDER | NAME_PROVEN);
}

static void
collect_links(struct job *j, struct names *n)
{
	size_t i;

	for (i = 0; i < j->links.n; i++)
		collect(n, j->links.text + j->links.v[i].at,
		    j->links.v[i].family, NAME_LINK);
}

/* Each once; ours are on no list that matters. */
static void
collect(struct names *n, const char *host, uint8_t family, unsigned how)
{
	size_t i;

	if (family == 0 && (!domain_valid(host, 1) ||
	    strchr(host, '.') == NULL || is_ours(host)))
		return;
	for (i = 0; i < n->n; i++) {
		if (strcmp(n->v[i].host, host) == 0) {
			n->v[i].how |= how;
			return;
		}
	}
	if (n->n == NAMES)
		return;
	n->v[n->n].host = host;
	n->v[n->n].family = family;
	n->v[n->n++].how = how;
}

static int
is_ours(const char *host)
{
	const struct config *conf = job_config();

	if (strcmp(host, conf->service) == 0 || strcmp(host, conf->node) == 0)
		return 1;
	for (; host != NULL; host = strchr(host, '.')) {
		if (*host == '.')
			host++;
		if (config_domain(conf, host) != NULL)
			return 1;
	}
	return 0;
}

static void
list_names(struct job *j, struct names *names, const struct config_dnsbl *l)
{
	struct verdict_of one, link, sender, proven;
	const struct name *n;
	size_t i;

	link.points = sender.points = proven.points = 0;
	for (i = 0; i < names->n; i++) {
		n = &names->v[i];
		if (l->kind == LIST_LINKS && !(n->how & NAME_LINK))
			continue;
		one.points = 0;
		list_name(j, names, l, n, &one);
		if (n->how & NAME_LINK)
			take(&link, &one, 1);
		if (n->how & NAME_SENDER && l->kind == LIST_DOMAINS)
			take(&sender, &one, 1);
		if (n->how & NAME_PROVEN && l->kind == LIST_DOMAINS)
			take(&proven, &one, -1);
	}
	report(j, l, SYM_URL_LISTED, &link);
	report(j, l, SYM_DOMAIN_LISTED, &sender);
	report(j, l, SYM_DNSWL, &proven);
}

/* The more telling of its two names. */
static void
list_name(struct job *j, struct names *names, const struct config_dnsbl *l,
    const struct name *n, struct verdict_of *v)
{
	struct verdict_of below;
	struct netaddr a;
	char reversed[DNS_NAME];
	const char *p;

	if (n->family != 0) {
		if (l->kind == LIST_LINKS && n->family == 4 &&
		    list_may(l, LIST_ASK_V4) &&
		    netaddr_parse(&a, n->host) == 0 &&
		    netaddr_reverse(&a, l->zone, reversed,
		    sizeof(reversed)) == 0)
			list_ask(j, names, l, reversed, n->host, v);
		return;
	}
	if (!list_may(l, LIST_ASK_NAMES))
		return;
	list_ask(j, names, l, NULL, host_domain(n->host), v);
	if ((p = host_below(n->host)) == NULL)
		return;
	below.points = 0;
	list_ask(j, names, l, NULL, p, &below);
	if (below.points != 0 && (v->points == 0 ||
	    below.points > v->points))
		*v = below;
}

/* name: as it is asked for, or NULL: host below the zone. */
static void
list_ask(struct job *j, struct names *names, const struct config_dnsbl *l,
    const char *name, const char *host, struct verdict_of *v)
{
	char buf[DNS_NAME];
	const struct answer *a;
	uint32_t code;
	int32_t points;
	size_t i;

	if (name == NULL) {
		if ((size_t)snprintf(buf, sizeof(buf), "%s.%s", host,
		    l->zone) >= sizeof(buf))
			return;
		name = buf;
	}
	if (++names->questions > LIM_LIST_NAMES)
		return;
	a = answers_get_list(&j->answers, l, name);
	if (a == NULL || a->status != DNS_OK)
		return;
	for (i = 0; i < a->nrec; i++) {
		if (a->rec[i].len != 4)
			continue;
		memcpy(&code, a->rec[i].data, 4);
		if (list_points(l, ntohl(code), &points) == -1)
			continue;
		v->points += points;
		(void)inet_ntop(AF_INET, a->rec[i].data, v->code,
		    sizeof(v->code));
		(void)strlcpy(v->name, host, sizeof(v->name));
	}
}

/* sign 1: the one with the most points, -1: with the least. */
static void
take(struct verdict_of *best, const struct verdict_of *v, int sign)
{
	if ((sign > 0 && v->points > best->points) ||
	    (sign < 0 && v->points < best->points))
		*best = *v;
}

static void
report(struct job *j, const struct config_dnsbl *l, enum symbol_id id,
    const struct verdict_of *v)
{
	if (v->points != 0)
		findings_add_points(&j->found, id, v->points, "%s=%s %s",
		    l->zone, v->code, v->name);
}
