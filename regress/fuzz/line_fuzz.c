/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/line.h"

/*
 * The line reader and the dot stuffer.  The first octet of the input says in
 * what pieces the rest arrives, the second how long a line may be; what comes
 * out must be what a reader gets that has all of it at once, octet by octet.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

/* The next line of p by the letter of the rule; its result. */
static enum line_result
plain_line(const uint8_t *p, size_t n, size_t max, size_t *used, int *bare)
{
	size_t i, end;

	for (i = 0; i < n && p[i] != '\n'; i++)
		continue;
	if (i == n)
		return LINE_NONE;
	*used = i + 1;
	end = i > 0 && p[i - 1] == '\r' ? i - 1 : i;
	*bare = end == i;
	for (i = 0; i < end; i++)
		if (p[i] == '\r')
			*bare = 1;
	return end > max ? LINE_LONG : LINE_FOUND;
}

static void
lines(const uint8_t *p, size_t n, size_t step, size_t max)
{
	struct line_state st = { 0 };
	size_t have = 0, off = 0, start = 0, len, used, want = 0;
	enum line_result r;
	int bare, wantbare = 0;

	do {
		have = n - have < step ? n : have + step;
		for (;;) {
			r = line_find(&st, p + off, have - off, max, &len,
			    &used, &bare);
			check(used <= have - off);
			off += used;
			if (r == LINE_NONE)
				break;
			check(r == plain_line(p + start, n - start, max, &want,
			    &wantbare));
			check(start + want == off);
			check(r == LINE_LONG || (bare == wantbare &&
			    len <= max && p[start + len] ==
			    (off - start - len == 1 ? '\n' : '\r')));
			start = off;
		}
		check(have - off <= max + 1);
	} while (have < n);
	check(plain_line(p + start, n - start, max, &want, &wantbare) ==
	    LINE_NONE);
}

static void
stuff(const uint8_t *p, size_t n, size_t step)
{
	struct stuff_state st = { 0 };
	size_t off, len, i, done = 0, bol;
	uint8_t *out;

	if ((out = malloc(STUFF_ROOM(n) + step)) == NULL)
		return;
	for (off = 0; off < n; off += len) {
		len = n - off < step ? n - off : step;
		done += line_stuff(&st, p + off, len, out + done);
	}
	check(done <= STUFF_ROOM(n));
	/* undone as RFC 5321 4.5.2 says, it is the same again */
	for (i = 0, off = 0; i < done; i++) {
		bol = i == 0 || (i > 1 && out[i - 2] == '\r' &&
		    out[i - 1] == '\n');
		if (bol && out[i] == '.')
			check(++i < done && out[i] == '.');
		check(off < n && out[i] == p[off++]);
	}
	check(off == n);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	lines(data + 2, size - 2, (size_t)data[0] + 1, data[1]);
	stuff(data + 2, size - 2, (size_t)data[0] + 1);
	return 0;
}
