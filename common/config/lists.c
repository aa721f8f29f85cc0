/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/config/build.h"
#include "common/limits.h"

/*
 * The statement about a DNS list: what is looked up in it, how it shows that
 * it works, and what its return codes are worth.
 */

static void	 dnsbl_kind(struct parse *, struct config_dnsbl *,
		    const struct value *);
static void	 dnsbl_test(struct parse *, struct config_dnsbl *,
		    const struct value *);
static void	 dnsbl_unique(struct parse *, const struct config_dnsbl *);
static void	 dnsbl_codes(struct parse *, struct config_dnsbl *,
		    const struct items *);
static int	 range_cmp(const void *, const void *);
static int	 range_build(struct parse *, const struct item *,
		    struct config_range *);
static int	 range_ends(struct parse *, const struct value *, uint32_t *,
		    uint32_t *);

void
build_dnsbl(struct parse *p, struct value *zone, struct value *kind,
    struct value *test, struct items *codes)
{
	struct config_dnsbl	*bl;

	bl = parse_own(p, sizeof(*bl));
	TAILQ_INSERT_TAIL(&p->cf->dnsbls, bl, entry);
	bl->where = zone->where;
	bl->index = (uint32_t)p->cf->ndnsbls++;
	if (bl->index == LIM_LISTS)
		parse_error(p, &bl->where, "there are more than %d lists",
		    LIM_LISTS);
	if (kind != NULL)
		dnsbl_kind(p, bl, kind);
	if (test != NULL)
		dnsbl_test(p, bl, test);
	if ((bl->zone = build_domainname(p, zone)) == NULL)
		return;
	dnsbl_unique(p, bl);
	dnsbl_codes(p, bl, codes);
}

static void
dnsbl_kind(struct parse *p, struct config_dnsbl *bl, const struct value *v)
{
	if (strcmp(v->text, "addresses") == 0)
		bl->kind = LIST_ADDRESSES;
	else if (strcmp(v->text, "domains") == 0)
		bl->kind = LIST_DOMAINS;
	else if (strcmp(v->text, "links") == 0)
		bl->kind = LIST_LINKS;
	else
		parse_error(p, &v->where, "a list is for addresses, domains "
		    "or links, not \"%s\"", v->text);
}

/* An address where addresses are listed, a name where names are. */
static void
dnsbl_test(struct parse *p, struct config_dnsbl *bl, const struct value *v)
{
	if (strcmp(v->text, "none") == 0)
		bl->test = LIST_TEST_NONE;
	else if (bl->kind != LIST_DOMAINS &&
	    netaddr_parse(&bl->test_addr, v->text) == 0) {
		bl->test = LIST_TEST_ADDRESS;
		if (bl->test_addr.family != AF_INET)
			parse_error(p, &v->where, "\"%s\" is no IPv4 address",
			    v->text);
	} else if (bl->kind == LIST_ADDRESSES)
		(void)build_addr(p, v, &bl->test_addr);
	else {
		bl->test = LIST_TEST_NAME;
		bl->test_name = build_domainname(p, v);
	}
}

/* A zone may hold both addresses and names. */
static void
dnsbl_unique(struct parse *p, const struct config_dnsbl *bl)
{
	const struct config_dnsbl	*other;

	TAILQ_FOREACH(other, &p->cf->dnsbls, entry)
		if (other != bl && other->zone != NULL &&
		    strcmp(other->zone, bl->zone) == 0 &&
		    (other->kind == LIST_ADDRESSES) ==
		    (bl->kind == LIST_ADDRESSES))
			parse_error(p, &bl->where, "dnsbl \"%s\" is given "
			    "twice (first at %s:%u)", bl->zone,
			    other->where.file, other->where.line);
}

static void
dnsbl_codes(struct parse *p, struct config_dnsbl *bl,
    const struct items *codes)
{
	struct config_range	*v;
	const struct item	*i;
	size_t			 n;

	for (n = 0, i = codes->first; i != NULL; i = i->next)
		n++;
	if ((v = calloc(n + 1, sizeof(*v))) == NULL)
		parse_nomem(p);
	bl->ranges = v;
	for (i = codes->first; i != NULL; i = i->next)
		if (range_build(p, i, &v[bl->nranges]))
			bl->nranges++;
	qsort(v, bl->nranges, sizeof(*v), range_cmp);
	for (n = 1; n < bl->nranges; n++)
		if (v[n].first <= v[n - 1].last) {
			parse_error(p, &bl->where, "return codes of \"%s\" "
			    "overlap", bl->zone);
			break;
		}
}

static int
range_cmp(const void *a, const void *b)
{
	const struct config_range	*x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int
range_build(struct parse *p, const struct item *i, struct config_range *r)
{
	uint32_t	unused;

	if (!range_ends(p, i->a, &r->first, &r->last) ||
	    !build_points(p, i->c, &r->points))
		return 0;
	if (i->b == NULL)
		return 1;
	if (!range_ends(p, i->b, &unused, &r->last))
		return 0;
	if (r->first > r->last) {
		parse_error(p, &i->b->where, "the range %s - %s is empty",
		    i->a->text, i->b->text);
		return 0;
	}
	return 1;
}

/* RFC 5782 2.1: what a list answers lies in 127.0.0.0/8. */
static int
range_ends(struct parse *p, const struct value *v, uint32_t *first,
    uint32_t *last)
{
	struct cidr	 c;
	const uint8_t	*o;

	if (!build_cidr(p, v, &c))
		return 0;
	o = c.addr.octets;
	if (c.addr.family != AF_INET || o[0] != 127 || c.bits < 8) {
		parse_error(p, &v->where, "\"%s\" is no return code in "
		    "127.0.0.0/8", v->text);
		return 0;
	}
	*first = (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 |
	    (uint32_t)o[2] << 8 | o[3];
	*last = *first | (c.bits == 32 ? 0 : UINT32_MAX >> c.bits);
	return 1;
}

