/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/office.h"

/*
 * Excel's records of u16 type, u16 length and data: a workbook stream of
 * BIFF5 and BIFF8 ([MS-XLS]), or a file of BIFF2 to BIFF4 that is nothing
 * else.  A macro sheet of Excel 4.0 is known by the kind of its sheet, never by
 * a name: names like Auto_Open are in ordinary books, too.
 */

enum {
	BIFF_EOF = 0x000a, BIFF_FILEPASS = 0x002f, BIFF_BOUNDSHEET = 0x0085,
	BIFF_SUPBOOK = 0x01ae, BIFF_BOF2 = 0x0009, BIFF_BOF3 = 0x0209,
	BIFF_BOF4 = 0x0409, BIFF_BOF = 0x0809
};

static void	 bof(struct biff *, unsigned, const uint8_t *, size_t);
static void	 boundsheet(struct biff *, const uint8_t *, size_t);
static int	 is_dde(const uint8_t *, size_t);

void
biff_scan(struct inspect *in, struct biff *b, const uint8_t *p, size_t n)
{
	size_t at = 0, len;
	unsigned type, k = 0;

	memset(b, 0, sizeof(*b));
	/* Substreams follow behind the first end of one, so all is read. */
	while (n - at >= 4) {
		if ((k++ & 0xff) == 0 && budget_step(&in->budget) == -1)
			return;
		type = le16(p + at);
		len = le16(p + at + 2);
		at += 4;
		if (len > n - at) {
			b->damaged = 1;
			len = n - at;
		}
		switch (type) {
		case BIFF_BOF:
		case BIFF_BOF2:
		case BIFF_BOF3:
		case BIFF_BOF4:
			bof(b, type, p + at, len);
			break;
		case BIFF_BOUNDSHEET:
			boundsheet(b, p + at, len);
			break;
		case BIFF_FILEPASS:
			if (b->password)
				break;
			b->password = 1;
			b->encrypted = !officecrypt_filepass(p + at, len);
			break;
		case BIFF_SUPBOOK:
			if (!b->password && is_dde(p + at, len))
				b->dde = 1;
			break;
		}
		at += len;
	}
}

/* 2.4.21: u16 version, u16 kind.  In clear in encrypted books, too. */
static void
bof(struct biff *b, unsigned type, const uint8_t *p, size_t n)
{
	unsigned version, kind;

	if (n < 4 || n > 16)
		return;
	version = le16(p);
	kind = le16(p + 2);
	if (type == BIFF_BOF && version != 0x0500 && version != 0x0600)
		return;
	if (kind == 0x0040)
		b->macro = 1;
	else if (kind == 0x0006 && type == BIFF_BOF)
		b->module = 1;
}

/* 2.4.28: u32 place, u8 state, u8 type: 0 sheet, 1 macro, 2 chart, 6 VB. */
static void
boundsheet(struct biff *b, const uint8_t *p, size_t n)
{
	/* Behind FILEPASS only the place is in clear. */
	if (n < 8 || b->password)
		return;
	if (p[5] == 1)
		b->macro = 1;
	else if (p[5] == 6)
		b->module = 1;
}

/*
 * 2.4.271: u16 sheets, u16 length, u8 width, a path.  Those of files begin
 * with \1; in others \3 divides a program from its topic.  Links to OLE objects
 * look the same, their programs are called Word.Document.8 and the like.
 */
static int
is_dde(const uint8_t *p, size_t n)
{
	size_t i, step, len;

	if (n < 6)
		return 0;
	len = le16(p + 2);
	step = (p[4] & 1) ? 2 : 1;
	p += 5;
	n -= 5;
	if (len > n / step)
		len = n / step;
	for (i = 0; i < len && p[i * step] != '.'; i++) {
		if (p[i * step] == 3)
			return i > 0;
		if (p[i * step] < 0x20)
			break;
	}
	return 0;
}

void
biff_report(struct inspect *in, const uint8_t *p, size_t n)
{
	struct biff b;

	biff_scan(in, &b, p, n);
	if (b.macro)
		office_report(in, FINDING_MACRO, "Excel 4.0 macro sheet");
	if (b.module)
		office_report(in, FINDING_MACRO_UNREADABLE,
		    "Visual Basic module of Excel 5");
	if (b.encrypted)
		office_report(in, FINDING_OFFICE_ENCRYPTED, "Excel workbook");
	if (b.dde)
		office_report(in, FINDING_DDE, "Excel link");
}

void
biff_look(struct inspect *in, const uint8_t *p, size_t n)
{
	biff_report(in, p, n);
}
