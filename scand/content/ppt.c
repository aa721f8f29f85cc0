/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/limits.h"
#include "scand/content/office.h"

/*
 * PowerPoint 97 to 2003, [MS-PPT]: its VBA project and the objects that are
 * embedded are compound files in records ExOleObjStg (2.10.34) of the stream
 * PowerPoint Document.  PowerPoint finds them by the persist directory, and
 * records in between may lie about their length, so their heads are searched
 * for; what is found must unpack and is recognised by itself.
 */

static void	 object(struct inspect *, const uint8_t *, size_t);
static int	 is_encrypted(const struct span *, const struct span *);

void
ppt_look(struct inspect *in, const struct span *doc, const struct span *user)
{
	const uint8_t *p = doc->p;
	size_t at, n = doc->n;
	unsigned k = 0;

	if (is_encrypted(doc, user))
		office_report(in, FINDING_OFFICE_ENCRYPTED,
		    "PowerPoint presentation");
	/* Type 0x1011, two octets into the head. */
	for (at = 2; (at = office_find(p, n, at, "\x11\x10", 2)) < n; at++) {
		if ((k++ & 0x1f) == 0 && budget_step(&in->budget) == -1)
			break;
		object(in, p + at - 2, n - (at - 2));
	}
}

static void
object(struct inspect *in, const uint8_t *p, size_t n)
{
	struct buffer b = { NULL, 0, 0, NULL };
	size_t len;
	unsigned head;

	if (n < 16)
		return;
	head = le16(p);
	len = le32(p + 4);
	if (len > n - 8)
		len = n - 8;
	p += 8;
	if (head == 0x0000 && office_magic(p, len)) {
		content_look(in, "object", p, len);
		return;
	}
	/* Instance 1: u32 size, then a zlib stream (RFC 1950 2.2). */
	if (head != 0x0010 || len < 6 || (p[4] & 0x0f) != 8 ||
	    (p[4] << 8 | p[5]) % 31 != 0)
		return;
	/* Lengths lie: the stream knows where it ends. */
	(void)buffer_inflate(in, &b, p + 4, n - 12, LIM_OFFICE_OBJECT);
	if (b.n > 0 && office_magic(b.p, b.n))
		content_look(in, "object", b.p, b.n);
	buffer_free(&b);
}

/*
 * 2.3.2: the token of Current User; 2.3.3: a UserEditAtom of 32 octets names
 * a session of encryption.
 */
static int
is_encrypted(const struct span *doc, const struct span *user)
{
	size_t at;

	if (user->n < 20)
		return 0;
	if (le32(user->p + 12) == 0xf3d1c4df)
		return 1;
	at = le32(user->p + 16);
	return at < doc->n && doc->n - at >= 8 &&
	    le16(doc->p + at + 2) == 0x0ff5 && le32(doc->p + at + 4) == 32;
}
