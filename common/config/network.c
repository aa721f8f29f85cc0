/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/build.h"
#include "common/limits.h"

/*
 * The statements about networks, sockets and the servers that we ask.
 */

/* Shorter prefixes are half the Internet, not somebody's network. */
#define TRUSTED_MINBITS4	8
#define TRUSTED_MINBITS6	16

#define PORT_DNS	53
#define PORT_REDIS	6379

static void	 build_ranges(struct parse *, struct cidr_list *,
		    const struct values *);
static int	 build_readable(struct parse *, const struct value *,
		    const char *what, int secret);
static void	 build_anchor(struct parse *, const struct value *);
static int	 build_redis(struct parse *, const struct value *,
		    struct config_addrport *);
static void	 build_addrport(struct parse *, struct config_addrport **,
		    size_t *, const struct config_addrport *);

void
build_network(struct parse *p, struct values *vs, struct values *except)
{
	if (!build_once(p, ONCE_NETWORK, &vs->first->where, "network"))
		return;
	build_ranges(p, &p->cf->network, vs);
	if (except != NULL)
		build_ranges(p, &p->cf->network_except, except);
}

void
build_cluster(struct parse *p, struct values *vs)
{
	struct value	*v;
	struct cidr	 c;

	if (!build_once(p, ONCE_CLUSTER, &vs->first->where, "cluster"))
		return;
	build_ranges(p, &p->cf->cluster, vs);
	for (v = vs->first; v != NULL; v = v->next)
		if (cidr_parse(&c, v->text) == 0)
			(void)build_trusted(p, v, &c, "cluster");
}

int
build_trusted(struct parse *p, const struct value *v, const struct cidr *c,
    const char *what)
{
	unsigned	 min = c->addr.family == AF_INET ? TRUSTED_MINBITS4 :
			    TRUSTED_MINBITS6;

	if (c->bits >= min)
		return 1;
	parse_error(p, &v->where, "\"%s\" is too much for a %s range; /%u is "
	    "the broadest", v->text, what, min);
	return 0;
}

void
build_pki(struct parse *p, struct value *name, struct value *cert,
    struct value *key)
{
	struct config_pki	*pki, *other;

	pki = parse_own(p, sizeof(*pki));
	TAILQ_INSERT_TAIL(&p->cf->pkis, pki, entry);
	pki->where = name->where;
	pki->index = p->npkis++;
	if ((pki->cert = build_path(p, cert)) != NULL)
		(void)build_readable(p, cert, "certificate", 0);
	if ((pki->key = build_path(p, key)) != NULL)
		(void)build_readable(p, key, "key", 1);
	if ((pki->name = build_name(p, name, "pki")) == NULL)
		return;
	TAILQ_FOREACH(other, &p->cf->pkis, entry)
		if (other != pki && other->name != NULL &&
		    strcmp(other->name, pki->name) == 0) {
			parse_error(p, &pki->where, "pki \"%s\" is given "
			    "twice (first at %s:%u)", pki->name,
			    other->where.file, other->where.line);
			return;
		}
}

void
build_listen(struct parse *p, struct values *vs, struct value *port,
    struct value *pki)
{
	struct config_listen	*l;
	struct value		*v;
	uint16_t		 number = 25;

	if (port != NULL && !build_port(p, port, &number))
		return;
	for (v = vs->first; v != NULL; v = v->next) {
		l = parse_own(p, sizeof(*l));
		TAILQ_INSERT_TAIL(&p->cf->listens, l, entry);
		l->where = v->where;
		l->index = p->nlistens++;
		l->port = number;
		if (pki != NULL)
			l->pki_name = parse_strdup(p, pki->text);
		if (!build_addr(p, v, &l->addr))
			l->port = 0;
	}
}

void
build_send(struct parse *p, struct values *vs)
{
	struct value	*v;
	struct netaddr	 addr, *to, any;

	if (!build_once(p, ONCE_SEND, &vs->first->where, "send from"))
		return;
	for (v = vs->first; v != NULL; v = v->next) {
		if (!build_addr(p, v, &addr))
			continue;
		memset(&any, 0, sizeof(any));
		any.family = addr.family;
		to = addr.family == AF_INET ? &p->cf->send4 : &p->cf->send6;
		if (to->family != 0)
			parse_error(p, &v->where, "send from takes one "
			    "address a family");
		else if (netaddr_cmp(&addr, &any) == 0)
			parse_error(p, &v->where, "\"%s\" is no address to "
			    "send from", v->text);
		*to = addr;
	}
}

void
build_resolver(struct parse *p, struct items *is)
{
	struct config_addrport	 ap;
	struct item		*i;

	if (!build_once(p, ONCE_RESOLVER, &is->first->a->where, "resolver"))
		return;
	for (i = is->first; i != NULL; i = i->next) {
		memset(&ap, 0, sizeof(ap));
		ap.port = PORT_DNS;
		if (build_addr(p, i->a, &ap.addr) &&
		    (i->b == NULL || build_port(p, i->b, &ap.port)))
			build_addrport(p, &p->cf->resolvers,
			    &p->cf->nresolvers, &ap);
	}
}

