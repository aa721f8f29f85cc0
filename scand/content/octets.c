/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/octets.h"

/*
 * Searching in octets that may hold anything.
 */

static int	 lower(int);

size_t
octets_find(const uint8_t *p, size_t n, size_t from, const void *needle,
    size_t len)
{
	const uint8_t *hit;

	if (from >= n || len > n - from)
		return n;
	hit = memmem(p + from, n - from, needle, len);
	return hit == NULL ? n : (size_t)(hit - p);
}

size_t
octets_find_by(const uint8_t *p, size_t n, size_t from, const void *needle,
    size_t len, size_t rare)
{
	const uint8_t *at, *end;
	int c = ((const uint8_t *)needle)[rare];

	if (from >= n || len > n - from)
		return n;
	at = p + from + rare;
	end = p + n - (len - 1 - rare);
	for (; (at = memchr(at, c, (size_t)(end - at))) != NULL; at++)
		if (memcmp(at - rare, needle, len) == 0)
			return (size_t)(at - p) - rare;
	return n;
}

size_t
octets_rfind(const uint8_t *p, size_t n, size_t end, const void *needle,
    size_t len)
{
	const uint8_t *first = needle, *hit;
	size_t at;

	if (len == 0 || len > n)
		return n;
	at = end < n - len + 1 ? end : n - len + 1;
	while (at > 0) {
		if ((hit = memrchr(p, *first, at)) == NULL)
			break;
		if (memcmp(hit, needle, len) == 0)
			return (size_t)(hit - p);
		at = (size_t)(hit - p);
	}
	return n;
}

size_t
octets_ifind(const uint8_t *p, size_t n, size_t from, const char *needle)
{
	size_t i;

	for (i = from; i < n; i++)
		if (lower(p[i]) == needle[0] &&
		    octets_ibegin(p + i, n - i, needle))
			return i;
	return n;
}

size_t
octets_ascii(const uint8_t *p, size_t n)
{
	uint64_t v;
	size_t i;

	for (i = 0; n - i >= sizeof(v); i += sizeof(v)) {
		memcpy(&v, p + i, sizeof(v));
		if ((v & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (i < n && p[i] < 0x80)
		i++;
	return i;
}

int
octets_ibegin(const uint8_t *p, size_t n, const char *low)
{
	size_t i;

	for (i = 0; low[i] != '\0'; i++)
		if (i >= n || lower(p[i]) != low[i])
			return 0;
	return 1;
}

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}
