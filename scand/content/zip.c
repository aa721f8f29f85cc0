/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "scand/content/inspect.h"
#include "scand/content/octets.h"
#include "scand/content/unpack.h"
#include "scand/content/zip.h"

/*
 * ZIP archives, and the packages of Office and others that are ZIP archives.
 * The directory says what is in it, and each entry is compared with the header
 * that stands before its data.  What the directory does not mention is looked
 * at as well: programs that read a ZIP archive from its beginning show it.
 */

#define RANGES_MAX	65536

struct range {
	size_t	 begin, end;
};

struct zip {
	struct inspect	*in;
	const uint8_t	*p;
	size_t		 n;
	struct zip_end	 end;
	struct opc	*opc;
	uint64_t	 packed;	/* sum, to see overlaps */
	struct range	*ranges;	/* of members in the directory */
	size_t		 nranges, ranges_size;
	unsigned	 told;		/* TOLD_* */
	char		 name[1024];	/* of the member at hand */
};
/* What is reported once an archive. */
#define TOLD_ENCRYPTED	0x01
#define TOLD_HALF	0x02
#define TOLD_DAMAGED	0x04
#define TOLD_OPAQUE	0x08

static void	 walk_directory(struct zip *);
static void	 member_central(struct zip *, const struct zip_header *);
static void	 member_empty(struct zip *, const struct zip_header *,
		    const uint8_t *);
static void	 member_compare(struct zip *, const struct zip_header *,
		    const struct zip_header *);
static void	 member_look(struct zip *, const struct zip_header *,
		    const uint8_t *, size_t, int, size_t *);
static void	 member_closed(struct zip *, const struct zip_header *);
static void	 walk_local(struct zip *, size_t, size_t);
static size_t	 local_next(struct zip *, const struct zip_header *, size_t,
		    size_t, int);
static void	 look_between(struct zip *);
static void	 look_trailing(struct zip *);
static void	 keep_range(struct zip *, size_t, size_t);
static int	 compare_ranges(const void *, const void *);
static void	 keep_name(struct zip *, const struct zip_header *);
static int	 is_folder(const struct zip_header *);
static int	 same_name(const struct zip_header *,
		    const struct zip_header *);
static void	 tell(struct zip *, unsigned, enum finding, const char *);

void
zip_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct zip z;

	memset(&z, 0, sizeof(z));
	z.in = in;
	z.p = p;
	z.n = n;
	z.opc = opc_new(in);
	switch (zipdir_find(p, n, &z.end)) {
	case 1:
		walk_directory(&z);
		look_between(&z);
		look_trailing(&z);
		break;
	case -1:
		tell(&z, TOLD_ENCRYPTED, FINDING_ARCHIVE_ENCRYPTED,
		    "its directory");
		break;
	default:
		tell(&z, TOLD_DAMAGED, FINDING_DAMAGED, "no directory");
		walk_local(&z, 0, n);
		break;
	}
	if (z.end.volumes)
		tell(&z, TOLD_OPAQUE, FINDING_OPAQUE, "one of several volumes");
	opc_end(z.opc);
	free(z.ranges);
}

/* By signature: the count in the end record is a claim. */
static void
walk_directory(struct zip *z)
{
	struct zip_header h;
	size_t at = z->end.dir;

	while (zipdir_central(z->p, z->n, at, &h) == 0) {
		if (budget_step(&z->in->budget) == -1)
			return;
		at += h.len;
		keep_name(z, &h);
		z->packed += h.csize;
		if (z->packed > z->n)
			tell(z, TOLD_DAMAGED, FINDING_DAMAGED,
			    "members overlap");
		member_central(z, &h);
	}
}

static void
member_central(struct zip *z, const struct zip_header *c)
{
	struct zip_header l;
	uint64_t at = c->local + z->end.delta;
	size_t data, size;

	if (at >= z->n || zipdir_local(z->p, z->n, (size_t)at, &l) == -1) {
		at = c->local;
		if (at >= z->n ||
		    zipdir_local(z->p, z->n, (size_t)at, &l) == -1) {
			tell(z, TOLD_DAMAGED, FINDING_DAMAGED, z->name);
			if (zipdir_is_encrypted(c))
				member_closed(z, c);
			return;
		}
	}
	data = (size_t)at + l.len;
	size = c->csize < z->n - data ? (size_t)c->csize : z->n - data;
	keep_range(z, (size_t)at, data + size);
	if (is_folder(c) && l.csize == 0) {
		member_empty(z, &l, z->p + data);
		return;
	}
	if (zipdir_is_encrypted(c) != zipdir_is_encrypted(&l)) {
		tell(z, TOLD_HALF, FINDING_ZIP_HALF_ENCRYPTED, z->name);
		member_look(z, c, z->p + data, size, 1, NULL);
		return;
	}
	if (zipdir_is_encrypted(c)) {
		member_closed(z, c);
		return;
	}
	if (c->csize == 0 && c->size == 0 && l.csize == 0) {
		content_look(z->in, z->name, z->p + data, 0);
		member_empty(z, &l, z->p + data);
		return;
	}
	if (size < c->csize)
		tell(z, TOLD_DAMAGED, FINDING_DAMAGED, z->name);
	member_look(z, c, z->p + data, size, 0, NULL);
	member_compare(z, c, &l);
}

