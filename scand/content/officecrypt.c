/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"
#include "scand/content/office.h"

/*
 * Encrypted packages, [MS-OFFCRYPTO] 2.3.4: the streams EncryptionInfo and
 * EncryptedPackage in a compound file.  Excel tries one password by itself, so
 * a workbook that it opens is no secret for anybody: whoever sends one wants
 * it to be read by Excel and by nothing on the way.  It is decrypted and
 * looked into.  All else is reported as encrypted.
 */

#define SEGMENT		4096	/* 2.3.4.15: encrypted piece by piece */
#define BLOCK		16	/* of AES */
#define STANDARD_SPIN	50000	/* 2.3.4.7 */

/* What opens a package. */
struct opened {
	const EVP_CIPHER *cipher;
	uint8_t		 key[32];
	const EVP_MD	*md;		/* agile: makes the IV of a segment */
	uint8_t		 salt[64];
	size_t		 salt_n;
};

/* A tag of agile's XML, <keyData> or <encryptedKey>. */
struct agile {
	const EVP_MD	*md;
	size_t		 key_n;
	uint32_t	 spin;
	uint8_t		 salt[64];
	size_t		 salt_n;
	uint8_t		 input[64];	/* encryptedVerifierHashInput */
	size_t		 input_n;
	uint8_t		 value[96];	/* encryptedVerifierHashValue */
	size_t		 value_n;
	uint8_t		 key[64];	/* encryptedKeyValue */
	size_t		 secret_n;
};

static int	 open_agile(struct inspect *, const uint8_t *, size_t,
		    struct opened *);
static int	 open_key(struct inspect *, const struct agile *, uint8_t *);
static void	 agile_tag(struct agile *, struct xml *);
static size_t	 agile_octets(struct xml *, const char *, uint8_t *, size_t);
static uint32_t	 agile_number(struct xml *, const char *);
static int	 agile_decrypt(const struct agile *, const uint8_t *, size_t,
		    uint64_t, const uint8_t *, size_t, uint8_t *);
static int	 open_standard(struct inspect *, const uint8_t *, size_t,
		    struct opened *);
static int	 decrypt(struct inspect *, const struct opened *,
		    const uint8_t *, size_t, struct buffer *);
static int	 spin(struct inspect *, const EVP_MD *, const uint8_t *, size_t,
		    uint32_t, uint8_t *);
static const EVP_CIPHER *aes(size_t, int);
static int	 aes_decrypt(const EVP_CIPHER *, const uint8_t *,
		    const uint8_t *, const uint8_t *, size_t, uint8_t *);

/* "VelvetSweatshop" in UTF-16LE. */
const uint8_t office_password[OFFICE_PASSWORD_LEN] = {
	'V', 0, 'e', 0, 'l', 0, 'v', 0, 'e', 0, 't', 0, 'S', 0, 'w', 0,
	'e', 0, 'a', 0, 't', 0, 's', 0, 'h', 0, 'o', 0, 'p', 0
};

void
officecrypt_package(struct inspect *in, const uint8_t *info, size_t info_n,
    const uint8_t *package, size_t package_n)
{
	struct opened o;
	struct buffer b = { NULL, 0, 0, NULL };
	int secret = 1, r = -1;

	memset(&o, 0, sizeof(o));
	/* 2.3.4.5, 2.3.4.10: the versions. */
	if (info_n >= 8 && le16(info) == 4 && le16(info + 2) == 4)
		r = open_agile(in, info + 8, info_n - 8, &o);
	else if (info_n >= 8 && le16(info + 2) == 2)
		r = open_standard(in, info, info_n, &o);
	if (r == 0 && decrypt(in, &o, package, package_n, &b) == 0 &&
	    office_magic(b.p, b.n)) {
		/* Word and PowerPoint ask for this password like any other. */
		secret = office_find(b.p, b.n, 0, "xl/", 3) == b.n;
		content_look(in, "EncryptedPackage", b.p, b.n);
	}
	if (secret)
		office_report(in, FINDING_OFFICE_ENCRYPTED, "%s",
		    info_n == 0 ? "rights management" : "");
	buffer_free(&b);
	explicit_bzero(&o, sizeof(o));
}

