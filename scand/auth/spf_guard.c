/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/auth/spf.h"
#include "scand/scand.h"

/*
 * The guard during one evaluation.  libspf2 asks for records and addresses by
 * names of ours; the guard finds the term that such a name stands for, counts
 * it, and reads the answers of the message.  It stops at the first error,
 * which is the result of the whole evaluation wherever it occurs (RFC 7208
 * 5.2, 6.1), and at the first answer that is not known yet.
 */

static const struct spf_record *term_find(struct spf_guard *, const char *,
		    const char *, struct spf_place *, struct spf_term *);
static int	 term_count(struct spf_guard *, const struct spf_record *);
static int	 void_count(struct spf_guard *, const struct spf_record *);
static int	 record_load(struct spf_guard *, const struct spf_record *,
		    const struct spf_term *);
static int	 record_read(struct spf_guard *, struct spf_record *,
		    enum spf_result);
static int	 name_addresses(struct spf_guard *, const struct spf_record *,
		    const struct spf_term *, struct spf_found *);
static int	 host_addresses(struct spf_guard *, const struct spf_record *,
		    const struct spf_term *, size_t, struct spf_found *);
static int	 client_names(struct spf_guard *, const struct spf_record *,
		    const struct spf_term *, struct spf_found *);
static int	 found_records(struct spf_guard *, const struct spf_record *,
		    const struct spf_term *, const struct answer *,
		    struct spf_found *);

int
spf_guard_begin(struct spf_guard *g, const char *domain)
{
	struct spf_record *r = &g->records[0];

	g->nrecords = g->top = 0;
	g->terms = g->voids = 0;
	g->stopped = 0;
	g->result = SPF_PENDING;
	g->problem = NULL;
	g->where[0] = '\0';
	(void)strlcpy(r->domain, domain, sizeof(r->domain));
	r->parent = -1;
	return record_read(g, r, SPF_NONE);
}

int
spf_guard_stop(struct spf_guard *g, enum spf_result result, const char *where,
    const char *problem)
{
	g->stopped = 1;
	g->result = result;
	g->problem = problem;
	if (where != NULL)
		(void)strlcpy(g->where, where, sizeof(g->where));
	return -1;
}

int
spf_guard_policy(struct spf_guard *g, const char *name, char *dst,
    size_t dstsize)
{
	const struct spf_record *r;
	struct spf_place p;
	struct spf_term t;
	size_t index, off;

	if (g->stopped || (r = term_find(g, name, "pt", &p, &t)) == NULL)
		return -1;
	if (p.kind == 'p') {
		index = p.record;
		off = p.off;
	} else {
		if (term_count(g, r) == -1 || record_load(g, r, &t) == -1)
			return -1;
		index = g->nrecords - 1;
		off = SPF_VERSION_LEN;
	}
	if (spf_rewrite(&g->records[index], index, off,
	    g->vars.client->family, dst, dstsize) == -1)
		return spf_guard_stop(g, SPF_TEMPERROR, r->domain,
		    "no room for a record");
	return 0;
}

int
spf_guard_addresses(struct spf_guard *g, const char *name,
    struct spf_found *f)
{
	const struct spf_record *r;
	struct spf_place p;
	struct spf_term t;

	f->n = 0;
	f->rec = NULL;
	if (g->stopped || (r = term_find(g, name, "tm", &p, &t)) == NULL)
		return -1;
	if (p.kind == 'm')
		return host_addresses(g, r, &t, p.host, f);
	if (term_count(g, r) == -1)
		return -1;
	if (t.mech == SPF_PTR)
		return client_names(g, r, &t, f);
	return name_addresses(g, r, &t, f);
}

int
spf_guard_hosts(struct spf_guard *g, const char *name, struct spf_place *p,
    size_t *n)
{
	char target[DNS_NAME];
	const struct spf_record *r;
	const struct answer *a;
	struct spf_term t;
	int status;

	*n = 0;
	if (g->stopped || (r = term_find(g, name, "t", p, &t)) == NULL ||
	    term_count(g, r) == -1)
		return -1;
	if ((status = spf_guard_target(g, r, &t, target)) != 0)
		return status == 1 ? 0 : -1;
	if ((a = spf_guard_ask(g, target, DNS_MX)) == NULL) {
		spf_ahead(g, p->record, t.end);
		return -1;
	}
	if (spf_answer_failed(a, DNS_MX))
		return spf_guard_stop(g, SPF_TEMPERROR, r->domain,
		    "DNS did not answer for an \"mx\"");
	if (a->nrec > LIM_SPF_MX)
		return spf_guard_stop(g, SPF_PERMERROR, r->domain,
		    "an \"mx\" with too many exchanges");
	if (a->nrec == 0)
		return void_count(g, r);
	*n = a->nrec;
	return 0;
}

