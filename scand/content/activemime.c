/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/limits.h"
#include "scand/content/office.h"

/*
 * ActiveMime: how Office puts a compound file into HTML, MHTML and XML.  A
 * head, then a zlib stream; where it begins is said at 0x1e, less 0x2e.
 */

static int	 unpack(struct inspect *, const uint8_t *, size_t, size_t);

void
activemime_look(struct inspect *in, const uint8_t *p, size_t n)
{
	static const size_t usual[] = { 0x32, 0x22a };
	uint64_t at;
	size_t i;

	at = n < 0x22 ? n : (uint64_t)le32(p + 0x1e) + 0x2e;
	if (at < n && unpack(in, p, n, (size_t)at))
		return;
	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (unpack(in, p, n, usual[i]))
			return;
	for (i = 10; i + 1 < n && i < 4096; i++)
		if (p[i] == 0x78 && (p[i] << 8 | p[i + 1]) % 31 == 0 &&
		    unpack(in, p, n, i))
			return;
	office_report(in, FINDING_DAMAGED, "ActiveMime");
}

/* 1: something was there, and was looked at. */
static int
unpack(struct inspect *in, const uint8_t *p, size_t n, size_t at)
{
	struct buffer b = { NULL, 0, 0, NULL };
	int r = 0;

	if (at >= n)
		return 0;
	(void)buffer_inflate(in, &b, p + at, n - at, LIM_OFFICE_OBJECT);
	if (b.n > 0) {
		content_look(in, "oledata.mso", b.p, b.n);
		r = 1;
	}
	buffer_free(&b);
	return r;
}
