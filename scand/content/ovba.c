/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/office.h"

/*
 * The compression of VBA projects, [MS-OVBA] 2.4.1: a container of chunks that
 * unpack to 4096 octets each and know nothing of each other.
 */

static int	 copy_token(struct ovba *, unsigned);

int
ovba_open(struct ovba *o, const uint8_t *p, size_t n)
{
	memset(o, 0, sizeof(*o));
	o->p = p;
	o->n = n;
	o->at = 1;
	return n < 3 || p[0] != 0x01 ? -1 : 0;
}

int
ovba_next(struct ovba *o)
{
	unsigned header, flags, bit;
	size_t end;

	o->len = 0;
	if (o->n - o->at < 2)
		return 0;
	header = le16(o->p + o->at);
	/* 2.4.1.1.5: bits 12 to 14 are 3; bits 0 to 11 the size less 3. */
	if ((header >> 12 & 7) != 3)
		return -1;
	end = o->at + (header & 0xfff) + 3;
	o->at += 2;
	if ((header & 0x8000) == 0) {
		o->len = o->n - o->at;
		if (o->len > sizeof(o->chunk))
			o->len = sizeof(o->chunk);
		memcpy(o->chunk, o->p + o->at, o->len);
		o->at += o->len;
		return 1;
	}
	if (end > o->n)
		end = o->n;
	while (o->at < end) {
		flags = o->p[o->at++];
		for (bit = 0; bit < 8 && o->at < end; bit++, flags >>= 1) {
			if ((flags & 1) == 0) {
				if (o->len == sizeof(o->chunk))
					return -1;
				o->chunk[o->len++] = o->p[o->at++];
				continue;
			}
			if (end - o->at < 2 ||
			    copy_token(o, le16(o->p + o->at)) == -1)
				return -1;
			o->at += 2;
		}
	}
	return 1;
}

/* 2.4.1.3.19.1: the more is there, the more bits the offset has. */
static int
copy_token(struct ovba *o, unsigned token)
{
	unsigned bits = 4;
	size_t offset, len, i;

	while ((size_t)1 << bits < o->len)
		bits++;
	len = (token & (0xffffU >> bits)) + 3;
	offset = (token >> (16 - bits)) + 1;
	if (offset > o->len || len > sizeof(o->chunk) - o->len)
		return -1;
	for (i = 0; i < len; i++)
		o->chunk[o->len + i] = o->chunk[o->len - offset + i];
	o->len += len;
	return 0;
}

int
ovba_unpack(struct inspect *in, struct buffer *b, const uint8_t *p, size_t n,
    size_t max)
{
	struct ovba o;
	size_t begin = b->n;
	int r;

	if (ovba_open(&o, p, n) == -1)
		return -1;
	do {
		r = ovba_next(&o);
		if (o.len > max - (b->n - begin) ||
		    buffer_add(in, b, o.chunk, o.len) == -1)
			return -1;
	} while (r == 1);
	return r;
}