/* Nothing is in it, says the directory; but its own header leaves the size to
   a descriptor behind the data, and programs that read on find some. */
static void
member_empty(struct zip *z, const struct zip_header *l, const uint8_t *data)
{
	size_t left = z->n - (size_t)(data - z->p);

	if ((l->flags & ZIP_DESCRIPTOR) == 0 || left < 4 ||
	    memcmp(data, "PK", 2) == 0 || le32(data) == 0 ||
	    (l->method == ZIP_DEFLATED && le16(data) == 0x0003))
		return;
	tell(z, TOLD_DAMAGED, FINDING_DAMAGED, "headers disagree");
	member_look(z, l, data, left, 1, NULL);
}

/* Where the two headers disagree, what the other one says is looked at, too:
   some programs go by it. */
static void
member_compare(struct zip *z, const struct zip_header *c,
    const struct zip_header *l)
{
	struct zip_header h = *l;
	const uint8_t *data = l->name + l->name_n + l->extra_n;
	size_t left = z->n - (size_t)(data - z->p);

	if (!same_name(c, l))
		tell(z, TOLD_DAMAGED, FINDING_DAMAGED, "names disagree");
	if (l->method == c->method && (l->csize == c->csize ||
	    l->csize == 0 || (l->flags & ZIP_DESCRIPTOR)))
		return;
	if (h.csize == 0)
		h.csize = c->csize;
	tell(z, TOLD_DAMAGED, FINDING_DAMAGED, "headers disagree");
	keep_name(z, l);
	member_look(z, &h, data, h.csize < left ? (size_t)h.csize : left, 1,
	    NULL);
}

/* quiet: damage is no news. */
static void
member_look(struct zip *z, const struct zip_header *h, const uint8_t *data,
    size_t n, int quiet, size_t *used)
{
	struct unpack u;
	const uint8_t *p;
	size_t len;
	enum zipmember r;

	r = zipmember_unpack(z->in, &u, h, data, n, &p, &len, used);
	if (r == ZIPMEMBER_OPAQUE && !quiet)
		tell(z, TOLD_OPAQUE, FINDING_OPAQUE, z->name);
	if (r == ZIPMEMBER_DAMAGED && !quiet)
		tell(z, TOLD_DAMAGED, FINDING_DAMAGED, z->name);
	if (r == ZIPMEMBER_OPAQUE && len == 0) {
		names_look(z->in, z->name, CONTENT_UNKNOWN);
		opc_member(z->opc, z->name, NULL, 0);
	} else {
		if (r == ZIPMEMBER_STOP)
			content_look_cut(z->in, z->name, p, len);
		else
			content_look(z->in, z->name, p, len);
		opc_member(z->opc, z->name, p, len);
	}
	unpack_free(&u);
}

/* One that only a password opens. */
static void
member_closed(struct zip *z, const struct zip_header *h)
{
	tell(z, TOLD_ENCRYPTED, FINDING_ARCHIVE_ENCRYPTED, z->name);
	names_look(z->in, z->name, CONTENT_UNKNOWN);
	if (z->in->node != NULL)
		z->in->node(z->in->arg, z->in->budget.depth + 1, z->name,
		    CONTENT_UNKNOWN, h->size);
	opc_member(z->opc, z->name, NULL, 0);
}

