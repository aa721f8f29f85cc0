/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "scand/content/content.h"
#include "scand/content/octets.h"

/*
 * OneNote, [MS-ONESTORE]: files in it stand behind an identifier of their own,
 * so a search finds them.  Whoever clicks on one starts it.
 */

void
onenote_look(struct inspect *in, const uint8_t *p, size_t n)
{
	/* FileDataStoreObject, 2.6.13: identifier, length, 12 octets, data. */
	static const uint8_t mark[] = { 0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26,
	    0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e, 0xac };
	enum content_type type;
	uint64_t len;
	size_t at;

	for (at = 0; (at = octets_find(p, n, at, mark, sizeof(mark))) < n;
	    at += sizeof(mark)) {
		if (n - at < 36 || budget_step(&in->budget) == -1)
			return;
		len = le64(p + at + 16);
		if (len > n - at - 36)
			len = n - at - 36;
		type = content_type(p + at + 36, (size_t)len);
		/* Programs are found by content_look(); scripts are texts. */
		if (type == CONTENT_TEXT || type == CONTENT_HTML)
			content_report(in, FINDING_EXECUTABLE,
			    "file in a OneNote section");
		content_look(in, "embedded file", p + at + 36, (size_t)len);
	}
}
