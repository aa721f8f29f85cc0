/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "scand/content/office.h"

/*
 * The stream WordDocument of Word 6 to 2003, [MS-DOC] 2.5.1: whether it is
 * encrypted, has commands of WordBasic (before VBA), or a DDE field.  Its VBA
 * is in storages of its own, in clear even if the text is not.
 */

static int	 has_dde(struct inspect *, const uint8_t *, size_t);

void
word_look(struct inspect *in, const uint8_t *p, size_t n)
{
	unsigned ident, version, flags;

	if (n < 32)
		return;
	ident = le16(p);
	if (ident != 0xa5ec && ident != 0xa5dc)
		return;
	version = le16(p + 2);
	flags = le16(p + 10);
	if (flags & 0x0100) {
		office_report(in, FINDING_OFFICE_ENCRYPTED, "Word document");
		return;
	}
	/* Word 6 and 95: where the command table is, 2 octets if empty. */
	if (ident == 0xa5dc && version < 0xc0 && n >= 0x120 &&
	    le32(p + 0x11c) > 2 && le32(p + 0x118) < n)
		content_report(in, FINDING_WORDBASIC, "");
	if (has_dde(in, p, n))
		office_report(in, FINDING_DDE, "Word field");
}

/* The code of a field is between 0x13 and 0x14 (2.8.25), in 8 or 16 bits. */
static int
has_dde(struct inspect *in, const uint8_t *p, size_t n)
{
	char code[64];
	size_t at, i, k, step;
	unsigned steps = 0;

	for (at = 0; (at = office_find(p, n, at, "\x13", 1)) < n; at++) {
		if ((steps++ & 0xff) == 0 && budget_step(&in->budget) == -1)
			return 0;
		step = at + 1 < n && p[at + 1] == 0 ? 2 : 1;
		for (i = at + step, k = 0; i < n && k < sizeof(code) &&
		    p[i] >= 0x20; i += step)
			code[k++] = (char)p[i];
		if (dde_field(code, k))
			return 1;
	}
	return 0;
}
