/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "regress/scand/auth/zone.h"

/* See zone.h. */

struct record {
	TAILQ_ENTRY(record)	 entry;
	char			 name[DNS_NAME];
	enum dns_type		 type;
	enum dns_status		 status;
	uint8_t			*data;
	uint16_t		 len;
};
static TAILQ_HEAD(, record) zone = TAILQ_HEAD_INITIALIZER(zone);

struct dns_question {
	TAILQ_ENTRY(dns_question) entry;
	char		 name[DNS_NAME];
	enum dns_type	 type;
	void		(*cb)(const struct dns_answer *, void *);
	void		*arg;
};
static TAILQ_HEAD(open, dns_question) questions =
    TAILQ_HEAD_INITIALIZER(questions);

unsigned	 zone_asked;
int		 zone_known;

void
zone_add(const char *name, enum dns_type type, enum dns_status status,
    const void *data, size_t len)
{
	struct record *r = calloc(1, sizeof(*r));

	if (r == NULL || len > DNS_DATA ||
	    (r->data = malloc(len == 0 ? 1 : len)) == NULL)
		abort();
	(void)strlcpy(r->name, name, sizeof(r->name));
	r->type = type;
	r->status = status;
	memcpy(r->data, data, len);
	r->len = (uint16_t)len;
	TAILQ_INSERT_TAIL(&zone, r, entry);
}

void
zone_txt(const char *name, const char *text)
{
	zone_add(name, DNS_TXT, DNS_OK, text, strlen(text));
}

void
zone_clear(void)
{
	struct record *r;

	while ((r = TAILQ_FIRST(&zone)) != NULL) {
		TAILQ_REMOVE(&zone, r, entry);
		free(r->data);
		free(r);
	}
}

static int
is_above(const char *name, const char *lower)
{
	size_t n = strlen(name), m = strlen(lower);

	return m > n && lower[m - n - 1] == '.' &&
	    strcmp(lower + m - n, name) == 0;
}

static void
look(const char *name, enum dns_type type, struct dns_answer *a)
{
	char target[DNS_NAME];
	struct record *r;

	memset(a, 0, sizeof(*a));
	a->ttl = 300;
	a->status = DNS_NXDOMAIN;
	TAILQ_FOREACH(r, &zone, entry) {
		if (a->status == DNS_NXDOMAIN && (is_above(name, r->name) ||
		    strcmp(name, r->name) == 0))
			a->status = DNS_NODATA;
		if (strcmp(name, r->name) != 0)
			continue;
		if (r->status != DNS_OK) {
			a->status = r->status;
			return;
		}
		if (r->type == DNS_CNAME && type != DNS_CNAME) {
			memcpy(target, r->data, r->len);
			target[r->len] = '\0';
			look(target, type, a);
			return;
		}
		if (r->type != type || a->nrec == DNS_RECORDS)
			continue;
		a->status = DNS_OK;
		a->rec[a->nrec].data = r->data;
		a->rec[a->nrec++].len = r->len;
	}
}

static int
answer(struct dns_question *q)
{
	static struct dns_answer a;

	if (q == NULL)
		return 0;
	look(q->name, q->type, &a);
	TAILQ_REMOVE(&questions, q, entry);
	q->cb(&a, q->arg);
	free(q);
	return 1;
}

int
zone_step(void)
{
	return answer(TAILQ_FIRST(&questions));
}

size_t
zone_answer(void)
{
	size_t n = 0;

	while (answer(TAILQ_LAST(&questions, open)))
		n++;
	return n;
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	struct dns_question *q = calloc(1, sizeof(*q));

	(void)ms;
	if (q == NULL)
		return NULL;
	(void)strlcpy(q->name, name, sizeof(q->name));
	q->type = type;
	q->cb = cb;
	q->arg = arg;
	TAILQ_INSERT_TAIL(&questions, q, entry);
	zone_asked++;
	return q;
}

void
dns_cancel(struct dns_question *q)
{
	if (q == NULL)
		return;
	TAILQ_REMOVE(&questions, q, entry);
	free(q);
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	if (!zone_known)
		return 0;
	look(name, type, a);
	return a->status <= DNS_NXDOMAIN;
}
