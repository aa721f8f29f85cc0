/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>

#include "scand/auth/auth.h"

/*
 * DMARC (RFC 9989) from answers alone: the walk up the tree (4.10), whose
 * policy it is (4.10.1), who is aligned with the author (4.10.2).  All names
 * that may be needed are noted in the first run.
 */

enum known { PENDING, UNSURE, ABSENT, FOUND };

/* Names of a walk: of 8 and more labels the last 7 follow; 4.10 step 4. */
#define WALK_LABELS	8

struct walk {
	enum known	 policy;
	struct dmarc_record record;	/* if FOUND */
	const char	*domain;	/* whose it is */
	const char	*org;		/* organizational domain, if all that
					   it depends on is known */
	int		 pending, unsure;
};

static enum known record_at(struct answers *, const char *,
		    struct dmarc_record *);
static enum known record_of(const struct answer *, struct dmarc_record *);
static void	 walk_up(struct answers *, const char *, struct walk *);
static const char *walk_next(const char *, const char *);
static const char *below(const char *, const char *);
static size_t	 labels(const char *);
static int	 policy_read(struct answers *, const char *,
		    const struct walk *, struct dmarc *);
static enum known exists(struct answers *, const char *);
static enum known aligned(struct answers *, const char *,
		    const struct walk *, const struct dmarc_id *);
static int	 related(const char *, const char *);

int
dmarc_evaluate(struct answers *a, const char *author,
    const struct dmarc_id *ids, size_t n, struct dmarc *d)
{
	struct walk w;
	enum known k;
	size_t i;
	int pending = 0, unsure = 0;

	d->result = AUTH_NONE;
	d->policy = DMARC_NONE;
	d->domain[0] = '\0';
	d->spf = d->dkim = 0;
	walk_up(a, author, &w);
	if (w.policy == PENDING)
		return 1;
	if (w.policy == UNSURE)
		d->result = AUTH_TEMPERROR;
	if (w.policy != FOUND || !w.record.usable)
		return 0;
	(void)strlcpy(d->domain, w.domain, sizeof(d->domain));
	for (i = 0; i < n; i++) {
		if (ids[i].result != AUTH_PASS &&
		    ids[i].result != AUTH_TEMPERROR)
			continue;
		k = aligned(a, author, &w, &ids[i]);
		if (k == FOUND && ids[i].result == AUTH_PASS)
			*(ids[i].spf ? &d->spf : &d->dkim) = 1;
		else if (k == PENDING)
			pending = 1;
		else if (k != ABSENT)
			unsure = 1;
	}
	d->result = d->spf || d->dkim ? AUTH_PASS : AUTH_FAIL;
	if (d->result == AUTH_FAIL && pending)
		return 1;
	/* 5.3.6: neither pass nor fail while an answer is missing. */
	if (d->result == AUTH_FAIL && unsure)
		d->result = AUTH_TEMPERROR;
	if (policy_read(a, author, &w, d))
		return 1;
	if (d->result == AUTH_TEMPERROR)
		d->policy = DMARC_NONE;
	return 0;
}

void
dmarc_ask(struct answers *a, const char *domain)
{
	struct walk w;

	walk_up(a, domain, &w);
}

/*
 * The walk, always to its end, for both purposes.
 */
static void
walk_up(struct answers *a, const char *start, struct walk *w)
{
	struct dmarc_record r, last;
	const char *name, *at = NULL;
	enum known k;

	memset(w, 0, sizeof(*w));
	memset(&last, 0, sizeof(last));
	w->policy = ABSENT;
	for (name = start; name != NULL; name = walk_next(start, name)) {
		k = record_at(a, name, &r);
		w->pending |= k == PENDING;
		w->unsure |= k == UNSURE;
		/* The author's own comes first, whatever is above. */
		if (name == start && k != ABSENT) {
			w->policy = k;
			w->domain = start;
			w->record = r;
		}
		if (k != FOUND)
			continue;
		if (r.psd == 'y' && name != start) {
			w->org = below(start, name);
			/* The suffix speaks for whom has no record. */
			if (at == NULL || strcmp(at, w->org) != 0) {
				at = name;
				last = r;
			}
			break;
		}
		at = name;
		last = r;
		if (r.psd != 'u')
			break;
	}
	if (w->org == NULL)
		w->org = at == NULL ? start : at;
	if (w->policy == ABSENT && (w->pending || w->unsure))
		w->policy = w->pending ? PENDING : UNSURE;
	else if (w->policy == ABSENT && at != NULL) {
		w->policy = FOUND;
		w->domain = at;
		w->record = last;
	}
}

