/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <openssl/evp.h>
#include <string.h>

#include "scand/content/octets.h"
#include "scand/content/pdf.h"

/*
 * Does an encrypted PDF open without a password?  That is, with the empty one,
 * as user or as owner: ISO 32000-2 7.6.4.  Only the check values are computed;
 * nothing is decrypted.
 */

#define ROUNDS_MAX	4096	/* of 2.B; it ends after 64 and a few */

/* The encryption dictionary. */
struct lock {
	int64_t	 v, r, length, p;
	int	 metadata;	/* EncryptMetadata */
	uint8_t	 o[48], u[48];
	size_t	 o_n, u_n;
	const uint8_t *id;
	size_t	 id_n;
};

static size_t	 lock_dict(struct pdf *, const struct pdf_trailer *);
static int	 only_attachments(struct pdf *, size_t);
static void	 read_lock(struct pdf *, size_t, struct lock *);
static size_t	 read_bytes(struct pdf *, size_t, const char *, uint8_t *,
		    size_t);
static int	 opens(const struct lock *);
static int	 opens_old(const struct lock *, size_t);
static int	 opens_user(const struct lock *, const uint8_t *, size_t);
static void	 owner_to_user(const struct lock *, size_t, uint8_t *);
static int	 opens_new(const struct lock *, const uint8_t *,
		    const uint8_t *, size_t);
static int	 hash_2b(const uint8_t *, const uint8_t *, size_t, uint8_t *);
static int	 hash_round(EVP_CIPHER_CTX *, const uint8_t *, size_t,
		    uint8_t *, uint8_t *);
static int	 digest(const EVP_MD *, const uint8_t *, size_t, uint8_t *);
static void	 rc4(const uint8_t *, size_t, uint8_t *, size_t);

/* 7.6.4.3.2: what an empty password is filled up with. */
static const uint8_t	 pad[32] = {
	0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e,
	0x56, 0xff, 0xfa, 0x01, 0x08, 0x2e, 0x2e, 0x00, 0xb6, 0xd0, 0x68,
	0x3e, 0x80, 0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a
};

enum pdf_lock
pdf_lock(struct pdf *pdf, const struct pdf_trailer *t)
{
	struct pdf_value v;
	struct lock lock;
	size_t dict = lock_dict(pdf, t);

	if (dict == pdf->n)
		return PDF_LOCK_NONE;
	(void)pdf_get(pdf, dict, "Filter", &v);
	if (v.type != PDF_NAME || strcmp(v.text, "Standard") != 0)
		return PDF_LOCK_PASSWORD;
	memset(&lock, 0, sizeof(lock));
	lock.id = t->id;
	lock.id_n = t->id_n;
	read_lock(pdf, dict, &lock);
	if (lock.v >= 4 && only_attachments(pdf, dict))
		return PDF_LOCK_ATTACHMENTS;
	return opens(&lock) ? PDF_LOCK_OWNER : PDF_LOCK_PASSWORD;
}

/* Where the dictionary is; n: nowhere. */
static size_t
lock_dict(struct pdf *pdf, const struct pdf_trailer *t)
{
	struct pdf_object o;
	struct pdf_value v;
	size_t at, found = pdf->n;

	if (t->encrypt.type == PDF_DICT)
		return t->encrypt.at;
	if (!t->encrypt.is_ref)
		return pdf->n;
	for (at = 0; pdf_object_next(pdf, at, &o); at = o.next) {
		if (o.number != t->encrypt.number)
			continue;
		/* Others of this number are older, or stand in data. */
		(void)pdf_get(pdf, o.at, "Filter", &v);
		if (v.type == PDF_NAME)
			found = o.at;
	}
	return found;
}

/* Both crypt filters are Identity, or not given. */
static int
only_attachments(struct pdf *pdf, size_t dict)
{
	static const char *const keys[] = { "StmF", "StrF" };
	struct pdf_value v;
	size_t i;

	for (i = 0; i < 2; i++) {
		(void)pdf_get(pdf, dict, keys[i], &v);
		if (v.type != PDF_END && (v.type != PDF_NAME ||
		    strcmp(v.text, "Identity") != 0))
			return 0;
	}
	return 1;
}

