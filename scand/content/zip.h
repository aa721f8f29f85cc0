/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_ZIP_H
#define SCAND_CONTENT_ZIP_H

#include "scand/content/content.h"

/*
 * ZIP by PKWARE's APPNOTE, between its three files: zip.c (what is done with
 * the members), zipdir.c (headers and the directory), zipmember.c (octets of
 * a member).
 */

#define ZIP_LOCAL	30	/* octets of a local header without name */
#define ZIP_CENTRAL	46	/* the same in the directory */

#define ZIP_ENCRYPTED	0x0001	/* of the flags */
#define ZIP_DESCRIPTOR	0x0008	/* sizes follow the data */
#define ZIP_STRONG	0x0040
#define ZIP_MASKED	0x2000	/* local header has no values */

#define ZIP_STORED	0
#define ZIP_DEFLATED	8
#define ZIP_AES		99

/* Where the directory is. */
struct zip_end {
	size_t	 end;		/* of the end record */
	size_t	 dir;
	size_t	 delta;		/* what stands before the archive and is not
				   in its offsets */
	int	 encrypted;	/* the directory is */
	int	 volumes;	/* the archive is one of several */
};

/* What one header says of a member. */
struct zip_header {
	const uint8_t	*name;
	size_t		 name_n;
	const uint8_t	*extra;
	size_t		 extra_n;
	uint16_t	 flags;
	uint16_t	 method;
	uint64_t	 csize;
	uint64_t	 size;
	uint64_t	 local;		/* central: offset of the local one */
	size_t		 len;		/* of all of it */
};

/* 1: found; 0: there is no directory; -1: there is one that is encrypted. */
int	zipdir_find(const uint8_t *, size_t n, struct zip_end *);
/* The header at an offset.  0, or -1: there is none. */
int	zipdir_central(const uint8_t *, size_t n, size_t at,
	    struct zip_header *);
int	zipdir_local(const uint8_t *, size_t n, size_t at,
	    struct zip_header *);
/* Does a header, found without a directory, look like one? */
int	zipdir_is_plausible(const struct zip_header *);
/* Does a header say that the member is encrypted? */
int	zipdir_is_encrypted(const struct zip_header *);

struct unpack;

/* What became of a member. */
enum zipmember {
	ZIPMEMBER_WHOLE,
	ZIPMEMBER_DAMAGED,	/* or only its beginning was there */
	ZIPMEMBER_OPAQUE,	/* method */
	ZIPMEMBER_STOP		/* budget */
};
/*
 * The octets of a member whose data is p[0..n): *out points into it, or to what
 * was unpacked into u (begun here, to be freed).  used: of the data, may be
 * NULL.
 */
enum zipmember	zipmember_unpack(struct inspect *, struct unpack *u,
		    const struct zip_header *, const uint8_t *p, size_t n,
		    const uint8_t **out, size_t *out_n, size_t *used);

#endif
