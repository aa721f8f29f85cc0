/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/config/build.h"

/*
 * The statements about those who pass on the mail of others: who is known to
 * do so, and whose word is taken for what they saw of it.
 */

#define MINBITS4	8	/* wider ranges are nobody's */
#define MINBITS6	16

static int	 looks_like_name(const char *);
static void	 names_once(struct parse *, struct config_names *,
		    const struct value *);

void
build_forwarders(struct parse *p, struct values *vs)
{
	struct config	*cf = p->cf;
	struct value	*v;
	struct cidr	 c;
	unsigned	 min;

	if (!build_once(p, ONCE_FORWARDERS, &vs->first->where, "forwarders"))
		return;
	for (v = vs->first; v != NULL; v = v->next) {
		if (looks_like_name(v->text)) {
			names_once(p, &cf->forwarder_names, v);
			continue;
		}
		if (!build_cidr(p, v, &c))
			continue;
		min = c.addr.family == AF_INET ? MINBITS4 : MINBITS6;
		if (c.bits < min)
			parse_error(p, &v->where, "\"%s\" is too much for "
			    "forwarders; /%u is the broadest", v->text, min);
		else if (cidr_list_add(&cf->forwarders, &c) == -1)
			parse_nomem(p);
	}
}

void
build_arc(struct parse *p, struct values *vs)
{
	struct value	*v;

	if (!build_once(p, ONCE_ARC, &vs->first->where, "arc sealers"))
		return;
	for (v = vs->first; v != NULL; v = v->next)
		names_once(p, &p->cf->arc_sealers, v);
}

/* Addresses and ranges have colons, or end in a number. */
static int
looks_like_name(const char *s)
{
	const char	*dot = strrchr(s, '.');

	if (strpbrk(s, ":/") != NULL)
		return 0;
	s = dot == NULL || dot[1] == '\0' ? s : dot + 1;
	return s[strspn(s, "0123456789")] != '\0';
}

/* A single label would be a whole top level. */
static void
names_once(struct parse *p, struct config_names *names,
    const struct value *v)
{
	char	*name;
	size_t	 i;

	if ((name = build_domainname(p, v)) == NULL)
		return;
	if (strchr(name, '.') == NULL)
		parse_error(p, &v->where, "\"%s\" is no full domain name",
		    v->text);
	for (i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			parse_error(p, &v->where, "\"%s\" is given twice",
			    v->text);
	build_names(p, names, name);
}
