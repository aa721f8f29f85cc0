/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/loop.h"
#include "scand/auth/auth.h"

/*
 * ARC (RFC 8617), where the last seal of a message is of a configured domain;
 * other chains are not looked at, as anybody may seal what he has made up.
 * All is hashed while the content is in memory; keys and signatures come with
 * the answers: the last seal and the message first, the seals before it only
 * when these are good.
 */

/* Verified in this order: the message, then the seals, the last one first. */
struct signature {
	char		 domain[LIM_DOMAIN + 1];
	char		 selector[LIM_DOMAIN + 1];
	enum dkim_alg	 alg;
	uint8_t		 digest[32];
	uint8_t		 sig[512];
	size_t		 siglen;
	int		 verified;
};

struct arc_check {
	size_t		 n;
	struct signature v[];
};

static size_t	 held;		/* octets of all that wait */

static int	 is_sealer(const char *);
static const char *seals_hash(const struct arc_set *, size_t,
		    struct arc_check *);
static int	 seal_digest(struct canon *, const struct field *,
		    const struct arc_tags *, uint8_t [32]);
static const char *message_hash(const struct view *, const struct arc_set *,
		    struct arc_check *);
static void	 fields_hash(struct canon *, const struct header *,
		    const struct arc_tags *);
static void	 signature_take(struct signature *, const struct arc_tags *);
static int	 verify(struct job *, size_t, size_t);
static int	 signature_good(const struct signature *,
		    const struct answer *, const char **);
static EVP_PKEY	*key_load(const char *, enum dkim_alg, const char **);
static int	 key_allows(const struct tag *, const char *);

size_t
arc_held(void)
{
	return held;
}

void
arc_content(struct job *j, const struct view *v)
{
	struct arc_set sets[LIM_ARC_SETS];
	struct auth *a = &j->auth;
	struct arc_tags t;
	struct arc_check *c;
	const char *why;
	size_t n;

	if (job_config()->arc_sealers.n == 0 || v->header.odd & (ODD_NUL |
	    ODD_LINEEND | ODD_FIELDS | ODD_LONG))
		return;
	why = arc_sets(&v->header, sets, &n);
	if (n == 0 || sets[n - 1].seal == NULL ||
	    arc_seal_parse(sets[n - 1].seal, &t) != NULL ||
	    !is_sealer(t.domain))
		return;
	a->arc_sets = (unsigned)n;
	(void)strlcpy(a->arc_sealer, t.domain, sizeof(a->arc_sealer));
	a->arc = AUTH_FAIL;
	if ((a->arc_why = why) != NULL)
		return;
	c = held > LIM_ARC_HELD ? NULL :
	    calloc(1, sizeof(*c) + (n + 1) * sizeof(c->v[0]));
	if (c == NULL) {
		a->arc = AUTH_TEMPERROR;
		return;
	}
	c->n = n + 1;
	j->arc = c;
	held += c->n * sizeof(c->v[0]);
	if ((a->arc_why = seals_hash(sets, n, c)) != NULL ||
	    (a->arc_why = message_hash(v, &sets[n - 1], c)) != NULL)
		arc_end(j);
}

void
arc_end(struct job *j)
{
	if (j->arc == NULL)
		return;
	held -= j->arc->n * sizeof(j->arc->v[0]);
	free(j->arc);
	j->arc = NULL;
}

static int
is_sealer(const char *domain)
{
	const struct config_names *names = &job_config()->arc_sealers;
	size_t i;

	for (i = 0; i < names->n; i++) {
		if (domain_below(names->v[i], domain))
			return 1;
	}
	return 0;
}

/* 5.1.1: each covers all sets up to its own, itself without b=. */
static const char *
seals_hash(const struct arc_set *sets, size_t n, struct arc_check *c)
{
	struct arc_tags t;
	struct canon h;
	const char *why = "no memory";
	size_t i;

	if (canon_begin(&h) == -1)
		return why;
	for (i = 0; i < n; i++) {
		if ((why = arc_seal_parse(sets[i].seal, &t)) != NULL)
			break;
		/* 5.2, 2 and 3: who came later cannot mend a broken chain. */
		if (t.cv != (i == 0 ? 'n' : 'p')) {
			why = "a seal says that it is broken";
			break;
		}
		canon_field(&h, sets[i].results, 1, NULL, 0);
		canon_octets(&h, "\r\n", 2);
		canon_field(&h, sets[i].message, 1, NULL, 0);
		canon_octets(&h, "\r\n", 2);
		signature_take(&c->v[n - i], &t);
		if (seal_digest(&h, sets[i].seal, &t,
		    c->v[n - i].digest) == -1) {
			why = "no memory";
			break;
		}
		canon_field(&h, sets[i].seal, 1, NULL, 0);
		canon_octets(&h, "\r\n", 2);
	}
	canon_end(&h);
	return why;
}

