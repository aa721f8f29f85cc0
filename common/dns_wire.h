/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_DNS_WIRE_H
#define COMMON_DNS_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "common/resolver.h"

/*
 * DNS packets and names, without any I/O: what both sides of resolver.h
 * share.
 */

/* Where the records of a decoded answer lie. */
struct dns_store {
	uint8_t		 data[DNS_DATA];
	size_t		 used;
	unsigned	 dropped;	/* records that were malformed */
};

/*
 * The answer of type in a DNS packet (RFC 1035 4), found by following the
 * CNAMEs of its question; the records point into the store.  status comes
 * from packet and rcode, security stays DNS_INSECURE.  A packet that does not
 * decode is DNS_FAIL.
 */
void	dns_decode(const uint8_t *packet, size_t n, enum dns_type,
	    struct dns_answer *, struct dns_store *);

/*
 * A name as it is asked for: lower case, no final dot, U-labels as A-labels.
 * dst has DNS_NAME octets.  -1: this cannot be a name in the DNS.  Any
 * printable ASCII but the backslash is allowed in labels (SPF makes names of
 * local parts, RFC 7208 7).
 */
int	dns_name(const char *name, char *dst);

#endif
