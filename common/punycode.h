/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_PUNYCODE_H
#define COMMON_PUNYCODE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A domain in ASCII: each label that has letters beyond it becomes its
 * A-label (RFC 5891 4.4, RFC 3492), the others are copied.  Labels are taken
 * as U-labels already are, normalised and in lower case; nothing is mapped.
 * -1: not valid UTF-8, or longer than dst.
 */
int	punycode_domain(const char *name, char *dst, size_t dstsize);

/*
 * The code points of an A-label, "xn--" and the rest of it, in ASCII of any
 * case.  Returns how many there are, at most PUNYCODE_CHARS; 0: it is none.
 */
#define PUNYCODE_CHARS	63	/* of a label; no more fit */
size_t	punycode_label(const char *label, size_t n,
	    uint32_t chars[PUNYCODE_CHARS]);

#endif
