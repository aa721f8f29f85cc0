/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <opendkim/dkim.h>

#include "scand/auth/auth.h"

/*
 * Key records (RFC 6376 3.6.1) on their way into libopendkim, which takes any
 * key type with any algorithm, reads RSA keys in one of their two forms only
 * (3.6.1 has that of PKCS #1, the world uses the other), and has a buffer of
 * 1,024 octets.
 */

#define DER_MAX		800	/* octets of an RSA key in that buffer */

static int	 record_tags(const struct dns_record *, struct tag *,
		    struct tag *);
static int	 type_fits(const struct tag *, enum dkim_alg);
static int	 key_rewrite(const char *, const struct tag *, char *, size_t,
		    unsigned *);
static int	 der_is_pkcs1(const uint8_t *, size_t);
static unsigned	 der_bits(const uint8_t *, size_t);
static int	 der_enter(const uint8_t **, const uint8_t **, uint8_t);
static size_t	 der_wrap(const uint8_t *, size_t, uint8_t *, size_t);
static size_t	 der_length(uint8_t *, size_t);

int
dkim_key_text(const struct answer *a, enum dkim_alg alg, char *buf,
    size_t size, int *error, const char **why)
{
	const struct dns_record *found = NULL;
	struct tag k, p, key = { NULL, NULL, 0, 0 };
	unsigned bits = 0;
	size_t i;
	int keys = 0;

	/* 3.6.2.2 wants one record; one that fits is as good. */
	for (i = 0; i < a->nrec; i++) {
		if (!record_tags(&a->rec[i], &k, &p))
			continue;
		keys++;
		if (!type_fits(&k, alg))
			continue;
		if (found != NULL) {
			*error = DKIM_SIGERROR_MULTIREPLY;
			*why = "several keys";
			return -1;
		}
		found = &a->rec[i];
		key = p;
	}
	if (found == NULL) {
		*error = keys == 0 ? DKIM_SIGERROR_DNSSYNTAX :
		    DKIM_SIGERROR_KEYTYPEUNKNOWN;
		*why = keys == 0 ? "no key in the record" :
		    "key of another type";
		return -1;
	}
	if (found->len >= size ||
	    memchr(found->data, 0, found->len) != NULL) {
		*error = DKIM_SIGERROR_KEYDECODE;
		*why = "key not readable";
		return -1;
	}
	memcpy(buf, found->data, found->len);
	buf[found->len] = '\0';
	if (alg != DKIM_ED25519_SHA256 &&
	    key_rewrite((const char *)found->data, &key, buf, size,
	    &bits) == -1) {
		*error = DKIM_SIGERROR_KEYDECODE;
		*why = "key not readable";
		return -1;
	}
	/* RFC 8301 3.2; the library counts whole octets. */
	if (bits > 0 && bits < 1024) {
		*error = DKIM_SIGERROR_KEYTOOSMALL;
		*why = "short key";
		return -1;
	}
	return 0;
}

/* Is there a p=?  The tags are without name where they are missing. */
static int
record_tags(const struct dns_record *r, struct tag *k, struct tag *p)
{
	const char *s = (const char *)r->data, *end = s + r->len;
	struct tag t;
	int n;

	memset(k, 0, sizeof(*k));
	memset(p, 0, sizeof(*p));
	while ((n = tag_next(&s, end, &t)) != 0) {
		if (n == -1)
			continue;
		if (tag_is(&t, "k", 1))
			*k = t;
		else if (tag_is(&t, "p", 1))
			*p = t;
	}
	return p->name != NULL;
}

/* k= is rsa by default; Ed25519 has to say so, RFC 8463 4. */
static int
type_fits(const struct tag *k, enum dkim_alg alg)
{
	if (alg == DKIM_ED25519_SHA256)
		return k->name != NULL && tag_says(k, "ed25519");
	return k->name == NULL || tag_says(k, "rsa");
}

/* p= of PKCS #1 becomes one of X.509 in the text; others stay as they are.
   *bits is set where they can be counted. */
