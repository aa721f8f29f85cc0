/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_MIME_MIME_H
#define SCAND_MIME_MIME_H

#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

/*
 * What a message is made of.  Nothing here knows of scores, policies or DNS;
 * all functions take octets and say what they found, so that a unit test or a
 * fuzzer can call them.
 */

/*
 * header.c: the header section.
 */

/* Fields that rules ask for by name. */
enum field_id {
	FIELD_OTHER,
	FIELD_FROM, FIELD_SENDER, FIELD_REPLY_TO, FIELD_TO, FIELD_CC,
	FIELD_BCC, FIELD_DATE, FIELD_SUBJECT, FIELD_MESSAGE_ID,
	FIELD_IN_REPLY_TO, FIELD_REFERENCES, FIELD_RECEIVED,
	FIELD_RETURN_PATH, FIELD_MIME_VERSION, FIELD_CONTENT_TYPE,
	FIELD_CONTENT_ENCODING, FIELD_LIST_ID, FIELD_AUTHRES,
	FIELD_MAX
};
/* "From" ...; "" for FIELD_OTHER. */
const char	*field_name(enum field_id);
/* Are they UTF-8 (RFC 3629)?  ASCII is. */
int	octets_utf8(const uint8_t *, size_t);

struct field {
	const uint8_t	*name;		/* as written, before the colon */
	size_t		 namelen;
	const uint8_t	*raw;		/* behind the colon, folds inside,
					   without the last line end */
	size_t		 rawlen;
	const char	*value;		/* unfolded and trimmed, terminated */
	size_t		 len;		/* of value; it may have NULs inside */
	enum field_id	 id;
};

/* Odd things of a header section. */
#define ODD_NOCOLON	0x0001	/* a line that is neither field nor fold */
#define ODD_NAME	0x0002	/* a field name with characters it can't have */
#define ODD_8BIT	0x0004	/* octets above 127 */
#define ODD_CHARSET	0x0008	/* and they are not UTF-8 */
#define ODD_NUL		0x0010
#define ODD_LINEEND	0x0020	/* a lone LF or CR */
#define ODD_NOEND	0x0040	/* no empty line before the end */
#define ODD_EMPTY	0x0080	/* no field at all */
#define ODD_FOLD	0x0100	/* begins with a fold, or a fold of blanks */
#define ODD_FIELDS	0x0200	/* more than LIM_HEADER_FIELDS */
#define ODD_LONG	0x0400	/* longer than LIM_HEADER */

/*
 * A header section, reused from message to message: zero it once, parse as
 * often as wanted, free it at last.
 */
struct header {
	struct field	*fields;	/* in the order of the message */
	size_t		 nfields;
	size_t		 size;		/* octets of the section and of the
					   empty line: the body starts there */
	unsigned	 odd;		/* ODD_* */
	uint16_t	 count[FIELD_MAX];
	uint16_t	 first[FIELD_MAX];	/* index; valid if count > 0 */
	size_t		 fieldsize;
	char		*text;		/* the values */
	size_t		 textlen, textsize;
};

/* Fields point into p[0..n) as long as they are used.  -1: no memory. */
int	header_parse(struct header *, const uint8_t *p, size_t n);
void	header_free(struct header *);
/* The first field of a kind, or NULL. */
const struct field *header_field(const struct header *, enum field_id);

/*
 * date.c: RFC 5322 3.3 and 4.3 (two-digit years, named zones, comments).
 * Seconds since 1970 into *t; -1 if it is not a date.
 */
int	date_parse(const char *s, size_t n, int64_t *t);

/*
 * mailbox.c: the address list of From, Sender, To ... (RFC 5322 3.4),
 * leniently: what can be made of it is kept, -1 says that it is not well
 * formed.  *n is the number of mailboxes, which may exceed max.
 */
struct mailbox {
	char	display[128];		/* unquoted, cut if longer, or "" */
	char	address[LIM_PATH + 1];	/* local@domain, without comments */
};
int	mailbox_list(const char *s, size_t len, struct mailbox *v, size_t max,
	    size_t *n);
/* The first thing in text that looks like local@domain.tld, into dst; 0 if
   there is one, else -1. */
int	mailbox_in_text(const char *s, char *dst, size_t dstsize);

/*
 * body.c: what follows the header section.
 */
struct body {
	size_t	 lines;
	size_t	 longest;	/* octets of a line without its end */
	int	 blank;		/* nothing but white space */
};
void	body_look(struct body *, const uint8_t *p, size_t n);

#endif
