/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/punycode.h"
#include "scand/auth/auth.h"

/*
 * DMARC for a message: its authors from all From fields, what DNS says of
 * them, and what that is worth.  With several authors each is judged and the
 * strictest policy of those that fail counts (RFC 9989 11.5).
 */

#define MAILBOXES	64	/* of a From field that are looked at */

static void	 authors_add(struct auth *, const struct mailbox *, size_t,
		    int);
static void	 author_add(struct auth *, const char *);
static int	 author_domain(const struct mailbox *, char *, size_t);
static const char *owner(const char *);
static size_t	 identities(const struct auth *, struct dmarc_id *);
static int	 alike(const char *, const char *);
static void	 result_add(struct job *, const struct dmarc *);
static const struct dmarc *worst(const struct auth *);

/*
 * The content.
 */

void
dmarc_content(struct job *j, const struct view *v)
{
	static struct mailbox m[MAILBOXES];
	const struct field *f;
	size_t i, n;
	int ours;

	/* Ours first: a crowd must not hide who is spoofed. */
	for (ours = 1; ours >= 0; ours--) {
		for (i = 0; i < v->header.nfields; i++) {
			f = &v->header.fields[i];
			if (f->id != FIELD_FROM)
				continue;
			(void)mailbox_list(f->value, f->len, m, MAILBOXES,
			    &n);
			if (n > MAILBOXES)
				j->auth.more_authors = 1;
			authors_add(&j->auth, m, n, ours);
		}
	}
	if (v->header.odd & (ODD_FIELDS | ODD_LONG))
		j->auth.more_authors = 1;
}

static void
authors_add(struct auth *a, const struct mailbox *m, size_t n, int ours)
{
	char domain[LIM_DOMAIN + 1];
	size_t i;

	for (i = 0; i < n && i < MAILBOXES; i++) {
		if (author_domain(&m[i], domain, sizeof(domain)) == 0 &&
		    (owner(domain) != NULL) == ours)
			author_add(a, domain);
	}
}

static void
author_add(struct auth *a, const char *domain)
{
	size_t i;

	for (i = 0; i < a->nauthors; i++) {
		if (strcmp(a->dmarc[i].author, domain) == 0)
			return;
	}
	if (a->nauthors == LIM_DMARC_AUTHORS) {
		a->more_authors = 1;
		return;
	}
	memset(&a->dmarc[a->nauthors], 0, sizeof(a->dmarc[0]));
	(void)strlcpy(a->dmarc[a->nauthors++].author, domain,
	    sizeof(a->dmarc[0].author));
}

/* Folded, as A-labels (RFC 9989 5.3.1).  -1: it is no name of DNS. */
static int
author_domain(const struct mailbox *m, char *dst, size_t size)
{
	const char *d = address_domain(m->address);
	size_t i;

	if (d == NULL || punycode_domain(d, dst, size) == -1)
		return -1;
	domain_fold(dst);
	for (i = 0; dst[i] != '\0'; i++) {
		if (!isalnum((unsigned char)dst[i]) &&
		    strchr("-_.", dst[i]) == NULL)
			return -1;
		if (dst[i] == '.' && (i == 0 || dst[i - 1] == '.'))
			return -1;
	}
	return i == 0 || dst[i - 1] == '.' ? -1 : 0;
}

/* The participant whose domain it is, or above it. */
static const char *
owner(const char *domain)
{
	const struct config_domain *d;

	for (; domain != NULL; domain = strchr(domain, '.')) {
		domain += *domain == '.';
		if ((d = config_domain(job_config(), domain)) != NULL)
			return d->participant->name;
	}
	return NULL;
}

/*
 * The answers.
 */

/* The authors, and who may turn out to be aligned with them. */
void
dmarc_begin(struct job *j)
{
	struct auth *a = &j->auth;
	size_t i, k;

	for (i = 0; i < a->nauthors; i++) {
		dmarc_ask(&j->answers, a->dmarc[i].author);
		if (j->sender_domain[0] != '\0' &&
		    strcmp(j->sender_domain, a->dmarc[i].author) != 0 &&
		    alike(j->sender_domain, a->dmarc[i].author))
			dmarc_ask(&j->answers, j->sender_domain);
		for (k = 0; j->dkim != NULL && k < a->nsigs; k++) {
			if (a->sigs[k].domain[0] != '\0' &&
			    strcmp(a->sigs[k].domain,
			    a->dmarc[i].author) != 0 &&
			    alike(a->sigs[k].domain, a->dmarc[i].author))
				dmarc_ask(&j->answers, a->sigs[k].domain);
		}
	}
}

