/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "regress/scand/content/build.h"
#include "regress/scand/content/fake.h"
#include "regress/unit.h"
#include "scand/content/office.h"

/*
 * The password that Excel tries by itself opens what another implementation
 * encrypted with it; everything else stays closed.  The salts are 0, 1, 2 ...,
 * the packages hold one member.
 */

/* FILEPASS with RC4, and with CryptoAPI of 128 and 40 bits. */
static const char rc4_40[] =
	"010001000100000102030405060708090a0b0c0d0e0f01fd4e05dc6e0e72fc"
	"c4b72175686883ded643a3b989170bc6e163b5debaf714";
static const char capi_128[] =
	"01000200020004000000240000000400000000000000016800000480000080"
	"0000000100000000000000000000004d000000100000000001020304050607"
	"08090a0b0c0d0e0fa024a295d910dcd16b2b69c9dfef19191400000074a70e"
	"b0e7278136e857318b9e9a13d19115d50b";
static const char capi_40[] =
	"01000200020004000000240000000400000000000000016800000480000028"
	"0000000100000000000000000000004d000000100000000001020304050607"
	"08090a0b0c0d0e0fc872728f14b55d849b7dde3f7cfd96a714000000d5e6c9"
	"6d597b070d79bf31b1599eddf2ece8d44b";

/* Agile, 1000 rounds of SHA-512, AES-256; a workbook and a document. */
static const char agile[] =
	"<encryption><keyData saltSize=\"16\" blockSize=\"16\" keyBits="
	"\"256\" hashSize=\"64\" cipherAlgorithm=\"AES\" cipherChaining"
	"=\"ChainingModeCBC\" hashAlgorithm=\"SHA512\" saltValue=\"EBES"
	"ExQVFhcYGRobHB0eHw==\"/><p:encryptedKey spinCount=\"1000\" sal"
	"tSize=\"16\" blockSize=\"16\" keyBits=\"256\" hashSize=\"64\" "
	"cipherAlgorithm=\"AES\" cipherChaining=\"ChainingModeCBC\" has"
	"hAlgorithm=\"SHA512\" saltValue=\"AAECAwQFBgcICQoLDA0ODw==\" e"
	"ncryptedVerifierHashInput=\"Gw51a4qOraudHqbbET11aw==\" encrypt"
	"edVerifierHashValue=\"PHaHsSWL8cVG/NJ8PtLSPiaivQdzhh2O74Oz9RD7"
	"l+axJD4I+2Hry4rQZ8RmlwsDsX7drIf6yeub+cviH13fmQ==\" encryptedKe"
	"yValue=\"xW0XUoI+EkxXLd3rrIaErhKmepMzsGOiAJMZtcLiNOM=\"/></enc"
	"ryption>";
static const char agile_xl[] =
	"6b00000000000000b4ffaf50867e0dace1dfcef77a53d9196fc0d03d8d131c"
	"90c4b4c07ee4c61925b452444681daee7326da36fcb2bad9541728fa893350"
	"0016a23286901226ebcb69c62d9ce57f157cba6d82589bdb3112a452c8c49f"
	"9c6289790a4bbc47798839e7a11d1a6f1a707b64e1a4a35c28b3f9";
static const char agile_word[] =
	"6f00000000000000b4ffaf50867e0dace1dfcef77a53d919e3b9478099d75c"
	"ab0e1f47c822d6fb24b63cf3a1633d537c6527db10cb733369526ae0299de1"
	"b7217b75fa1e7422d3696d0acd261b8eb5e6702ce217b066a6faaf2d034986"
	"3d9a8f6c10b268e2bc31236a9f8cf047f109b09c829d0c944ce69f";

/* Standard, AES-128 and AES-256. */
static const char standard_128[] =
	"03000200240000002400000024000000000000000e66000004800000800000"
	"001800000000000000000000004d0000001000000000010203040506070809"
	"0a0b0c0d0e0fc9c388ad490e94704544db5bb838b6ee14000000be5b139942"
	"0b30a6bd10f8474fc01c60b4ea54ab54faf94e4e62a270c21bb933";
static const char package_128[] =
	"6b0000000000000028b4a581d95d72e65ffb25afdfe475eed84939ceee53b0"
	"0023bc15fea299d77fb7030e64bc7ad7812050ec3d49cb67cf1fc9f987c0f2"
	"f94976a576f57f3360da17a94695bb7066b94018354065423d6c0dad2454d3"
	"9087a9b7278bf395ec8b6eab34d3bbcde8710aae74ef5e3d5024dd";
