/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_PDF_H
#define SCAND_CONTENT_PDF_H

#include "scand/content/content.h"

/*
 * PDF (ISO 32000), between its files.  Offsets are into the thing as a whole,
 * with whatever stands before %PDF-.
 */

/*
 * pdflex.c: tokens, and values in dictionaries.  Nothing here goes deeper for
 * nested values: they are skipped by counting.
 */
enum pdf_token {
	PDF_END, PDF_NUMBER, PDF_NAME, PDF_STRING, PDF_ARRAY, PDF_ARRAY_END,
	PDF_DICT, PDF_DICT_END, PDF_WORD
};

struct pdf_lex {
	const uint8_t	*p;
	size_t		 n;
	size_t		 at;		/* behind the token */
	/* Of the token: */
	size_t		 begin;
	int64_t		 number;	/* its whole part */
	char		 text[64];	/* name with #xx decoded, or word;
					   "" if it is longer */
};
/* Begin at an offset. */
void		 pdf_lex(struct pdf_lex *, const uint8_t *, size_t n,
		    size_t at);
enum pdf_token	 pdf_next(struct pdf_lex *);

struct pdf_value {
	enum pdf_token	 type;		/* PDF_END: there is none, or null */
	size_t		 at;		/* where it begins */
	int64_t		 number;
	char		 text[64];	/* of a name or word */
	int		 is_ref;	/* number is that of an object */
};

struct pdf {
	struct inspect	*in;
	const uint8_t	*p;
	size_t		 n;
	size_t		 shift;		/* where the header is */
	unsigned	 finds;		/* lengths that were looked up */
};

/* The next token, charged to the budget; PDF_END when that is used up. */
enum pdf_token	pdf_token(struct pdf *, struct pdf_lex *);
/* Is the next token one of these?  1 or 0; it was read in any case. */
int	pdf_expect(struct pdf *, struct pdf_lex *, enum pdf_token);
/* The value whose first token was just read; the lexer is behind it then. */
void	pdf_value(struct pdf *, struct pdf_lex *, enum pdf_token,
	    struct pdf_value *);
/* The value of a key in the dictionary that begins at an offset; of several,
   the last that is not null.  Where the dictionary ends (behind it). */
size_t	pdf_get(struct pdf *, size_t dict, const char *key,
	    struct pdf_value *);
/* The octets of a string at an offset, cut to size; how many. */
size_t	pdf_string(const struct pdf *, size_t at, uint8_t *, size_t size);

/*
 * pdfobject.c: objects and streams.
 */
struct pdf_object {
	int64_t	 number;
	size_t	 at;		/* of its value */
	size_t	 next;		/* for pdf_object_next() */
};
/* The next "n g obj" behind an offset.  1 or 0. */
int	pdf_object_next(struct pdf *, size_t from, struct pdf_object *);
/* Is one at this offset?  1 or 0. */
int	pdf_object_at(struct pdf *, size_t at, struct pdf_object *);
/* The last object of a number that is a dictionary (dict), or any.  1 or 0. */
int	pdf_object_find(struct pdf *, int64_t number, int dict,
	    struct pdf_object *);
/* The data of a stream whose dictionary begins at an offset, as it stands in
   the file.  1, or 0: it has none. */
int	pdf_stream(struct pdf *, size_t dict, const uint8_t **, size_t *);

struct unpack;
/* The same through its filters: *out is in the file or in u, which is begun
   here and to be freed.  1; 0: some filter is not known; -1: no stream. */
int	pdf_unpack(struct pdf *, size_t dict, struct unpack *u,
	    const uint8_t **out, size_t *n);

/*
 * pdftrailer.c: which trailer is in effect.
 */
struct pdf_trailer {
	size_t		 dict;
	struct pdf_value encrypt;	/* type PDF_END: none */
	uint8_t		 id[64];	/* first string of /ID */
	size_t		 id_n;
	int		 old_encrypt;	/* one that is not in effect has it */
};
/* 0, or -1: there is none, even by searching. */
int	pdf_trailer(struct pdf *, struct pdf_trailer *);

/*
 * pdfcrypt.c: what opens it.
 */
enum pdf_lock {
	PDF_LOCK_NONE,		/* the dictionary is not there */
	PDF_LOCK_PASSWORD,
	PDF_LOCK_OWNER,		/* opens with an empty password */
	PDF_LOCK_ATTACHMENTS	/* only they are encrypted */
};
enum pdf_lock	pdf_lock(struct pdf *, const struct pdf_trailer *);

#endif
