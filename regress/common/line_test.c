/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "common/line.h"
#include "regress/unit.h"

/* Lines and dots, whole and octet by octet. */

#define MAX	8

static const struct {
	const char	*in;
	/* a letter a result: l line, b bare line, x too long; the lines
	   follow, one behind the other with "|" */
	const char	*want, *lines;
	const char	*rest;		/* not yet a line */
} cases[] = {
	{ "", "", "", "" },
	{ "a", "", "", "a" },
	{ "a\r", "", "", "a\r" },
	{ "a\r\n", "l", "a|", "" },
	{ "\r\n", "l", "|", "" },
	{ "a\r\nb\r\nc", "ll", "a|b|", "c" },
	{ "a\n", "b", "a|", "" },
	{ "\n\n", "bb", "||", "" },
	{ "a\rb\r\n", "b", "a\rb|", "" },
	{ "\r\r\n", "b", "\r|", "" },
	{ "a\rb\n", "b", "a\rb|", "" },
	{ "12345678\r\n", "l", "12345678|", "" },
	{ "12345678\r", "", "", "12345678\r" },
	{ "123456789\r\nab\r\n", "xl", "ab|", "" },
	{ "1234567890123456789012345678901234567890\r\nab\r\n", "xl", "ab|",
	    "" },
	{ "123456789012345\n\r\n", "xl", "|", "" },
	{ "12345678\r9\r\nok\r\n", "xl", "ok|", "" },
};

static void
split(const char *in, size_t step, const char *want, const char *lines,
    const char *rest)
{
	struct line_state st = { 0 };
	char got[32] = "", text[256] = "";
	size_t n = strlen(in), have, off = 0, len, used, ngot = 0,
	    ntext = 0;
	enum line_result r;
	int bare;

	for (have = 0; have < n || step >= n; ) {
		have = have + step > n ? n : have + step;
		for (;;) {
			r = line_find(&st, (const uint8_t *)in + off,
			    have - off, MAX, &len, &used, &bare);
			if (r == LINE_FOUND) {
				got[ngot++] = bare ? 'b' : 'l';
				memcpy(text + ntext, in + off, len);
				ntext += len;
				text[ntext++] = '|';
			} else if (r == LINE_LONG)
				got[ngot++] = 'x';
			off += used;
			if (r == LINE_NONE)
				break;
		}
		CHECK(have - off <= MAX + 1);
		if (have == n)
			break;
	}
	CHECK_STR(got, want);
	CHECK_STR(text, lines);
	CHECK_STR(in + off, rest);
}

static const struct {
	const char	*in, *want;
} dots[] = {
	{ "", "" },
	{ ".", ".." },
	{ "a.b\r\n.c\r\n..\r\n", "a.b\r\n..c\r\n...\r\n" },
	{ ".\r\n.\r\n.\r\n.", "..\r\n..\r\n..\r\n.." },
	{ "a\n.b\r\n", "a\n.b\r\n" },
	{ "a\r.b\r\n", "a\r.b\r\n" },
	{ "a\r\r\n.b", "a\r\r\n..b" },
	{ "\r\n\r\n.", "\r\n\r\n.." },
	{ "\n.", "\n." },
	{ ". .\r\n", ".. .\r\n" },
};

static void
stuff(const char *in, size_t step, const char *want)
{
	struct stuff_state st = { 0 };
	uint8_t out[256];
	size_t n = strlen(in), off, len, done = 0;

	for (off = 0; off < n; off += len) {
		len = n - off < step ? n - off : step;
		done += line_stuff(&st, (const uint8_t *)in + off, len,
		    out + done);
	}
	out[done] = '\0';
	CHECK_STR((char *)out, want);
	CHECK(step < n || done <= STUFF_ROOM(n));
}

int
main(void)
{
	size_t i, step;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (step = 1; step < 50; step++)
			split(cases[i].in, step, cases[i].want, cases[i].lines,
			    cases[i].rest);
	for (i = 0; i < sizeof(dots) / sizeof(dots[0]); i++)
		for (step = 1; step < 20; step++)
			stuff(dots[i].in, step, dots[i].want);
	return unit_end();
}
