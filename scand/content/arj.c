/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/inspect.h"
#include "scand/content/octets.h"

/*
 * ARJ and ACE: no library here unpacks them.  Their headers tell what is
 * encrypted, and members of ARJ that are only stored can be seen.
 */

#define ARJ_HEADER_MAX	2600

static int	 arj_header(const uint8_t *, size_t, size_t *, size_t *);
static void	 arj_name(char *, size_t, const uint8_t *, size_t);

void
arj_look(struct inspect *in, const uint8_t *p, size_t n)
{
	char name[512];
	const uint8_t *h;
	size_t at = 0, head, len, size, data;
	int encrypted = 0, opaque = 0, first = 1, r;

	for (;;) {
		if (budget_step(&in->budget) == -1)
			return;
		head = at + 4;
		if ((r = arj_header(p, n, &at, &len)) != 1)
			break;
		h = p + head;
		if (h[4] & 1)
			encrypted = 1;
		data = at;
		size = first ? 0 : le32(h + 12);
		if (size > n - at)
			size = n - at;
		at += size;
		if (!first && !(h[4] & 1) && h[6] != 3) {
			arj_name(name, sizeof(name), h, len);
			if (h[5] != 0 || (h[4] & 0x0c))
				opaque = 1;
			else
				content_look(in, name, p + data, size);
		}
		first = 0;
	}
	if (encrypted)
		content_report(in, FINDING_ARCHIVE_ENCRYPTED, "");
	if (opaque)
		content_report(in, FINDING_OPAQUE, "method or volume");
	if (r == -1)
		content_report(in, FINDING_DAMAGED, "");
}

/*
 * A main or file header at *at: mark, size, that many octets, their CRC, then
 * extended headers up to an empty one.  1: *len octets of it, *at is behind
 * all of it; 0: the end; -1: damaged.
 */
static int
arj_header(const uint8_t *p, size_t n, size_t *at, size_t *len)
{
	size_t ext;

	if (n - *at < 4 || p[*at] != 0x60 || p[*at + 1] != 0xea)
		return -1;
	*len = le16(p + *at + 2);
	if (*len == 0)
		return 0;
	if (*len < 30 || *len > ARJ_HEADER_MAX || n - *at < *len + 8)
		return -1;
	*at += 4 + *len + 4;
	for (;;) {
		if (n - *at < 2)
			return -1;
		ext = le16(p + *at);
		*at += 2;
		if (ext == 0)
			return 1;
		if (n - *at < ext + 4)
			return -1;
		*at += ext + 4;
	}
}

/* Behind the first header, whose size is its first octet. */
static void
arj_name(char *dst, size_t size, const uint8_t *h, size_t len)
{
	size_t i, k = 0;

	for (i = h[0]; i < len && h[i] != '\0' && k + 1 < size; i++)
		dst[k++] = (char)h[i];
	dst[k] = '\0';
}

/* Headers: CRC, size, then that many octets with type, flags and, in a file's,
   the size of its data. */
void
ace_look(struct inspect *in, const uint8_t *p, size_t n)
{
	size_t at = 0, len;
	uint64_t data;

	while (n - at >= 11 && budget_step(&in->budget) == 0) {
		len = le16(p + at + 2);
		if (len < 7 || len > n - at - 4)
			break;
		data = (le16(p + at + 5) & 1) != 0 ? le32(p + at + 7) : 0;
		if (p[at + 4] == 1 && (le16(p + at + 5) & 0x4000) != 0) {
			content_report(in, FINDING_ARCHIVE_ENCRYPTED, "");
			break;
		}
		at += 4 + len;
		if (data > n - at)
			break;
		at += (size_t)data;
	}
	content_report(in, FINDING_OPAQUE, "no reader for this format");
}
