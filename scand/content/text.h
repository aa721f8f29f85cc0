/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_TEXT_H
#define SCAND_CONTENT_TEXT_H

#include "scand/content/unpack.h"

/* uuencode.c: append what base64 stands for; whatever is none of its
   characters is skipped.  0 or -1, as unpack_add(). */
int	text_base64(struct unpack *, const uint8_t *, size_t);

#endif
