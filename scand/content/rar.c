/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/octets.h"
#include "scand/content/unpack.h"

/*
 * RAR 4 and 5.  Encryption stands in the headers, which are walked here;
 * libarchive reads the contents, but knows nothing of encrypted RAR 5 and
 * gives up on solid RAR 4.  Members that are only stored need no decoder.
 */

struct rar {
	struct inspect	*in;
	const uint8_t	*p;
	size_t		 n;
	int		 encrypted;
	int		 volume;	/* a member goes on elsewhere */
	int		 damaged;
	unsigned	 stored;
	unsigned	 packed;
	uint64_t	 window;	/* the largest, RAR 5 */
	int		 look;		/* look at stored members */
};

/* One block of RAR 5. */
struct block5 {
	size_t		 at;		/* in its header */
	size_t		 end;
	size_t		 extra;		/* where the extra area begins */
	uint64_t	 type, flags, data;
};

static void	 rar_contents(struct rar *);
static void	 walk4(struct rar *);
static void	 file4(struct rar *, size_t, size_t, uint16_t, uint64_t);
static void	 walk5(struct rar *);
static int	 block5(const struct rar *, size_t, struct block5 *);
static void	 file5(struct rar *, struct block5 *);
static int	 is_encrypted5(const struct rar *, const struct block5 *);
static void	 member(struct rar *, const uint8_t *, size_t, size_t,
		    uint64_t);
static int	 vint(const uint8_t *, size_t, size_t *, uint64_t *);

void
rar_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct rar r;

	memset(&r, 0, sizeof(r));
	r.in = in;
	r.p = p;
	r.n = n;
	if (n > 8 && p[6] == 1)
		walk5(&r);
	else
		walk4(&r);
	if (r.encrypted)
		content_report(in, FINDING_ARCHIVE_ENCRYPTED, "");
	if (r.volume)
		content_report(in, FINDING_OPAQUE, "one of several volumes");
	if (r.damaged)
		content_report(in, FINDING_DAMAGED, "");
	rar_contents(&r);
}

static void
rar_contents(struct rar *r)
{
	struct archive_walk w;
	int five = r->n > 8 && r->p[6] == 1;

	if (r->packed > 0) {
		if (budget_hold(&r->in->budget, r->window) == -1) {
			content_report(r->in, FINDING_OVER_BUDGET,
			    "dictionary");
			return;
		}
		archive_walk(r->in, five ? FORMAT_RAR5 : FORMAT_RAR4, r->p,
		    r->n, &w);
		budget_release(&r->in->budget, r->window);
		if (!w.broken)
			return;
		if (!r->encrypted && !r->volume && !r->damaged)
			content_report(r->in, FINDING_OPAQUE, "method");
	}
	if (r->stored == 0)
		return;
	r->look = 1;
	if (five)
		walk5(r);
	else
		walk4(r);
}

static void
walk4(struct rar *r)
{
	uint64_t more;
	uint16_t flags;
	size_t at, len;
	uint8_t type;

	for (at = 7; r->n >= 7 && at <= r->n - 7; at += len + (size_t)more) {
		if (budget_step(&r->in->budget) == -1)
			return;
		type = r->p[at + 2];
		flags = le16(r->p + at + 3);
		len = le16(r->p + at + 5);
		more = 0;
		if (len < 7 || len > r->n - at) {
			r->damaged = 1;
			return;
		}
		if (((flags & 0x8000) || type == 0x74 || type == 0x7a) &&
		    len >= 11)
			more = le32(r->p + at + 7);
		if (type == 0x73 && (flags & 0x0080)) {
			r->encrypted = 1;
			return;
		}
		if (type == 0x7b)
			return;
		if ((type == 0x74 || type == 0x7a) && len >= 32) {
			if ((flags & 0x0100) && len >= 36)
				more |= (uint64_t)le32(r->p + at + 32) << 32;
			if (flags & 0x0004)
				r->encrypted = 1;
			else if (type == 0x74)
				file4(r, at, len, flags, more);
		}
		if (more > r->n - at - len) {
			r->damaged = !r->volume;
			return;
		}
	}
}

static void
file4(struct rar *r, size_t at, size_t len, uint16_t flags, uint64_t size)
{
	const uint8_t *h = r->p + at;
	size_t name_n = le16(h + 26), name = flags & 0x0100 ? 40 : 32;

	if ((flags & 0xe0) == 0xe0)	/* a directory */
		return;
	if (flags & 0x0003) {
		r->volume = 1;
		return;
	}
	if (h[25] != 0x30) {
		r->packed++;
		return;
	}
	r->stored++;
	if (!r->look)
		return;
	if (name > len)
		name = len;
	if (name_n > len - name)
		name_n = len - name;
	member(r, h + name, name_n, at + len, size);
}

