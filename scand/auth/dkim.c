/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <opendkim/dkim.h>

#include "common/log.h"
#include "scand/auth/auth.h"

/*
 * DKIM (RFC 6376, 8301, 8463) by libopendkim, behind the guards of
 * dkim_tags.c and dkim_key.c.  It sees the header and the body while they are
 * in memory, and keeps their hashes; when all keys are known, or given up,
 * dkim_eom() does the rest, asking key_callback() for each key.
 */

/* The library writes a pointer behind an array of its own when h= names more
   fields than there are: dkim_canon_selecthdrs(). */
#define ALLOC_SLACK	32
#define PARTIAL		"a part of the body is not signed"
#define PARTIAL_MAX	2	/* signatures of a part of the body that are
				   verified; each hashes it anew */

union block {
	size_t		 size;
	max_align_t	 align;
};

struct dkim_check {
	DKIM		*handle;
	DKIM_SIGINFO	*sigs[LIM_DKIM_SIGNATURES];
	/* Which result is whose. */
	size_t		 index[LIM_DKIM_SIGNATURES];
	size_t		 n;
	struct dkim_tags tags[LIM_DKIM_SIGNATURES];	/* by result */
};

static DKIM_LIB		*library;
static size_t		 held;

static void	*block_alloc(void *, size_t);
static void	 block_free(void *, void *);
static DKIM_CBSTAT key_callback(DKIM *, DKIM_SIGINFO *, u_char *, size_t);
static size_t	 read_fields(struct job *, const struct view *,
		    struct dkim_check *, const struct field **);
static void	 read_field(struct dkim_result *, const struct field *,
		    struct dkim_tags *);
static int	 is_signature(const struct field *);
static int	 body_judge(struct dkim_result *, const struct dkim_tags *,
		    const struct view *);
static int	 feed(struct job *, const struct view *, struct dkim_check *,
		    const struct field **, size_t);
static int	 feed_body(struct dkim_check *, const struct view *);
static u_char	*octets(const void *);
static int	 early_errors(struct job *, struct dkim_check *);
static void	 give_up(struct job *, struct dkim_check *, enum auth_result,
		    const char *);
static void	 check_free(struct dkim_check *);
static int	 keys_here(struct job *);
static void	 key_name(const struct dkim_tags *, char [DNS_NAME]);
static void	 finish(struct job *);
static void	 judge(struct dkim_result *, DKIM_SIGINFO *);
static void	 judge_error(struct dkim_result *, DKIM_SIGINFO *);
static void	 symbols(struct job *);

int
dkim_init_library(void)
{
	u_int flags = DKIM_LIBFLAGS_DELAYSIGPROC | DKIM_LIBFLAGS_BADSIGHANDLES;
	u_int bits = 1024;	/* RFC 8301 3.2 */

	if (library != NULL)
		return 0;
	if ((library = dkim_init(block_alloc, block_free)) == NULL)
		return -1;
	if (dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags,
	    sizeof(flags)) != DKIM_STAT_OK ||
	    dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS,
	    &bits, sizeof(bits)) != DKIM_STAT_OK ||
	    dkim_set_key_lookup(library, key_callback) != DKIM_STAT_OK ||
	    !dkim_libfeature(library, DKIM_FEATURE_ED25519) ||
	    !dkim_libfeature(library, DKIM_FEATURE_SHA256)) {
		dkim_close(library);
		library = NULL;
		return -1;
	}
	return 0;
}

size_t
dkim_held(void)
{
	return held;
}

static void *
block_alloc(void *closure, size_t n)
{
	union block *b;

	(void)closure;
	if (n > SIZE_MAX - sizeof(*b) - ALLOC_SLACK ||
	    (b = malloc(sizeof(*b) + n + ALLOC_SLACK)) == NULL)
		return NULL;
	b->size = sizeof(*b) + n + ALLOC_SLACK;
	held += b->size;
	return b + 1;
}

static void
block_free(void *closure, void *p)
{
	union block *b = p;

	(void)closure;
	if (b == NULL)
		return;
	b--;
	held -= b->size;
	free(b);
}

/*
 * The content.
 */