/* 6.2: whatever is wrong with it, there is no explanation then. */
int
spf_guard_explain(struct spf_guard *g, char *dst, size_t dstsize)
{
	char target[DNS_NAME];
	const struct spf_record *r = &g->records[g->top];
	const struct answer *a;
	const char *p, *why;
	struct spf_term t;
	size_t off = r->exp;
	int status;

	*dst = '\0';
	if (r->exp == 0 || spf_term_read(r, &off, &t, &why) != 1)
		return 0;
	if ((status = spf_guard_target(g, r, &t, target)) != 0)
		return status == 1 ? 0 : -1;
	if ((a = spf_guard_ask(g, target, DNS_TXT)) == NULL)
		return -1;
	if (spf_answer_failed(a, DNS_TXT) || a->nrec != 1 ||
	    a->rec[0].len > LIM_SPF_EXP)
		return 0;
	p = (const char *)a->rec[0].data;
	if (!spf_macro_valid(p, a->rec[0].len, SPF_MACRO_TEXT))
		return 0;
	if (spf_macro_text(p, a->rec[0].len, &g->vars, dst, dstsize) == -1) {
		*dst = '\0';
		return -1;
	}
	return 0;
}

const struct answer *
spf_guard_ask(struct spf_guard *g, const char *name, enum dns_type type)
{
	const struct answer *a = answers_get(g->answers, name, type);

	if (a == NULL)
		(void)spf_guard_stop(g, SPF_PENDING, NULL, NULL);
	return a;
}

int
spf_guard_target(struct spf_guard *g, const struct spf_record *r,
    const struct spf_term *t, char dst[DNS_NAME])
{
	int status;

	g->vars.current = r->domain;
	if (t->speclen == 0) {
		(void)strlcpy(dst, r->domain, DNS_NAME);
		return 0;
	}
	status = spf_macro_name(t->spec, t->speclen, &g->vars, dst);
	if (status == -1)
		(void)spf_guard_stop(g, SPF_PENDING, NULL, NULL);
	return status;
}

enum dns_type
spf_guard_family(const struct spf_guard *g)
{
	return g->vars.client->family == AF_INET ? DNS_A : DNS_AAAA;
}

size_t
spf_guard_select(const struct answer *a, struct spf_record *r)
{
	size_t i, n = 0;

	for (i = 0; i < a->nrec; i++) {
		if (!spf_record_is(a->rec[i].data, a->rec[i].len))
			continue;
		r->text = (const char *)a->rec[i].data;
		r->len = a->rec[i].len;
		n++;
	}
	return n;
}

/* The record and the term that one of our names of these kinds stands for. */
static const struct spf_record *
term_find(struct spf_guard *g, const char *name, const char *kinds,
    struct spf_place *p, struct spf_term *t)
{
	const struct spf_record *r;
	const char *why;
	size_t off;

	memset(t, 0, sizeof(*t));
	if (spf_place_read(name, p) == -1 || p->record >= g->nrecords ||
	    strchr(kinds, p->kind) == NULL)
		goto fail;
	r = &g->records[p->record];
	off = p->off;
	if (off < SPF_VERSION_LEN || off > r->len)
		goto fail;
	if (p->kind != 'p' && spf_term_read(r, &off, t, &why) != 1)
		goto fail;
	return r;
fail:
	(void)spf_guard_stop(g, SPF_TEMPERROR, NULL, "confused by libspf2");
	return NULL;
}

static int
term_count(struct spf_guard *g, const struct spf_record *r)
{
	if (++g->terms > LIM_SPF_TERMS)
		return spf_guard_stop(g, SPF_PERMERROR, r->domain,
		    "too many terms that ask DNS");
	return 0;
}

/* 4.6.4: terms are counted, not questions. */
static int
void_count(struct spf_guard *g, const struct spf_record *r)
{
	if (++g->voids > LIM_SPF_VOIDS)
		return spf_guard_stop(g, SPF_PERMERROR, r->domain,
		    "too many terms that DNS knows nothing of");
	return 0;
}

/* The record that an include or a redirect means, as the last one. */
static int
record_load(struct spf_guard *g, const struct spf_record *from,
    const struct spf_term *t)
{
	struct spf_record *r = &g->records[g->nrecords];
	int status;

	/* term_count() has seen to it that there is room. */
	status = spf_guard_target(g, from, t, r->domain);
	if (status == -1)
		return -1;
	if (status == 1)
		return spf_guard_stop(g, SPF_PERMERROR, from->domain,
		    "a name that cannot have a record");
	r->parent = (int)(from - g->records);
	r->resume = t->mech == SPF_INCLUDE ? t->end : from->len;
	if (record_read(g, r, SPF_PERMERROR) == -1)
		return -1;
	if (t->mech == SPF_REDIRECT && from == &g->records[g->top])
		g->top = g->nrecords - 1;
	return 0;
}

