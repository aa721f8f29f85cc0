/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>

#include "common/loop.h"
#include "scand/scand.h"

/*
 * From findings to a decision: the only place that decides.  Each policy
 * class gets an action of its own; the front puts them together.
 */

#define SCORE_MAX	1000000000	/* no sum of points overflows */
#define LINE_OCTETS	78		/* RFC 5322 2.1.1: should not exceed */

static struct symbol_hit	hits[LIM_SYMBOLS];
static char			trace[LIM_TRACE];
static char			report[LIM_REPORT];

static int32_t	score_sum(const struct findings *);
static int32_t	score_lift(struct job *);
static int	is_lifting(const struct hit *);
static int	decides(const struct policy *, const struct auth *, int);
static void	reply_text(const struct job *, struct verdict *);
static void	reply_refusal(const struct job *, const struct hit *,
		    char *, size_t);
static const struct hit *reply_finding(const struct job *);
static void	trace_make(const struct job *, const struct verdict *);
static size_t	trace_score(const struct job *, int32_t, char *, size_t);
static size_t	trace_symbols(const struct findings *, char *, size_t);
static int	policies_agree(const struct scan *);

void
verdict_make(struct job *j, struct verdict *v)
{
	const struct findings *f = &j->found;
	size_t i;

	memset(v, 0, sizeof(*v));
	(void)strlcpy(v->id, j->scan.id, sizeof(v->id));
	v->score = score_lift(j);
	v->ms = (uint32_t)(clock_ms() - j->started);
	v->nactions = j->scan.npolicies;
	for (i = 0; i < v->nactions; i++)
		v->actions[i] = (uint8_t)verdict_action(&j->scan.policies[i],
		    j->scan.class, f, &j->auth, v->score);
	v->hits = hits;
	v->nhits = f->n;
	for (i = 0; i < f->n; i++) {
		(void)strlcpy(hits[i].name, symbol(f->v[i].id)->name,
		    sizeof(hits[i].name));
		hits[i].points = f->v[i].points;
		(void)strlcpy(hits[i].detail, hit_detail(f, &f->v[i]),
		    sizeof(hits[i].detail));
	}
	(void)strlcpy(v->rdns, j->auth.rdns, sizeof(v->rdns));
	(void)strlcpy(v->domain, j->auth.domain, sizeof(v->domain));
	reply_text(j, v);
	trace_make(j, v);
	v->trace = trace;
	if (j->scan.flags & SCAN_EXPLAIN) {
		report_make(j, v, report, sizeof(report));
		v->report = report;
	}
}

void
verdict_tempfail(const struct scan *s, struct verdict *v)
{
	size_t i;

	memset(v, 0, sizeof(*v));
	(void)strlcpy(v->id, s->id, sizeof(v->id));
	v->nactions = s->npolicies;
	for (i = 0; i < v->nactions; i++)
		v->actions[i] = ACTION_TEMPFAIL;
	(void)strlcpy(v->reply,
	    "4.3.0 Message could not be checked, please try again later.",
	    sizeof(v->reply));
}

enum action
verdict_action(const struct policy *p, enum session_class class,
    const struct findings *f, const struct auth *auth, int32_t score)
{
	enum action a = ACTION_ACCEPT;
	size_t i;
	int d;

	for (i = 0; i < f->n; i++) {
		if (is_lifting(&f->v[i]) && score < p->greylist_at)
			score = p->greylist_at;
	}
	if (p->role != POLICY_POSTMASTER) {
		if (score >= p->reject_at)
			a = ACTION_REJECT;
		else if (score >= p->greylist_at)
			a = ACTION_GREYLIST;
	}
	for (i = 0; i < f->n; i++) {
		d = symbol(f->v[i].id)->decisive;
		if (d != -1 && decides(p, auth, d) > (int)a)
			a = (enum action)decides(p, auth, d);
	}
	if (a < job_config()->antivirus_down &&
	    findings_has(f, SYM_ANTIVIRUS_DOWN))
		a = job_config()->antivirus_down;
	/* Machines that we know are not made to wait, and complaints come
	   through. */
	if (a == ACTION_GREYLIST && (class != CLASS_INBOUND ||
	    p->role == POLICY_POSTMASTER))
		a = ACTION_ACCEPT;
	return a;
}

