/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_COMMON_TESTCERT_H
#define REGRESS_COMMON_TESTCERT_H

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

#include "common/tls.h"

/*
 * A fresh self-signed P-256 certificate for a name, as PEM text that is never
 * freed (but kept where the leak check finds it).  Tests bring their own: one
 * that lies in the tree would expire.
 */

static const uint8_t *testcert_kept[64];
static size_t testcert_nkept;

static struct pem
testcert_text(BIO *bio)
{
	struct pem pem = { NULL, 0 };
	char *p;
	long n;

	n = BIO_get_mem_data(bio, &p);
	if (n > 0) {
		pem.text = (const uint8_t *)strndup(p, (size_t)n);
		pem.len = (size_t)n;
		if (testcert_nkept < sizeof(testcert_kept) /
		    sizeof(testcert_kept[0]))
			testcert_kept[testcert_nkept++] = pem.text;
	}
	BIO_free(bio);
	return pem;
}

static int
testcert_sign(X509 *x, EVP_PKEY *key, const char *name)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	char san[300];

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
	    MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	snprintf(san, sizeof(san), "DNS:%s", name);
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, san);
	if (ext == NULL)
		return 0;
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	return X509_sign(x, key, EVP_sha256());
}

static void
testcert(const char *name, struct pki_pem *out)
{
	EVP_PKEY *key;
	X509 *x;
	BIO *cert, *pkey;

	key = EVP_EC_gen("P-256");
	x = X509_new();
	cert = BIO_new(BIO_s_mem());
	pkey = BIO_new(BIO_s_mem());
	if (key == NULL || x == NULL || cert == NULL || pkey == NULL ||
	    !testcert_sign(x, key, name) || !PEM_write_bio_X509(cert, x) ||
	    !PEM_write_bio_PrivateKey(pkey, key, NULL, NULL, 0, NULL, NULL))
		abort();
	out->cert = testcert_text(cert);
	out->key = testcert_text(pkey);
	X509_free(x);
	EVP_PKEY_free(key);
}

#endif
