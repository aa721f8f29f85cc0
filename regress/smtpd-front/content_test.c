/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/unit.h"
#include "smtpd-front/smtpd-front.h"

/*
 * The content automaton, octet by octet against a slow and simple one that
 * has seen the whole, on every string of a small alphabet and in all pieces.
 */

#define LEN	8

/*
 * The definition: the end is the first CRLF . CRLF (the CRLF of DATA counts);
 * each dot behind a CRLF is dropped.  Returns the length used, or 0 for no
 * end.
 */
static size_t
slow(const uint8_t *in, size_t n, uint8_t *out, size_t *outlen, int *bare)
{
	size_t	 i, start = 0;

	*outlen = 0;
	*bare = 0;
	for (i = 0; i < n; i++) {
		if (i == start && in[i] == '.') {
			if (i + 2 < n && in[i + 1] == '\r' && in[i + 2] == '\n')
				return i + 3;
			continue;
		}
		if (in[i] == '\r' && (i + 1 == n || in[i + 1] != '\n'))
			*bare = 1;
		if (in[i] == '\0' || (in[i] == '\n' &&
		    (i == 0 || in[i - 1] != '\r')))
			*bare = 1;
		out[(*outlen)++] = in[i];
		if (in[i] == '\n' && i > 0 && in[i - 1] == '\r')
			start = i + 1;
	}
	return 0;
}

static size_t
quick(const uint8_t *in, size_t n, size_t cut, uint8_t *out, size_t *outlen,
    int *bare)
{
	struct content	 c;
	const uint8_t	*seg;
	size_t		 done = 0, used, len, piece;
	int		 over = 0;

	content_init(&c);
	*outlen = 0;
	while (done < n && !over) {
		piece = done < cut ? cut - done : n - done;
		over = content_take(&c, in + done, piece, &used, &seg, &len);
		CHECK(used > 0 && used <= piece);
		memcpy(out + *outlen, seg, len);
		*outlen += len;
		done += used;
	}
	*bare = c.bare;
	return over ? done : 0;
}

int
main(void)
{
	static const uint8_t	 letters[] = "\r\n.a";
	uint8_t			 in[LEN], want[LEN], got[LEN];
	size_t			 n, i, cut, wlen, glen, wend, gend;
	unsigned long		 number, all, k;
	int			 wbare, gbare;
	unsigned		 wrong = 0;

	for (n = 1; n <= LEN; n++) {
		for (all = 1, i = 0; i < n; i++)
			all *= 4;
		for (number = 0; number < all; number++) {
			for (i = 0, k = number; i < n; i++, k /= 4)
				in[i] = letters[k % 4];
			wend = slow(in, n, want, &wlen, &wbare);
			for (cut = 0; cut < n; cut += 1 + (number % 3)) {
				gend = quick(in, n, cut, got, &glen, &gbare);
				/* Without its end, a CR may yet be none. */
				if (gend != wend || (wend != 0 &&
				    gbare != wbare) ||
				    (wend != 0 && !wbare && (glen != wlen ||
				    memcmp(got, want, wlen) != 0)))
					wrong++;
			}
		}
	}
	CHECK_INT(wrong, 0);
	memcpy(in, "a\0\r\n.\r\n", 7);
	CHECK_INT(quick(in, 7, 0, got, &glen, &gbare), 7);
	CHECK_INT(gbare, 1);
	return unit_end();
}