static void
read_lock(struct pdf *pdf, size_t dict, struct lock *lock)
{
	struct pdf_value v;

	(void)pdf_get(pdf, dict, "V", &v);
	lock->v = v.number;
	(void)pdf_get(pdf, dict, "R", &v);
	lock->r = v.number;
	(void)pdf_get(pdf, dict, "P", &v);
	lock->p = v.number;
	(void)pdf_get(pdf, dict, "Length", &v);
	lock->length = v.type == PDF_NUMBER ? v.number : 40;
	(void)pdf_get(pdf, dict, "EncryptMetadata", &v);
	lock->metadata = v.type != PDF_WORD || strcmp(v.text, "false") != 0;
	lock->o_n = read_bytes(pdf, dict, "O", lock->o, sizeof(lock->o));
	lock->u_n = read_bytes(pdf, dict, "U", lock->u, sizeof(lock->u));
}

static size_t
read_bytes(struct pdf *pdf, size_t dict, const char *key, uint8_t *dst,
    size_t size)
{
	struct pdf_value v;
	struct pdf_object o;
	struct pdf_lex l;

	(void)pdf_get(pdf, dict, key, &v);
	if (v.is_ref) {
		if (!pdf_object_find(pdf, v.number, 0, &o))
			return 0;
		pdf_lex(&l, pdf->p, pdf->n, o.at);
		v.type = pdf_token(pdf, &l);
		v.at = l.begin;
	}
	return v.type == PDF_STRING ? pdf_string(pdf, v.at, dst, size) : 0;
}

static int
opens(const struct lock *l)
{
	if (l->r >= 5)
		return l->u_n == 48 && (opens_new(l, l->u, NULL, 0) ||
		    (l->o_n == 48 && opens_new(l, l->o, l->u, 48)));
	if (l->r < 2 || l->o_n < 32 || l->u_n < 16)
		return 0;
	if (l->r == 2)
		return opens_old(l, 5);
	/* Writers disagree whether its unit is bits, or forget it. */
	return (l->length >= 40 && l->length <= 128 &&
	    opens_old(l, (size_t)l->length / 8)) || opens_old(l, 16) ||
	    opens_old(l, 5);
}

/* Keys of n octets: as user, and as owner, whose password is what the user's
   one is encrypted with. */
static int
opens_old(const struct lock *l, size_t n)
{
	uint8_t user[32];

	if (opens_user(l, pad, n))
		return 1;
	owner_to_user(l, n, user);
	return opens_user(l, user, n);
}

/* Algorithms 2, 4 and 5. */
static int
opens_user(const struct lock *l, const uint8_t *password, size_t n)
{
	uint8_t buf[32 + 32 + 4 + 64 + 4], key[EVP_MAX_MD_SIZE];
	uint8_t x[32], twisted[16];
	size_t len = 0, i, k;

	memcpy(buf, password, 32);
	memcpy(buf + 32, l->o, 32);
	for (i = 0; i < 4; i++)
		buf[64 + i] = (uint8_t)((uint64_t)l->p >> 8 * i);
	memcpy(buf + 68, l->id, l->id_n);
	len = 68 + l->id_n;
	if (l->r >= 4 && !l->metadata) {
		memset(buf + len, 0xff, 4);
		len += 4;
	}
	if (digest(EVP_md5(), buf, len, key) == -1)
		return 0;
	if (l->r == 2) {
		memcpy(x, pad, 32);
		rc4(key, n, x, 32);
		return memcmp(x, l->u, l->u_n < 32 ? l->u_n : 32) == 0;
	}
	for (i = 0; i < 50; i++)
		if (digest(EVP_md5(), key, n, key) == -1)
			return 0;
	memcpy(buf, pad, 32);
	memcpy(buf + 32, l->id, l->id_n);
	if (digest(EVP_md5(), buf, 32 + l->id_n, x) == -1)
		return 0;
	for (i = 0; i < 20; i++) {
		for (k = 0; k < n; k++)
			twisted[k] = (uint8_t)(key[k] ^ i);
		rc4(twisted, n, x, 16);
	}
	return memcmp(x, l->u, 16) == 0;
}

