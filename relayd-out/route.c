/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <netinet/in.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "relayd-out/deliver.h"

/*
 * From a next hop to the addresses that are tried, in their order: MX records
 * by preference (RFC 5321 5.1), the domain itself where it has none, the
 * addresses of a configured host.  Whatever leads back to this gateway is
 * left out, with all that is less preferred.
 */

#define TTL_FIXED	3600

struct route_host {
	uint16_t	 pref;
	char		 name[DNS_NAME];
	struct netaddr	 addr[LIM_HOP_ADDRESSES];
	size_t		 naddr;
	int		 failed;	/* a question had no answer */
};

/* While they are sorted. */
struct mx {
	uint16_t		 pref;
	const struct dns_record	*rec;
};

/* A question about one host. */
struct lookup {
	struct route_ask	*ask;
	struct route_host	*host;
	struct dns_question	*q;
};

struct route_ask {
	const struct config	*conf;
	struct hopspec		 spec;
	route_cb		*cb;
	void			*arg;
	struct deferred		 now;		/* an answer without DNS */
	struct dns_question	*mx;
	int			 implicit;	/* no MX: the domain itself */
	struct route_host	 hosts[LIM_MX_HOSTS];
	size_t			 nhosts;
	struct lookup		 lookups[2 * LIM_MX_HOSTS];
	size_t			 nlookups, open;
	uint32_t		 ttl;
	struct route		 route;
};

static void	 answer_now(void *);
static void	 on_mx(const struct dns_answer *, void *);
static void	 take_mx(struct route_ask *, const struct dns_answer *);
static int	 mx_cmp(const void *, const void *);
static int	 cut_own_names(struct route_ask *);
static void	 ask_addresses(struct route_ask *);
static void	 ask_address(struct route_ask *, struct route_host *,
		    enum dns_type);
static void	 on_address(const struct dns_answer *, void *);
static void	 conclude(struct route_ask *);
static void	 conclude_now(void *);
static int	 is_own(const struct route_ask *, const struct netaddr *);
static int	 usable(const struct netaddr *);
static void	 add_address(struct route_ask *, const struct netaddr *,
		    const char *);
static void	 done(struct route_ask *, enum route_status, const char *,
		    const char *, ...) __attribute__((format(printf, 4, 5)));

struct route_ask *
route_find(const struct config *conf, const struct hopspec *spec,
    route_cb *cb, void *arg)
{
	struct route_ask	*a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	a->conf = conf;
	a->spec = *spec;
	a->cb = cb;
	a->arg = arg;
	a->ttl = TTL_FIXED;
	a->now.fn = answer_now;
	a->now.arg = a;
	switch (spec->kind) {
	case HOP_HOST:
		(void)strlcpy(a->hosts[0].name, spec->host,
		    sizeof(a->hosts[0].name));
		a->nhosts = 1;
		ask_addresses(a);
		break;
	case HOP_MX:
		a->mx = dns_ask(spec->host, DNS_MX,
		    (uint64_t)conf->limit_dns_s * 1000, on_mx, a);
		if (a->mx == NULL)
			loop_defer(&a->now);
		break;
	default:
		loop_defer(&a->now);
		break;
	}
	return a;
}

void
route_cancel(struct route_ask *a)
{
	size_t	 i;

	if (a == NULL)
		return;
	loop_undefer(&a->now);
	if (a->mx != NULL)
		dns_cancel(a->mx);
	for (i = 0; i < a->nlookups; i++)
		if (a->lookups[i].q != NULL)
			dns_cancel(a->lookups[i].q);
	free(a);
}

/* No question was needed, or none could be asked. */
static void
answer_now(void *arg)
{
	struct route_ask	*a = arg;

	switch (a->spec.kind) {
	case HOP_ADDR:
		if (is_own(a, &a->spec.addr)) {
			done(a, ROUTE_FAIL, "5.4.6",
			    "mail for this address loops back to us");
			return;
		}
		add_address(a, &a->spec.addr, "");
		done(a, ROUTE_OK, "", "ok");
		break;
	case HOP_NONE:
		done(a, ROUTE_FAIL, "5.1.3", "the address has no usable "
		    "domain");
		break;
	case HOP_UNROUTED:
		/* Between a reload here and one of who accepted it, or when a
		   participant has left.  A stranger's mail for us never goes
		   out to the world. */
		done(a, ROUTE_DEFER, "4.3.5", "its domain is not served here "
		    "at present");
		break;
	default:
		done(a, ROUTE_DEFER, "4.3.0", "no memory");
		break;
	}
}