void
dkim_content(struct job *j, const struct view *v)
{
	static struct dkim_check c;
	const struct field *fields[LIM_DKIM_SIGNATURES];
	struct dkim_check *kept;
	size_t n;

	memset(&c, 0, sizeof(c));
	if ((n = read_fields(j, v, &c, fields)) == 0)
		return;
	/* Fields are not seen whole, or not as they were signed. */
	if (v->header.odd & (ODD_NUL | ODD_LINEEND | ODD_FIELDS | ODD_LONG))
		give_up(j, &c, AUTH_NEUTRAL, "header not in order");
	else if (v->body.longest > LIM_DKIM_LINE)
		give_up(j, &c, AUTH_NEUTRAL, "line of the body too long");
	else if (held > LIM_DKIM_HELD || dkim_init_library() == -1)
		give_up(j, &c, AUTH_TEMPERROR, "no memory");
	else if (feed(j, v, &c, fields, n) == -1)
		give_up(j, &c, AUTH_NEUTRAL, "not canonicalized");
	else if (early_errors(j, &c) == 0)
		check_free(&c);
	else if (feed_body(&c, v) == -1)
		give_up(j, &c, AUTH_NEUTRAL, "not canonicalized");
	else if ((kept = malloc(sizeof(*kept))) == NULL)
		give_up(j, &c, AUTH_TEMPERROR, "no memory");
	else {
		*kept = c;
		j->dkim = kept;
	}
}

/* The signatures that are worth verifying; the others are judged. */
static size_t
read_fields(struct job *j, const struct view *v, struct dkim_check *c,
    const struct field **fields)
{
	struct auth *a = &j->auth;
	struct dkim_result *r;
	const struct field *f;
	size_t i, n = 0;
	int parts = 0;

	for (i = 0; i < v->header.nfields; i++) {
		f = &v->header.fields[i];
		if (!is_signature(f))
			continue;
		if (a->nsigs == LIM_DKIM_SIGNATURES)
			break;
		r = &a->sigs[a->nsigs];
		read_field(r, f, &c->tags[a->nsigs]);
		if (r->why == NULL &&
		    body_judge(r, &c->tags[a->nsigs], v) == 0 &&
		    (!r->partial || parts++ < PARTIAL_MAX)) {
			fields[n] = f;
			c->index[n++] = a->nsigs;
		}
		a->nsigs++;
	}
	c->n = n;
	return n;
}

static void
read_field(struct dkim_result *r, const struct field *f, struct dkim_tags *t)
{
	static const char *const algs[] = {
		[DKIM_RSA_SHA1] = "rsa-sha1",
		[DKIM_RSA_SHA256] = "rsa-sha256",
		[DKIM_ED25519_SHA256] = "ed25519-sha256"
	};

	memset(r, 0, sizeof(*r));
	r->why = dkim_tags_parse(f->raw, f->rawlen, t);
	(void)strlcpy(r->domain, t->domain, sizeof(r->domain));
	(void)strlcpy(r->selector, t->selector, sizeof(r->selector));
	(void)strlcpy(r->identity, t->identity, sizeof(r->identity));
	(void)strlcpy(r->b, t->b, sizeof(r->b));
	if (r->why != NULL) {
		r->result = AUTH_PERMERROR;
		return;
	}
	r->alg = algs[t->alg];
	/* RFC 8301 3.1: must not be taken for valid. */
	if (t->alg == DKIM_RSA_SHA1) {
		r->result = AUTH_POLICY;
		r->why = "SHA-1";
	}
}

/* RFC 5322 4.5 lets blanks stand before the colon; so does the library, but
   tabs it refuses. */
static int
is_signature(const struct field *f)
{
	const uint8_t *p;

	if (f->namelen != strlen(DKIM_SIGNHEADER) ||
	    strncasecmp((const char *)f->name, DKIM_SIGNHEADER,
	    f->namelen) != 0)
		return 0;
	for (p = f->name + f->namelen; p < f->raw - 1; p++) {
		if (*p != ' ')
			return 0;
	}
	return 1;
}

/* -1: judged.  What l= leaves out, anybody may have added. */
static int
body_judge(struct dkim_result *r, const struct dkim_tags *t,
    const struct view *v)
{
	uint64_t len;

	if (!t->has_length)
		return 0;
	len = dkim_body_length(v->p + v->header.size,
	    v->n - v->header.size, t->relaxed);
	if (t->length > len) {
		r->result = AUTH_PERMERROR;
		r->why = "body is shorter than signed";
		return -1;
	}
	/* In case that it is not even verified. */
	if ((r->partial = t->length < len)) {
		r->result = AUTH_POLICY;
		r->why = PARTIAL;
	}
	return 0;
}

