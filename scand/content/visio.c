/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/limits.h"
#include "scand/content/office.h"

/*
 * Visio 2000 to 2010, the stream VisioDocument.  No specification is public;
 * the form is known from Apache POI's HDGF.  A pointer has 18 octets: u32 type,
 * u32, u32 offset, u32 length, u16 format, whose bit 1 says that what it
 * points to is packed.  The trailer has a table of pointers, below the one of
 * type 0x0d lie pieces of type 0x1f, and together they are a compound file
 * (with the VBA project, if there is any).
 */

#define POINTER		18
#define TRAILER		0x24	/* where the first pointer is */
#define TYPE_VBA	0x0d
#define TYPE_PIECE	0x1f
#define PIECE_MAX	8192	/* octets of the compound file in one */
#define RING		4096

struct pointer {
	uint32_t	 type;
	uint32_t	 offset;
	uint32_t	 length;
	unsigned	 format;
};

struct lzss {
	uint8_t		 ring[RING];
	unsigned	 at;
	uint8_t		 out[4096];
	size_t		 len;
};

/* What a pointer points to, without the prefix. */
struct node {
	struct buffer	 b;
	const uint8_t	*p;
	size_t		 n;
};

static void	 look_project(struct inspect *, const struct span *,
		    const struct node *);
static int	 node_read(struct inspect *, const struct span *,
		    const struct pointer *, struct node *);
static uint32_t	 node_count(const struct node *, size_t *);
static void	 pointer_read(struct pointer *, const uint8_t *);
static int	 unpack(struct inspect *, struct buffer *, const uint8_t *,
		    size_t);
static void	 lzss_put(struct lzss *, uint8_t);

void
visio_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct span file = { p, n };
	struct pointer ptr;
	struct node trailer, node;
	uint32_t i, count;
	size_t at;

	if (n < TRAILER + POINTER || memcmp(p, "Visio (TM) Drawing", 18) != 0)
		return;
	pointer_read(&ptr, p + TRAILER);
	if (node_read(in, &file, &ptr, &trailer) == -1)
		return;
	count = node_count(&trailer, &at);
	for (i = 0; i < count; i++, at += POINTER) {
		pointer_read(&ptr, trailer.p + at);
		if (ptr.type != TYPE_VBA ||
		    node_read(in, &file, &ptr, &node) == -1)
			continue;
		look_project(in, &file, &node);
		buffer_free(&node.b);
	}
	buffer_free(&trailer.b);
}

/* Join the pieces, each being u32 length and octets. */
static void
look_project(struct inspect *in, const struct span *file,
    const struct node *node)
{
	struct buffer all = { NULL, 0, 0, NULL };
	struct pointer ptr;
	struct node piece;
	uint32_t i, count;
	size_t at, n, head;
	int r;

	count = node_count(node, &at);
	for (i = 0; i < count && all.n < LIM_OFFICE_OBJECT; i++) {
		pointer_read(&ptr, node->p + at);
		at += POINTER;
		if (ptr.type != TYPE_PIECE ||
		    node_read(in, file, &ptr, &piece) == -1)
			continue;
		/* The length is the prefix of what was packed. */
		head = piece.b.p != NULL ? 0 : 4;
		n = piece.n < head ? 0 : piece.n - head;
		if (n > PIECE_MAX)
			n = PIECE_MAX;
		r = buffer_add(in, &all, piece.p + head, n);
		buffer_free(&piece.b);
		if (r == -1)
			break;
	}
	if (all.n > 0 && office_magic(all.p, all.n))
		content_look(in, "VBA", all.p, all.n);
	buffer_free(&all);
}

static int
node_read(struct inspect *in, const struct span *file,
    const struct pointer *ptr, struct node *node)
{
	size_t n;

	memset(node, 0, sizeof(*node));
	if (ptr->offset >= file->n)
		return -1;
	n = file->n - ptr->offset;
	if (n > ptr->length)
		n = ptr->length;
	node->p = file->p + ptr->offset;
	node->n = n;
	if ((ptr->format & 2) == 0)
		return 0;
	(void)unpack(in, &node->b, node->p, n);
	if (node->b.n < 4) {
		buffer_free(&node->b);
		return -1;
	}
	node->p = node->b.p + 4;
	node->n = node->b.n - 4;
	return 0;
}

/* How many pointers a node has, and where they begin. */
static uint32_t
node_count(const struct node *node, size_t *at)
{
	uint32_t count;
	size_t table;

	*at = 0;
	if (node->n < 4)
		return 0;
	table = le32(node->p);
	if (table >= node->n || node->n - table < 8)
		return 0;
	count = le32(node->p + table);
	*at = table + 8;
	if (count > (node->n - *at) / POINTER)
		count = (uint32_t)((node->n - *at) / POINTER);
	return count;
}

static void
pointer_read(struct pointer *ptr, const uint8_t *p)
{
	ptr->type = le32(p);
	ptr->offset = le32(p + 8);
	ptr->length = le32(p + 12);
	ptr->format = le16(p + 16);
}

/*
 * LZSS: a flag octet, least bit first; 1 is a literal, 0 two octets with a
 * place in the ring (less 18) and a length.
 */
static int
unpack(struct inspect *in, struct buffer *b, const uint8_t *p, size_t n)
{
	struct lzss z;
	size_t i = 0;
	unsigned flags, bit, from, len;

	memset(&z, 0, sizeof(z));
	while (i < n) {
		flags = p[i++];
		for (bit = 0; bit < 8 && i < n; bit++, flags >>= 1) {
			if (flags & 1) {
				lzss_put(&z, p[i++]);
				continue;
			}
			if (n - i < 2)
				break;
			from = (p[i] | (p[i + 1] & 0xf0U) << 4) + 18;
			for (len = (p[i + 1] & 0x0fU) + 3; len > 0; len--)
				lzss_put(&z, z.ring[from++ & (RING - 1)]);
			i += 2;
		}
		if (z.len > sizeof(z.out) - 8 * 18) {
			if (buffer_add(in, b, z.out, z.len) == -1)
				return -1;
			z.len = 0;
		}
	}
	return buffer_add(in, b, z.out, z.len);
}

static void
lzss_put(struct lzss *z, uint8_t c)
{
	z->out[z->len++] = z->ring[z->at] = c;
	z->at = (z->at + 1) & (RING - 1);
}
