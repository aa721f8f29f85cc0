/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "common/address.h"
#include "regress/unit.h"

/* Paths, mailboxes, domains, HELO names, xtext, UTF-8: what passes or not. */

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char	*path;
	int		 utf8;
	const char	*want;		/* NULL: refused */
	const char	*rest;
} paths[] = {
	{ "<>", 0, "", "" },
	{ "<> SIZE=1", 0, "", " SIZE=1" },
	{ "<a@b.example>", 0, "a@b.example", "" },
	{ "<a@b.example> BODY=8BITMIME", 0, "a@b.example", " BODY=8BITMIME" },
	{ "<a@b>", 0, "a@b", "" },
	{ "<first.last+tag=x@b.example>", 0, "first.last+tag=x@b.example", "" },
	{ "<!#$%&'*+-/=?^_`{|}~@b.example>", 0,
	    "!#$%&'*+-/=?^_`{|}~@b.example", "" },
	{ "<Postmaster>", 0, "postmaster", "" },
	{ "<POSTMASTER>x", 0, "postmaster", "x" },
	{ "<postmaster@b.example>", 0, "postmaster@b.example", "" },
	{ "<\"a b\"@c.example>", 0, "\"a b\"@c.example", "" },
	{ "<\"\"@c.example>", 0, "\"\"@c.example", "" },
	{ "<\"a\\\"b\\\\@>\"@c.example>", 0, "\"a\\\"b\\\\@>\"@c.example", "" },
	{ "<a@[192.0.2.1]>", 0, "a@[192.0.2.1]", "" },
	{ "<a@[IPv6:2001:db8::1]>", 0, "a@[IPv6:2001:db8::1]", "" },
	{ "<a@[ipv6:::ffff:1.2.3.4]>", 0, "a@[ipv6:::ffff:1.2.3.4]", "" },
	{ "<@r.example:a@b.example>", 0, "a@b.example", "" },
	{ "<@r.example,@s.example:a@b.example>", 0, "a@b.example", "" },
	{ "<a@_b._c.example>", 0, "a@_b._c.example", "" },
	{ "<a@b-c.1.example>", 0, "a@b-c.1.example", "" },
	{ "<\xc3\xa4@b.example>", 1, "\xc3\xa4@b.example", "" },
	{ "<a@b\xc3\xbc" "cher.example>", 1, "a@b\xc3\xbc" "cher.example", "" },
	{ "<\"\xc3\xa4 b\"@c.example>", 1, "\"\xc3\xa4 b\"@c.example", "" },
	{ "<\xf0\x9f\x98\x80@b.example>", 1, "\xf0\x9f\x98\x80@b.example", "" },
	{ "<a@" L63 ".example>", 0, "a@" L63 ".example", "" },

	{ "", 0, NULL, NULL },
	{ "a@b.example", 0, NULL, NULL },
	{ " <a@b.example>", 0, NULL, NULL },
	{ "<a@b.example", 0, NULL, NULL },
	{ "<a@b.example >", 0, NULL, NULL },
	{ "< a@b.example>", 0, NULL, NULL },
	{ "<a>", 0, NULL, NULL },
	{ "<a@>", 0, NULL, NULL },
	{ "<@b.example>", 0, NULL, NULL },
	{ "<@b.example:>", 0, NULL, NULL },
	{ "<@b.example:postmaster>", 0, NULL, NULL },
	{ "<@b.example,s.example:a@b>", 0, NULL, NULL },
	{ "<@b.example a@b>", 0, NULL, NULL },
	{ "<.a@b.example>", 0, NULL, NULL },
	{ "<a.@b.example>", 0, NULL, NULL },
	{ "<a..b@c.example>", 0, NULL, NULL },
	{ "<a b@c.example>", 0, NULL, NULL },
	{ "<a@b@c.example>", 0, NULL, NULL },
	{ "<a\"b\"@c.example>", 0, NULL, NULL },
	{ "<\"a\"b@c.example>", 0, NULL, NULL },
	{ "<\"a@c.example>", 0, NULL, NULL },
	{ "<\"a\\", 0, NULL, NULL },
	{ "<\"a\tb\"@c.example>", 0, NULL, NULL },
	{ "<\"a\x01\"@c.example>", 0, NULL, NULL },
	{ "<a\r\n@c.example>", 0, NULL, NULL },
	{ "<a(c)@c.example>", 0, NULL, NULL },
	{ "<a@b..c>", 0, NULL, NULL },
	{ "<a@.b>", 0, NULL, NULL },
	{ "<a@b.>", 0, NULL, NULL },
	{ "<a@-b.example>", 0, NULL, NULL },
	{ "<a@b-.example>", 0, NULL, NULL },
	{ "<a@b!c>", 0, NULL, NULL },
	{ "<a@b/c>", 0, NULL, NULL },
	{ "<a@" L63 "a.example>", 0, NULL, NULL },
	{ "<a@[192.0.2.1>", 0, NULL, NULL },
	{ "<a@[192.0.2]>", 0, NULL, NULL },
	{ "<a@[2001:db8::1]>", 0, NULL, NULL },
	{ "<a@[IPv6:192.0.2.1]>", 0, NULL, NULL },
	{ "<a@[x400:c=de]>", 0, NULL, NULL },
	{ "<a@[192.0.2.1]x>", 0, NULL, NULL },
	{ "<\xc3\xa4@b.example>", 0, NULL, NULL },
	{ "<a@b\xc3\xbc.example>", 0, NULL, NULL },
	{ "<\xe4@b.example>", 1, NULL, NULL },
	{ "<\xc0\xaf@b.example>", 1, NULL, NULL },
	{ "<\xc2\x85@b.example>", 1, NULL, NULL },
	{ "<\xed\xa0\x80@b.example>", 1, NULL, NULL },
	{ "<\xf4\x90\x80\x80@b.example>", 1, NULL, NULL },
	{ "<a@b\xc3>", 1, NULL, NULL },
	{ "<a@b\xc3", 1, NULL, NULL },
};