/* 4.4, 4.5, and 4.6 for the whole of it.  none: where there is no record. */
static int
record_read(struct spf_guard *g, struct spf_record *r, enum spf_result none)
{
	const struct answer *a;
	const char *why;
	size_t n;

	if ((a = spf_guard_ask(g, r->domain, DNS_TXT)) == NULL) {
		if (r->parent >= 0)
			spf_ahead(g, (size_t)r->parent, r->resume);
		return -1;
	}
	if (spf_answer_failed(a, DNS_TXT))
		return spf_guard_stop(g, SPF_TEMPERROR, r->domain,
		    "DNS did not answer for a record");
	n = spf_guard_select(a, r);
	if (n == 0)
		return spf_guard_stop(g, none, r->domain,
		    none == SPF_NONE ? NULL : "there is no record");
	if (n > 1)
		return spf_guard_stop(g, SPF_PERMERROR, r->domain,
		    "more than one record");
	if (r->len > LIM_SPF_RECORD)
		return spf_guard_stop(g, SPF_PERMERROR, r->domain,
		    "a record that is too long");
	if (spf_record_check(r, &why) == -1)
		return spf_guard_stop(g, SPF_PERMERROR, r->domain, why);
	g->nrecords++;
	return 0;
}

/* "a" and "exists". */
static int
name_addresses(struct spf_guard *g, const struct spf_record *r,
    const struct spf_term *t, struct spf_found *f)
{
	char target[DNS_NAME];
	const struct answer *a;
	enum dns_type type;
	int status;

	if ((status = spf_guard_target(g, r, t, target)) != 0)
		return status == 1 ? 0 : -1;
	/* 5.7: whatever the client has. */
	type = t->mech == SPF_EXISTS ? DNS_A : spf_guard_family(g);
	if ((a = spf_guard_ask(g, target, type)) == NULL) {
		spf_ahead(g, (size_t)(r - g->records), t->end);
		return -1;
	}
	if (spf_answer_failed(a, type))
		return spf_guard_stop(g, SPF_TEMPERROR, r->domain,
		    "DNS did not answer for an address");
	if (a->nrec == 0)
		return void_count(g, r);
	return found_records(g, r, t, a, f);
}

/* One exchange of an "mx", of which MX and count are known. */
static int
host_addresses(struct spf_guard *g, const struct spf_record *r,
    const struct spf_term *t, size_t host, struct spf_found *f)
{
	char target[DNS_NAME], name[DNS_NAME];
	const struct answer *mx, *a;
	enum dns_type type = spf_guard_family(g);
	size_t i;

	if (spf_guard_target(g, r, t, target) != 0 ||
	    (mx = spf_guard_ask(g, target, DNS_MX)) == NULL)
		return -1;
	if (spf_mx_name(mx, host, name) == -1)
		return 0;
	if ((a = spf_guard_ask(g, name, type)) == NULL) {
		for (i = host + 1; i < mx->nrec; i++) {
			if (spf_mx_name(mx, i, name) == 0)
				(void)answers_get(g->answers, name, type);
		}
		spf_ahead(g, (size_t)(r - g->records), t->end);
		return -1;
	}
	if (spf_answer_failed(a, type))
		return spf_guard_stop(g, SPF_TEMPERROR, r->domain,
		    "DNS did not answer for an exchange");
	return a->nrec == 0 ? 0 : found_records(g, r, t, a, f);
}

/* "ptr": libspf2 sees whether there is one. */
static int
client_names(struct spf_guard *g, const struct spf_record *r,
    const struct spf_term *t, struct spf_found *f)
{
	char target[DNS_NAME];
	int status, isvoid = 0;

	if ((status = spf_guard_target(g, r, t, target)) != 0)
		return status == 1 ? 0 : -1;
	if ((status = spf_ptr_match(g, target, &isvoid)) == -1) {
		spf_ahead(g, (size_t)(r - g->records), t->end);
		return -1;
	}
	if (isvoid)
		return void_count(g, r);
	f->n = status == 1;
	return 0;
}

static int
found_records(struct spf_guard *g, const struct spf_record *r,
    const struct spf_term *t, const struct answer *a, struct spf_found *f)
{
	int v4 = g->vars.client->family == AF_INET;
	size_t i;

	/* For an "exists", and for /0, it is enough that there are any. */
	if (t->mech == SPF_EXISTS || (v4 ? t->cidr4 : t->cidr6) == 0) {
		f->n = 1;
		return 0;
	}
	for (i = 0; i < a->nrec; i++) {
		if (a->rec[i].len != (v4 ? 4 : 16))
			return spf_guard_stop(g, SPF_TEMPERROR, r->domain,
			    "DNS did not answer for an address");
	}
	f->n = a->nrec;
	f->rec = a->rec;
	return 0;
}
