/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/imsg.h"

/*
 * Payloads: growing buffers to write, bounded cursors to read.  Both are
 * sticky: the first failure makes the rest a no-op.
 */

static uint8_t	*reserve(struct ibuf *, size_t);

void
ibuf_init(struct ibuf *b)
{
	memset(b, 0, sizeof(*b));
}

void
ibuf_free(struct ibuf *b)
{
	if (b == NULL)
		return;
	if (b->size != 0)
		free(b->p);
	memset(b, 0, sizeof(*b));
}

void
ibuf_reset(struct ibuf *b)
{
	b->len = 0;
	b->rpos = 0;
	b->bad = 0;
}

/* Room for n more octets, or NULL and bad. */
static uint8_t *
reserve(struct ibuf *b, size_t n)
{
	uint8_t	*p;
	size_t	 size;

	if (b->bad)
		return NULL;
	if (n > LIM_FRAME - b->len) {
		b->bad = 1;
		return NULL;
	}
	if (b->len + n > b->size) {
		for (size = b->size == 0 ? 512 : b->size; size < b->len + n;)
			size *= 2;
		if ((p = realloc(b->p, size)) == NULL) {
			b->bad = 1;
			return NULL;
		}
		b->p = p;
		b->size = size;
	}
	p = b->p + b->len;
	b->len += n;
	return p;
}

void
ibuf_add_raw(struct ibuf *b, const void *data, size_t n)
{
	uint8_t	*p;

	if (n != 0 && (p = reserve(b, n)) != NULL)
		memcpy(p, data, n);
}

void
ibuf_add_u8(struct ibuf *b, uint8_t v)
{
	ibuf_add_raw(b, &v, sizeof(v));
}

void
ibuf_add_u16(struct ibuf *b, uint16_t v)
{
	ibuf_add_raw(b, &v, sizeof(v));
}

void
ibuf_add_u32(struct ibuf *b, uint32_t v)
{
	ibuf_add_raw(b, &v, sizeof(v));
}

void
ibuf_add_i32(struct ibuf *b, int32_t v)
{
	ibuf_add_raw(b, &v, sizeof(v));
}

void
ibuf_add_u64(struct ibuf *b, uint64_t v)
{
	ibuf_add_raw(b, &v, sizeof(v));
}

void
ibuf_add_str(struct ibuf *b, const char *s)
{
	ibuf_add_blob(b, s, s == NULL ? 0 : strlen(s));
}

void
ibuf_add_blob(struct ibuf *b, const void *data, size_t n)
{
	if (n > LIM_FRAME) {
		b->bad = 1;
		return;
	}
	ibuf_add_u32(b, (uint32_t)n);
	ibuf_add_raw(b, data, n);
}

void
ibuf_from(struct ibuf *b, const void *data, size_t n)
{
	union {
		const void	*c;
		uint8_t		*p;
	} u;

	/* Never written to: size 0 says borrowed. */
	u.c = data;
	memset(b, 0, sizeof(*b));
	b->p = u.p;
	b->len = n;
}

void
ibuf_get_raw(struct ibuf *b, void *dst, size_t n)
{
	if (b->bad || n > b->len - b->rpos) {
		b->bad = 1;
		memset(dst, 0, n);
		return;
	}
	if (n != 0)
		memcpy(dst, b->p + b->rpos, n);
	b->rpos += n;
}

uint8_t
ibuf_get_u8(struct ibuf *b)
{
	uint8_t	 v;

	ibuf_get_raw(b, &v, sizeof(v));
	return v;
}

uint16_t
ibuf_get_u16(struct ibuf *b)
{
	uint16_t	 v;

	ibuf_get_raw(b, &v, sizeof(v));
	return v;
}

uint32_t
ibuf_get_u32(struct ibuf *b)
{
	uint32_t	 v;

	ibuf_get_raw(b, &v, sizeof(v));
	return v;
}

int32_t
ibuf_get_i32(struct ibuf *b)
{
	int32_t	 v;

	ibuf_get_raw(b, &v, sizeof(v));
	return v;
}

uint64_t
ibuf_get_u64(struct ibuf *b)
{
	uint64_t	 v;

	ibuf_get_raw(b, &v, sizeof(v));
	return v;
}

const uint8_t *
ibuf_get_blob(struct ibuf *b, size_t *len)
{
	const uint8_t	*p;
	uint32_t	 n;

	n = ibuf_get_u32(b);
	*len = 0;
	if (b->bad || n > b->len - b->rpos) {
		b->bad = 1;
		return NULL;
	}
	if (n == 0)
		return NULL;
	p = b->p + b->rpos;
	b->rpos += n;
	*len = n;
	return p;
}

void
ibuf_get_str(struct ibuf *b, char *dst, size_t size)
{
	const uint8_t	*p;
	size_t		 n;

	dst[0] = '\0';
	p = ibuf_get_blob(b, &n);
	if (p == NULL)
		return;
	if (n >= size || memchr(p, '\0', n) != NULL) {
		b->bad = 1;
		return;
	}
	memcpy(dst, p, n);
	dst[n] = '\0';
}

char *
ibuf_get_strdup(struct ibuf *b, size_t max)
{
	const uint8_t	*p;
	size_t		 n;
	char		*s;

	p = ibuf_get_blob(b, &n);
	if (b->bad)
		return NULL;
	if (n > max || (n != 0 && memchr(p, '\0', n) != NULL) ||
	    (s = malloc(n + 1)) == NULL) {
		b->bad = 1;
		return NULL;
	}
	if (n != 0)
		memcpy(s, p, n);
	s[n] = '\0';
	return s;
}

size_t
ibuf_left(const struct ibuf *b)
{
	return b->bad ? 0 : b->len - b->rpos;
}

int
ibuf_get_end(const struct ibuf *b)
{
	return b->bad || b->rpos != b->len ? -1 : 0;
}
