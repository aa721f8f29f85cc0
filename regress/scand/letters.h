/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_LETTERS_H
#define REGRESS_SCAND_LETTERS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Messages of a size and kind, for measuring.  All of it fits, or the test
 * ends.
 */

/* Its octets are shared memory, so that they are not counted as private. */
struct letter {
	uint8_t	*p;
	size_t	 n, size;
};

void	letter_init(struct letter *, size_t size);
void	letter_free(struct letter *);
void	letter_add(struct letter *, const void *, size_t);
void	letter_text(struct letter *, const char *);
/* From, Date and so on, then these fields, with the empty line if it is
   there. */
void	letter_begin(struct letter *, const char *fields);
/* n octets of lines of words; every tenth line has a link. */
void	letter_words(struct letter *, size_t n);
/* The same as HTML. */
void	letter_html(struct letter *, size_t n);
void	letter_base64(struct letter *, const uint8_t *, size_t);

/*
 * A ZIP archive: members, then the end.  Sizes are those of what is packed.
 */
struct packing {
	struct letter	 zip, dir;
	unsigned	 members;
};
void	packing_begin(struct packing *, size_t size);
void	packing_add(struct packing *, const char *name, const uint8_t *,
	    size_t, int stored);
void	packing_end(struct packing *);
void	packing_free(struct packing *);

/* A text document of about n octets packed: half XML, half pictures. */
void	packing_docx(struct packing *, size_t n);

/* Octets that do not compress. */
void	noise(uint8_t *, size_t);

#endif
