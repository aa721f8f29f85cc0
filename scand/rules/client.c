/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "scand/scand.h"

/*
 * The client: how it greets and what its address is called.  For inbound mail
 * only.
 */

static int	literal_is(const char *, const struct netaddr *);
static int	name_is_ours(const char *);
static int	has_numbers(const char *, const struct netaddr *);

void
rule_helo(struct job *j, const struct view *v)
{
	char name[LIM_HELO + 1];

	(void)v;
	if (strlcpy(name, j->scan.helo, sizeof(name)) >= sizeof(name))
		return;
	/* An operator's scan of a file: nobody greeted. */
	if (name[0] == '\0')
		return;
	domain_fold(name);
	if (name[0] == '[') {
		if (!literal_is(name, &j->scan.client))
			findings_add(&j->found, SYM_HELO_LITERAL_WRONG, "%s",
			    name);
	} else if (strchr(name, '.') == NULL)
		findings_add(&j->found, SYM_HELO_NOT_FQDN, "%s", name);
	else if (name_is_ours(name))
		findings_add(&j->found, SYM_HELO_IS_OURS, "%s", name);
}

/* RFC 5321 4.1.3: [192.0.2.1] or [IPv6:2001:db8::1] */
static int
literal_is(const char *s, const struct netaddr *client)
{
	char text[LIM_HELO + 1];
	struct netaddr a;
	size_t len;

	s++;
	if (strncasecmp(s, "ipv6:", 5) == 0)
		s += 5;
	len = strlcpy(text, s, sizeof(text));
	if (len == 0 || len >= sizeof(text) || text[len - 1] != ']')
		return 0;
	text[len - 1] = '\0';
	return netaddr_parse(&a, text) == 0 && netaddr_cmp(&a, client) == 0;
}

static int
name_is_ours(const char *name)
{
	const struct config *conf = job_config();

	return strcasecmp(name, conf->service) == 0 ||
	    strcasecmp(name, conf->node) == 0 ||
	    config_domain(conf, name) != NULL;
}

void
rule_rdns(struct job *j)
{
	if (j->auth.ptr[0] != '\0' &&
	    rdns_dynamic(j->auth.ptr, &j->scan.client))
		findings_add(&j->found, SYM_DYNAMIC_RDNS, "%s", j->auth.ptr);
}

/*
 * Either a word of the trade and a number, or at least three octets of the
 * address as numbers.  Words stand alone between dots, hyphens and digits, so
 * that "dynamics.example" is not meant, and before the last two labels, which
 * are the provider's own name.
 */
int
rdns_dynamic(const char *name, const struct netaddr *client)
{
	static const char *const words[] = {
		"dyn", "dynamic", "dynip", "dhcp", "pool", "dial", "dialup",
		"dialin", "ppp", "pppoe", "dsl", "adsl", "vdsl", "xdsl",
		"cable", "catv", "docsis", "broadband", "cpe", "residential",
		"hsd", "ftth"
	};
	size_t i, len;
	const char *p = name;

	for (; *p != '\0'; p += len) {
		len = 0;
		while (isalpha((unsigned char)p[len]))
			len++;
		if (len == 0) {
			len = 1;
			continue;
		}
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			const char *dot = strchr(p, '.');

			if (strlen(words[i]) == len &&
			    strncasecmp(words[i], p, len) == 0 &&
			    dot != NULL && strchr(dot + 1, '.') != NULL)
				return has_numbers(name, NULL);
		}
	}
	return has_numbers(name, client);
}

/* Does a name hold three octets of an IPv4 address as numbers of their own?
   With NULL: any number at all. */
static int
has_numbers(const char *name, const struct netaddr *a)
{
	unsigned found = 0, value, i;
	const char *p = name;

	if (a != NULL && a->family != AF_INET)
		return 0;
	while (*p != '\0') {
		if (!isdigit((unsigned char)*p)) {
			p++;
			continue;
		}
		if (a == NULL)
			return 1;
		for (value = 0; isdigit((unsigned char)*p); p++)
			value = value > 999 ? 1000 :
			    value * 10 + (unsigned)(*p - '0');
		for (i = 0; i < 4; i++) {
			if (!(found & 1U << i) && value == a->octets[i]) {
				found |= 1U << i;
				break;
			}
		}
	}
	for (value = i = 0; i < 4; i++)
		value += found >> i & 1;
	return value >= 3;
}
