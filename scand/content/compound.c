/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "scand/content/office.h"

/*
 * The file system inside a compound file ([MS-CFB]): sectors, their chains,
 * the directory, streams.  Nothing that the file says about itself is
 * believed: chains are cut by counting, what lies outside the file ends them,
 * and the tree of the directory is walked with a mark on each entry.  A stream
 * whose sectors follow each other is not copied.
 */

#define SHIFT_MIN	7	/* of a sector: one directory entry */
#define SHIFT_MAX	16
#define MINI_SHIFT	6
#define MINI_CUTOFF	4096	/* header offset 56 always says so */
#define ENTRY		128
#define DIFAT_HEADER	109	/* FAT sectors that the header names */
#define SECTOR_MAX	0xfffffffaU	/* above are marks */
#define UNSEEN		0xfffffffdU	/* parent of an entry not yet met */

static int	 open_with(struct inspect *, struct cfb *, unsigned);
static void	 release(struct cfb *);
static int	 read_fat(struct inspect *, struct cfb *);
static void	 add_fat(struct cfb *, uint32_t);
static int	 read_chain(struct inspect *, struct cfb *, uint32_t, uint64_t,
		    struct blob *);
static int	 copy_chain(struct inspect *, struct cfb *, uint32_t, uint32_t,
		    struct blob *);
static int	 blob_own(struct inspect *, struct blob *, size_t);
static int	 read_mini(struct inspect *, struct cfb *, uint32_t, uint32_t,
		    struct blob *);
static int	 walk_tree(struct cfb *);
static void	 walk_from(struct cfb *, uint32_t *, uint32_t);
static const uint8_t *sector(const struct cfb *, uint32_t, size_t *);
static uint64_t	 stream_size(const struct cfb *, uint32_t);

int
cfb_open(struct inspect *in, struct cfb *c, const uint8_t *p, size_t n)
{
	unsigned shift, usual;

	memset(c, 0, sizeof(*c));
	if (n < 512)
		return -1;
	c->p = p;
	c->n = n;
	c->major = le16(p + 26);
	usual = c->major == 4 ? 12 : 9;
	/*
	 * 2.2: nothing but 9 in version 3 and 12 in version 4; readers take
	 * other small numbers.  What cannot be is not used for a shift.
	 */
	shift = le16(p + 30);
	if (shift != usual && shift >= SHIFT_MIN && shift <= SHIFT_MAX &&
	    open_with(in, c, shift) == 0 && cfb_type(c, 0) == CFB_ROOT)
		c->damaged = 1;
	else {
		release(c);
		if (open_with(in, c, usual) == -1)
			return -1;
		if (shift != usual)
			c->damaged = 1;
	}
	if (le16(p + 32) != MINI_SHIFT)
		c->damaged = 1;
	return 0;
}

/* The same with sectors of a size. */
static int
open_with(struct inspect *in, struct cfb *c, unsigned shift)
{
	/* Sector 0 begins behind a header of one sector. */
	if (c->n <= (size_t)1 << shift || c->n >> shift >= SECTOR_MAX)
		return -1;
	c->shift = shift;
	c->sectors = (uint32_t)((c->n - 1) >> shift);
	if (read_fat(in, c) == -1 ||
	    read_chain(in, c, le32(c->p + 48), UINT64_MAX, &c->dir) == -1)
		goto fail;
	c->entries = (uint32_t)(c->dir.n / ENTRY);
	if (c->entries == 0)
		goto fail;
	if (read_chain(in, c, le32(c->dir.p + 116), UINT64_MAX,
	    &c->mini) == -1 ||
	    read_chain(in, c, le32(c->p + 60), UINT64_MAX,
	    &c->minifat) == -1 ||
	    walk_tree(c) == -1)
		goto fail;
	return 0;
fail:
	release(c);
	return -1;
}

void
cfb_close(struct cfb *c)
{
	release(c);
	memset(c, 0, sizeof(*c));
}

static void
release(struct cfb *c)
{
	free(c->fat);
	free(c->parent);
	c->fat = c->parent = NULL;
	c->fat_n = c->entries = 0;
	blob_free(&c->minifat);
	blob_free(&c->mini);
	blob_free(&c->dir);
}