static const struct {
	const char	*s, *want;
} folds[] = {
	{ "A.B@C.Example", "a.b@c.example" },
	{ "a@c.example.", "a@c.example" },
	{ "\"a\"@c.example", "a@c.example" },
	{ "\"A.b\"@c.example", "a.b@c.example" },
	{ "\"\\a\\b\"@c.example", "ab@c.example" },
	{ "\"a b\"@c.example", "\"a b\"@c.example" },
	{ "\"\\a b\"@C", "\"a b\"@c" },
	{ "\"a\\\"b\"@c", "\"a\\\"b\"@c" },
	{ "\"a..b\"@c", "\"a..b\"@c" },
	{ "\".a\"@c", "\".a\"@c" },
	{ "\"a.\"@c", "\"a.\"@c" },
	{ "\"a@b\"@c", "\"a@b\"@c" },
	{ "\"\"@c", "\"\"@c" },
	{ "Postmaster", "postmaster" },
	{ "\xc3\x84@C", "\xc3\x84@c" },
	{ "", "" },
	/* not valid, but nothing may go wrong */
	{ "\"\"\"@c", "\"\\\"\"@c" },
	{ "\"", "\"" },
	{ "\"a\\\"@c", "\"a\\\\\"@c" },
};

static const struct {
	const char	*s;
	int		 ascii, utf8, helo;
} names[] = {
	{ "a.example", 1, 1, 1 },
	{ "localhost", 1, 1, 1 },
	{ "192.0.2.1", 1, 1, 1 },
	{ "a_b.example", 0, 0, 1 },
	{ "b\xc3\xbc" "cher.example", 0, 1, 0 },
	{ "b\xc3.example", 0, 0, 0 },
	{ "a.example.", 0, 0, 0 },
	{ ".", 0, 0, 0 },
	{ "", 0, 0, 0 },
	{ "a b", 0, 0, 0 },
	{ "[192.0.2.1]", 0, 0, 1 },
	{ "[IPv6:2001:db8::1]", 0, 0, 1 },
	{ "[2001:db8::1]", 0, 0, 0 },
	{ "[192.0.2.1", 0, 0, 0 },
	{ "[192.0.2.1]x", 0, 0, 0 },
	{ "a.example x", 0, 0, 0 },
	{ L63 "." L63 "." L63 "." L63, 0, 0, 0 },	/* 255 */
	{ L63 "." L63 "." L63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, 1, 1 },	/* 253 */
};

static void
test_paths(void)
{
	char dst[LIM_PATH + 1], small[8], local[2 * LIM_PATH];
	const char *p, *why;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		p = paths[i].path;
		why = NULL;
		if (paths[i].want == NULL) {
			if (address_path(&p, paths[i].utf8, dst,
			    sizeof(dst), &why) != -1)
				printf("accepted: %s\n", paths[i].path);
			CHECK(why != NULL && p == paths[i].path);
			continue;
		}
		CHECK_INT(address_path(&p, paths[i].utf8, dst, sizeof(dst),
		    &why), 0);
		CHECK_STR(dst, paths[i].want);
		CHECK_STR(p, paths[i].rest);
		if (strchr(dst, '@') != NULL)
			CHECK_INT(address_mailbox(dst, paths[i].utf8, &why), 0);
	}

	p = "<abc@d.e>";
	CHECK_INT(address_path(&p, 0, small, sizeof(small), &why), 0);
	CHECK_STR(small, "abc@d.e");
	p = "<abcd@d.e>";
	CHECK_INT(address_path(&p, 0, small, sizeof(small), &why), -1);

	/* lengths: local part, and both together, which must still fold */
	memset(local, 'a', sizeof(local));
	snprintf(local + LIM_LOCALPART, 16, "@b.example");
	CHECK_INT(address_mailbox(local, 0, &why), 0);
	snprintf(local + LIM_LOCALPART, 16, "a@b.example");
	CHECK_INT(address_mailbox(local, 0, &why), -1);
	CHECK_STR(why, "local part is too long");
	memset(local, 'a', sizeof(local));
	local[LIM_LOCALPART] = '@';
	local[LIM_LOCALPART + 32] = '.';
	local[LIM_PATH] = '\0';
	CHECK_INT(address_mailbox(local, 0, &why), 0);
	CHECK_INT(address_fold(local, dst, sizeof(dst)), 0);
	CHECK_STR(dst, local);
	local[LIM_PATH] = 'a';
	local[LIM_PATH + 1] = '\0';
	CHECK_INT(address_mailbox(local, 0, &why), -1);
	CHECK_STR(why, "address is too long");

	CHECK_INT(address_mailbox("a@b.example>", 0, &why), -1);
	CHECK_INT(address_mailbox("", 0, &why), -1);
	CHECK_INT(address_mailbox("postmaster", 0, &why), -1);
}