/* The next name, a part of start; NULL: there is none. */
static const char *
walk_next(const char *start, const char *name)
{
	size_t n;

	if (name == start && (n = labels(start)) >= WALK_LABELS) {
		for (; n >= WALK_LABELS; n--)
			name = strchr(name, '.') + 1;
		return name;
	}
	name = strchr(name, '.');
	return name == NULL ? NULL : name + 1;
}

/* Of start, the name with one label more than upper. */
static const char *
below(const char *start, const char *upper)
{
	const char *p = upper - 1;

	while (p > start && p[-1] != '.')
		p--;
	return p;
}

static size_t
labels(const char *name)
{
	size_t n = 1;

	for (; *name != '\0'; name++)
		n += *name == '.';
	return n;
}

static enum known
record_at(struct answers *a, const char *domain, struct dmarc_record *r)
{
	const struct answer *an;
	char name[DNS_NAME];
	int n;

	n = snprintf(name, sizeof(name), "_dmarc.%s", domain);
	if (n < 0 || n > 253)
		return ABSENT;
	if ((an = answers_get(a, name, DNS_TXT)) == NULL)
		return PENDING;
	switch (an->status) {
	case DNS_OK:
		return record_of(an, r);
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		return ABSENT;
	case DNS_FAIL:
	case DNS_TIMEOUT:
		break;
	}
	return UNSURE;
}

/* 4.10 step 2: several are none. */
static enum known
record_of(const struct answer *an, struct dmarc_record *r)
{
	const struct dns_record *found = NULL;
	size_t i;

	if (an->truncated)
		return UNSURE;
	for (i = 0; i < an->nrec; i++) {
		if (!dmarc_record_is((const char *)an->rec[i].data,
		    an->rec[i].len))
			continue;
		if (found != NULL)
			return ABSENT;
		found = &an->rec[i];
	}
	return found != NULL && dmarc_record_parse((const char *)found->data,
	    found->len, r) == 0 ? FOUND : ABSENT;
}

/* 4.10.1: p= for the domain itself, sp= and np= for what is below. */
static int
policy_read(struct answers *a, const char *author, const struct walk *w,
    struct dmarc *d)
{
	const struct dmarc_record *r = &w->record;

	d->policy = r->p;
	if (strcmp(w->domain, author) != 0 && d->result != AUTH_TEMPERROR) {
		if (r->has_sp)
			d->policy = r->sp;
		if (r->has_np && r->np != d->policy) {
			switch (exists(a, author)) {
			case PENDING:
				return 1;
			case ABSENT:
				d->policy = r->np;
				break;
			case UNSURE:
				if (d->result == AUTH_FAIL)
					d->result = AUTH_TEMPERROR;
				break;
			case FOUND:
				break;
			}
		}
	}
	if (d->result == AUTH_FAIL && r->test && d->policy != DMARC_NONE)
		d->policy = d->policy == DMARC_REJECT ? DMARC_QUARANTINE :
		    DMARC_NONE;
	return 0;
}

/* 3.2.13: NXDOMAIN for any type; that of MX has often been asked. */
static enum known
exists(struct answers *a, const char *domain)
{
	const struct answer *an;

	if ((an = answers_get(a, domain, DNS_MX)) == NULL)
		return PENDING;
	if (an->status == DNS_NXDOMAIN)
		return ABSENT;
	return an->status == DNS_OK || an->status == DNS_NODATA ? FOUND :
	    UNSURE;
}

/*
 * Does a domain that vouches stand for the author?  Its organizational domain
 * is one of those above it, so if the author's is not, nothing need be asked:
 * a stranger whose name server fails must not leave the result open.
 */
static enum known
aligned(struct answers *a, const char *author, const struct walk *w,
    const struct dmarc_id *id)
{
	struct walk other;

	if (strcmp(id->domain, author) == 0)
		return FOUND;
	if (id->spf ? w->record.strict_spf : w->record.strict_dkim)
		return ABSENT;
	if (!related(id->domain, author))
		return ABSENT;
	if (!w->pending && !w->unsure && !domain_below(w->org, id->domain))
		return ABSENT;
	walk_up(a, id->domain, &other);
	if (w->pending || other.pending)
		return PENDING;
	if (w->unsure || other.unsure)
		return UNSURE;
	return strcmp(w->org, other.org) == 0 ? FOUND : ABSENT;
}

/* Have they anything in common, be it the top-level domain? */
static int
related(const char *a, const char *b)
{
	const char *x = strrchr(a, '.'), *y = strrchr(b, '.');

	return strcmp(x == NULL ? a : x + 1, y == NULL ? b : y + 1) == 0;
}
