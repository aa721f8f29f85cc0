/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/socket.h>

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/cidr.h"
#include "common/punycode.h"
#include "scand/scand.h"

/*
 * Authentication-Results (RFC 8601), for inbound mail, under the service name
 * that all nodes share: each method begins a line of its own.
 *
 * A message may bring such a field in our name.  RFC 8601 5 would have it
 * removed; as nothing is ever altered, it is told by a symbol instead, and ours
 * stands above it: only the first one counts.
 */

#define LINE_OCTETS	78		/* RFC 5322 2.1.1: should not exceed */

struct out {
	char	*buf;
	size_t	 len, size, column;
	int	 full;
};

static int	 names_us(const struct field *);
static const char *comments_skip(const char *, const char *);
static void	 out_iprev(struct out *, const struct job *);
static void	 out_spf(struct out *, const struct spf_outcome *,
		    const char *, const char *);
static int	 is_printable(const char *);
static void	 out_dkim(struct out *, const struct dkim_result *);
static void	 out_dmarc(struct out *, const struct dmarc *);
static void	 out_arc(struct out *, const struct job *);
static void	 method(struct out *, const char *, const char *);
static void	 token(struct out *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static void	 property(struct out *, const char *, const char *);
static void	 put(struct out *, const char *, size_t);

static const char *const iprev_names[] = {
	[IPREV_PASS] = "pass", [IPREV_FAIL] = "fail",
	[IPREV_TEMPERROR] = "temperror", [IPREV_PERMERROR] = "permerror"
};
static const char *const result_names[] = {
	[AUTH_NONE] = "none", [AUTH_PASS] = "pass", [AUTH_FAIL] = "fail",
	[AUTH_SOFTFAIL] = "softfail", [AUTH_NEUTRAL] = "neutral",
	[AUTH_POLICY] = "policy", [AUTH_TEMPERROR] = "temperror",
	[AUTH_PERMERROR] = "permerror"
};
static const char *const policy_names[] = {
	[DMARC_NONE] = "none", [DMARC_QUARANTINE] = "quarantine",
	[DMARC_REJECT] = "reject"
};

void
authres_content(struct job *j, const struct view *v)
{
	const struct header *h = &v->header;
	size_t i;

	if (h->count[FIELD_AUTHRES] == 0)
		return;
	for (i = 0; i < h->nfields; i++) {
		if (h->fields[i].id == FIELD_AUTHRES &&
		    names_us(&h->fields[i])) {
			findings_add(&j->found, SYM_AUTHRES_FORGED, "%s",
			    job_config()->service);
			return;
		}
	}
}

/* RFC 8601 2.2: authserv-id is a token or a quoted string, amid comments. */
static int
names_us(const struct field *f)
{
	char text[LIM_DOMAIN + 1], id[LIM_DOMAIN + 1];
	const char *p, *end = f->value + f->len;
	size_t n = 0;
	int quoted;

	p = comments_skip(f->value, end);
	if ((quoted = p < end && *p == '"'))
		p++;
	for (; p < end && n + 1 < sizeof(text); p++) {
		if (quoted ? *p == '"' : strchr("; \t\r\n(", *p) != NULL)
			break;
		if (quoted && *p == '\\' && p + 1 < end)
			p++;
		text[n++] = *p;
	}
	text[n] = '\0';
	if (punycode_domain(text, id, sizeof(id)) == -1)
		return 0;
	domain_fold(id);
	return strcmp(id, job_config()->service) == 0;
}

/* RFC 5322 3.2.2 */
static const char *
comments_skip(const char *p, const char *end)
{
	int depth = 0;

	for (; p < end; p++) {
		if (*p == '(')
			depth++;
		else if (*p == ')' && depth > 0)
			depth--;
		else if (*p == '\\' && depth > 0 && p + 1 < end)
			p++;
		else if (depth == 0 && strchr(" \t\r\n", *p) == NULL)
			break;
	}
	return p;
}

size_t
authres_print(const struct job *j, const char *service, char *buf,
    size_t size)
{
	const struct auth *a = &j->auth;
	struct out o = { buf, 0, size, 0, 0 };
	size_t i;

	if (j->scan.class != CLASS_INBOUND)
		return 0;
	put(&o, "Authentication-Results:", 23);
	token(&o, "%s", service);
	if (a->iprev != IPREV_NONE)
		out_iprev(&o, j);
	if (j->scan.sender[0] == '\0')
		out_spf(&o, &a->spf, "smtp.helo", j->scan.helo);
	else
		out_spf(&o, &a->spf, "smtp.mailfrom",
		    address_domain(j->scan.sender));
	if (a->helo.domain[0] != '\0')
		out_spf(&o, &a->helo, "smtp.helo", NULL);
	for (i = 0; i < a->nsigs; i++)
		out_dkim(&o, &a->sigs[i]);
	if (a->nsigs == 0)
		method(&o, "dkim", "none");
	for (i = 0; i < a->nauthors; i++)
		out_dmarc(&o, &a->dmarc[i]);
	if (a->nauthors == 0)
		method(&o, "dmarc", "none");
	if (a->arc == AUTH_PASS || a->arc == AUTH_FAIL)
		out_arc(&o, j);
	put(&o, "\r\n", 2);
	return o.full ? 0 : o.len;
}

static void
out_iprev(struct out *o, const struct job *j)
{
	char addr[NETADDR_STRLEN];

	method(o, "iprev", iprev_names[j->auth.iprev]);
	if (j->auth.rdns[0] != '\0')
		token(o, "(%s)", j->auth.rdns);
	property(o, "policy.iprev", netaddr_print(&j->scan.client, addr,
	    sizeof(addr)));
}

/* told is what it was checked for, in case that there is no domain in it. */
static void
out_spf(struct out *o, const struct spf_outcome *s, const char *name,
    const char *told)
{
	method(o, "spf", result_names[s->result]);
	if (s->why != NULL)
		token(o, "(%s)", s->why);
	if (s->domain[0] != '\0')
		property(o, name, s->domain);
	else if (told != NULL && *told != '\0' && is_printable(told))
		property(o, name, told);
}

static int
is_printable(const char *s)
{
	while (*s > 32 && *s < 127)
		s++;
	return *s == '\0';
}

static void
out_dkim(struct out *o, const struct dkim_result *r)
{
	method(o, "dkim", result_names[r->result]);
	if (r->why != NULL)
		token(o, "(%s%s)", r->why, r->testing ? ", testing" : "");
	else if (r->bits > 0)
		token(o, "(%u-bit key%s)", r->bits,
		    r->testing ? ", testing" : "");
	else if (r->testing)
		token(o, "(testing)");
	if (r->domain[0] != '\0')
		property(o, "header.d", r->domain);
	if (r->identity[0] != '\0')
		property(o, "header.i", r->identity);
	if (r->selector[0] != '\0')
		property(o, "header.s", r->selector);
	if (r->alg != NULL)
		property(o, "header.a", r->alg);
	if (r->b[0] != '\0')
		property(o, "header.b", r->b);
}

static void
out_dmarc(struct out *o, const struct dmarc *d)
{
	method(o, "dmarc", result_names[d->result]);
	if (d->result == AUTH_FAIL)
		token(o, "(p=%s of %s)", policy_names[d->policy], d->domain);
	property(o, "header.from", d->author);
}

/* RFC 8617 10.2; chains of others are not looked at. */
static void
out_arc(struct out *o, const struct job *j)
{
	const struct auth *a = &j->auth;
	char addr[NETADDR_STRLEN];

	method(o, "arc", result_names[a->arc]);
	if (a->arc_why != NULL)
		token(o, "(%s)", a->arc_why);
	token(o, "(i=%u of %s)", a->arc_sets, a->arc_sealer);
	property(o, "smtp.remote-ip", netaddr_print(&j->scan.client, addr,
	    sizeof(addr)));
}

static void
method(struct out *o, const char *name, const char *result)
{
	put(o, ";\r\n\t", 4);
	o->column = 8;
	put(o, name, strlen(name));
	put(o, "=", 1);
	put(o, result, strlen(result));
}

/* After a blank, or a fold where the line has no room for it. */
static void
token(struct out *o, const char *fmt, ...)
{
	char text[2 * LIM_DOMAIN + 64];	/* one, all of it quoted */
	va_list ap;
	size_t n;
	int w;

	va_start(ap, fmt);
	w = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = w < 0 ? 0 : (size_t)w < sizeof(text) ? (size_t)w :
	    sizeof(text) - 1;
	/* What follows may be a semicolon. */
	if (o->column + n + 2 > LINE_OCTETS) {
		put(o, "\r\n\t", 3);
		o->column = 8;
	} else
		put(o, " ", 1);
	put(o, text, n);
}

/* RFC 8601 2.2: a token of RFC 2045 5.1, or an address; else quoted. */
static void
property(struct out *o, const char *name, const char *value)
{
	char quoted[2 * LIM_DOMAIN + 3];
	const char *p;
	size_t n = 0;

	for (p = value; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr("-_.+@", *p) == NULL)
			break;
	}
	if (*p == '\0') {
		token(o, "%s=%s", name, value);
		return;
	}
	for (p = value; *p != '\0' && n + 2 < sizeof(quoted); p++) {
		if (*p == '"' || *p == '\\')
			quoted[n++] = '\\';
		quoted[n++] = *p;
	}
	quoted[n] = '\0';
	token(o, "%s=\"%s\"", name, quoted);
}

static void
put(struct out *o, const char *p, size_t n)
{
	if (o->full || o->size - o->len <= n) {
		o->full = 1;
		return;
	}
	memcpy(o->buf + o->len, p, n);
	o->len += n;
	o->column += n;
	o->buf[o->len] = '\0';
}
