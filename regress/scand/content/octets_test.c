/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "regress/unit.h"
#include "scand/content/magic.h"
#include "scand/content/octets.h"

/* Searching, compared with the plainest way to do it. */

static size_t
plainly(const uint8_t *p, size_t n, size_t from, const uint8_t *w, size_t len)
{
	for (; from + len <= n; from++)
		if (memcmp(p + from, w, len) == 0)
			return from;
	return n;
}

static void
test_find(void)
{
	uint8_t p[24], w[4];
	size_t n, len, i, from, want;
	unsigned k;

	for (k = 0; k < 20000; k++) {
		n = arc4random_uniform(sizeof(p) + 1);
		len = 1 + arc4random_uniform(sizeof(w));
		from = arc4random_uniform(sizeof(p) + 1);
		for (i = 0; i < n; i++)
			p[i] = "abN"[arc4random_uniform(3)];
		for (i = 0; i < len; i++)
			w[i] = "abN"[arc4random_uniform(3)];
		want = plainly(p, n, from, w, len);
		CHECK_INT(octets_find(p, n, from, w, len), want);
		for (i = 0; i < len; i++)
			CHECK_INT(octets_find_by(p, n, from, w, len, i), want);
	}
}

static void
test_ascii(void)
{
	uint8_t p[40];
	size_t n, at;

	for (n = 0; n <= sizeof(p); n++) {
		memset(p, 0x7f, sizeof(p));
		CHECK_INT(octets_ascii(p, n), n);
		for (at = 0; at < n; at++) {
			p[at] = 0x80;
			CHECK_INT(octets_ascii(p, n), at);
			p[at] = 'a';
		}
	}
}

/* One octet in fifty may be none of a text; some never are. */
static void
test_text(void)
{
	uint8_t p[100];
	unsigned c;
	int odd;

	for (c = 0; c < 256; c++) {
		odd = (c < 0x20 && (c < 8 || c > 13) && c != 0x1a &&
		    c != 0x1b) || c == 0x7f;
		memset(p, 'x', sizeof(p));
		p[7] = p[99] = (uint8_t)c;
		CHECK_INT(magic_is_text(p, sizeof(p)), c != 0);
		p[50] = (uint8_t)c;
		CHECK_INT(magic_is_text(p, sizeof(p)), !odd);
	}
}

int
main(void)
{
	test_find();
	test_ascii();
	test_text();
	return unit_end();
}
