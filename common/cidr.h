/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_CIDR_H
#define COMMON_CIDR_H

#include <sys/socket.h>

#include <netinet/in.h>

#include <stddef.h>
#include <stdint.h>

/*
 * Network addresses and ranges of both families.  IPv4-mapped IPv6 addresses
 * become IPv4 on the way in, so a client is one thing however it came.
 */
struct netaddr {
	sa_family_t	family;		/* AF_INET, AF_INET6, 0: none */
	uint8_t		octets[16];	/* AF_INET: the first four */
};
#define NETADDR_STRLEN	46		/* INET6_ADDRSTRLEN */

struct cidr {
	struct netaddr	addr;		/* host bits are zero */
	uint8_t		bits;
};

struct cidr_list {
	struct cidr	*v;
	size_t		 n;
};

/* Numeric text, no brackets.  0, or -1 when it is none. */
int	netaddr_parse(struct netaddr *, const char *);
int	netaddr_from_sockaddr(struct netaddr *, const struct sockaddr *);
/* ss is filled for port (host order); returns its length. */
socklen_t netaddr_to_sockaddr(const struct netaddr *, uint16_t port,
	    struct sockaddr_storage *);
/* Into buf (NETADDR_STRLEN); returns buf. */
const char *netaddr_print(const struct netaddr *, char *buf, size_t);
/* RFC 5321 4.1.3 form: [192.0.2.1] or [IPv6:2001:db8::1]; LIM 54 octets. */
const char *netaddr_literal(const struct netaddr *, char *buf, size_t);
int	netaddr_cmp(const struct netaddr *, const struct netaddr *);
/* The address with all but the first bits zeroed. */
void	netaddr_mask(struct netaddr *, unsigned bits);
/*
 * The network whose members share limits and greylist entries: /24 or /64.
 */
void	netaddr_network(struct netaddr *, const struct netaddr *client);
/* The name of an address in a DNS list or in-addr.arpa/ip6.arpa: labels in
   reverse, a dot, suffix.  -1 when it does not fit. */
int	netaddr_reverse(const struct netaddr *, const char *suffix, char *buf,
	    size_t);

/* "192.0.2.0/24", "2001:db8::/32", or one address.  -1: not a range;
   -2: host bits are set. */
int	cidr_parse(struct cidr *, const char *);
const char *cidr_print(const struct cidr *, char *buf, size_t);
int	cidr_contains(const struct cidr *, const struct netaddr *);
/* 0, or -1 when out of memory. */
int	cidr_list_add(struct cidr_list *, const struct cidr *);
int	cidr_list_contains(const struct cidr_list *, const struct netaddr *);
void	cidr_list_free(struct cidr_list *);

#endif
