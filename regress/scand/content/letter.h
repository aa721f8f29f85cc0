/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_CONTENT_LETTER_H
#define REGRESS_SCAND_CONTENT_LETTER_H

#include "scand/content/content.h"

/*
 * A plain reader of MIME for inspect.mime, as tests of attachments need one:
 * well-formed letters, each part once.
 */
void	letter_look(struct inspect *, const uint8_t *, size_t);

#endif
