/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_MAGIC_H
#define SCAND_CONTENT_MAGIC_H

#include "scand/content/content.h"

/*
 * Between magic.c and magictext.c, and for readers that look for the
 * beginning of a thing inside another.
 */

/* The type of something that has no signature: text of some kind, or
   CONTENT_UNKNOWN. */
enum content_type magic_text(const uint8_t *, size_t);
/* Do the first octets look like text in some superset of ASCII? */
int	magic_is_text(const uint8_t *, size_t);
/* Where the header section of a MIME entity begins, behind empty lines and
   text that is none; n if there is no such thing. */
size_t	magic_mime_start(const uint8_t *, size_t n);
/* Where %PDF- is: at 0, or in the first 1024 octets with an object behind it;
   n if nowhere. */
size_t	magic_pdf_start(const uint8_t *, size_t n);
/* Is it a tar header with a right checksum? */
int	magic_is_tar(const uint8_t *, size_t);
/* Is it ISO 9660, whatever it begins with? */
int	magic_is_iso(const uint8_t *, size_t);

#endif