static void
on_mx(const struct dns_answer *ans, void *arg)
{
	struct route_ask	*a = arg;
	const char		*domain = a->spec.host;

	a->mx = NULL;
	if (ans->ttl < a->ttl)
		a->ttl = ans->ttl;
	switch (ans->status) {
	case DNS_OK:
		take_mx(a, ans);
		break;
	case DNS_NODATA:
		a->implicit = 1;
		(void)strlcpy(a->hosts[0].name, domain,
		    sizeof(a->hosts[0].name));
		a->nhosts = 1;
		break;
	case DNS_NXDOMAIN:
		done(a, ROUTE_FAIL, "5.1.2", "domain %s does not exist",
		    domain);
		return;
	default:
		done(a, ROUTE_DEFER, "4.4.3", "no answer from DNS about the "
		    "MX of %s", domain);
		return;
	}
	if (a->nhosts == 1 && *a->hosts[0].name == '\0') {
		/* RFC 7505 */
		done(a, ROUTE_FAIL, "5.1.10", "domain %s takes no mail (null "
		    "MX)", domain);
		return;
	}
	if (cut_own_names(a)) {
		done(a, ROUTE_FAIL, "5.4.6", "mail for %s loops back to us",
		    domain);
		return;
	}
	ask_addresses(a);
}

/* By preference; among equals by chance, to spread the load. */
static void
take_mx(struct route_ask *a, const struct dns_answer *ans)
{
	struct mx		 mx[DNS_RECORDS] = { { 0, NULL } }, swap;
	struct route_host	*h;
	const struct dns_record	*r;
	size_t			 i, j, n = 0;

	for (i = 0; i < ans->nrec; i++) {
		r = &ans->rec[i];
		if (r->len < 2 || r->len - 2U >= sizeof(h->name) ||
		    memchr(r->data + 2, '\0', r->len - 2U) != NULL)
			continue;
		mx[n].pref = (uint16_t)(r->data[0] << 8 | r->data[1]);
		mx[n++].rec = r;
	}
	for (i = n; i > 1; i--) {
		j = arc4random_uniform((uint32_t)i);
		swap = mx[i - 1];
		mx[i - 1] = mx[j];
		mx[j] = swap;
	}
	qsort(mx, n, sizeof(mx[0]), mx_cmp);
	for (i = 0; i < n && i < LIM_MX_HOSTS; i++) {
		h = &a->hosts[a->nhosts++];
		h->pref = mx[i].pref;
		memcpy(h->name, mx[i].rec->data + 2, mx[i].rec->len - 2U);
		if (strcmp(h->name, ".") == 0)
			h->name[0] = '\0';
	}
}

static int
mx_cmp(const void *va, const void *vb)
{
	const struct mx	*a = va, *b = vb;

	return (int)a->pref - (int)b->pref;
}

/* RFC 5321 5.1: where we are an MX, only better ones are tried.  1: none. */
static int
cut_own_names(struct route_ask *a)
{
	size_t	 i;

	for (i = 0; i < a->nhosts; i++)
		if (strcasecmp(a->hosts[i].name, a->conf->node) == 0 ||
		    strcasecmp(a->hosts[i].name, a->conf->service) == 0)
			break;
	if (i == a->nhosts)
		return 0;
	while (i > 0 && a->hosts[i - 1].pref == a->hosts[i].pref)
		i--;
	a->nhosts = i;
	return i == 0;
}

static void
ask_addresses(struct route_ask *a)
{
	size_t	 i;

	/* So that the last answer is not taken for the last of all. */
	a->open++;
	for (i = 0; i < a->nhosts; i++) {
		if (*a->hosts[i].name == '\0')
			continue;
		ask_address(a, &a->hosts[i], DNS_AAAA);
		ask_address(a, &a->hosts[i], DNS_A);
	}
	if (--a->open == 0) {
		a->now.fn = conclude_now;
		loop_defer(&a->now);
	}
}

static void
conclude_now(void *arg)
{
	conclude(arg);
}

static void
ask_address(struct route_ask *a, struct route_host *h, enum dns_type type)
{
	struct lookup	*l = &a->lookups[a->nlookups];

	l->ask = a;
	l->host = h;
	l->q = dns_ask(h->name, type, (uint64_t)a->conf->limit_dns_s * 1000,
	    on_address, l);
	if (l->q == NULL) {
		h->failed = 1;
		return;
	}
	a->nlookups++;
	a->open++;
}

