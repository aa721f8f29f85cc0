/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <openssl/evp.h>
#include <string.h>

#include "scand/content/office.h"

/*
 * FILEPASS of an Excel workbook, [MS-XLS] 2.4.117: does the password open it
 * that Excel tries by itself?  Excel uses it, too, when only the structure of
 * a workbook is to be protected, so such books are ordinary.  Macros can be
 * seen in encrypted books as in others, and nothing has to be decrypted.
 */

#define XOR_VERIFIER	0x9a0a	/* of that password, [MS-OFFCRYPTO] 2.3.7.1 */

static int	 filepass_rc4(const uint8_t *, size_t);
static int	 filepass_capi(const uint8_t *, size_t);
static void	 rc4(const uint8_t *, size_t, uint8_t *, size_t);

int
officecrypt_filepass(const uint8_t *p, size_t n)
{
	if (n < 4)
		return 0;
	/* BIFF5 has the XOR key and verifier alone. */
	if (n == 4)
		return le16(p + 2) == XOR_VERIFIER;
	if (le16(p) == 0)
		return n >= 6 && le16(p + 4) == XOR_VERIFIER;
	if (n < 6 || le16(p) != 1)
		return 0;
	if (le16(p + 2) == 1)
		return filepass_rc4(p + 6, n - 6);
	return filepass_capi(p + 6, n - 6);
}

/* [MS-OFFCRYPTO] 2.3.6: salt, verifier and its hash, 16 octets each. */
static int
filepass_rc4(const uint8_t *p, size_t n)
{
	uint8_t h[EVP_MAX_MD_SIZE], twice[16 * 21], both[32], zero[4] = { 0 };
	size_t i;

	if (n < 48 || office_hash(EVP_md5(), office_password,
	    sizeof(office_password), NULL, 0, h) == -1)
		return 0;
	for (i = 0; i < 16; i++) {
		memcpy(twice + 21 * i, h, 5);
		memcpy(twice + 21 * i + 5, p, 16);
	}
	if (office_hash(EVP_md5(), twice, sizeof(twice), NULL, 0, h) == -1 ||
	    office_hash(EVP_md5(), h, 5, zero, sizeof(zero), h) == -1)
		return 0;
	memcpy(both, p + 16, sizeof(both));
	rc4(h, 16, both, sizeof(both));
	return office_hash(EVP_md5(), both, 16, NULL, 0, h) == 0 &&
	    memcmp(h, both + 16, 16) == 0;
}

/*
 * 2.3.5: flags, u32 size of the header, header (u32 key bits at 16), u32 and
 * salt, 16 octets, u32 and 20 octets.
 */
static int
filepass_capi(const uint8_t *p, size_t n)
{
	uint8_t h[EVP_MAX_MD_SIZE], both[36], zero[4] = { 0 };
	const uint8_t *v;
	size_t header, key_n;

	if (n < 8 || (header = le32(p + 4)) < 32 || header > n - 8 ||
	    n - 8 - header < 4 + 16 + 16 + 4 + 20)
		return 0;
	key_n = le32(p + 8 + 16) / 8;
	/* 2.3.5.1: none means 40 bits. */
	if (key_n == 0)
		key_n = 5;
	if (key_n > 16)
		return 0;
	v = p + 8 + header + 4;
	if (office_hash(EVP_sha1(), v, 16, office_password,
	    sizeof(office_password), h) == -1 ||
	    office_hash(EVP_sha1(), h, 20, zero, sizeof(zero), h) == -1)
		return 0;
	if (key_n == 5) {
		memset(h + 5, 0, 11);
		key_n = 16;
	}
	memcpy(both, v + 16, 16);
	memcpy(both + 16, v + 36, 20);
	rc4(h, key_n, both, sizeof(both));
	return office_hash(EVP_sha1(), both, 16, NULL, 0, h) == 0 &&
	    memcmp(h, both + 16, 20) == 0;
}

/*
 * OpenSSL 3 has RC4 in its legacy provider, a module that it loads from a
 * file: in the empty chroot there is none.
 */
static void
rc4(const uint8_t *key, size_t key_n, uint8_t *p, size_t n)
{
	uint8_t s[256], t;
	unsigned i, j;
	size_t k;

	for (i = 0; i < 256; i++)
		s[i] = (uint8_t)i;
	for (i = j = 0; i < 256; i++) {
		j = (j + s[i] + key[i % key_n]) & 0xff;
		t = s[i];
		s[i] = s[j];
		s[j] = t;
	}
	for (i = j = 0, k = 0; k < n; k++) {
		i = (i + 1) & 0xff;
		j = (j + s[i]) & 0xff;
		t = s[i];
		s[i] = s[j];
		s[j] = t;
		p[k] ^= s[(s[i] + s[j]) & 0xff];
	}
}

int
office_hash(const EVP_MD *md, const void *p, size_t n, const void *q,
    size_t m, uint8_t *h)
{
	EVP_MD_CTX *ctx;
	int ret = -1;

	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return -1;
	if (EVP_DigestInit_ex(ctx, md, NULL) && EVP_DigestUpdate(ctx, p, n) &&
	    EVP_DigestUpdate(ctx, q, m) && EVP_DigestFinal_ex(ctx, h, NULL))
		ret = 0;
	EVP_MD_CTX_free(ctx);
	return ret;
}