static void
test_fold(void)
{
	char dst[64], name[64];
	size_t i, n;

	for (i = 0; i < sizeof(folds) / sizeof(folds[0]); i++) {
		CHECK_INT(address_fold(folds[i].s, dst, sizeof(dst)), 0);
		CHECK_STR(dst, folds[i].want);
		/* too little room is an error, never an overrun */
		for (n = 0; n <= strlen(folds[i].want); n++) {
			memset(dst, '#', sizeof(dst));
			CHECK_INT(address_fold(folds[i].s, dst, n), -1);
			CHECK(dst[n] == '#');
		}
	}
	CHECK_STR(address_domain("a@b"), "b");
	CHECK_STR(address_domain("\"a@b\"@c"), "c");
	CHECK(address_domain("postmaster") == NULL);

	CHECK(address_is_local("PostMaster@a.example", "postmaster"));
	CHECK(address_is_local("postmaster", "postmaster"));
	CHECK(address_is_local("\"abuse\"@a", "Abuse"));
	CHECK(!address_is_local("abuser@a", "abuse"));
	CHECK(!address_is_local("abus@a", "abuse"));

	snprintf(name, sizeof(name), "MX.Example.");
	domain_fold(name);
	CHECK_STR(name, "mx.example");
	snprintf(name, sizeof(name), ".");
	domain_fold(name);
	CHECK_STR(name, ".");
}

static void
test_names(void)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK_INT(domain_valid(names[i].s, 0), names[i].ascii);
		CHECK_INT(domain_valid(names[i].s, 1), names[i].utf8);
		CHECK_INT(helo_valid(names[i].s), names[i].helo);
	}
}

static void
test_xtext(void)
{
	char dst[64];

	CHECK_INT(xtext_decode("a+2Bb+3D+20c", dst, sizeof(dst)), 0);
	CHECK_STR(dst, "a+b= c");
	CHECK_INT(xtext_decode("", dst, sizeof(dst)), 0);
	CHECK_STR(dst, "");
	CHECK_INT(xtext_decode("a+2b", dst, sizeof(dst)), -1);
	CHECK_INT(xtext_decode("a+", dst, sizeof(dst)), -1);
	CHECK_INT(xtext_decode("a+2", dst, sizeof(dst)), -1);
	CHECK_INT(xtext_decode("a=b", dst, sizeof(dst)), -1);
	CHECK_INT(xtext_decode("a b", dst, sizeof(dst)), -1);
	CHECK_INT(xtext_decode("a+0A", dst, sizeof(dst)), -1);
	CHECK_INT(xtext_decode("a+00", dst, sizeof(dst)), -1);
	CHECK_INT(xtext_decode("\xc3\xa4", dst, sizeof(dst)), -1);
	CHECK_INT(xtext_decode("abc", dst, 4), 0);
	CHECK_INT(xtext_decode("abcd", dst, 4), -1);
	CHECK_INT(xtext_decode("", dst, 0), -1);

	CHECK_INT(xtext_encode("a+b= c\xc3", dst, sizeof(dst)), 0);
	CHECK_STR(dst, "a+2Bb+3D+20c+C3");
	CHECK_INT(xtext_encode("a+", dst, 5), 0);
	CHECK_INT(xtext_encode("a+", dst, 4), -1);
	CHECK_INT(xtext_encode("", dst, 0), -1);
}

static void
test_utf8(void)
{
	CHECK(utf8_valid("", 0));
	CHECK(utf8_valid("abc \xe2\x82\xac \xf4\x8f\xbf\xbf", 12));
	CHECK(!utf8_valid("a\0b", 3));
	CHECK(!utf8_valid("a\tb", 3));
	CHECK(!utf8_valid("a\x7f", 2));
	CHECK(!utf8_valid("\xe2\x82", 2));
	CHECK(!utf8_valid("\x80", 1));
	CHECK(!utf8_valid("\xc1\xbf", 2));
	CHECK(!utf8_valid("\xe0\x9f\xbf", 3));
	CHECK(!utf8_valid("\xf0\x8f\xbf\xbf", 4));
	CHECK(!utf8_valid("\xed\xbf\xbf", 3));
	CHECK(!utf8_valid("\xf5\x80\x80\x80", 4));
	CHECK(!utf8_valid("\xc2\x9f", 2));
	CHECK(utf8_valid("\xc2\xa0", 2));
}

int
main(void)
{
	test_paths();
	test_fold();
	test_names();
	test_xtext();
	test_utf8();
	return unit_end();
}
