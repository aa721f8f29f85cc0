/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stddef.h>

#include "common/limits.h"

/*
 * Mailboxes and domains as SMTP writes them.  Text is bounded, terminated and
 * free of control characters once it has passed here.
 */

/*
 * A path at *pp: "<" [source route ":"] mailbox ">" or "<>" (RFC 5321 4.1.2;
 * the source route is read and ignored, 4.1.1.3), quoted local parts, address
 * literals, and UTF-8 where utf8 is set (RFC 6531 3.3).  On success the
 * mailbox without brackets is in dst ("" for the null path, "postmaster"
 * without domain for <Postmaster>, 4.5.1) and *pp stands behind ">".
 * -1 with *why set to a short English reason.
 */
int	address_path(const char **pp, int utf8, char *dst, size_t dstsize,
	    const char **why);
/* A mailbox without brackets, the whole string; 0 or -1 with *why. */
int	address_mailbox(const char *s, int utf8, const char **why);
/* The part behind the last "@", or NULL; points into s. */
const char *address_domain(const char *s);
/*
 * Case folded and unquoted as far as it is equivalent, for comparing: both
 * parts in lower case (ASCII; other letters as they are), the domain without
 * final dot and in ASCII (A-labels).  Not for sending on.  -1: does not fit;
 * LIM_PATH + 1 is enough for every valid address without U-labels.
 */
int	address_fold(const char *s, char *dst, size_t dstsize);
/* The local part is lp, case-insensitively ("postmaster"). */
int	address_is_local(const char *s, const char *lp);
/* Letters, digits, hyphens in labels of 1 to 63, total at most 253, no final
   dot; with utf8 also 8-bit labels (RFC 5890 left to DNS). */
int	domain_valid(const char *, int utf8);
/* EHLO argument: a domain or an address literal (RFC 5321 4.1.1.1); lenient
   about underscores, which the field has. */
int	helo_valid(const char *);
/* Lower case in place, a final dot taken off. */
void	domain_fold(char *);
/* RFC 3461 4: xtext into dst; -1 malformed or too long. */
int	xtext_decode(const char *s, char *dst, size_t dstsize);
int	xtext_encode(const char *s, char *dst, size_t dstsize);
/* Valid UTF-8 without NUL and control characters, RFC 3629. */
int	utf8_valid(const char *s, size_t n);

#endif