/* Header fields into the library.  -1: it does not want them. */
static int
feed(struct job *j, const struct view *v, struct dkim_check *c,
    const struct field **fields, size_t n)
{
	const struct field *f;
	DKIM_SIGINFO **sigs;
	DKIM_STAT st;
	size_t i, k = 0;
	int found;

	c->handle = dkim_verify(library, (const u_char *)j->scan.id, NULL,
	    &st);
	if (c->handle == NULL)
		return -1;
	for (i = 0; i < v->header.nfields; i++) {
		f = &v->header.fields[i];
		if (is_signature(f)) {
			if (k == n || f != fields[k])
				continue;
			k++;
		}
		/* Names that it refuses nobody has signed. */
		(void)dkim_header(c->handle, octets(f->name),
		    (size_t)(f->raw + f->rawlen - f->name));
	}
	if (dkim_eoh(c->handle) != DKIM_STAT_OK ||
	    dkim_getsiglist(c->handle, &sigs, &found) != DKIM_STAT_OK ||
	    found < 0 || (size_t)found != n)
		return -1;
	memcpy(c->sigs, sigs, n * sizeof(sigs[0]));
	(void)dkim_set_user_context(c->handle, j);
	return 0;
}

static int
feed_body(struct dkim_check *c, const struct view *v)
{
	size_t n = v->n - v->header.size;

	if (n == 0)
		return 0;
	return dkim_body(c->handle, octets(v->p + v->header.size), n) ==
	    DKIM_STAT_OK ? 0 : -1;
}

/* libopendkim takes what it only reads as if it might write. */
static u_char *
octets(const void *p)
{
	union {
		const void	*c;
		u_char		*o;
	} u = { p };

	return u.o;
}

/* What is wrong whatever the key is.  How many are left. */
static int
early_errors(struct job *j, struct dkim_check *c)
{
	size_t i;
	int left = 0;

	for (i = 0; i < c->n; i++) {
		if (dkim_sig_geterror(c->sigs[i]) == DKIM_SIGERROR_UNKNOWN)
			left++;
		else {
			j->auth.sigs[c->index[i]].why = NULL;
			judge_error(&j->auth.sigs[c->index[i]], c->sigs[i]);
		}
	}
	return left;
}

/* All that have no result yet get this one. */
static void
give_up(struct job *j, struct dkim_check *c, enum auth_result result,
    const char *why)
{
	struct dkim_result *r;
	size_t i;

	for (i = 0; i < c->n; i++) {
		r = &j->auth.sigs[c->index[i]];
		r->result = result;
		r->why = why;
	}
	check_free(c);
}

static void
check_free(struct dkim_check *c)
{
	if (c->handle != NULL)
		(void)dkim_free(c->handle);
	c->handle = NULL;
}

void
dkim_end(struct job *j)
{
	if (j->dkim == NULL)
		return;
	check_free(j->dkim);
	free(j->dkim);
	j->dkim = NULL;
}

/*
 * The keys.
 */

void
auth_dkim(struct job *j)
{
	if (j->dkim != NULL) {
		if (!keys_here(j))
			return;
		finish(j);
	}
	symbols(j);
}

/* All are noted before it says no. */
static int
keys_here(struct job *j)
{
	const struct dkim_check *c = j->dkim;
	char name[DNS_NAME];
	size_t i;
	int here = 1;

	for (i = 0; i < c->n; i++) {
		if (dkim_sig_geterror(c->sigs[i]) != DKIM_SIGERROR_UNKNOWN)
			continue;
		key_name(&c->tags[c->index[i]], name);
		if (answers_get(&j->answers, name, DNS_TXT) == NULL)
			here = 0;
	}
	return here;
}

/* Its length is known to fit. */
static void
key_name(const struct dkim_tags *t, char name[DNS_NAME])
{
	(void)snprintf(name, DNS_NAME, "%s._domainkey.%s", t->selector,
	    t->domain);
}

/* From inside dkim_eom(), for each signature; all answers are here. */
static DKIM_CBSTAT
key_callback(DKIM *handle, DKIM_SIGINFO *sig, u_char *buf, size_t size)
{
	struct job *j = dkim_get_user_context(handle);
	struct dkim_check *c = j->dkim;
	struct dkim_result *r;
	const struct answer *a;
	char name[DNS_NAME];
	size_t i;
	int error;

	for (i = 0; i < c->n && c->sigs[i] != sig; i++)
		;
	if (i == c->n)
		return DKIM_CBSTAT_ERROR;
	r = &j->auth.sigs[c->index[i]];
	key_name(&c->tags[c->index[i]], name);
	a = answers_get(&j->answers, name, DNS_TXT);
	if (a != NULL && (a->status == DNS_NXDOMAIN ||
	    a->status == DNS_NODATA))
		return DKIM_CBSTAT_NOTFOUND;
	/* An ERROR alone would leave the library to call it a bad signature. */
	if (a == NULL || a->status != DNS_OK) {
		(void)dkim_sig_seterror(sig, DKIM_SIGERROR_KEYFAIL);
		return DKIM_CBSTAT_ERROR;
	}
	if (dkim_key_text(a, c->tags[c->index[i]].alg, (char *)buf, size,
	    &error, &r->why) == -1) {
		/* It may be among the records that were left out. */
		if (a->truncated)
			error = DKIM_SIGERROR_KEYFAIL;
		(void)dkim_sig_seterror(sig, error);
		return DKIM_CBSTAT_ERROR;
	}
	return DKIM_CBSTAT_CONTINUE;
}