/* What there is of a sector, NULL and 0 if it is not in the file. */
static const uint8_t *
sector(const struct cfb *c, uint32_t s, size_t *len)
{
	size_t at, size = (size_t)1 << c->shift;

	*len = 0;
	if (s >= c->sectors)
		return NULL;
	at = ((size_t)s + 1) << c->shift;
	*len = c->n - at < size ? c->n - at : size;
	return c->p + at;
}

/* The header names the first FAT sectors, DIFAT sectors the others. */
static int
read_fat(struct inspect *in, struct cfb *c)
{
	const uint8_t *p;
	uint32_t per = 1U << (c->shift - 2), s, i, k;
	size_t len;

	/* No more entries than sectors are of use. */
	c->fat = calloc((size_t)c->sectors + per, sizeof(*c->fat));
	if (c->fat == NULL) {
		in->budget.over |= BUDGET_OUT;
		return -1;
	}
	for (i = 0; i < DIFAT_HEADER; i++) {
		if ((s = le32(c->p + 76 + 4 * i)) > SECTOR_MAX)
			break;
		add_fat(c, s);
	}
	s = le32(c->p + 68);
	for (k = 0; s <= SECTOR_MAX && c->fat_n < c->sectors; k++) {
		p = sector(c, s, &len);
		if (p == NULL || k > c->sectors / per ||
		    budget_step(&in->budget) == -1) {
			c->damaged = 1;
			break;
		}
		for (i = 0; i + 1 < per && 4 * i + 4 <= len; i++)
			if (le32(p + 4 * i) <= SECTOR_MAX)
				add_fat(c, le32(p + 4 * i));
		s = len == (size_t)1 << c->shift ? le32(p + 4 * (per - 1)) :
		    CFB_NONE;
	}
	return 0;
}

/* The entries of one FAT sector; one that is missing ends all its chains. */
static void
add_fat(struct cfb *c, uint32_t s)
{
	uint32_t per = 1U << (c->shift - 2), i;
	const uint8_t *p;
	size_t len;

	if (c->fat_n >= c->sectors)
		return;
	if ((p = sector(c, s, &len)) == NULL)
		c->damaged = 1;
	for (i = 0; i < per; i++)
		c->fat[c->fat_n + i] = 4 * (size_t)i + 4 <= len ?
		    le32(p + 4 * i) : CFB_NONE;
	c->fat_n += per;
}

/*
 * The chain from a sector on, size octets of it (UINT64_MAX: all).  A loop is
 * found by Brent's way: a mark that moves on at each power of two.
 */
static int
read_chain(struct inspect *in, struct cfb *c, uint32_t start, uint64_t size,
    struct blob *b)
{
	size_t at, len = (size_t)1 << c->shift;
	uint32_t s, k, want, mark = start, power = 1;
	int straight = 1;

	memset(b, 0, sizeof(*b));
	want = c->sectors;
	if (size <= (uint64_t)want << c->shift)
		want = (uint32_t)((size + len - 1) >> c->shift);
	for (k = 0, s = start; k < want && s < c->sectors; k++) {
		if (k > 0 && s == mark) {
			c->damaged = 1;
			break;
		}
		if (k == power) {
			mark = s;
			power *= 2;
		}
		if (s != start + k)
			straight = 0;
		if ((k & 0xff) == 0 && budget_step(&in->budget) == -1)
			return -1;
		s = s < c->fat_n ? c->fat[s] : CFB_NONE;
	}
	if (k < want && (size != UINT64_MAX || s <= SECTOR_MAX))
		c->damaged = 1;
	if (k == 0)
		return 0;
	if (straight) {
		at = ((size_t)start + 1) << c->shift;
		b->p = c->p + at;
		b->n = (size_t)k << c->shift;
		if (b->n > c->n - at)
			b->n = c->n - at;
	} else if (copy_chain(in, c, start, k, b) == -1)
		return -1;
	if (b->n > size)
		b->n = (size_t)size;
	return 0;
}

/* k sectors that are known to be there. */
static int
copy_chain(struct inspect *in, struct cfb *c, uint32_t s, uint32_t k,
    struct blob *b)
{
	const uint8_t *p;
	size_t len, size = (size_t)1 << c->shift;

