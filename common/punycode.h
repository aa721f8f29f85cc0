/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_PUNYCODE_H
#define COMMON_PUNYCODE_H

#include <stddef.h>

/*
 * A domain in ASCII: each label that has letters beyond it becomes its
 * A-label (RFC 5891 4.4, RFC 3492), the others are copied.  Labels are taken
 * as U-labels already are, normalised and in lower case; nothing is mapped.
 * -1: not valid UTF-8, or longer than dst.
 */
int	punycode_domain(const char *name, char *dst, size_t dstsize);

#endif