/*
 * What a policy does with a decisive finding.  Mail in the name of its own
 * recipient's domains is refused where DMARC allows it, and asks for it;
 * DMARC is of the score's kind otherwise, which postmasters are spared.
 */
static int
decides(const struct policy *p, const struct auth *auth, int d)
{
	size_t i;

	if (d != DECISIVE_DMARC)
		return p->decisive[d];
	if (p->role == POLICY_POSTMASTER)
		return ACTION_ACCEPT;
	for (i = 0; i < auth->nspoofed; i++) {
		if (strcmp(auth->spoofed[i], p->participant) == 0)
			return ACTION_REJECT;
	}
	return p->decisive[d];
}

/* RFC 9989 4.7: such mail is suspicious, so it has to come twice. */
static int
is_lifting(const struct hit *v)
{
	return (v->id == SYM_DMARC_FAIL_QUARANTINE ||
	    v->id == SYM_DMARC_FAIL_REJECT) && symbol_points(v->id) != 0;
}

/* The score, for which the points of such a finding are raised to what the
   lowest threshold wants; verdict_action() sees to the others. */
static int32_t
score_lift(struct job *j)
{
	struct findings *f = &j->found;
	int32_t sum = score_sum(f), at = sum;
	size_t i;

	for (i = 0; i < j->scan.npolicies; i++) {
		if (i == 0 || j->scan.policies[i].greylist_at < at)
			at = j->scan.policies[i].greylist_at;
	}
	for (i = 0; i < f->n; i++) {
		if (!is_lifting(&f->v[i]) || sum >= at)
			continue;
		f->v[i].points += at - sum;
		sum = at;
	}
	return sum;
}

static int32_t
score_sum(const struct findings *f)
{
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < f->n; i++)
		sum += f->v[i].points;
	if (sum > SCORE_MAX)
		sum = SCORE_MAX;
	if (sum < -SCORE_MAX)
		sum = -SCORE_MAX;
	return (int32_t)sum;
}

/*
 * One text for all policies: when their actions differ, the front answers with
 * one of its own.  The word SPAM stands in the published dialogue.
 */
static void
reply_text(const struct job *j, struct verdict *v)
{
	const struct hit *f;
	enum action worst = ACTION_ACCEPT;
	size_t i;

	for (i = 0; i < v->nactions; i++) {
		if (v->actions[i] > worst)
			worst = v->actions[i];
	}
	if (worst == ACTION_TEMPFAIL)
		(void)strlcpy(v->reply, "4.7.1 Message deferred by policy.",
		    sizeof(v->reply));
	if (worst != ACTION_REJECT)
		return;
	if ((f = reply_finding(j)) != NULL)
		reply_refusal(j, f, v->reply, sizeof(v->reply));
	else
		(void)strlcpy(v->reply,
		    "5.7.1 Message rejected: SPAM message rejected.",
		    sizeof(v->reply));
}

/* What it is, and the file that it was found in. */
static void
reply_refusal(const struct job *j, const struct hit *f, char *buf,
    size_t size)
{
	static const struct {
		enum symbol_id	 id;
		const char	*text;
	} texts[] = {
		{ SYM_MACRO, "Office document with macros" },
		{ SYM_MACRO_UNREADABLE,
		    "Office document with unreadable macros" },
		{ SYM_OLE_PACKAGE, "Office document with a program in it" },
		{ SYM_PDF_ENCRYPTED, "encrypted PDF document" },
		{ SYM_PDF_OWNER, "encrypted PDF document" },
		{ SYM_ARCHIVE_ENCRYPTED, "encrypted archive" },
		{ SYM_ARCHIVE_HALF_ENCRYPTED, "encrypted archive" },
		{ SYM_OFFICE_ENCRYPTED, "encrypted Office document" },
		{ SYM_MESSAGE_PARTIAL, "piece of a message" },
		{ SYM_OPAQUE, "attachment that cannot be looked into" },
		{ SYM_OVER_BUDGET, "attachment that cannot be looked into" },
	};
	const char *file = NULL;
	size_t i;

	if (symbol(f->id)->decisive == DECISIVE_DMARC) {
		/* RFC 7372 3.3 */
		(void)snprintf(buf, size, "550 5.7.26 Message rejected: not "
		    "authenticated, and %s asks to reject that (DMARC).",
		    hit_detail(&j->found, f));
		return;
	}
	for (i = 0; i < j->nblames; i++) {
		if (j->blames[i].id == f->id)
			file = j->blames[i].file;
	}
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].id == f->id && file != NULL) {
			(void)snprintf(buf, size,
			    "5.7.1 Message rejected: %s: %s", texts[i].text,
			    file);
			return;
		}
	}
	(void)snprintf(buf, size, "5.7.1 Message rejected: %s found (%s).",
	    symbol(f->id)->name, hit_detail(&j->found, f));
}

