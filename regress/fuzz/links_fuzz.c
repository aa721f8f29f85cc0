/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scand/rules/links.h"

/*
 * Links in text and in HTML; the first octet says which.  Whatever comes in,
 * hosts come out that can be asked for.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
check_host(const struct link_found *v)
{
	const char *p;
	size_t label = 0;

	check(v->host[0] != '\0' && strlen(v->host) <= 253);
	if (v->family != 0)
		return;
	for (p = v->host; *p != '\0'; p++) {
		check((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
		    *p == '-' || *p == '_' || *p == '.');
		label = *p == '.' ? 0 : label + 1;
		check(label <= 63);
		check(*p != '.' || (p > v->host && p[1] != '.'));
	}
	check(label > 1 && strchr(v->host, '.') != NULL);
	p = host_domain(v->host);
	check(p >= v->host && p < v->host + strlen(v->host));
	(void)host_usual(v->host);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct links l;
	char *copy;
	size_t i, n;

	if (size < 1)
		return 0;
	links_reset(&l);
	links_scan(&l, (const char *)data + 1, size - 1, data[0] & 1);
	check(l.n <= LIM_LINKS && l.n <= l.distinct);
	for (i = 0; i < l.n; i++)
		check_host(&l.v[i]);
	for (i = 0; i < LINK_ODDS; i++)
		check(l.odd[i].n == 0 || strlen(l.odd[i].example) <
		    sizeof(l.odd[i].example));
	/* decoded where it stands it never grows */
	if ((copy = malloc(size)) == NULL)
		return 0;
	memcpy(copy, data, size);
	n = html_decode(copy, size, copy, size);
	check(n <= size);
	free(copy);
	return 0;
}