/* 2.3.4.10 to 2.3.4.13. */
static int
open_agile(struct inspect *in, const uint8_t *p, size_t n, struct opened *o)
{
	struct agile data, key;
	struct xml x;
	enum xml_event e;

	memset(&data, 0, sizeof(data));
	memset(&key, 0, sizeof(key));
	xml_open(&x, p, n);
	while ((e = xml_next(&x)) != XML_END) {
		if (e != XML_OPEN)
			continue;
		if (xml_is(&x, "keyData"))
			agile_tag(&data, &x);
		else if (xml_is(&x, "encryptedKey") && key.spin == 0)
			agile_tag(&key, &x);
	}
	o->cipher = aes(key.key_n, 1);
	o->md = data.md;
	if (o->md == NULL || key.md == NULL || o->cipher == NULL ||
	    data.key_n != key.key_n ||
	    key.spin > LIM_OFFICE_SPIN || open_key(in, &key, o->key) == -1)
		return -1;
	memcpy(o->salt, data.salt, data.salt_n);
	o->salt_n = data.salt_n;
	return 0;
}

/* Is it the password?  Then the secret key. */
static int
open_key(struct inspect *in, const struct agile *a, uint8_t *secret)
{
	uint8_t h[EVP_MAX_MD_SIZE], input[64], value[96];
	uint8_t want[EVP_MAX_MD_SIZE];
	size_t hash_n = (size_t)EVP_MD_size(a->md);
	size_t key_n = (a->key_n + BLOCK - 1) & ~(size_t)(BLOCK - 1);

	if (a->input_n == 0 || a->value_n < hash_n || a->secret_n < key_n ||
	    spin(in, a->md, a->salt, a->salt_n, a->spin, h) == -1)
		return -1;
	/* 2.3.4.11: the block keys, as numbers with the first octet first. */
	if (agile_decrypt(a, h, hash_n, 0xfea7d2763b4b9e79ULL, a->input,
	    a->input_n, input) == -1 ||
	    agile_decrypt(a, h, hash_n, 0xd7aa0f6d3061344eULL, a->value,
	    a->value_n, value) == -1 ||
	    office_hash(a->md, input, a->input_n, NULL, 0, want) == -1 ||
	    memcmp(want, value, hash_n) != 0)
		return -1;
	return agile_decrypt(a, h, hash_n, 0x146e0be7abacd0d6ULL, a->key,
	    key_n, secret);
}

static void
agile_tag(struct agile *a, struct xml *x)
{
	static const struct {
		const char	*name;
		const EVP_MD	*(*md)(void);
	} hashes[] = {
		{ "SHA512", EVP_sha512 }, { "SHA384", EVP_sha384 },
		{ "SHA256", EVP_sha256 }, { "SHA1", EVP_sha1 },
		{ "SHA-512", EVP_sha512 }, { "SHA-384", EVP_sha384 },
		{ "SHA-256", EVP_sha256 }, { "SHA-1", EVP_sha1 },
		{ "MD5", EVP_md5 }
	};
	char word[40];
	size_t i;

	if (!xml_attr(x, "cipherAlgorithm", word, sizeof(word)) ||
	    strcasecmp(word, "AES") != 0)
		return;
	if (!xml_attr(x, "cipherChaining", word, sizeof(word)) ||
	    strcasecmp(word, "ChainingModeCBC") != 0)
		return;
	if (!xml_attr(x, "hashAlgorithm", word, sizeof(word)))
		return;
	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (strcasecmp(word, hashes[i].name) == 0)
			a->md = hashes[i].md();
	a->key_n = agile_number(x, "keyBits") / 8;
	a->spin = agile_number(x, "spinCount");
	a->salt_n = agile_octets(x, "saltValue", a->salt, sizeof(a->salt));
	a->input_n = agile_octets(x, "encryptedVerifierHashInput", a->input,
	    sizeof(a->input));
	a->value_n = agile_octets(x, "encryptedVerifierHashValue", a->value,
	    sizeof(a->value));
	a->secret_n = agile_octets(x, "encryptedKeyValue", a->key,
	    sizeof(a->key));
}