	if (blob_own(in, b, (size_t)k << c->shift) == -1)
		return -1;
	for (; k > 0; k--) {
		if (budget_out(&in->budget, size) == -1) {
			blob_free(b);
			return -1;
		}
		p = sector(c, s, &len);
		memcpy(b->own + b->n, p, len);
		/* A short last sector ends in zeros. */
		memset(b->own + b->n + len, 0, size - len);
		b->n += size;
		s = s < c->fat_n ? c->fat[s] : CFB_NONE;
	}
	b->p = b->own;
	return 0;
}

/* A stream in the mini stream; size is below MINI_CUTOFF. */
static int
read_mini(struct inspect *in, struct cfb *c, uint32_t start, uint32_t size,
    struct blob *b)
{
	uint32_t s, k, want, have, fat_n = (uint32_t)(c->minifat.n / 4);
	size_t at, len;
	int straight = 1;

	memset(b, 0, sizeof(*b));
	want = (size + (1U << MINI_SHIFT) - 1) >> MINI_SHIFT;
	have = (uint32_t)((c->mini.n + (1U << MINI_SHIFT) - 1) >> MINI_SHIFT);
	for (k = 0, s = start; k < want && s < have; k++) {
		if (s != start + k)
			straight = 0;
		s = s < fat_n ? le32(c->minifat.p + 4 * (size_t)s) : CFB_NONE;
	}
	if (k < want)
		c->damaged = 1;
	if (k == 0)
		return 0;
	if (straight) {
		at = (size_t)start << MINI_SHIFT;
		b->p = c->mini.p + at;
		b->n = c->mini.n - at;
	} else {
		if (budget_out(&in->budget, (size_t)k << MINI_SHIFT) == -1)
			return -1;
		if (blob_own(in, b, (size_t)k << MINI_SHIFT) == -1)
			return -1;
		for (s = start; k > 0; k--) {
			at = (size_t)s << MINI_SHIFT;
			len = c->mini.n - at < 1U << MINI_SHIFT ?
			    c->mini.n - at : 1U << MINI_SHIFT;
			memcpy(b->own + b->n, c->mini.p + at, len);
			b->n += 1U << MINI_SHIFT;
			if (s < fat_n)
				s = le32(c->minifat.p + 4 * (size_t)s);
		}
		b->p = b->own;
	}
	if (b->n > size)
		b->n = size;
	return 0;
}

/* Memory for n octets, all zero, which the budget holds. */
static int
blob_own(struct inspect *in, struct blob *b, size_t n)
{
	if (budget_hold(&in->budget, n) == -1) {
		content_report(in, FINDING_OVER_BUDGET, "memory");
		return -1;
	}
	b->held = n;
	b->budget = &in->budget;
	if ((b->own = calloc(1, n)) == NULL) {
		blob_free(b);
		content_report(in, FINDING_OVER_BUDGET, "memory");
		return -1;
	}
	return 0;
}

void
blob_free(struct blob *b)
{
	if (b->budget != NULL)
		budget_release(b->budget, b->held);
	free(b->own);
	memset(b, 0, sizeof(*b));
}

/*
 * Gives every entry its parent.  An entry is marked when it is first met, so
 * that loops end and the stack never holds more than all of them.  Storages
 * that nothing leads to are walked, too: others may find them.
 */
static int
walk_tree(struct cfb *c)
{
	uint32_t i, *stack;

	c->parent = calloc(c->entries, sizeof(*c->parent));
	stack = calloc(c->entries, sizeof(*stack));
	if (c->parent == NULL || stack == NULL) {
		free(stack);
		return -1;
	}
	for (i = 0; i < c->entries; i++)
		c->parent[i] = UNSEEN;
	c->parent[0] = CFB_NONE;
	walk_from(c, stack, 0);
	for (i = 1; i < c->entries; i++) {
		if (c->parent[i] != UNSEEN || cfb_type(c, i) != CFB_STORAGE)
			continue;
		c->parent[i] = CFB_NONE;
		walk_from(c, stack, i);
	}
	for (i = 1; i < c->entries; i++)
		if (c->parent[i] == UNSEEN)
			c->parent[i] = CFB_NONE;
	free(stack);
	return 0;
}