void
build_dnssec(struct parse *p, struct value *path)
{
	if (build_once(p, ONCE_DNSSEC, &path->where, "dnssec") &&
	    (p->cf->dnssec = build_path(p, path)) != NULL &&
	    build_readable(p, path, "trust anchor", 0))
		build_anchor(p, path);
}

/* A file without a key would let everything pass as insecure. */
static void
build_anchor(struct parse *p, const struct value *v)
{
	char	 line[4096], *word;
	int	 found = 0;
	FILE	*f;

	if (!p->fromfile || (f = fopen(v->text, "re")) == NULL)
		return;
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, ";\n")] = '\0';
		found = ((word = strstr(line, "DS")) != NULL ||
		    (word = strstr(line, "DNSKEY")) != NULL) &&
		    strpbrk(word, " \t") != NULL;
	}
	fclose(f);
	if (!found)
		parse_error(p, &v->where, "trust anchor %s has no DS or "
		    "DNSKEY record", v->text);
}

void
build_state(struct parse *p, struct value *word, struct values *redis,
    int cluster)
{
	struct config_addrport	 ap;
	struct value		*v;

	if (!build_once(p, ONCE_STATE, &word->where, "state"))
		return;
	if (redis == NULL)
		return;
	parse_warn(p, &word->where, "this version keeps the state of each "
	    "node by itself, in lmdb");
	p->cf->state = STATE_REDIS;
	p->cf->redis_cluster = cluster;
	for (v = redis->first; v != NULL; v = v->next)
		if (build_redis(p, v, &ap))
			build_addrport(p, &p->cf->redis, &p->cf->nredis, &ap);
	if (p->cf->nredis > 1 && !cluster)
		parse_error(p, &word->where, "several redis servers make "
		    "sense only as a cluster");
}

static void
build_ranges(struct parse *p, struct cidr_list *list, const struct values *vs)
{
	struct value	*v;
	struct cidr	 c;
	size_t		 i;

	for (v = vs->first; v != NULL; v = v->next) {
		if (!build_cidr(p, v, &c))
			continue;
		for (i = 0; i < list->n; i++)
			if (list->v[i].bits == c.bits &&
			    netaddr_cmp(&list->v[i].addr, &c.addr) == 0)
				break;
		if (i < list->n)
			parse_error(p, &v->where, "\"%s\" is given twice",
			    v->text);
		else if (cidr_list_add(list, &c) == -1)
			parse_nomem(p);
	}
}

static int
build_readable(struct parse *p, const struct value *v, const char *what,
    int secret)
{
	struct stat	st;
	int		fd, ok;

	if (!p->fromfile)
		return 1;
	if ((fd = open(v->text, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1) {
		parse_error(p, &v->where, "%s %s: %s", what, v->text,
		    strerror(errno));
		return 0;
	}
	if ((ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) == 0)
		parse_error(p, &v->where, "%s %s is not a file", what,
		    v->text);
	else if (secret && (st.st_mode & (S_IROTH | S_IWOTH)) != 0)
		parse_warn(p, &v->where, "%s %s is open to everybody", what,
		    v->text);
	close(fd);
	return ok;
}

/* 10.0.0.1:6379, [2001:db8::1]:6379, or without port. */
static int
build_redis(struct parse *p, const struct value *v, struct config_addrport *ap)
{
	const char	*host = v->text, *colon;
	char		 addr[NETADDR_STRLEN];
	uint64_t	 port = PORT_REDIS;
	size_t		 n;

	memset(ap, 0, sizeof(*ap));
	if (*host == '[') {
		n = strcspn(++host, "]");
		colon = host[n] == ']' ? host + n + 1 : host;
		if (*colon != ':' && *colon != '\0')
			goto fail;
	} else if ((colon = strchr(host, ':')) != NULL &&
	    strchr(colon + 1, ':') == NULL)
		n = (size_t)(colon - host);
	else {
		n = strlen(host);
		colon = host + n;
	}
	if (n >= sizeof(addr))
		goto fail;
	memcpy(addr, host, n);
	addr[n] = '\0';
	if (netaddr_parse(&ap->addr, addr) == -1 || (*colon == ':' &&
	    (unit_count(colon + 1, 65535, &port) != NULL || port == 0)))
		goto fail;
	ap->port = (uint16_t)port;
	return 1;
fail:
	parse_error(p, &v->where, "\"%s\" is no ADDRESS:PORT", v->text);
	return 0;
}

static void
build_addrport(struct parse *p, struct config_addrport **list, size_t *n,
    const struct config_addrport *ap)
{
	struct config_addrport	*v;

	v = recallocarray(*list, *n, *n + 1, sizeof(*v));
	if (v == NULL)
		parse_nomem(p);
	v[*n] = *ap;
	*list = v;
	(*n)++;
}
