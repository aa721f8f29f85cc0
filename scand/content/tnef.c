/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/octets.h"
#include "scand/content/unpack.h"

/*
 * TNEF, the winmail.dat of Outlook: [MS-OXTNEF].  A list of attributes; those
 * of one attachment follow each other, its data and its name in any order.
 */

#define ATT_TITLE	0x00018010
#define ATT_DATA	0x0006800f
#define ATT_RENDER	0x00069002	/* begins an attachment */
#define ATT_PROPS	0x00069003	/* of the message */
#define ATT_ATTACHMENT	0x00069005	/* properties of an attachment */

#define PROP_DATA	0x3701
#define PROP_NAME	0x3707
#define PROP_SHORT_NAME	0x3704

#define TYPE_OBJECT	0x000d
#define TYPE_STRING8	0x001e
#define TYPE_STRING	0x001f
#define TYPE_BINARY	0x0102
#define TYPE_MULTIPLE	0x1000

struct attachment {
	const uint8_t	*data;
	size_t		 n;
	char		 name[256];
};

/* Properties, read in order. */
struct props {
	const uint8_t	*p;
	size_t		 n;
	size_t		 at;
};

static void	 attachment_end(struct inspect *, struct attachment *);
static void	 read_props(struct inspect *, struct attachment *,
		    const uint8_t *, size_t);
static int	 read_value(struct inspect *, struct attachment *,
		    struct props *, uint16_t, uint16_t);
static void	 use_value(struct inspect *, struct attachment *, uint16_t,
		    uint16_t, const uint8_t *, size_t);
static int	 skip(struct props *, uint64_t);
static void	 keep_name(struct attachment *, const uint8_t *, size_t,
		    size_t);

void
tnef_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct attachment a;
	uint32_t id, len;
	size_t at = 6, have;
	int damaged = 0;

	memset(&a, 0, sizeof(a));
	while (n > at && n - at >= 9 && budget_step(&in->budget) == 0) {
		id = le32(p + at + 1);
		len = le32(p + at + 5);
		at += 9;
		have = len < n - at ? len : n - at;
		damaged |= have < len;
		switch (id) {
		case ATT_RENDER:
			attachment_end(in, &a);
			break;
		case ATT_TITLE:
			if (a.name[0] == '\0')
				keep_name(&a, p + at, have, 1);
			break;
		case ATT_DATA:
			a.data = p + at;
			a.n = have;
			break;
		case ATT_ATTACHMENT:
		case ATT_PROPS:
			read_props(in, &a, p + at, have);
			break;
		default:
			break;
		}
		/* A checksum that nobody enforces. */
		at += have;
		at = n - at < 2 ? n : at + 2;
	}
	attachment_end(in, &a);
	if (damaged || n < 15)
		content_report(in, FINDING_DAMAGED, "");
}

static void
attachment_end(struct inspect *in, struct attachment *a)
{
	if (a->data != NULL)
		content_look(in, a->name[0] != '\0' ? a->name : "attachment",
		    a->data, a->n);
	memset(a, 0, sizeof(*a));
}

static void
read_props(struct inspect *in, struct attachment *a, const uint8_t *p,
    size_t n)
{
	struct props r = { p, n, 4 };
	uint16_t type, id;
	uint32_t len;

	while (r.at < n && n - r.at >= 4 && budget_step(&in->budget) == 0) {
		type = le16(p + r.at);
		id = le16(p + r.at + 2);
		r.at += 4;
		if (id >= 0x8000) {
			/* A name: its set, then a number or a text. */
			if (n - r.at < 24)
				return;
			len = le32(p + r.at + 20);
			if (skip(&r, 24) == -1 || (le32(p + r.at - 8) == 1 &&
			    skip(&r, ((uint64_t)len + 3) & ~3ULL) == -1))
				return;
		}
		if (read_value(in, a, &r, type, id) == -1)
			return;
	}
}

/* One value, or several.  -1: nothing can be read behind it. */
static int
read_value(struct inspect *in, struct attachment *a, struct props *r,
    uint16_t type, uint16_t id)
{
	static const uint8_t sizes[0x49] = {
		[0x02] = 4, [0x03] = 4, [0x04] = 4, [0x05] = 8, [0x06] = 8,
		[0x07] = 8, [0x0a] = 4, [0x0b] = 4, [0x14] = 8, [0x40] = 8,
		[0x48] = 16,
	};
	uint16_t base = type & 0xfff;
	uint32_t count = 1, len;

	if (base < sizeof(sizes) && sizes[base] != 0) {
		if (type & TYPE_MULTIPLE) {
			if (r->n - r->at < 4)
				return -1;
			count = le32(r->p + r->at);
			r->at += 4;
		}
		return skip(r, (uint64_t)count * sizes[base]);
	}
	if (base != TYPE_STRING8 && base != TYPE_STRING &&
	    base != TYPE_BINARY && base != TYPE_OBJECT)
		return base <= 1 ? 0 : -1;
	if (r->n - r->at < 4)
		return -1;
	for (count = le32(r->p + r->at), r->at += 4; count > 0; count--) {
		if (r->n - r->at < 4 || budget_step(&in->budget) == -1)
			return -1;
		len = le32(r->p + r->at);
		r->at += 4;
		use_value(in, a, base, id, r->p + r->at,
		    len < r->n - r->at ? len : r->n - r->at);
		if (skip(r, ((uint64_t)len + 3) & ~3ULL) == -1)
			return -1;
	}
	return 0;
}

static void
use_value(struct inspect *in, struct attachment *a, uint16_t type, uint16_t id,
    const uint8_t *p, size_t n)
{
	if (id == PROP_NAME || (id == PROP_SHORT_NAME && a->name[0] == '\0'))
		keep_name(a, p, n, type == TYPE_STRING ? 2 : 1);
	else if (id == PROP_DATA && type == TYPE_OBJECT && n > 16)
		/* An interface, then a message or a compound file. */
		content_look(in, "object", p + 16, n - 16);
	else if (id == PROP_DATA && type == TYPE_BINARY)
		content_look(in, a->name[0] != '\0' ? a->name : "attachment",
		    p, n);
}

static int
skip(struct props *r, uint64_t n)
{
	if (n > r->n - r->at)
		return -1;
	r->at += (size_t)n;
	return 0;
}

/* A name in some code page, or in UTF-16 of which ASCII is kept. */
static void
keep_name(struct attachment *a, const uint8_t *p, size_t n, size_t step)
{
	size_t i, k = 0;

	for (i = 0; i + step <= n && k + 1 < sizeof(a->name); i += step) {
		if (p[i] == 0 && (step == 1 || p[i + 1] == 0))
			break;
		a->name[k++] = step == 2 && p[i + 1] != 0 ? '?' : (char)p[i];
	}
	a->name[k] = '\0';
}
