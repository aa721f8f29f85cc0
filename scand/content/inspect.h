/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_INSPECT_H
#define SCAND_CONTENT_INSPECT_H

#include "scand/content/content.h"

/*
 * What inspect.c asks of a thing besides its reader.
 */

/* names.c: what a name says, compared with what the thing is. */
void	names_look(struct inspect *, const char *name, enum content_type);

/* A name from a file, octets of any kind, as printable UTF-8: cut in the middle
   when longer than size.  The length. */
size_t	names_print(char *dst, size_t size, const char *);

/* executable.c: is it something that runs? */
void	executable_look(struct inspect *, enum content_type, const uint8_t *,
	    size_t);

/* zipdir.c: does a ZIP archive end near the end of a thing that begins as
   something else?  strict: exactly at the end. */
int	zip_is_behind(const uint8_t *, size_t, int strict);

/* arj.c: is there an encrypted file?  There is no reader for ACE. */
void	ace_look(struct inspect *, const uint8_t *, size_t);

/* ar.c, cpio.c: archives that need no library. */
void	ar_look(struct inspect *, const uint8_t *, size_t);
void	cpio_look(struct inspect *, const uint8_t *, size_t);

/* disk.c: files in an image of a disk, by what they begin with. */
void	disk_look(struct inspect *, const uint8_t *, size_t);

/* selfextract.c: archives behind a program or anything else, by signature and
   checksum. */
void	selfextract_look(struct inspect *, const uint8_t *, size_t);

#endif