static void
finish(struct job *j)
{
	struct dkim_check *c = j->dkim;
	struct dkim_result *r;
	size_t i;

	for (i = 0; i < c->n; i++) {
		r = &j->auth.sigs[c->index[i]];
		if (dkim_sig_geterror(c->sigs[i]) == DKIM_SIGERROR_UNKNOWN)
			r->why = NULL;
	}
	(void)dkim_eom(c->handle, NULL);
	for (i = 0; i < c->n; i++)
		judge(&j->auth.sigs[c->index[i]], c->sigs[i]);
	dkim_end(j);
}

static void
judge(struct dkim_result *r, DKIM_SIGINFO *sig)
{
	unsigned flags = dkim_sig_getflags(sig);
	int error = dkim_sig_geterror(sig);

	r->testing = (flags & DKIM_SIGFLAG_TESTKEY) != 0;
	(void)dkim_sig_getkeysize(sig, &r->bits);
	if (error == DKIM_SIGERROR_OK && flags & DKIM_SIGFLAG_PASSED &&
	    dkim_sig_getbh(sig) == DKIM_SIGBH_MATCH) {
		r->result = AUTH_PASS;
		r->why = r->partial ? PARTIAL : NULL;
		return;
	}
	judge_error(r, sig);
}

static void
judge_error(struct dkim_result *r, DKIM_SIGINFO *sig)
{
	static const struct {
		int		 error;
		enum auth_result result;
		const char	*why;
	} errors[] = {
		{ DKIM_SIGERROR_BADSIG, AUTH_FAIL, "wrong signature" },
		{ DKIM_SIGERROR_KEYFAIL, AUTH_TEMPERROR, "no answer from DNS" },
		{ DKIM_SIGERROR_KEYTOOSMALL, AUTH_POLICY, "short key" },
		{ DKIM_SIGERROR_NOKEY, AUTH_PERMERROR, "no key" },
		{ DKIM_SIGERROR_KEYREVOKED, AUTH_PERMERROR, "key revoked" },
		{ DKIM_SIGERROR_EXPIRED, AUTH_PERMERROR, "expired" },
		{ DKIM_SIGERROR_UNKNOWN, AUTH_NEUTRAL, "not verified" },
	};
	int error = dkim_sig_geterror(sig);
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].error != error)
			continue;
		r->result = errors[i].result;
		r->why = errors[i].why;
		if (error == DKIM_SIGERROR_BADSIG &&
		    dkim_sig_getbh(sig) == DKIM_SIGBH_MISMATCH)
			r->why = "body has changed";
		return;
	}
	r->result = AUTH_PERMERROR;
	if (r->why == NULL)
		r->why = dkim_sig_geterrorstr(error);
	if (r->why == NULL)
		r->why = "not usable";
}

/* One symbol for all signatures: a good one outweighs bad ones, as senders
   and lists may each have signed (RFC 6376 6.1). */
static void
symbols(struct job *j)
{
	static const struct {
		enum auth_result result;
		enum symbol_id	 symbol;
		int		 partial;	/* -1: either */
	} order[] = {
		{ AUTH_PASS, SYM_DKIM_VALID, 0 },
		{ AUTH_TEMPERROR, SYM_DKIM_TEMPERROR, -1 },
		{ AUTH_PASS, SYM_DKIM_WEAK, 1 },
		{ AUTH_FAIL, SYM_DKIM_INVALID, -1 },
		{ AUTH_POLICY, SYM_DKIM_WEAK, -1 },
		{ AUTH_PERMERROR, SYM_DKIM_UNUSABLE, -1 },
		{ AUTH_NEUTRAL, SYM_DKIM_UNUSABLE, -1 },
	};
	const struct dkim_result *r;
	size_t i, k;

	if (j->auth.nsigs == 0 && symbol_points(SYM_DKIM_NONE) != 0)
		findings_add(&j->found, SYM_DKIM_NONE, NULL);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		for (k = 0; k < j->auth.nsigs; k++) {
			r = &j->auth.sigs[k];
			/* 3.6.1: no worse than unsigned. */
			if (r->result != order[i].result ||
			    (order[i].partial != -1 &&
			    r->partial != order[i].partial) ||
			    (r->testing && r->result != AUTH_PASS))
				continue;
			findings_add(&j->found, order[i].symbol, "%s%s%s",
			    r->domain, r->why == NULL ? "" : ": ",
			    r->why == NULL ? "" : r->why);
			return;
		}
	}
}
