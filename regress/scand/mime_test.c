/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "regress/unit.h"
#include "scand/mime/mime.h"

/* Header sections, dates, address lists, bodies. */

static struct header	h;

static int
parse(const char *s)
{
	return header_parse(&h, (const uint8_t *)s, strlen(s));
}

static const char *
value(enum field_id id)
{
	const struct field *f = header_field(&h, id);

	return f == NULL ? NULL : f->value;
}

static void
test_header(void)
{
	CHECK_INT(parse("From: a@b.example\r\nSubject:  two\r\n\t words \r\n"
	    "X-Any : 1\r\nTO:\r\n\r\nBody: no\r\n"), 0);
	CHECK_INT(h.nfields, 4);
	CHECK_INT(h.odd, 0);
	CHECK_STR(value(FIELD_FROM), "a@b.example");
	CHECK_STR(value(FIELD_SUBJECT), "two\t words");
	CHECK_STR(value(FIELD_TO), "");
	CHECK_STR(h.fields[2].value, "1");
	CHECK_INT(h.fields[2].namelen, 5);
	CHECK_INT(h.count[FIELD_TO], 1);
	CHECK(value(FIELD_CC) == NULL);
	CHECK_INT(h.size, 62);
	CHECK_INT(h.fields[1].rawlen, 15);

	CHECK_INT(parse(""), 0);
	CHECK_INT(h.odd, ODD_EMPTY | ODD_NOEND);
	CHECK_INT(parse("\r\nbody"), 0);
	CHECK_INT(h.odd, ODD_EMPTY);
	CHECK_INT(h.size, 2);
	CHECK_INT(parse("From: a\r\nno colon here\r\n folded\r\nTo: b\r\n\r\n"),
	    0);
	CHECK_INT(h.odd, ODD_NOCOLON);
	CHECK_STR(value(FIELD_FROM), "a");
	CHECK_STR(value(FIELD_TO), "b");
	CHECK_INT(parse(" fold\r\nTo: b\r\n  \r\n\r\n"), 0);
	CHECK_INT(h.odd, ODD_FOLD);
	CHECK_STR(value(FIELD_TO), "b");
	CHECK_INT(parse("To: b\nCc: c"), 0);
	CHECK_INT(h.odd, ODD_LINEEND | ODD_NOEND);
	CHECK_STR(value(FIELD_CC), "c");
	CHECK_INT(parse("Su bject: x\r\n\r\n"), 0);
	CHECK_INT(h.odd, ODD_NAME);
	CHECK_INT(parse("Subject: \xc3\xa4\r\n\r\n"), 0);
	CHECK_INT(h.odd, ODD_8BIT);
	CHECK_INT(parse("Subject: \xe4\r\n\r\n"), 0);
	CHECK_INT(h.odd, ODD_8BIT | ODD_CHARSET);
	CHECK_INT(parse("Subject: \xed\xa0\x80\r\n\r\n"), 0);
	CHECK_INT(h.odd, ODD_8BIT | ODD_CHARSET);
	CHECK_INT(header_parse(&h, (const uint8_t *)"To: a\0b\r\n\r\n", 11),
	    0);
	CHECK_INT(h.odd, ODD_NUL);
	CHECK_INT(h.fields[0].len, 3);
}

static void
test_header_limits(void)
{
	size_t i, n = LIM_HEADER + 1000;
	char *s = malloc(n + 1);

	if (s == NULL)
		return;
	for (i = 0; i + 4 <= n; i += 4)
		memcpy(s + i, "a:\r\n", 4);
	s[n] = '\0';
	CHECK_INT(header_parse(&h, (const uint8_t *)s, n), 0);
	CHECK_INT(h.nfields, LIM_HEADER_FIELDS);
	CHECK(h.odd & ODD_FIELDS);
	CHECK(h.odd & ODD_LONG);
	CHECK(h.size <= LIM_HEADER);
	memset(s, 'x', n);
	memcpy(s, "To:", 3);
	CHECK_INT(header_parse(&h, (const uint8_t *)s, n), 0);
	CHECK_INT(h.fields[0].len, LIM_HEADER - 3);
	CHECK(h.odd & ODD_LONG);
	free(s);
}

static const struct {
	const char	*s;
	int64_t		 t;		/* -1: not a date */
} dates[] = {
	{ "Thu, 01 Jan 1970 00:00:01 +0000", 1 },
	{ "Sat, 28 Nov 2026 10:00:00 +0100", 1795856400 },
	{ "28 Nov 2026 10:00 +0100", 1795856400 },
	{ "Sat, 28 Nov 2026 09:00:00 GMT (nobody's time (nested))",
	    1795856400 },
	{ "Sat,28 nov 2026 04:00:00 EST", 1795856400 },
	{ "Sat, 28 Nov 26 09:00:00 -0000", 1795856400 },
	{ "Sun, 29 Feb 2004 23:59:60 +0000", 1078099200 },
	{ "Tue, 1 Feb 94 00:00:00 UT", 760060800 },
	{ "(x) Sat, (y) 28 Nov 2026 09:00:00 XYZ", 1795856400 },
	{ "Sat, 28 Nov 2026 09:00:00", 1795856400 },
	{ "", -1 },
	{ "yesterday", -1 },
	{ "Xyz, 28 Nov 2026 09:00:00 +0000", -1 },
	{ "Sat, 32 Nov 2026 09:00:00 +0000", -1 },
	{ "Sat, 28 Foo 2026 09:00:00 +0000", -1 },
	{ "Sat, 28 Nov 2026 24:00:00 +0000", -1 },
	{ "Sat, 28 Nov 2026 09:60:00 +0000", -1 },
	{ "Sat, 28 Nov 2026 09:00:00 +00", -1 },
	{ "Sat, 28 Nov 2026 09:00:00 +0060", -1 },
	{ "Sat, 28 Nov 2026 09:00:00 +0000 rest", -1 },
	{ "Sat, 28 Nov 1234567 09:00:00 +0000", -1 },
	{ "2026-11-28T09:00:00Z", -1 },
};

