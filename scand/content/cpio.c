/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/inspect.h"

/*
 * cpio in its forms of ASCII: a header of numbers, a name, the member.  (The
 * reader of libarchive allocates by the claimed length of a name.)
 */

#define TYPE		0170000	/* of the mode */
#define TYPE_FILE	0100000

/* Where the numbers are; all of one form have the same base. */
struct form {
	unsigned	 base;
	size_t		 len;		/* of the header */
	size_t		 mode, size, name;
	size_t		 mode_n, size_n, name_n;
	size_t		 align;		/* of name and data */
};

static const struct form	 odc = { 8, 76, 18, 65, 59, 6, 11, 6, 1 };
static const struct form	 newc = { 16, 110, 14, 54, 94, 8, 8, 8, 4 };

static uint64_t	 number(const uint8_t *, size_t, unsigned);
static size_t	 pad(size_t, size_t);

void
cpio_look(struct inspect *in, const uint8_t *p, size_t n)
{
	const struct form *f;
	char name[512];
	size_t at = 0, data, len, name_n;
	uint64_t size, want;

	while (n - at >= 76 && budget_step(&in->budget) == 0) {
		if (memcmp(p + at, "07070", 5) != 0)
			break;
		f = p[at + 5] == '7' ? &odc : &newc;
		if (n - at < f->len)
			break;
		size = number(p + at + f->size, f->size_n, f->base);
		want = number(p + at + f->name, f->name_n, f->base);
		data = at + f->len;
		if (want > n - data)
			break;
		name_n = (size_t)want;
		len = name_n < sizeof(name) ? name_n : sizeof(name) - 1;
		memcpy(name, p + data, len);
		name[len] = '\0';
		data = pad(data + name_n, f->align);
		if (data > n || strcmp(name, "TRAILER!!!") == 0)
			return;
		len = size < n - data ? (size_t)size : n - data;
		if ((number(p + at + f->mode, f->mode_n, f->base) &
		    TYPE) == TYPE_FILE)
			content_look(in, name, p + data, len);
		if (len < size)
			break;
		at = pad(data + len, f->align);
		if (at > n)
			at = n;
	}
	/* A sound one ends in its trailer. */
	if (!budget_is_over(&in->budget))
		content_report(in, FINDING_DAMAGED, "ends early");
}

static uint64_t
number(const uint8_t *p, size_t n, unsigned base)
{
	uint64_t v = 0;
	unsigned d;

	for (; n > 0; n--, p++) {
		d = *p >= '0' && *p <= '9' ? (unsigned)(*p - '0') :
		    *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a' + 10) :
		    *p >= 'A' && *p <= 'F' ? (unsigned)(*p - 'A' + 10) : base;
		if (d >= base)
			break;
		v = v * base + d;
	}
	return v;
}

static size_t
pad(size_t at, size_t align)
{
	return (at + align - 1) / align * align;
}
