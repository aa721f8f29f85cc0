/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/build.h"
#include "regress/scand/content/fake.h"
#include "regress/unit.h"
#include "scand/content/office.h"

/*
 * The compression of MS-OVBA: its own examples (3.2), raw chunks, and what is
 * broken.
 */

static int
unpack(const char *hex, struct buffer *b, size_t max)
{
	struct made m = { NULL, 0, 0 };
	struct fake f;
	int r;

	memset(b, 0, sizeof(*b));
	fake_start(&f);
	made_hex(&m, hex);
	r = ovba_unpack(&f.in, b, m.p, m.n, max);
	made_free(&m);
	return r;
}

static void
is(const char *hex, const char *want, int ret)
{
	struct buffer b;

	CHECK_INT(unpack(hex, &b, 1000000), ret);
	CHECK(b.n == strlen(want) &&
	    (b.n == 0 || memcmp(b.p, want, b.n) == 0));
	buffer_free(&b);
}

static void
test_examples(void)
{
	/* 3.2.1 to 3.2.3 */
	is("0119B000616263646566676800696A6B6C6D6E6F70007172737475762E",
	    "abcdefghijklmnopqrstuv.", 0);
	is("012FB00023616161626364658266007061676869"
	    "6A013808616B6C00306D6E6F7006710270041072"
	    "7374757610777879"
	    "7A003C", "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuv"
	    "wxyzaaa", 0);
}

static void
test_edges(void)
{
	struct made raw = { NULL, 0, 0 };
	struct buffer b;
	struct fake f;
	char text[5000];
	size_t i;

	/* 3.2.3: one literal, then a copy that overlaps itself. */
	CHECK_INT(unpack("0103B0026145" "00", &b, 100), 0);
	CHECK_INT(b.n, 73);
	buffer_free(&b);
	/* It does not fit: an error, and nothing of it. */
	CHECK_INT(unpack("0103B002614500", &b, 72), -1);
	CHECK_INT(b.n, 0);
	buffer_free(&b);
	/* An offset before the begin; what came before is kept. */
	is("0105B00461620FF0", "ab", -1);
	/* A copy with one octet, no chunk at all, no container. */
	is("0103B0016100", "", -1);
	is("01", "", -1);
	is("010000", "", -1);
	is("02" "03B000616200", "", -1);
	is("", "", -1);
	/* Two chunks of literals, the first one full. */
	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	raw = make_ovba(text, sizeof(text));
	memset(&b, 0, sizeof(b));
	fake_start(&f);
	CHECK_INT(ovba_unpack(&f.in, &b, raw.p, raw.n, 10000), 0);
	CHECK(b.n == sizeof(text) && memcmp(b.p, text, b.n) == 0);
	buffer_free(&b);
	made_free(&raw);
	/* A raw chunk: bit 15 is clear, and 4096 octets follow. */
	made_hex(&raw, "01FF3F");
	made_add(&raw, text, 4096);
	CHECK_INT(ovba_unpack(&f.in, &b, raw.p, raw.n, 10000), 0);
	CHECK(b.n == 4096 && memcmp(b.p, text, 4096) == 0);
	buffer_free(&b);
	made_free(&raw);
}

int
main(void)
{
	test_examples();
	test_edges();
	return unit_end();
}
