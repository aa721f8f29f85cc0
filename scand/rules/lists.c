/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <arpa/inet.h>

#include <string.h>

#include "common/cidr.h"
#include "scand/scand.h"

/*
 * DNS lists of client addresses (RFC 5782).  What an answer is worth stands in
 * the list's table of return codes; codes outside 127/8 and the error codes
 * 127.255.255.x never count, whatever the table says: a list that has been
 * given up answers with the address of somebody's web server for everything.
 */

static uint8_t	 may[LIM_LISTS];	/* LIST_ASK_* */
static int	 told;

static void	 list_look(struct job *, const struct config_dnsbl *);

int
lists_told(struct imsg *im)
{
	const uint8_t *p;
	size_t n;

	p = ibuf_get_blob(&im->data, &n);
	if (ibuf_get_end(&im->data) == -1 || n > sizeof(may))
		return -1;
	memset(may, 0, sizeof(may));
	if (n > 0)
		memcpy(may, p, n);
	told = 1;
	return 0;
}

int
list_may(const struct config_dnsbl *l, unsigned aspect)
{
	return !told || (may[l->index] & aspect) != 0;
}

void
rule_lists(struct job *j)
{
	const struct config_dnsbl *l;
	unsigned aspect;

	if (j->scan.client.family == 0)
		return;
	aspect = j->scan.client.family == AF_INET ? LIST_ASK_V4 : LIST_ASK_V6;
	TAILQ_FOREACH(l, &job_config()->dnsbls, entry) {
		if (l->kind == LIST_ADDRESSES && list_may(l, aspect))
			list_look(j, l);
	}
}

static void
list_look(struct job *j, const struct config_dnsbl *l)
{
	char name[DNS_NAME], text[INET_ADDRSTRLEN];
	const struct answer *a;
	uint32_t code;
	int32_t points;
	size_t i;

	if (netaddr_reverse(&j->scan.client, l->zone, name,
	    sizeof(name)) == -1)
		return;
	a = answers_get_list(&j->answers, l, name);
	if (a == NULL || a->status != DNS_OK)
		return;
	for (i = 0; i < a->nrec; i++) {
		if (a->rec[i].len != 4)
			continue;
		memcpy(&code, a->rec[i].data, 4);
		if (list_points(l, ntohl(code), &points) == -1)
			continue;
		if (inet_ntop(AF_INET, a->rec[i].data, text,
		    sizeof(text)) == NULL)
			continue;
		findings_add_points(&j->found,
		    points < 0 ? SYM_DNSWL : SYM_DNSBL, points, "%s=%s",
		    l->zone, text);
	}
}

int
list_points(const struct config_dnsbl *l, uint32_t code, int32_t *points)
{
	size_t i;

	if (code >> 24 != 127 || code >> 8 == 0x7fffff)
		return -1;
	for (i = 0; i < l->nranges; i++) {
		if (code >= l->ranges[i].first && code <= l->ranges[i].last) {
			*points = l->ranges[i].points;
			return 0;
		}
	}
	return -1;
}