/* Algorithm 7, steps a and b, with an empty password. */
static void
owner_to_user(const struct lock *l, size_t n, uint8_t *user)
{
	uint8_t key[EVP_MAX_MD_SIZE], twisted[16];
	size_t i, k;

	memcpy(user, l->o, 32);
	if (digest(EVP_md5(), pad, 32, key) == -1)
		return;
	if (l->r == 2) {
		rc4(key, n, user, 32);
		return;
	}
	for (i = 0; i < 50; i++)
		if (digest(EVP_md5(), key, 16, key) == -1)
			return;
	for (i = 20; i > 0; i--) {
		for (k = 0; k < n; k++)
			twisted[k] = (uint8_t)(key[k] ^ (i - 1));
		rc4(twisted, n, user, 32);
	}
}

/* Algorithms 11 and 12: a hash of the password, the validation salt behind the
   hash and, for the owner, all of U. */
static int
opens_new(const struct lock *l, const uint8_t *check, const uint8_t *u,
    size_t u_n)
{
	uint8_t buf[8 + 48], hash[EVP_MAX_MD_SIZE];

	memcpy(buf, check + 32, 8);
	if (u_n > 0)
		memcpy(buf + 8, u, u_n);
	if (l->r == 5) {
		if (digest(EVP_sha256(), buf, 8 + u_n, hash) == -1)
			return 0;
	} else if (hash_2b(buf, u, u_n, hash) == -1)
		return 0;
	return memcmp(hash, check, 32) == 0;
}

/* Algorithm 2.B for an empty password; in: the salt and U. */
static int
hash_2b(const uint8_t *in, const uint8_t *u, size_t u_n, uint8_t *k)
{
	uint8_t k1[64 * (64 + 48)], e[sizeof(k1)];
	const EVP_MD *md;
	EVP_CIPHER_CTX *ctx;
	size_t k_n = 32, one, i;
	unsigned round, sum;
	int ret = -1;

	if ((ctx = EVP_CIPHER_CTX_new()) == NULL)
		return -1;
	if (digest(EVP_sha256(), in, 8 + u_n, k) == -1)
		goto out;
	for (round = 0; round < ROUNDS_MAX; round++) {
		one = k_n + u_n;
		for (i = 0; i < 64; i++) {
			memcpy(k1 + i * one, k, k_n);
			if (u_n > 0)
				memcpy(k1 + i * one + k_n, u, u_n);
		}
		if (hash_round(ctx, k, 64 * one, k1, e) == -1)
			goto out;
		/* Sixteen octets as a number modulo 3: 256 is 1. */
		for (sum = 0, i = 0; i < 16; i++)
			sum += e[i];
		md = sum % 3 == 0 ? EVP_sha256() : sum % 3 == 1 ?
		    EVP_sha384() : EVP_sha512();
		k_n = sum % 3 == 0 ? 32 : sum % 3 == 1 ? 48 : 64;
		if (digest(md, e, 64 * one, k) == -1)
			goto out;
		if (round >= 63 && e[64 * one - 1] <= round + 1 - 32)
			break;
	}
	ret = 0;
out:
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

static int
hash_round(EVP_CIPHER_CTX *ctx, const uint8_t *k, size_t n, uint8_t *in,
    uint8_t *out)
{
	int len;

	if (EVP_EncryptInit_ex(ctx, EVP_aes_128_cbc(), NULL, k, k + 16) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 ||
	    EVP_EncryptUpdate(ctx, out, &len, in, (int)n) != 1 ||
	    (size_t)len != n)
		return -1;
	return 0;
}

static int
digest(const EVP_MD *md, const uint8_t *p, size_t n, uint8_t *out)
{
	uint8_t value[EVP_MAX_MD_SIZE];
	unsigned len;

	if (EVP_Digest(p, n, value, &len, md, NULL) != 1)
		return -1;
	memcpy(out, value, len);
	return 0;
}

/* In place.  OpenSSL 3 has it in a module only, which is no file here. */
static void
rc4(const uint8_t *key, size_t key_n, uint8_t *p, size_t n)
{
	uint8_t s[256], t, i = 0, j = 0;
	unsigned k;

	for (k = 0; k < 256; k++)
		s[k] = (uint8_t)k;
	for (k = 0; k < 256; k++) {
		j = (uint8_t)(j + s[k] + key[k % key_n]);
		t = s[k];
		s[k] = s[j];
		s[j] = t;
	}
	for (j = 0; n > 0; n--, p++) {
		i++;
		j = (uint8_t)(j + s[i]);
		t = s[i];
		s[i] = s[j];
		s[j] = t;
		*p ^= s[(uint8_t)(s[i] + s[j])];
	}
}