/* Octets in base64, 0 if there are too many. */
static size_t
agile_octets(struct xml *x, const char *name, uint8_t *dst, size_t size)
{
	struct base64 b = { 0, 0, 0 };
	char text[160];
	uint8_t out[120];
	size_t n;

	if (!xml_attr(x, name, text, sizeof(text)))
		return 0;
	n = base64_decode(&b, text, strlen(text), out);
	if (n > size)
		return 0;
	memcpy(dst, out, n);
	return n;
}

static uint32_t
agile_number(struct xml *x, const char *name)
{
	char text[12];
	uint32_t v = 0;
	const char *s;

	if (!xml_attr(x, name, text, sizeof(text)))
		return 0;
	for (s = text; *s >= '0' && *s <= '9' && v < 100000000; s++)
		v = v * 10 + (uint32_t)(*s - '0');
	return v;
}

/* Hash and block key give a key; the IV is the salt.  2.3.4.11, 2.3.4.12. */
static int
agile_decrypt(const struct agile *a, const uint8_t *h, size_t hash_n,
    uint64_t block, const uint8_t *p, size_t n, uint8_t *dst)
{
	uint8_t which[8], key[EVP_MAX_MD_SIZE], iv[BLOCK];
	const EVP_CIPHER *cipher = aes(a->key_n, 1);
	size_t i;

	for (i = 0; i < 8; i++)
		which[i] = (uint8_t)(block >> (56 - 8 * i));
	if (cipher == NULL ||
	    office_hash(a->md, h, hash_n, which, sizeof(which), key) == -1)
		return -1;
	for (i = hash_n; i < a->key_n; i++)
		key[i] = 0x36;
	memset(iv, 0x36, sizeof(iv));
	memcpy(iv, a->salt, a->salt_n < BLOCK ? a->salt_n : BLOCK);
	return aes_decrypt(cipher, key, iv, p, n, dst);
}

/*
 * 2.3.4.5 to 2.3.4.9: version, flags, u32 size of the header, header (u32 key
 * bits at 16), then the verifier: u32, salt, 16 octets, u32, 32 octets.
 */
static int
open_standard(struct inspect *in, const uint8_t *p, size_t n,
    struct opened *o)
{
	uint8_t h[EVP_MAX_MD_SIZE], pad[64], zero[4] = { 0 };
	uint8_t input[16], value[32], want[EVP_MAX_MD_SIZE];
	const uint8_t *v;
	size_t header, key_n, i;

	if (n < 12 || (header = le32(p + 8)) < 32 || header > n - 12 ||
	    n - 12 - header < 4 + 16 + 16 + 4 + 32)
		return -1;
	key_n = le32(p + 12 + 16) / 8;
	v = p + 12 + header + 4;
	if ((o->cipher = aes(key_n, 0)) == NULL ||
	    spin(in, EVP_sha1(), v, 16, STANDARD_SPIN, h) == -1 ||
	    office_hash(EVP_sha1(), h, 20, zero, 4, h) == -1)
		return -1;
	/* 2.3.4.7: the key is one hash, or the begin of two. */
	memset(pad, 0x36, sizeof(pad));
	for (i = 0; i < 20; i++)
		pad[i] ^= h[i];
	if (office_hash(EVP_sha1(), pad, sizeof(pad), NULL, 0, want) == -1)
		return -1;
	memcpy(o->key, want, 20);
	memset(pad, 0x5c, sizeof(pad));
	for (i = 0; i < 20; i++)
		pad[i] ^= h[i];
	if (office_hash(EVP_sha1(), pad, sizeof(pad), NULL, 0, want) == -1)
		return -1;
	memcpy(o->key + 20, want, 12);
	if (aes_decrypt(o->cipher, o->key, NULL, v + 16, 16, input) == -1 ||
	    aes_decrypt(o->cipher, o->key, NULL, v + 36, 32, value) == -1 ||
	    office_hash(EVP_sha1(), input, 16, NULL, 0, want) == -1 ||
	    memcmp(want, value, 20) != 0)
		return -1;
	return 0;
}

