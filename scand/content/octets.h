/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_OCTETS_H
#define SCAND_CONTENT_OCTETS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Numbers in files, from octets that are known to be there, and where
 * something is among octets.
 */

/* Little-endian. */
static inline uint16_t
le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/* The same, 32 bits. */
static inline uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

/* The same, 64 bits. */
static inline uint64_t
le64(const uint8_t *p)
{
	return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* Big-endian. */
static inline uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

/* Where needle begins in p[from..n), or n: nowhere. */
size_t	octets_find(const uint8_t *p, size_t n, size_t from,
	    const void *needle, size_t len);
/* The same by one octet of it, which is rare in what is searched: many times
   as fast then. */
size_t	octets_find_by(const uint8_t *p, size_t n, size_t from,
	    const void *needle, size_t len, size_t rare);
/* The last one that begins before end, or n. */
size_t	octets_rfind(const uint8_t *p, size_t n, size_t end,
	    const void *needle, size_t len);
/* The first one, with ASCII letters in either case; needle in lower case. */
size_t	octets_ifind(const uint8_t *p, size_t n, size_t from,
	    const char *needle);
/* How many of the first ones are ASCII. */
size_t	octets_ascii(const uint8_t *p, size_t n);
/* Does it begin with this, with ASCII letters in either case? */
int	octets_ibegin(const uint8_t *p, size_t n, const char *lower);

#endif
