/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"

/*
 * Addresses and ranges.  Everything that compares clients, networks and
 * routes goes through struct netaddr, in which an IPv4-mapped IPv6 address
 * cannot occur: such an address would otherwise slip past an IPv4 range.
 */

static const uint8_t mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

static unsigned	family_bits(sa_family_t);
static void	netaddr_unmap(struct netaddr *);
static int	bits_parse(const char *, unsigned, unsigned *);

int
netaddr_parse(struct netaddr *a, const char *s)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, s, a->octets) == 1) {
		a->family = AF_INET;
		return 0;
	}
	if (inet_pton(AF_INET6, s, a->octets) == 1) {
		a->family = AF_INET6;
		netaddr_unmap(a);
		return 0;
	}
	memset(a, 0, sizeof(*a));
	return -1;
}

int
netaddr_from_sockaddr(struct netaddr *a, const struct sockaddr *sa)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	memset(a, 0, sizeof(*a));
	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&sin, sa, sizeof(sin));
		a->family = AF_INET;
		memcpy(a->octets, &sin.sin_addr, 4);
		return 0;
	case AF_INET6:
		memcpy(&sin6, sa, sizeof(sin6));
		a->family = AF_INET6;
		memcpy(a->octets, &sin6.sin6_addr, 16);
		netaddr_unmap(a);
		return 0;
	default:
		return -1;
	}
}

socklen_t
netaddr_to_sockaddr(const struct netaddr *a, uint16_t port,
    struct sockaddr_storage *ss)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	memset(ss, 0, sizeof(*ss));
	switch (a->family) {
	case AF_INET:
		memset(&sin, 0, sizeof(sin));
		sin.sin_family = AF_INET;
		sin.sin_port = htons(port);
		memcpy(&sin.sin_addr, a->octets, 4);
		memcpy(ss, &sin, sizeof(sin));
		return sizeof(sin);
	case AF_INET6:
		memset(&sin6, 0, sizeof(sin6));
		sin6.sin6_family = AF_INET6;
		sin6.sin6_port = htons(port);
		memcpy(&sin6.sin6_addr, a->octets, 16);
		memcpy(ss, &sin6, sizeof(sin6));
		return sizeof(sin6);
	default:
		return 0;
	}
}

const char *
netaddr_print(const struct netaddr *a, char *buf, size_t size)
{
	if (a->family == 0 ||
	    inet_ntop(a->family, a->octets, buf, (socklen_t)size) == NULL)
		(void)snprintf(buf, size, "none");
	return buf;
}

const char *
netaddr_literal(const struct netaddr *a, char *buf, size_t size)
{
	char text[NETADDR_STRLEN];

	netaddr_print(a, text, sizeof(text));
	(void)snprintf(buf, size, "[%s%s]",
	    a->family == AF_INET6 ? "IPv6:" : "", text);
	return buf;
}

int
netaddr_cmp(const struct netaddr *a, const struct netaddr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->octets, b->octets, family_bits(a->family) / 8);
}

void
netaddr_mask(struct netaddr *a, unsigned bits)
{
	size_t i;

	if (bits >= family_bits(a->family))
		return;
	i = bits / 8;
	a->octets[i] &= (uint8_t)(0xff00U >> (bits % 8));
	memset(a->octets + i + 1, 0, sizeof(a->octets) - i - 1);
}

void
netaddr_network(struct netaddr *net, const struct netaddr *client)
{
	*net = *client;
	netaddr_mask(net, client->family == AF_INET ? 24 : 64);
}

int
netaddr_reverse(const struct netaddr *a, const char *suffix, char *buf,
    size_t size)
{
	static const char hex[] = "0123456789abcdef";
	char labels[64 + 1];
	size_t i, n;
	int len;

	switch (a->family) {
	case AF_INET:
		(void)snprintf(labels, sizeof(labels), "%u.%u.%u.%u",
		    a->octets[3], a->octets[2], a->octets[1], a->octets[0]);
		break;
	case AF_INET6:
		/* RFC 3596 2.5: a label for each half octet, lowest first */
		for (i = 16, n = 0; i-- > 0; ) {
			labels[n++] = hex[a->octets[i] & 0x0f];
			labels[n++] = '.';
			labels[n++] = hex[a->octets[i] >> 4];
			labels[n++] = '.';
		}
		labels[n - 1] = '\0';
		break;
	default:
		return -1;
	}
	len = snprintf(buf, size, "%s.%s", labels, suffix);
	return len < 0 || (size_t)len >= size ? -1 : 0;
}