static void
walk_from(struct cfb *c, uint32_t *stack, uint32_t top)
{
	const uint8_t *e;
	uint32_t i, k, next, depth = 0;

	stack[depth++] = top;
	while (depth > 0) {
		i = stack[--depth];
		e = c->dir.p + (size_t)i * ENTRY;
		/* Left, right, child: the siblings of the top are not its. */
		for (k = i == top ? 2 : 0; k < 3; k++) {
			if (k == 2 && cfb_type(c, i) == CFB_STREAM)
				continue;
			next = le32(e + 68 + 4 * k);
			if (next == CFB_NONE)
				continue;
			if (next >= c->entries || c->parent[next] != UNSEEN) {
				c->damaged = 1;
				continue;
			}
			c->parent[next] = k == 2 ? i : c->parent[i];
			stack[depth++] = next;
		}
	}
}

unsigned
cfb_type(const struct cfb *c, uint32_t i)
{
	return c->dir.p[(size_t)i * ENTRY + 66];
}

/* The name of an entry, in octets without the NUL. */
static size_t
name_len(const uint8_t *e)
{
	size_t n = le16(e + 64);

	/* With the NUL 2 to 64; what is wrong is taken as far as it can go. */
	if (n < 2 || n > 64)
		n = 64;
	return (n & ~(size_t)1) - 2;
}

int
cfb_is(const struct cfb *c, uint32_t i, const char *name)
{
	struct span s = { (const uint8_t *)name, strlen(name) };

	return cfb_named(c, i, &s, 0);
}

static unsigned
lower(unsigned ch)
{
	return ch >= 'A' && ch <= 'Z' ? ch + 32 : ch;
}

int
cfb_named(const struct cfb *c, uint32_t i, const struct span *name, int wide)
{
	const uint8_t *e = c->dir.p + (size_t)i * ENTRY;
	size_t k, n = name_len(e) / 2, want = wide ? name->n / 2 : name->n;
	unsigned a, b;

	if (want > n)
		return 0;
	for (k = 0; k < want; k++) {
		a = le16(e + 2 * k);
		b = wide ? le16(name->p + 2 * k) : name->p[k];
		if (lower(a) != lower(b))
			return 0;
	}
	return k == n || le16(e + 2 * k) == 0;
}

void
cfb_name(const struct cfb *c, uint32_t i, char *dst, size_t size)
{
	const uint8_t *e = c->dir.p + (size_t)i * ENTRY;

	office_utf16(dst, size, e, name_len(e));
}

static uint64_t
stream_size(const struct cfb *c, uint32_t i)
{
	const uint8_t *e = c->dir.p + (size_t)i * ENTRY;
	uint64_t size = le32(e + 120);

	/* [MS-CFB] 2.6.1: version 3 writers leave rubbish in the high half. */
	if (c->major != 3)
		size |= (uint64_t)le32(e + 124) << 32;
	return size;
}

struct span
cfb_head(const struct cfb *c, uint32_t i)
{
	const uint8_t *e = c->dir.p + (size_t)i * ENTRY;
	uint32_t start = le32(e + 116);
	uint64_t size = stream_size(c, i);
	struct span s = { NULL, 0 };
	size_t at;

	if (size >= MINI_CUTOFF)
		s.p = sector(c, start, &s.n);
	else if (start < c->mini.n >> MINI_SHIFT) {
		at = (size_t)start << MINI_SHIFT;
		s.p = c->mini.p + at;
		s.n = 1U << MINI_SHIFT;
	}
	if (s.n > size)
		s.n = (size_t)size;
	return s;
}

int
cfb_stream(struct inspect *in, struct cfb *c, uint32_t i, struct blob *b)
{
	uint32_t start = le32(c->dir.p + (size_t)i * ENTRY + 116);
	uint64_t size = stream_size(c, i);

	if (size < MINI_CUTOFF)
		return read_mini(in, c, start, (uint32_t)size, b);
	return read_chain(in, c, start, size, b);
}

uint32_t
cfb_find(struct inspect *in, const struct cfb *c, uint32_t parent,
    const char *name)
{
	uint32_t i;

	for (i = 0; i < c->entries; i++) {
		if ((i & 0xff) == 0 && budget_step(&in->budget) == -1)
			break;
		if (c->parent[i] == parent && cfb_type(c, i) == CFB_STREAM &&
		    cfb_is(c, i, name))
			return i;
	}
	return CFB_NONE;
}