static int
seal_digest(struct canon *before, const struct field *f,
    const struct arc_tags *t, uint8_t digest[32])
{
	struct canon h;
	int r;

	if (canon_copy(&h, before) == -1)
		return -1;
	canon_field(&h, f, 1, t->b.value, t->b.len);
	r = canon_digest(&h, digest);
	canon_end(&h);
	return r;
}

static void
signature_take(struct signature *s, const struct arc_tags *t)
{
	memcpy(s->domain, t->domain, sizeof(s->domain));
	memcpy(s->selector, t->selector, sizeof(s->selector));
	s->alg = t->alg;
	memcpy(s->sig, t->sig, t->siglen);
	s->siglen = t->siglen;
}

/* Into c->v[0], if the body is the one that was signed. */
static const char *
message_hash(const struct view *v, const struct arc_set *set,
    struct arc_check *c)
{
	uint8_t digest[32];
	struct arc_tags t;
	struct canon h;
	const char *why;
	int r;

	why = arc_message_parse(set->message,
	    (int64_t)(clock_wall_ms() / 1000), &t);
	if (why != NULL)
		return why;
	if (canon_begin(&h) == -1)
		return "no memory";
	canon_body(&h, v->p + v->header.size, v->n - v->header.size,
	    t.relaxed_body);
	r = canon_digest(&h, digest);
	canon_end(&h);
	if (r == -1 || memcmp(digest, t.bh, sizeof(digest)) != 0)
		return r == -1 ? "no memory" : "body has changed";
	signature_take(&c->v[0], &t);
	if (canon_begin(&h) == -1)
		return "no memory";
	fields_hash(&h, &v->header, &t);
	canon_field(&h, set->message, t.relaxed_header, t.b.value, t.b.len);
	r = canon_digest(&h, c->v[0].digest);
	canon_end(&h);
	return r == -1 ? "no memory" : NULL;
}

/* RFC 6376 5.4.2: of fields with the same name the last one first; those that
   are not there are nothing. */
static void
fields_hash(struct canon *c, const struct header *h, const struct arc_tags *t)
{
	uint8_t used[LIM_HEADER_FIELDS] = { 0 };
	char list[LIM_DKIM_HDRLIST + 1], *p = list, *name;
	const struct field *f;
	size_t i, len;

	if (tag_copy(&t->h, list, sizeof(list)) == -1)
		return;
	while ((name = strsep(&p, ":")) != NULL) {
		len = strlen(name);
		for (i = h->nfields; i-- > 0; ) {
			f = &h->fields[i];
			if (used[i] || f->namelen != len || strncasecmp(
			    (const char *)f->name, name, len) != 0)
				continue;
			used[i] = 1;
			canon_field(c, f, t->relaxed_header, NULL, 0);
			canon_octets(c, "\r\n", 2);
			break;
		}
	}
}

/*
 * The answers.
 */

void
auth_arc(struct job *j)
{
	struct auth *a = &j->auth;
	int r;

	if (j->arc != NULL) {
		if ((r = verify(j, 0, 2)) == 1)
			r = verify(j, 2, j->arc->n);
		if (r == -1)
			return;
		if (r == 1) {
			a->arc = AUTH_PASS;
			a->arc_why = NULL;
		}
		arc_end(j);
	}
	if (a->arc == AUTH_PASS)
		findings_add(&j->found, SYM_ARC_VALID, "%s", a->arc_sealer);
	else if (a->arc == AUTH_FAIL)
		findings_add(&j->found, SYM_ARC_INVALID, "%s: %s",
		    a->arc_sealer, a->arc_why);
}

/* Those from first on, before end.  1: all are good; 0: one is not; -1:
   answers are missing, and all have been noted. */