static void
test_date(void)
{
	size_t i;
	int64_t t;

	for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		if (date_parse(dates[i].s, strlen(dates[i].s), &t) == -1)
			t = -1;
		if (t != dates[i].t)
			printf("%s\n", dates[i].s);
		CHECK_INT(t, dates[i].t);
	}
}

static const struct {
	const char	*s;
	int		 ok;
	size_t		 n;
	const char	*display, *address;	/* of the first */
} lists[] = {
	{ "a@b.example", 1, 1, "", "a@b.example" },
	{ "<a@b.example>", 1, 1, "", "a@b.example" },
	{ "A B <a@b.example>", 1, 1, "A B", "a@b.example" },
	{ "\"A, \\\"B\\\"\" <a@b.example>", 1, 1, "A, \"B\"", "a@b.example" },
	{ "a@b.example (A B)", 1, 1, "", "a@b.example" },
	{ "a@b.example, C <c@d.example>,, ", 1, 2, "", "a@b.example" },
	{ "G: a@b.example, c@d.example;, e@f.example", 1, 3, "",
	    "a@b.example" },
	{ "undisclosed-recipients:;", 1, 0, NULL, NULL },
	{ "A <@r.example:a@b.example>", 1, 1, "A", "a@b.example" },
	{ "A <\"x y\"@b.example>", 1, 1, "A", "\"x y\"@b.example" },
	{ "J\xc3\xb6rg <a@b.example>", 1, 1, "J\xc3\xb6rg", "a@b.example" },
	{ "", 1, 0, NULL, NULL },
	{ "root", 0, 1, "", "root" },
	{ "A <a@b.example", 0, 1, "A", "a@b.example" },
	{ "A <a@b.example> <c@d.example>", 0, 1, "A", "c@d.example" },
	{ "A <a@b.example> x", 0, 1, "A", "a@b.example" },
	{ "\"open <a@b.example>", 0, 1, "", "open <a@b.example>" },
	{ "(open a@b.example", 0, 0, NULL, NULL },
	{ "A <>", 0, 1, "A", "" },
};

static void
test_mailbox(void)
{
	struct mailbox m[4];
	char found[64];
	size_t i, n;
	int ok;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		ok = mailbox_list(lists[i].s, strlen(lists[i].s), m, 4,
		    &n) == 0;
		if (ok != lists[i].ok || n != lists[i].n)
			printf("%s\n", lists[i].s);
		CHECK_INT(ok, lists[i].ok);
		CHECK_INT(n, lists[i].n);
		if (n > 0 && lists[i].n > 0) {
			CHECK_STR(m[0].display, lists[i].display);
			CHECK_STR(m[0].address, lists[i].address);
		}
	}
	CHECK_INT(mailbox_list("a@b.example,a@b.example,a@b.example", 35, m,
	    1, &n), 0);
	CHECK_INT(n, 3);

	CHECK_INT(mailbox_in_text("pay to it@b.example. now", found,
	    sizeof(found)), 0);
	CHECK_STR(found, "it@b.example");
	CHECK_INT(mailbox_in_text("me @ home, you@work", found,
	    sizeof(found)), -1);
	CHECK_INT(mailbox_in_text("@@@ a@@b.c x@y.z@q.example", found,
	    sizeof(found)), 0);
	CHECK_STR(found, "x@y.z");
	CHECK_INT(mailbox_in_text("x@y.example", found, 8), -1);
}

static void
test_body(void)
{
	static const char text[] = "\r\n  \r\n";
	static const char more[] = "a\r\nbcd\r\nlast \xe4";
	struct body b;

	body_look(&b, (const uint8_t *)text, sizeof(text) - 1);
	CHECK_INT(b.blank, 1);
	CHECK_INT(b.lines, 2);
	CHECK_INT(b.longest, 2);
	body_look(&b, (const uint8_t *)more, sizeof(more) - 1);
	CHECK_INT(b.blank, 0);
	CHECK_INT(b.lines, 3);
	CHECK_INT(b.longest, 6);
	body_look(&b, (const uint8_t *)text, 0);
	CHECK_INT(b.blank, 1);
	CHECK_INT(b.lines, 0);
}

int
main(void)
{
	test_header();
	test_header_limits();
	test_date();
	test_mailbox();
	test_body();
	header_free(&h);
	return unit_end();
}