/* Members by their local headers, where no directory mentions them. */
static void
walk_local(struct zip *z, size_t at, size_t end)
{
	struct zip_header h;
	size_t data, used;
	int known;

	for (;;) {
		at = octets_find(z->p, end, at, "PK\3\4", 4);
		if (at == end || budget_step(&z->in->budget) == -1)
			return;
		if (zipdir_local(z->p, end, at, &h) == -1 ||
		    !zipdir_is_plausible(&h)) {
			at += 4;
			continue;
		}
		keep_name(z, &h);
		data = at + h.len;
		known = h.csize != 0 || (h.flags & ZIP_DESCRIPTOR) == 0;
		if (zipdir_is_encrypted(&h)) {
			member_closed(z, &h);
			at = local_next(z, &h, data, end, known);
			continue;
		}
		at = local_next(z, &h, data, end, known);
		if (h.name[h.name_n - 1] == '/' && at == data)
			continue;
		if (known || h.method == ZIP_STORED) {
			member_look(z, &h, z->p + data, at - data, 1, NULL);
			continue;
		}
		/* Its end is known when it is unpacked. */
		member_look(z, &h, z->p + data, end - data, 1, &used);
		at = data + used;
	}
}

/* Where the data ends: as the header says, or before what must follow. */
static size_t
local_next(struct zip *z, const struct zip_header *h, size_t data, size_t end,
    int known)
{
	size_t at, next;

	if (known)
		return h->csize < end - data ? data + (size_t)h->csize : end;
	next = octets_find(z->p, end, data, "PK\3\4", 4);
	at = octets_find(z->p, next, data, "PK\7\x08", 4);
	return octets_find(z->p, at, data, "PK\1\2", 4);
}

/* Between the members of the directory, and before the first. */
static void
look_between(struct zip *z)
{
	size_t i, at = 0;

	if (z->nranges == 0 || z->nranges == RANGES_MAX ||
	    budget_is_over(&z->in->budget))
		return;
	qsort(z->ranges, z->nranges, sizeof(*z->ranges), compare_ranges);
	for (i = 0; i <= z->nranges; i++) {
		size_t next = i < z->nranges ? z->ranges[i].begin :
		    z->end.dir;

		if (next > at && next - at >= ZIP_LOCAL &&
		    octets_find(z->p, next, at, "PK\3\4", 4) < next) {
			tell(z, TOLD_DAMAGED, FINDING_DAMAGED,
			    "members that its directory does not have");
			walk_local(z, at, next);
		}
		if (i < z->nranges && z->ranges[i].end > at)
			at = z->ranges[i].end;
	}
}

/* Behind the end record, if it is something. */
static void
look_trailing(struct zip *z)
{
	size_t at = z->end.end;

	if (z->n - at < 32)
		return;
	switch (content_type(z->p + at, z->n - at)) {
	case CONTENT_EMPTY:
	case CONTENT_UNKNOWN:
	case CONTENT_TEXT:
		return;
	default:
		content_look(z->in, NULL, z->p + at, z->n - at);
	}
}

static void
keep_range(struct zip *z, size_t begin, size_t end)
{
	struct range *r;
	size_t size;

	if (z->nranges == z->ranges_size) {
		size = z->ranges_size == 0 ? 64 : z->ranges_size * 2;
		if (size > RANGES_MAX || (r = recallocarray(z->ranges,
		    z->ranges_size, size, sizeof(*r))) == NULL)
			return;
		z->ranges = r;
		z->ranges_size = size;
	}
	z->ranges[z->nranges].begin = begin;
	z->ranges[z->nranges].end = end;
	z->nranges++;
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static void
keep_name(struct zip *z, const struct zip_header *h)
{
	size_t i, n = h->name_n;

	if (n >= sizeof(z->name))
		n = sizeof(z->name) - 1;
	for (i = 0; i < n; i++)
		z->name[i] = h->name[i] == '\0' ? '?' : (char)h->name[i];
	z->name[n] = '\0';
}

static int
is_folder(const struct zip_header *h)
{
	return h->name_n > 0 && h->name[h->name_n - 1] == '/' &&
	    h->csize == 0;
}

/* Some write backslashes in one of the two. */
static int
same_name(const struct zip_header *a, const struct zip_header *b)
{
	size_t i;

	if ((b->flags & ZIP_MASKED) != 0)
		return 1;
	if (a->name_n != b->name_n)
		return 0;
	for (i = 0; i < a->name_n; i++)
		if (a->name[i] != b->name[i] &&
		    !((a->name[i] == '/' || a->name[i] == '\\') &&
		    (b->name[i] == '/' || b->name[i] == '\\')))
			return 0;
	return 1;
}

static void
tell(struct zip *z, unsigned bit, enum finding f, const char *detail)
{
	if (z->told & bit)
		return;
	z->told |= bit;
	content_report(z->in, f, detail);
}