static void
walk5(struct rar *r)
{
	struct block5 b;
	size_t at = 8;

	while (at < r->n) {
		if (budget_step(&r->in->budget) == -1)
			return;
		if (block5(r, at, &b) == -1) {
			/* Zeros and other things may follow the end. */
			r->damaged = 1;
			return;
		}
		if (b.type == 4) {
			r->encrypted = 1;
			return;
		}
		if (b.type == 5)
			return;
		if (b.type == 2 || b.type == 3) {
			if (is_encrypted5(r, &b))
				r->encrypted = 1;
			else if (b.type == 2)
				file5(r, &b);
		}
		if (b.data > r->n - b.end) {
			r->damaged = !r->volume;
			return;
		}
		at = b.end + (size_t)b.data;
	}
}

static int
block5(const struct rar *r, size_t at, struct block5 *b)
{
	uint64_t size, extra = 0;

	memset(b, 0, sizeof(*b));
	if (r->n - at < 7)
		return -1;
	at += 4;
	if (vint(r->p, r->n, &at, &size) == -1 || size == 0 ||
	    size > r->n - at)
		return -1;
	b->end = at + (size_t)size;
	if (vint(r->p, b->end, &at, &b->type) == -1 ||
	    vint(r->p, b->end, &at, &b->flags) == -1)
		return -1;
	if ((b->flags & 1) && vint(r->p, b->end, &at, &extra) == -1)
		return -1;
	if ((b->flags & 2) && vint(r->p, b->end, &at, &b->data) == -1)
		return -1;
	if (extra > b->end - at)
		return -1;
	b->at = at;
	b->extra = b->end - (size_t)extra;
	return 0;
}

/* A record of type 1 in the extra area. */
static int
is_encrypted5(const struct rar *r, const struct block5 *b)
{
	uint64_t size, type;
	size_t at = b->extra, next;

	while (at < b->end) {
		if (vint(r->p, b->end, &at, &size) == -1 ||
		    size > b->end - at)
			return 0;
		next = at + (size_t)size;
		if (vint(r->p, next, &at, &type) == -1)
			return 0;
		if (type == 1)
			return 1;
		at = next;
	}
	return 0;
}

static void
file5(struct rar *r, struct block5 *b)
{
	uint64_t flags, v, info, name_n;
	size_t at = b->at, end = b->extra;

	if (vint(r->p, end, &at, &flags) == -1 ||
	    vint(r->p, end, &at, &v) == -1 || vint(r->p, end, &at, &v) == -1)
		goto damaged;
	v = ((flags & 2) != 0) * 4 + ((flags & 4) != 0) * 4;
	if (v > end - at)
		goto damaged;
	at += (size_t)v;
	if (vint(r->p, end, &at, &info) == -1 ||
	    vint(r->p, end, &at, &v) == -1 ||
	    vint(r->p, end, &at, &name_n) == -1)
		goto damaged;
	if (name_n > end - at)
		name_n = end - at;
	if (flags & 1)
		return;
	if (b->flags & 0x18) {
		r->volume = 1;
		return;
	}
	if ((info >> 7 & 7) != 0) {
		r->packed++;
		v = 0x20000ULL << (info >> 10 & 31);
		if (v > r->window)
			r->window = v;
		return;
	}
	r->stored++;
	if (r->look)
		member(r, r->p + at, (size_t)name_n, b->end, b->data);
	return;
damaged:
	r->damaged = 1;
}

/* A stored member, or what is there of it. */
static void
member(struct rar *r, const uint8_t *name, size_t name_n, size_t at,
    uint64_t size)
{
	char text[1024];
	size_t i, len = name_n < sizeof(text) ? name_n : sizeof(text) - 1;

	/* RAR 4 puts another form of the name behind a NUL. */
	for (i = 0; i < len && name[i] != '\0'; i++)
		text[i] = (char)name[i];
	text[i] = '\0';
	if (at > r->n)
		return;
	content_look(r->in, text, r->p + at,
	    size < r->n - at ? (size_t)size : r->n - at);
}

/* Seven bits an octet, the least first. */
static int
vint(const uint8_t *p, size_t n, size_t *at, uint64_t *v)
{
	unsigned shift;

	*v = 0;
	for (shift = 0; shift < 64 && *at < n; shift += 7) {
		*v |= (uint64_t)(p[*at] & 0x7f) << shift;
		if ((p[(*at)++] & 0x80) == 0)
			return 0;
	}
	return -1;
}
