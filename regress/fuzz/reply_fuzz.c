/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "relayd-out/deliver.h"

/* What servers answer: bounded, printable, and of one code each. */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
whole(const struct reply *r)
{
	size_t	 i;

	check(r->code >= 200 && r->code <= 559);
	check(r->lines >= 1 && r->lines <= LIM_REPLY_LINES);
	check(r->len < sizeof(r->text) && strlen(r->text) == r->len);
	for (i = 0; i < r->len; i++)
		check(r->text[i] >= 0x20 && r->text[i] < 0x7f);
	check(strlen(r->status) < sizeof(r->status));
	check(r->status[0] == '\0' || r->status[0] - '0' == r->code / 100);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply	 r;
	const char	*p = (const char *)data, *lf;
	uint64_t	 max = 0;
	size_t		 len;

	reply_reset(&r);
	for (; size > 0; p += len + 1, size -= len + 1) {
		lf = memchr(p, '\n', size);
		len = lf == NULL ? size : (size_t)(lf - p);
		switch (reply_line(&r, p, len)) {
		case 1:
			whole(&r);
			break;
		case -1:
			reply_reset(&r);
			break;
		}
		(void)reply_ehlo(p, len, &max);
		if (lf == NULL)
			break;
	}
	return 0;
}