/* 2.3.4.4: u64 size, which may be nonsense, then the package. */
static int
decrypt(struct inspect *in, const struct opened *o, const uint8_t *p,
    size_t n, struct buffer *b)
{
	uint8_t out[SEGMENT], iv[EVP_MAX_MD_SIZE], number[4];
	uint64_t size;
	uint32_t i;
	size_t k;

	if (n < 8)
		return -1;
	size = le32(p) | (uint64_t)le32(p + 4) << 32;
	p += 8;
	n -= 8;
	for (i = 0; n >= BLOCK; i++, p += k, n -= k) {
		k = n < SEGMENT ? n & ~(size_t)(BLOCK - 1) : SEGMENT;
		number[0] = (uint8_t)i;
		number[1] = (uint8_t)(i >> 8);
		number[2] = (uint8_t)(i >> 16);
		number[3] = (uint8_t)(i >> 24);
		if (o->md != NULL && office_hash(o->md, o->salt, o->salt_n,
		    number, sizeof(number), iv) == -1)
			return -1;
		if (aes_decrypt(o->cipher, o->key, iv, p, k, out) == -1 ||
		    buffer_add(in, b, out, k) == -1)
			return -1;
	}
	if (size > 0 && size < b->n)
		b->n = (size_t)size;
	return b->n > 0 ? 0 : -1;
}

/* 2.3.4.11: hash of salt and password, then of a number and that, often. */
static int
spin(struct inspect *in, const EVP_MD *md, const uint8_t *salt, size_t salt_n,
    uint32_t rounds, uint8_t *h)
{
	EVP_MD_CTX *ctx;
	uint8_t number[4];
	uint32_t i;
	size_t n = (size_t)EVP_MD_size(md);
	int ret = -1;

	if (office_hash(md, salt, salt_n, office_password,
	    sizeof(office_password), h) == -1 ||
	    (ctx = EVP_MD_CTX_new()) == NULL)
		return -1;
	if (!EVP_DigestInit_ex(ctx, md, NULL))
		goto out;
	for (i = 0; i < rounds; i++) {
		if ((i & 0x1f) == 0 && budget_step(&in->budget) == -1)
			goto out;
		number[0] = (uint8_t)i;
		number[1] = (uint8_t)(i >> 8);
		number[2] = (uint8_t)(i >> 16);
		number[3] = (uint8_t)(i >> 24);
		/* No type: OpenSSL would look it up again each time. */
		if (!EVP_DigestInit_ex(ctx, NULL, NULL) ||
		    !EVP_DigestUpdate(ctx, number, sizeof(number)) ||
		    !EVP_DigestUpdate(ctx, h, n) ||
		    !EVP_DigestFinal_ex(ctx, h, NULL))
			goto out;
	}
	ret = 0;
out:
	EVP_MD_CTX_free(ctx);
	return ret;
}

static const EVP_CIPHER *
aes(size_t key_n, int cbc)
{
	switch (key_n) {
	case 16:
		return cbc ? EVP_aes_128_cbc() : EVP_aes_128_ecb();
	case 24:
		return cbc ? EVP_aes_192_cbc() : EVP_aes_192_ecb();
	case 32:
		return cbc ? EVP_aes_256_cbc() : EVP_aes_256_ecb();
	default:
		return NULL;
	}
}

/* n octets, whole blocks and a few KB at most; no padding. */
static int
aes_decrypt(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv,
    const uint8_t *p, size_t n, uint8_t *dst)
{
	EVP_CIPHER_CTX *ctx;
	int len, ret = -1;

	if (n % BLOCK != 0 || (ctx = EVP_CIPHER_CTX_new()) == NULL)
		return -1;
	if (EVP_DecryptInit_ex(ctx, cipher, NULL, key, iv) &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) &&
	    EVP_DecryptUpdate(ctx, dst, &len, p, (int)n) &&
	    (size_t)len == n)
		ret = 0;
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}
