/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_MAC_H
#define SCAND_CONTENT_MAC_H

#include "scand/content/content.h"

/*
 * mac.c: files of the Macintosh, as they travel.
 */

/* Is it MacBinary?  There is no signature. */
int	mac_is_binary(const uint8_t *, size_t);
/* Readers: what its data fork is. */
void	macbinary_look(struct inspect *, const uint8_t *, size_t);
void	applesingle_look(struct inspect *, const uint8_t *, size_t);
/* Every file that a text has inline in BinHex. */
void	binhex_look(struct inspect *, const uint8_t *, size_t);

#endif