static void
on_address(const struct dns_answer *ans, void *arg)
{
	struct lookup		*l = arg;
	struct route_ask	*a = l->ask;
	struct route_host	*h = l->host;
	struct netaddr		*na;
	size_t			 i;

	l->q = NULL;
	if (ans->status == DNS_FAIL || ans->status == DNS_TIMEOUT)
		h->failed = 1;
	else if (ans->ttl < a->ttl)
		a->ttl = ans->ttl;
	for (i = 0; i < ans->nrec && ans->status == DNS_OK &&
	    h->naddr < LIM_HOP_ADDRESSES; i++) {
		na = &h->addr[h->naddr];
		if (ans->rec[i].len != 4 && ans->rec[i].len != 16)
			continue;
		memset(na, 0, sizeof(*na));
		na->family = ans->rec[i].len == 4 ? AF_INET : AF_INET6;
		memcpy(na->octets, ans->rec[i].data, ans->rec[i].len);
		if (usable(na))
			h->naddr++;
	}
	if (--a->open == 0)
		conclude(a);
}

/* All answers are there. */
static void
conclude(struct route_ask *a)
{
	struct route_host	*h;
	const char		*what = a->spec.host;
	size_t			 i, k, own = SIZE_MAX;
	int			 failed = 0;

	for (i = 0; i < a->nhosts && own == SIZE_MAX; i++)
		for (k = 0; k < a->hosts[i].naddr; k++)
			if (is_own(a, &a->hosts[i].addr[k])) {
				own = i;
				break;
			}
	for (i = 0; i < a->nhosts; i++) {
		h = &a->hosts[i];
		if (own != SIZE_MAX && h->pref >= a->hosts[own].pref)
			break;
		failed |= h->failed;
		for (k = 0; k < h->naddr; k++)
			add_address(a, &h->addr[k], h->name);
	}
	if (a->route.n != 0)
		done(a, ROUTE_OK, "", "ok");
	else if (own != SIZE_MAX && !failed)
		done(a, ROUTE_FAIL, "5.4.6", "mail for %s loops back to us",
		    what);
	else if (failed)
		done(a, ROUTE_DEFER, "4.4.3", "no answer from DNS about the "
		    "addresses of %s", what);
	else if (a->spec.kind == HOP_HOST)
		/* Its name stands in our configuration: not the sender's
		   fault. */
		done(a, ROUTE_DEFER, "4.4.4", "host %s has no address", what);
	else if (a->implicit)
		done(a, ROUTE_FAIL, "5.1.2", "domain %s has neither MX nor "
		    "address", what);
	else
		done(a, ROUTE_FAIL, "5.4.4", "no MX of %s has an address",
		    what);
}

/* Do we listen there ourselves? */
static int
is_own(const struct route_ask *a, const struct netaddr *addr)
{
	static const uint8_t		 loop6[16] = { [15] = 1 };
	const struct config_listen	*l;
	struct netaddr			 any;
	int				 loopback;

	memset(&any, 0, sizeof(any));
	any.family = addr->family;
	loopback = addr->family == AF_INET ? addr->octets[0] == 127 :
	    memcmp(addr->octets, loop6, sizeof(loop6)) == 0;
	TAILQ_FOREACH(l, &a->conf->listens, entry) {
		if (l->port != a->spec.port)
			continue;
		if (netaddr_cmp(&l->addr, addr) == 0 ||
		    (loopback && netaddr_cmp(&l->addr, &any) == 0))
			return 1;
	}
	return 0;
}

/* Unspecified and multicast addresses are nobody's. */
static int
usable(const struct netaddr *a)
{
	static const uint8_t	 zero[16];

	if (a->family == AF_INET)
		return a->octets[0] != 0 && a->octets[0] < 224;
	return memcmp(a->octets, zero, 16) != 0 && a->octets[0] != 0xff;
}

static void
add_address(struct route_ask *a, const struct netaddr *addr, const char *host)
{
	char	 text[NETADDR_STRLEN];

	if (a->route.n >= ROUTE_MAX)
		return;
	if (*host == '\0')
		host = netaddr_print(addr, text, sizeof(text));
	a->route.v[a->route.n].addr = *addr;
	(void)strlcpy(a->route.v[a->route.n].host, host,
	    sizeof(a->route.v[0].host));
	a->route.n++;
}

/* Tell the asker; a is gone after that. */
static void
done(struct route_ask *a, enum route_status st, const char *code,
    const char *fmt, ...)
{
	char	 why[LIM_REPLY];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	a->route.port = a->spec.port;
	a->route.ttl = a->ttl;
	a->cb(st, st == ROUTE_OK ? &a->route : NULL, code, why, a->arg);
	route_cancel(a);
}