static int
key_rewrite(const char *text, const struct tag *p, char *buf, size_t size,
    unsigned *bits)
{
	char base64[1200];
	uint8_t der[DER_MAX + 4], wrapped[DER_MAX + 64];
	char encoded[(DER_MAX + 64) / 3 * 4 + 8];
	size_t len, head, tail;
	int n;

	if (tag_copy(p, base64, sizeof(base64)) == -1)
		return -1;
	len = strlen(base64);
	/* Not padded, empty (revoked), or too long: the library will see. */
	if (len == 0 || len % 4 != 0 || len / 4 * 3 > DER_MAX)
		return 0;
	n = EVP_DecodeBlock(der, (const unsigned char *)base64, (int)len);
	if (n <= 0)
		return 0;
	len = (size_t)n - (base64[len - 1] == '=') - (base64[len - 2] == '=');
	*bits = der_bits(der, len);
	if (!der_is_pkcs1(der, len))
		return 0;
	len = der_wrap(der, len, wrapped, sizeof(wrapped));
	if (len == 0 || EVP_EncodeBlock((unsigned char *)encoded, wrapped,
	    (int)len) <= 0)
		return -1;
	head = (size_t)(p->value - text);
	tail = strlen(buf + head + p->len);
	len = strlen(encoded);
	if (head + len + tail >= size)
		return -1;
	memmove(buf + head + len, buf + head + p->len, tail + 1);
	memcpy(buf + head, encoded, len);
	return 0;
}

/* RFC 8017 A.1.1: SEQUENCE { INTEGER, ...; the other: SEQUENCE { SEQUENCE */
static int
der_is_pkcs1(const uint8_t *p, size_t n)
{
	size_t at;

	if (n < 4 || p[0] != 0x30)
		return 0;
	at = p[1] < 0x80 ? 2 : 2 + (size_t)(p[1] & 0x7f);
	return at < n && p[at] == 0x02;
}

/* Of the modulus, in either form; 0: it is not found. */
static unsigned
der_bits(const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n, *skip, *skipend;
	unsigned bits, top;

	if (der_enter(&p, &end, 0x30) == -1)
		return 0;
	skip = p;
	skipend = end;
	/* X.509: the algorithm, and a BIT STRING with the rest. */
	if (der_enter(&skip, &skipend, 0x30) == 0) {
		p = skipend;
		if (der_enter(&p, &end, 0x03) == -1 || p == end ||
		    *p++ != 0 || der_enter(&p, &end, 0x30) == -1)
			return 0;
	}
	if (der_enter(&p, &end, 0x02) == -1)
		return 0;
	while (p < end && *p == 0)
		p++;
	if (p == end)
		return 0;
	bits = (unsigned)(end - p) * 8;
	for (top = 0x80; !(*p & top); top >>= 1)
		bits--;
	return bits;
}

/* To the content of what stands at *p, which must be such a thing. */
static int
der_enter(const uint8_t **p, const uint8_t **end, uint8_t tag)
{
	const uint8_t *s = *p;
	size_t len, n;

	if (*end - s < 2 || *s++ != tag)
		return -1;
	if ((len = *s++) >= 0x80) {
		if ((n = len & 0x7f) == 0 || n > 2 ||
		    (size_t)(*end - s) < n)
			return -1;
		for (len = 0; n > 0; n--)
			len = len << 8 | *s++;
	}
	if ((size_t)(*end - s) < len)
		return -1;
	*p = s;
	*end = s + len;
	return 0;
}

/* RFC 5280 4.1.2.7 around it: the algorithm, and a BIT STRING of it. */
static size_t
der_wrap(const uint8_t *p, size_t n, uint8_t *dst, size_t size)
{
	static const uint8_t rsa[] = {
		0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
		0x01, 0x01, 0x01, 0x05, 0x00
	};
	uint8_t bits[8], all[8];
	size_t nbits, nall, at = 0;

	bits[0] = 0x03;
	nbits = 1 + der_length(bits + 1, n + 1);
	bits[nbits++] = 0;		/* unused bits */
	all[0] = 0x30;
	nall = 1 + der_length(all + 1, sizeof(rsa) + nbits + n);
	if (nall + sizeof(rsa) + nbits + n > size)
		return 0;
	memcpy(dst, all, nall);
	at = nall;
	memcpy(dst + at, rsa, sizeof(rsa));
	at += sizeof(rsa);
	memcpy(dst + at, bits, nbits);
	at += nbits;
	memcpy(dst + at, p, n);
	return at + n;
}

/* X.690 8.1.3; up to 64 K. */
static size_t
der_length(uint8_t *dst, size_t n)
{
	if (n < 0x80) {
		dst[0] = (uint8_t)n;
		return 1;
	}
	if (n < 0x100) {
		dst[0] = 0x81;
		dst[1] = (uint8_t)n;
		return 2;
	}
	dst[0] = 0x82;
	dst[1] = (uint8_t)(n >> 8);
	dst[2] = (uint8_t)n;
	return 3;
}
