/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/octets.h"
#include "scand/content/text.h"

/*
 * CMS (RFC 5652), as in S/MIME.  What is encrypted is left alone.  What is only
 * signed or compressed (RFC 3274) is not encrypted: what the signature covers
 * is inside and is looked at.
 */

#define NESTED_MAX	16	/* octet strings in octet strings */

/* A BER element, X.690 8.1. */
struct ber {
	uint8_t	 tag;
	int	 indefinite;
	size_t	 begin;		/* of its contents */
	size_t	 end;		/* of them; all that is left if indefinite */
};

enum kind { KIND_NONE, KIND_DATA, KIND_SIGNED, KIND_COMPRESSED };

static int	 element(const uint8_t *, size_t, size_t, struct ber *);
static size_t	 behind(struct inspect *, const uint8_t *, size_t,
		    const struct ber *);
static enum kind kind_of(const uint8_t *, const struct ber *);
static int	 encapsulated(struct inspect *, const uint8_t *,
		    struct ber *);
static void	 octets(struct unpack *, const uint8_t *, const struct ber *);
static void	 compressed(struct inspect *, const uint8_t *, size_t);
static void	 pem_look(struct inspect *, const uint8_t *, size_t);

void
pkcs7_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct unpack u;
	struct ber e, oid;
	enum kind kind;

	if (n > 0 && p[0] != 0x30) {
		pem_look(in, p, n);
		return;
	}
	/* ContentInfo: SEQUENCE, identifier, [0] explicitly what it is. */
	if (!element(p, n, 0, &e) || !element(p, e.end, e.begin, &oid) ||
	    (kind = kind_of(p, &oid)) == KIND_NONE ||
	    !element(p, e.end, oid.end, &e) || e.tag != 0xa0 ||
	    !element(p, e.end, e.begin, &e))
		return;
	if (kind != KIND_DATA && !encapsulated(in, p, &e))
		return;
	unpack_begin(&u, in, 0);
	octets(&u, p, &e);
	if (kind == KIND_COMPRESSED)
		compressed(in, u.p, u.n);
	else if (u.n > 0)
		unpack_look(&u, NULL);
	unpack_free(&u);
}

/* 1, or 0: there is none at this offset. */
static int
element(const uint8_t *p, size_t n, size_t at, struct ber *e)
{
	size_t len = 0, k;

	if (at >= n || n - at < 2 || (p[at] & 0x1f) == 0x1f)
		return 0;
	e->tag = p[at];
	e->indefinite = p[at + 1] == 0x80;
	at++;
	k = p[at] & 0x80 ? p[at] & 0x7f : 0;
	if (k == 0 && !e->indefinite)
		len = p[at];
	at++;
	if (k > 8 || k > n - at)
		return 0;
	for (; k > 0; k--) {
		if (len >> (8 * sizeof(len) - 8) != 0)
			return 0;
		len = len << 8 | p[at++];
	}
	e->begin = at;
	e->end = e->indefinite || len > n - at ? n : at + len;
	return 1;
}

/* Where an element ends: its end-of-contents octets are found by passing over
   all that is in it. */
static size_t
behind(struct inspect *in, const uint8_t *p, size_t n, const struct ber *e)
{
	struct ber inner;
	size_t at = e->begin, depth = 1;

	if (!e->indefinite)
		return e->end;
	while (depth > 0 && budget_step(&in->budget) == 0) {
		if (!element(p, n, at, &inner))
			return n;
		if (inner.tag == 0 && inner.begin == inner.end) {
			depth--;
			at = inner.begin;
		} else if (inner.indefinite) {
			depth++;
			at = inner.begin;
		} else
			at = inner.end;
	}
	return at;
}

static enum kind
kind_of(const uint8_t *p, const struct ber *oid)
{
	static const uint8_t pkcs7[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
	    1, 7 };
	static const uint8_t smime[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
	    1, 9, 16, 1, 9 };
	size_t n = oid->end - oid->begin;

	if (oid->tag != 6)
		return KIND_NONE;
	if (n == 11 && memcmp(p + oid->begin, smime, 11) == 0)
		return KIND_COMPRESSED;
	if (n != 9 || memcmp(p + oid->begin, pkcs7, 8) != 0)
		return KIND_NONE;
	switch (p[oid->begin + 8]) {
	case 1:
		return KIND_DATA;
	case 2:		/* signedData */
	case 5:		/* digestedData */
		return KIND_SIGNED;
	default:	/* enveloped, encrypted */
		return KIND_NONE;
	}
}

/*
 * In the SEQUENCE of signed, digested or compressed data: version, algorithms
 * (a SET or a SEQUENCE), then a SEQUENCE of an identifier and, explicitly [0],
 * the octets.
 */
static int
encapsulated(struct inspect *in, const uint8_t *p, struct ber *e)
{
	struct ber x;
	size_t end = e->end, at = e->begin;
	int i;

	for (i = 0; i < 2; i++) {
		if (!element(p, end, at, &x))
			return 0;
		at = behind(in, p, end, &x);
	}
	return element(p, end, at, e) && e->tag == 0x30 &&
	    element(p, e->end, e->begin, &x) && x.tag == 6 &&
	    element(p, e->end, x.end, e) && e->tag == 0xa0 &&
	    element(p, e->end, e->begin, e);
}

/* One octet string, or one that is made of several. */
static void
octets(struct unpack *u, const uint8_t *p, const struct ber *e)
{
	struct ber x = *e;
	size_t ends[NESTED_MAX], depth = 0, at, k;

	ends[0] = e->end;
	for (;;) {
		if (x.tag == 0x24 && depth + 1 < NESTED_MAX) {
			ends[++depth] = x.end;
			at = x.begin;
		} else if (x.tag == 4) {
			for (at = x.begin; at < x.end; at += k) {
				k = x.end - at < UNPACK_STEP ? x.end - at :
				    UNPACK_STEP;
				if (unpack_add(u, p + at, k) == -1)
					return;
			}
		} else if (x.tag == 0 && depth > 0) {
			/* End of contents. */
			at = x.begin;
			depth--;
		} else
			return;
		while (depth > 0 && at >= ends[depth])
			depth--;
		if (depth == 0 || budget_step(&u->in->budget) == -1 ||
		    !element(p, ends[depth], at, &x))
			return;
	}
}

static void
compressed(struct inspect *in, const uint8_t *p, size_t n)
{
	struct unpack u;
	struct decoder *d;

	unpack_begin(&u, in, n);
	if ((d = decoder_open(in, DECODER_ZLIB, p, n, UINT64_MAX)) != NULL) {
		(void)decoder_unpack(d, &u);
		decoder_free(d);
	}
	if (u.n > 0)
		unpack_look(&u, NULL);
	unpack_free(&u);
}

/* The same in base64 between two lines, RFC 7468. */
static void
pem_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct unpack u;
	size_t at, end;

	at = octets_find(p, n, 0, "-----BEGIN ", 11);
	at = octets_find(p, n, at, "\n", 1);
	end = octets_find(p, n, at, "-----END ", 9);
	unpack_begin(&u, in, 0);
	if (text_base64(&u, p + at, end - at) == 0 && u.n > 0 &&
	    u.p[0] == 0x30)
		pkcs7_look(in, u.p, u.n);
	unpack_free(&u);
}