/* What is decisive and refused by some policy; the gravest kind first. */
static const struct hit *
reply_finding(const struct job *j)
{
	const struct hit *best = NULL, *f;
	size_t i, k;
	int d;

	for (i = 0; i < j->found.n; i++) {
		f = &j->found.v[i];
		if ((d = symbol(f->id)->decisive) == -1)
			continue;
		for (k = 0; k < j->scan.npolicies; k++) {
			if (decides(&j->scan.policies[k], &j->auth, d) ==
			    ACTION_REJECT)
				break;
		}
		if (k < j->scan.npolicies && (best == NULL ||
		    d < symbol(best->id)->decisive))
			best = f;
	}
	return best;
}

static void
trace_make(const struct job *j, const struct verdict *v)
{
	size_t len;

	len = authres_print(j, job_config()->service, trace, sizeof(trace));
	len += trace_score(j, v->score, trace + len, sizeof(trace) - len);
	len += trace_symbols(&j->found, trace + len, sizeof(trace) - len);
	trace[len] = '\0';
}

static size_t
trace_score(const struct job *j, int32_t score, char *buf, size_t size)
{
	const struct policy *p = &j->scan.policies[0];
	char limits[64] = "";
	int n;

	if (policies_agree(&j->scan))
		(void)snprintf(limits, sizeof(limits),
		    " (greylist %.2f, reject %.2f)", p->greylist_at / 100.0,
		    p->reject_at / 100.0);
	n = snprintf(buf, size, "X-Pfoertner-Score: %.2f%s\r\n",
	    score / 100.0, limits);
	return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

static int
policies_agree(const struct scan *s)
{
	size_t i;

	for (i = 1; i < s->npolicies; i++) {
		if (s->policies[i].greylist_at != s->policies[0].greylist_at ||
		    s->policies[i].reject_at != s->policies[0].reject_at)
			return 0;
	}
	return s->npolicies > 0;
}

static size_t
trace_symbols(const struct findings *f, char *buf, size_t size)
{
	char item[LIM_SYMNAME + 32];
	size_t len, column, i;
	int n;

	len = strlcpy(buf, "X-Pfoertner-Symbols:", size);
	if (len >= size)
		return 0;
	column = len;
	for (i = 0; i < f->n || i == 0; i++) {
		if (f->n == 0)
			n = snprintf(item, sizeof(item), " none");
		else
			n = snprintf(item, sizeof(item), " %s(%.2f)%s",
			    symbol(f->v[i].id)->name, f->v[i].points / 100.0,
			    i + 1 < f->n ? "," : "");
		if (n < 0 || (size_t)n >= sizeof(item) ||
		    len + (size_t)n + 6 > size)
			break;
		/* The blank of the item becomes that of the fold. */
		if (i > 0 && column + (size_t)n > LINE_OCTETS) {
			memcpy(buf + len, "\r\n", 2);
			len += 2;
			column = 0;
		}
		memcpy(buf + len, item, (size_t)n);
		len += (size_t)n;
		column += (size_t)n;
	}
	memcpy(buf + len, "\r\n", 3);
	return len + 2;
}