static const char standard_256[] =
	"03000200240000002400000024000000000000000e66000004800000000100"
	"001800000000000000000000004d0000001000000000010203040506070809"
	"0a0b0c0d0e0f4544525904401f38d903ed8c21a86dc914000000dd75d6a960"
	"75b5cecfde93502f0642f2aae34777d1496fe34ecbf02c3e4a70af";
static const char package_256[] =
	"6b00000000000000b029a6aa53da7f595dd1802203fe0b6cfe1e3120f33d02"
	"765f423c8b73f41007b6df64e368427fa876b6b99225ad36a4c751d3e26ef8"
	"76f80180c2487f5cbb4c006d86f699174d496d2abc31b17a7081d51a2bb499"
	"561bbe413b0280b648c11d249afd1f9c7847fcf020801c40b34bcc";

static int
opens(const char *hex, size_t change)
{
	struct made m = { NULL, 0, 0 };
	uint8_t *p;
	size_t n;
	int r;

	made_hex(&m, hex);
	if (change > 0)
		m.p[change] ^= 1;
	r = officecrypt_filepass(m.p, m.n);
	/* Cut anywhere it opens nothing, and nothing behind it is read. */
	for (n = 0; n < m.n && change == 0; n++) {
		if ((p = malloc(n + (n == 0))) == NULL)
			break;
		memcpy(p, m.p, n);
		CHECK_INT(officecrypt_filepass(p, n), 0);
		free(p);
	}
	made_free(&m);
	return r;
}

static void
test_filepass(void)
{
	CHECK(opens(rc4_40, 0));
	CHECK(!opens(rc4_40, 30));
	CHECK(opens(capi_128, 0));
	CHECK(!opens(capi_128, 80));
	CHECK(opens(capi_40, 0));
	CHECK(!opens(capi_40, 90));
	/* XOR: the key, then the verifier; BIFF8 says that it is XOR. */
	CHECK(opens("0000b3590a9a", 0));
	CHECK(opens("b3590a9a", 0));
	CHECK(!opens("0000b3590b9a", 0));
	CHECK(!opens("0100", 0));
	CHECK(!opens("010002000200", 0));
}

/* Open a package; 1: it is told to be encrypted. */
static int
encrypted(const char *info, const char *hex, struct fake *f)
{
	struct made i = { NULL, 0, 0 }, p = i;

	fake_start(f);
	if (*info == '<') {
		made_hex(&i, "0400040040000000");
		made_text(&i, info);
	} else
		made_hex(&i, info);
	made_hex(&p, hex);
	officecrypt_package(&f->in, i.p, i.n, p.p, p.n);
	made_free(&i);
	made_free(&p);
	return (int)f->count[FINDING_OFFICE_ENCRYPTED];
}

static void
test_packages(void)
{
	struct fake f;
	char other[sizeof(agile)];

	CHECK(!encrypted(agile, agile_xl, &f));
	CHECK_INT(f.looks, 2);
	CHECK_STR(f.name, "xl/a");
	/* Word would ask for the password. */
	CHECK(encrypted(agile, agile_word, &f));
	CHECK_STR(f.name, "word/a");
	CHECK(!encrypted(standard_128, package_128, &f));
	CHECK_STR(f.name, "xl/a");
	CHECK(!encrypted(standard_256, package_256, &f));
	CHECK_STR(f.name, "xl/a");
	/* Another salt is another password. */
	memcpy(other, agile, sizeof(other));
	memcpy(strstr(other, "saltValue=\"AAEC"), "saltValue=\"BBEC", 15);
	CHECK(encrypted(other, agile_xl, &f));
	CHECK_INT(f.looks, 0);
	/* More rounds than Office writes are not tried. */
	memcpy(other, agile, sizeof(other));
	memcpy(strstr(other, "spinCount="),
	    "spinCount=\"999999\" saltSize=\"\"", 30);
	CHECK(encrypted(other, agile_xl, &f));
	CHECK(encrypted("<encryption/>", agile_xl, &f));
	CHECK(encrypted("", agile_xl, &f));
	CHECK(encrypted("0300020024000000ffffffff", agile_xl, &f));
	CHECK(encrypted(standard_128, "", &f));
	CHECK(encrypted(standard_128, agile_xl, &f));
}

int
main(void)
{
	test_filepass();
	test_packages();
	return unit_end();
}