static int
verify(struct job *j, size_t first, size_t end)
{
	const struct answer *key;
	struct signature *s;
	char name[DNS_NAME];
	size_t i;
	int r, missing = 0;

	for (i = first; i < end; i++) {
		s = &j->arc->v[i];
		(void)snprintf(name, sizeof(name), "%s._domainkey.%s",
		    s->selector, s->domain);
		if (s->verified)
			continue;
		if ((key = answers_get(&j->answers, name, DNS_TXT)) == NULL) {
			missing = 1;
			continue;
		}
		/* There is no such result; then there is none. */
		if (key->status == DNS_FAIL || key->status == DNS_TIMEOUT) {
			j->auth.arc = AUTH_TEMPERROR;
			return 0;
		}
		r = signature_good(s, key, &j->auth.arc_why);
		if (!r)
			return 0;
		s->verified = 1;
	}
	return missing ? -1 : 1;
}

static int
signature_good(const struct signature *s, const struct answer *a,
    const char **why)
{
	char text[1025];
	EVP_PKEY_CTX *rsa = NULL;
	EVP_MD_CTX *ed = NULL;
	EVP_PKEY *key;
	int error, good = 0;

	*why = "no key";
	if (a->status != DNS_OK || dkim_key_text(a, s->alg, text,
	    sizeof(text), &error, why) == -1 ||
	    (key = key_load(text, s->alg, why)) == NULL)
		return 0;
	*why = "wrong signature";
	/* RFC 8463 3: Ed25519 signs the digest as a message. */
	if (s->alg == DKIM_ED25519_SHA256)
		good = (ed = EVP_MD_CTX_new()) != NULL &&
		    EVP_DigestVerifyInit(ed, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(ed, s->sig, s->siglen, s->digest,
		    sizeof(s->digest)) == 1;
	else
		good = (rsa = EVP_PKEY_CTX_new(key, NULL)) != NULL &&
		    EVP_PKEY_verify_init(rsa) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(rsa,
		    RSA_PKCS1_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(rsa, EVP_sha256()) == 1 &&
		    EVP_PKEY_verify(rsa, s->sig, s->siglen, s->digest,
		    sizeof(s->digest)) == 1;
	ERR_clear_error();
	EVP_MD_CTX_free(ed);
	EVP_PKEY_CTX_free(rsa);
	EVP_PKEY_free(key);
	return good;
}

/* RFC 6376 3.6.1, of a record that dkim_key_text() has looked at. */
static EVP_PKEY *
key_load(const char *text, enum dkim_alg alg, const char **why)
{
	const char *s = text, *end = s + strlen(s);
	struct tag t, p = { NULL, NULL, 0, 0 };
	uint8_t octets[1056];
	const uint8_t *der = octets;
	EVP_PKEY *key;
	size_t len;
	int r;

	*why = "key not readable";
	while ((r = tag_next(&s, end, &t)) != 0) {
		if (r == -1)
			continue;
		if (tag_is(&t, "p", 1))
			p = t;
		else if ((tag_is(&t, "v", 1) && !tag_says(&t, "DKIM1")) ||
		    (tag_is(&t, "h", 1) && !key_allows(&t, "sha256")) ||
		    (tag_is(&t, "s", 1) && !key_allows(&t, "email") &&
		    !key_allows(&t, "*"))) {
			*why = "key for something else";
			return NULL;
		}
	}
	if (p.len == 0)
		*why = "key revoked";
	if (tag_base64(&p, octets, sizeof(octets), &len) == -1)
		return NULL;
	if (alg == DKIM_ED25519_SHA256)
		return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
		    octets, len);
	if ((key = d2i_PUBKEY(NULL, &der, (long)len)) == NULL)
		return NULL;
	if (EVP_PKEY_base_id(key) == EVP_PKEY_RSA &&
	    EVP_PKEY_bits(key) >= 1024)
		return key;
	*why = "short key";		/* RFC 8301 3.2 */
	EVP_PKEY_free(key);
	return NULL;
}

/* Is it one of those, between colons? */
static int
key_allows(const struct tag *t, const char *word)
{
	char list[256], *p = list, *one;

	if (tag_copy(t, list, sizeof(list)) == -1)
		return 0;
	while ((one = strsep(&p, ":")) != NULL) {
		if (strcasecmp(one, word) == 0)
			return 1;
	}
	return 0;
}