int
cidr_parse(struct cidr *c, const char *s)
{
	struct netaddr masked;
	char text[NETADDR_STRLEN];
	const char *slash;
	unsigned bits, max;
	size_t len;

	slash = strchr(s, '/');
	len = slash == NULL ? strlen(s) : (size_t)(slash - s);
	if (len >= sizeof(text))
		return -1;
	memcpy(text, s, len);
	text[len] = '\0';
	if (netaddr_parse(&c->addr, text) == -1)
		return -1;
	max = family_bits(c->addr.family);
	bits = max;
	if (slash != NULL) {
		/* a mapped range counts its bits as IPv6 does */
		if (c->addr.family == AF_INET && strchr(text, ':') != NULL) {
			if (bits_parse(slash + 1, 128, &bits) == -1 ||
			    bits < 96)
				return -1;
			bits -= 96;
		} else if (bits_parse(slash + 1, max, &bits) == -1)
			return -1;
	}
	c->bits = (uint8_t)bits;
	masked = c->addr;
	netaddr_mask(&masked, bits);
	return netaddr_cmp(&masked, &c->addr) == 0 ? 0 : -2;
}

const char *
cidr_print(const struct cidr *c, char *buf, size_t size)
{
	char text[NETADDR_STRLEN];

	netaddr_print(&c->addr, text, sizeof(text));
	if (c->bits == family_bits(c->addr.family))
		(void)snprintf(buf, size, "%s", text);
	else
		(void)snprintf(buf, size, "%s/%u", text, c->bits);
	return buf;
}

int
cidr_contains(const struct cidr *c, const struct netaddr *a)
{
	unsigned whole, rest;

	if (a->family == 0 || a->family != c->addr.family)
		return 0;
	whole = c->bits / 8;
	rest = c->bits % 8;
	if (memcmp(a->octets, c->addr.octets, whole) != 0)
		return 0;
	return rest == 0 ||
	    ((a->octets[whole] ^ c->addr.octets[whole]) >> (8 - rest)) == 0;
}

int
cidr_list_add(struct cidr_list *l, const struct cidr *c)
{
	struct cidr *v;

	/* the room is always the next power of two */
	if ((l->n & (l->n - 1)) == 0) {
		v = recallocarray(l->v, l->n, l->n == 0 ? 1 : l->n * 2,
		    sizeof(*v));
		if (v == NULL)
			return -1;
		l->v = v;
	}
	l->v[l->n++] = *c;
	return 0;
}

int
cidr_list_contains(const struct cidr_list *l, const struct netaddr *a)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (cidr_contains(&l->v[i], a))
			return 1;
	return 0;
}

void
cidr_list_free(struct cidr_list *l)
{
	if (l == NULL)
		return;
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

static unsigned
family_bits(sa_family_t family)
{
	return family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0;
}

static void
netaddr_unmap(struct netaddr *a)
{
	if (memcmp(a->octets, mapped, sizeof(mapped)) != 0)
		return;
	memmove(a->octets, a->octets + sizeof(mapped), 4);
	memset(a->octets + 4, 0, sizeof(a->octets) - 4);
	a->family = AF_INET;
}

/* Digits only: strtonum alone would take "+8" and " 8". */
static int
bits_parse(const char *s, unsigned max, unsigned *bits)
{
	const char *errstr;

	if (*s == '\0' || s[strspn(s, "0123456789")] != '\0')
		return -1;
	*bits = (unsigned)strtonum(s, 0, max, &errstr);
	return errstr == NULL ? 0 : -1;
}