void
auth_dmarc(struct job *j)
{
	struct auth *a = &j->auth;
	struct dmarc_id ids[LIM_DKIM_SIGNATURES + 1];
	const struct dmarc *d;
	size_t i, n;
	int pending = 0;

	a->nspoofed = 0;
	if (j->dkim != NULL || a->spf_open)
		return;
	n = identities(a, ids);
	for (i = 0; i < a->nauthors; i++)
		pending |= dmarc_evaluate(&j->answers, a->dmarc[i].author,
		    ids, n, &a->dmarc[i]);
	if (pending)
		return;
	if (a->more_authors)
		findings_add(&j->found, SYM_DMARC_UNCLEAR, NULL);
	if ((d = worst(a)) != NULL)
		result_add(j, d);
	auth_domain(j);
}

static size_t
identities(const struct auth *a, struct dmarc_id *ids)
{
	size_t i, n = 0;

	/* 4.4.2: MAIL FROM alone; RFC 7208 2.4 has HELO for the null one. */
	if (a->spf.domain[0] != '\0') {
		ids[n].domain = a->spf.domain;
		ids[n].result = a->spf.result;
		ids[n++].spf = 1;
	}
	for (i = 0; i < a->nsigs; i++) {
		if (a->sigs[i].domain[0] == '\0')
			continue;
		ids[n].domain = a->sigs[i].domain;
		ids[n].result = a->sigs[i].partial ? AUTH_POLICY :
		    a->sigs[i].result;
		ids[n++].spf = 0;
	}
	return n;
}

/* The last two labels are the same: most likely one organization. */
static int
alike(const char *a, const char *b)
{
	const char *s = strrchr(a, '.');

	if (s == NULL)
		return 0;
	while (s > a && s[-1] != '.')
		s--;
	return domain_below(s, b);
}

static void
result_add(struct job *j, const struct dmarc *d)
{
	static const enum symbol_id fails[] = {
		[DMARC_NONE] = SYM_DMARC_FAIL_NONE,
		[DMARC_QUARANTINE] = SYM_DMARC_FAIL_QUARANTINE,
		[DMARC_REJECT] = SYM_DMARC_FAIL_REJECT
	};
	struct auth *a = &j->auth;
	const char *name;
	size_t i;

	if (d->result == AUTH_PASS)
		findings_add(&j->found, SYM_DMARC_PASS, "%s", d->author);
	else if (d->result == AUTH_TEMPERROR)
		findings_add(&j->found, SYM_DMARC_TEMPERROR, "%s", d->author);
	else if (d->result == AUTH_NONE && symbol_points(SYM_DMARC_NONE) != 0)
		findings_add(&j->found, SYM_DMARC_NONE, "%s", d->author);
	if (d->result != AUTH_FAIL)
		return;
	if (a->forwarder) {
		findings_add(&j->found, SYM_DMARC_FORWARDED, "%s", d->author);
		return;
	}
	findings_add(&j->found, fails[d->policy], "%s", d->author);
	for (i = 0; i < a->nauthors; i++) {
		if (a->dmarc[i].result == AUTH_FAIL &&
		    a->dmarc[i].policy == DMARC_REJECT &&
		    (name = owner(a->dmarc[i].author)) != NULL)
			a->spoofed[a->nspoofed++] = name;
	}
}

/* A failure by its policy, else what is not known, else one without a record,
   else a pass. */
static const struct dmarc *
worst(const struct auth *a)
{
	const struct dmarc *d, *w = NULL;
	size_t i;
	int rank, best = -1;

	for (i = 0; i < a->nauthors; i++) {
		d = &a->dmarc[i];
		rank = d->result == AUTH_FAIL ? 3 + (int)d->policy :
		    d->result == AUTH_TEMPERROR ? 2 :
		    d->result == AUTH_NONE ? 1 : 0;
		if (rank > best) {
			best = rank;
			w = d;
		}
	}
	return w;
}
