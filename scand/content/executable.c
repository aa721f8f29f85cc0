/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/inspect.h"
#include "scand/content/octets.h"

/*
 * Things that run when they are opened, and images of disks, which hide what
 * is in them from whoever only looks at names.
 */

static const char	*kind_of(enum content_type, const uint8_t *, size_t);
static int	 is_installer(const uint8_t *, size_t);

void
executable_look(struct inspect *in, enum content_type type, const uint8_t *p,
    size_t n)
{
	const char *kind = kind_of(type, p, n);

	if (kind != NULL)
		content_report(in, FINDING_EXECUTABLE, kind);
	if (type == CONTENT_ISO || type == CONTENT_DISK)
		content_report(in, FINDING_DISK_IMAGE,
		    content_type_name(type));
}

static const char *
kind_of(enum content_type type, const uint8_t *p, size_t n)
{
	switch (type) {
	case CONTENT_PE:
	case CONTENT_ELF:
	case CONTENT_MACHO:
	case CONTENT_SCRIPT:
	case CONTENT_LNK:
	case CONTENT_CHM:
	case CONTENT_HTA:
	case CONTENT_CLASS:
		return content_type_name(type);
	case CONTENT_CFB:
		return is_installer(p, n) ? "Windows installer" : NULL;
	default:
		return NULL;
	}
}

/*
 * A compound file whose root has the class of an installer's package, patch or
 * transform.  The root is the first entry of the directory ([MS-CFB] 2.6.2).
 */
static int
is_installer(const uint8_t *p, size_t n)
{
	static const uint8_t rest[] = { 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0,
	    0, 0, 0, 0, 0x46 };
	uint64_t at;

	if (n < 512)
		return 0;
	at = ((uint64_t)le32(p + 48) + 1) << (le16(p + 26) == 4 ? 12 : 9);
	at += 80;
	return at + 16 <= n && (p[at] == 0x84 || p[at] == 0x86 ||
	    p[at] == 0x82) && memcmp(p + at + 1, rest, sizeof(rest)) == 0;
}
