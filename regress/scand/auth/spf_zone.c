/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "regress/scand/auth/spf_zone.h"

/*
 * The zone is a list; a question is a search through it.
 */

#define RECORDS_MAX	1000
#define QUESTIONS_MAX	300
#define CHAIN_MAX	10

enum { TYPE_TIMEOUT = 1000, TYPE_EXISTS };

struct zone_record {
	char		 name[DNS_NAME];
	int		 type;
	int		 fails;		/* of TYPE_TIMEOUT: this, or 0: all */
	uint8_t		*data;
	size_t		 len;
};

struct dns_question {
	char		 name[DNS_NAME];
	enum dns_type	 type;
	void		(*cb)(const struct dns_answer *, void *);
	void		*arg;
};

static const struct {
	const char	*name;
	int		 type;
} types[] = {
	{ "A", DNS_A }, { "AAAA", DNS_AAAA }, { "MX", DNS_MX },
	{ "PTR", DNS_PTR }, { "TXT", DNS_TXT }, { "CNAME", DNS_CNAME },
	{ "TIMEOUT", TYPE_TIMEOUT }, { "EXISTS", TYPE_EXISTS }
};

size_t			 zone_asked;

static struct zone_record records[RECORDS_MAX];
static size_t		 nrecords;
static struct dns_question questions[QUESTIONS_MAX];
static size_t		 nquestions;
static int		 warm;
static uint8_t		 texts[64 * 1024];
static size_t		 used;

static int
type_number(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	}
	errx(1, "no such type: %s", name);
}

void
zone_clear(void)
{
	nrecords = nquestions = used = zone_asked = 0;
}

void
zone_warm(int on)
{
	warm = on;
}

static void
data_put(struct zone_record *r, const void *p, size_t n)
{
	if (used + n > sizeof(texts))
		errx(1, "zone too large");
	if (n > 0)
		memcpy(texts + used, p, n);
	used += n;
	r->len += n;
}

static void
name_put(struct zone_record *r, const char *text)
{
	char name[DNS_NAME] = "";

	(void)strlcpy(name, text, sizeof(name));
	domain_fold(name);
	data_put(r, name, strlen(name));
}

void
zone_add(const char *name, const char *type, char *const *f,
    const size_t *lens, size_t n)
{
	struct zone_record *r;
	struct in6_addr in6;
	uint16_t pref;
	size_t i;

	if (nrecords == RECORDS_MAX)
		errx(1, "zone too large");
	r = &records[nrecords++];
	memset(r, 0, sizeof(*r));
	(void)strlcpy(r->name, name, sizeof(r->name));
	domain_fold(r->name);
	r->type = type_number(type);
	r->data = texts + used;
	switch (r->type) {
	case DNS_A:
	case DNS_AAAA:
		if (n != 1 || inet_pton(r->type == DNS_A ? AF_INET : AF_INET6,
		    f[0], &in6) != 1)
			errx(1, "%s: no address", name);
		data_put(r, &in6, r->type == DNS_A ? 4 : 16);
		break;
	case DNS_MX:
		pref = htons((uint16_t)strtol(f[0], NULL, 10));
		data_put(r, &pref, 2);
		name_put(r, n > 1 ? f[1] : "");
		break;
	case DNS_PTR:
	case DNS_CNAME:
		name_put(r, f[0]);
		break;
	case DNS_TXT:
		for (i = 0; i < n; i++)
			data_put(r, f[i], lens[i]);
		break;
	case TYPE_TIMEOUT:
		r->fails = n > 0 ? type_number(f[0]) : 0;
		break;
	}
}

static void
zone_answer(const char *name, enum dns_type type, struct dns_answer *a)
{
	char target[DNS_NAME];
	const struct zone_record *r;
	size_t i, chain = 0;
	int exists, fails, follow;

	memset(a, 0, sizeof(*a));
	a->ttl = 300;
	(void)strlcpy(target, name, sizeof(target));
again:
	exists = fails = follow = 0;
	for (i = 0; i < nrecords; i++) {
		r = &records[i];
		if (strcasecmp(r->name, target) != 0)
			continue;
		exists = 1;
		if (r->type == (int)type && a->nrec < DNS_RECORDS) {
			a->rec[a->nrec].data = r->data;
			a->rec[a->nrec++].len = (uint16_t)r->len;
		} else if (r->type == (int)type)
			a->truncated = 1;
		else if (r->type == TYPE_TIMEOUT &&
		    (r->fails == 0 || r->fails == (int)type))
			fails = 1;
		else if (r->type == DNS_CNAME && !follow) {
			memcpy(target, r->data, r->len);
			target[r->len] = '\0';
			follow = 1;
			break;
		}
	}
	if (a->nrec > 0)
		a->status = DNS_OK;
	else if (follow && ++chain < CHAIN_MAX)
		goto again;
	else if (follow || fails)
		a->status = DNS_FAIL;
	else
		a->status = exists ? DNS_NODATA : DNS_NXDOMAIN;
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	struct dns_question *q;

	(void)ms;
	if (nquestions == QUESTIONS_MAX)
		errx(1, "too many questions");
	q = &questions[nquestions++];
	(void)strlcpy(q->name, name, sizeof(q->name));
	q->type = type;
	q->cb = cb;
	q->arg = arg;
	zone_asked++;
	return q;
}

void
dns_cancel(struct dns_question *q)
{
	if (q != NULL)
		q->cb = NULL;
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	if (!warm)
		return 0;
	zone_answer(name, type, a);
	return 1;
}

size_t
zone_deliver(void)
{
	static struct dns_answer a;
	size_t i, n = nquestions;

	for (i = 0; i < n; i++) {
		zone_answer(questions[i].name, questions[i].type, &a);
		if (questions[i].cb != NULL)
			questions[i].cb(&a, questions[i].arg);
	}
	nquestions = 0;
	return n;
}
