/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "relayd-out/relayd-out.h"

/*
 * What a next hop is, before anybody has asked DNS: the configured host of a
 * participant's domain, a domain with its MX, or an address literal.
 */

#define SMTP_PORT	25

static int	 literal(const char *, struct netaddr *);

void
hopspec_route(const struct config *conf, const char *domain, int inbound,
    struct hopspec *spec)
{
	const struct config_domain	*d;

	memset(spec, 0, sizeof(*spec));
	spec->port = SMTP_PORT;
	if ((d = config_domain(conf, domain)) != NULL) {
		spec->port = d->hop.port;
		if (d->hop.host == NULL) {
			spec->kind = HOP_ADDR;
			spec->addr = d->hop.addr;
		} else if (strlcpy(spec->host, d->hop.host,
		    sizeof(spec->host)) < sizeof(spec->host))
			spec->kind = HOP_HOST;
		else
			spec->kind = HOP_NONE;
	} else if (inbound)
		spec->kind = HOP_UNROUTED;
	else if (*domain == '[')
		spec->kind = literal(domain, &spec->addr) == 0 ? HOP_ADDR :
		    HOP_NONE;
	else if (domain_valid(domain, 1) &&
	    strlcpy(spec->host, domain, sizeof(spec->host)) <
	    sizeof(spec->host))
		spec->kind = HOP_MX;
	else
		spec->kind = HOP_NONE;
}

/* RFC 5321 4.1.3 */
static int
literal(const char *s, struct netaddr *addr)
{
	char	 buf[NETADDR_STRLEN + 8];
	size_t	 n = strlen(s);
	int	 v6;

	if (n < 3 || s[n - 1] != ']' || n - 1 > sizeof(buf))
		return -1;
	memcpy(buf, s + 1, n - 2);
	buf[n - 2] = '\0';
	v6 = strncasecmp(buf, "IPv6:", 5) == 0;
	if (netaddr_parse(addr, buf + (v6 ? 5 : 0)) == -1)
		return -1;
	return v6 == (strchr(buf + (v6 ? 5 : 0), ':') != NULL) ? 0 : -1;
}

const char *
hopspec_key(const struct hopspec *spec, char buf[HOP_KEY])
{
	char	 a[NETADDR_STRLEN];

	switch (spec->kind) {
	case HOP_MX:
		(void)strlcpy(buf, spec->host, HOP_KEY);
		break;
	case HOP_HOST:
		(void)snprintf(buf, HOP_KEY, "%s:%u", spec->host, spec->port);
		break;
	case HOP_ADDR:
		(void)snprintf(buf, HOP_KEY, "[%s]:%u",
		    netaddr_print(&spec->addr, a, sizeof(a)), spec->port);
		break;
	case HOP_NONE:
		(void)strlcpy(buf, "none", HOP_KEY);
		break;
	case HOP_UNROUTED:
		(void)strlcpy(buf, "unrouted", HOP_KEY);
		break;
	}
	return buf;
}

void
hopspec_add(struct ibuf *b, const struct hopspec *spec)
{
	ibuf_add_u8(b, (uint8_t)spec->kind);
	ibuf_add_str(b, spec->host);
	netaddr_add(b, &spec->addr);
	ibuf_add_u16(b, spec->port);
}

int
hopspec_parse(struct ibuf *b, struct hopspec *spec)
{
	memset(spec, 0, sizeof(*spec));
	spec->kind = ibuf_get_u8(b);
	ibuf_get_str(b, spec->host, sizeof(spec->host));
	netaddr_get(b, &spec->addr);
	spec->port = ibuf_get_u16(b);
	if (b->bad || (unsigned)spec->kind > HOP_UNROUTED)
		return -1;
	return 0;
}
