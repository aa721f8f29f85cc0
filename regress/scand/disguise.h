/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_DISGUISE_H
#define REGRESS_SCAND_DISGUISE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Mails that have a file in them, in any way that some reader would show it.
 */

struct buffer {
	uint8_t	*p;
	size_t	 n, size;
};

/* The mail at hand: what follows makes it, piece by piece. */
extern struct buffer letter;
/* The fields that all of them have, and these. */
void	letter_begin(const char *fields);
void	letter_add(const void *, size_t);
void	letter_text(const char *);
/* Lines of `line' digits; noise: what is between the groups now and then. */
void	letter_base64(const uint8_t *, size_t, size_t line,
	    const char *noise);
void	letter_quoted(const uint8_t *, size_t);
/* Without the line that begins it. */
void	letter_uuencoded(const uint8_t *, size_t);
void	letter_yenc(const uint8_t *, size_t, const char *name);
/* It becomes part of the next, or a file. */
void	letter_keep(struct buffer *);

/* Make the mail with a file of this name in disguise i; 0 is none at all.  The
   name of the disguise, or NULL: there are no more. */
const char	*disguise(size_t i, const uint8_t *, size_t,
		    const char *name);
/* Those of them that are in disguise_shape.c. */
const char	*disguise_shape(size_t i, const uint8_t *, size_t,
		    const char *name);
/* Put a file into archive i, which stays until the next is made. */
const char	*disguise_pack(size_t i, const uint8_t **, size_t *,
		    const char *name);

#endif
