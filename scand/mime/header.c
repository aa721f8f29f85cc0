/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scand/content/octets.h"
#include "scand/mime/mime.h"

/*
 * The header section (RFC 5322 2.2): one pass that finds the fields, unfolds
 * their values and notes whatever is odd.  It never refuses: a mail reader
 * would show such a message as well, so rules must see it.
 */

struct line {
	const uint8_t	*p;
	size_t		 len;		/* without the line end */
	size_t		 next;		/* octets with the line end */
};

static int	 header_reserve(struct header *, size_t);
static void	 header_line(struct header *, const struct line *, int *);
static void	 header_begin(struct header *, const struct line *, int *);
static void	 header_fold(struct header *, const struct line *, int);
static void	 header_finish(struct header *);
static void	 header_octets(struct header *, const uint8_t *, size_t);
static int	 line_next(struct line *, const uint8_t *, size_t, unsigned *);
static enum field_id field_lookup(const uint8_t *, size_t);

static const char *const field_names[FIELD_MAX] = {
	[FIELD_OTHER] = "",
	[FIELD_FROM] = "From",
	[FIELD_SENDER] = "Sender",
	[FIELD_REPLY_TO] = "Reply-To",
	[FIELD_TO] = "To",
	[FIELD_CC] = "Cc",
	[FIELD_BCC] = "Bcc",
	[FIELD_DATE] = "Date",
	[FIELD_SUBJECT] = "Subject",
	[FIELD_MESSAGE_ID] = "Message-ID",
	[FIELD_IN_REPLY_TO] = "In-Reply-To",
	[FIELD_REFERENCES] = "References",
	[FIELD_RECEIVED] = "Received",
	[FIELD_RETURN_PATH] = "Return-Path",
	[FIELD_MIME_VERSION] = "MIME-Version",
	[FIELD_CONTENT_TYPE] = "Content-Type",
	[FIELD_CONTENT_ENCODING] = "Content-Transfer-Encoding",
	[FIELD_LIST_ID] = "List-Id",
	[FIELD_AUTHRES] = "Authentication-Results",
};

int
header_parse(struct header *h, const uint8_t *p, size_t n)
{
	struct line l;
	size_t max = n;
	int open = 0, ended = 0;

	h->nfields = h->size = h->textlen = 0;
	h->odd = 0;
	memset(h->count, 0, sizeof(h->count));
	if (max > LIM_HEADER)
		max = LIM_HEADER;
	if (header_reserve(h, max + 1) == -1)
		return -1;
	while (h->size < max) {
		if (line_next(&l, p + h->size, max - h->size, &h->odd) == -1)
			break;
		h->size += l.next;
		if (l.len == 0) {
			ended = 1;
			break;
		}
		header_line(h, &l, &open);
	}
	header_finish(h);
	if (!ended)
		h->odd |= max < n ? ODD_LONG : ODD_NOEND;
	if (h->nfields == 0)
		h->odd |= ODD_EMPTY;
	header_octets(h, p, h->size);
	return 0;
}

void
header_free(struct header *h)
{
	if (h == NULL)
		return;
	free(h->fields);
	free(h->text);
	memset(h, 0, sizeof(*h));
}

const struct field *
header_field(const struct header *h, enum field_id id)
{
	return h->count[id] == 0 ? NULL : &h->fields[h->first[id]];
}

const char *
field_name(enum field_id id)
{
	return id < FIELD_MAX ? field_names[id] : "";
}

/*
 * Room for all values at once, so that no value moves while it is built: a
 * value and its NUL never need more octets than the field had with its colon.
 */
static int
header_reserve(struct header *h, size_t size)
{
	char *text;

	if (h->fields == NULL) {
		h->fields = calloc(LIM_HEADER_FIELDS, sizeof(*h->fields));
		if (h->fields == NULL)
			return -1;
		h->fieldsize = LIM_HEADER_FIELDS;
	}
	if (size <= h->textsize)
		return 0;
	if (size < 16384)
		size = 16384;
	if ((text = malloc(size)) == NULL)
		return -1;
	free(h->text);
	h->text = text;
	h->textsize = size;
	return 0;
}

/* *open: the last field still takes folds. */
static void
header_line(struct header *h, const struct line *l, int *open)
{
	if (l->p[0] == ' ' || l->p[0] == '\t')
		header_fold(h, l, *open);
	else
		header_begin(h, l, open);
}

static void
header_begin(struct header *h, const struct line *l, int *open)
{
	const uint8_t *colon;
	struct field *f;
	size_t i, len;

	header_finish(h);
	*open = 0;
	if ((colon = memchr(l->p, ':', l->len)) == NULL || colon == l->p) {
		h->odd |= ODD_NOCOLON;
		return;
	}
	if (h->nfields == h->fieldsize) {
		h->odd |= ODD_FIELDS;
		return;
	}
	/* RFC 5322 4.5: blanks before the colon were once allowed. */
	len = (size_t)(colon - l->p);
	while (len > 1 && (l->p[len - 1] == ' ' || l->p[len - 1] == '\t'))
		len--;
	for (i = 0; i < len; i++) {
		if (l->p[i] <= 32 || l->p[i] >= 127)
			h->odd |= ODD_NAME;
	}
	f = &h->fields[h->nfields];
	f->name = l->p;
	f->namelen = len;
	f->raw = colon + 1;
	f->rawlen = l->len - (size_t)(f->raw - l->p);
	f->id = field_lookup(f->name, f->namelen);
	f->value = h->text + h->textlen;
	memcpy(h->text + h->textlen, f->raw, f->rawlen);
	f->len = f->rawlen;
	if (h->count[f->id]++ == 0)
		h->first[f->id] = (uint16_t)h->nfields;
	h->nfields++;
	*open = 1;
}

/* RFC 5322 2.2.3: unfolding takes out the CRLF and keeps the blank. */
static void
header_fold(struct header *h, const struct line *l, int open)
{
	struct field *f;
	size_t i;

	for (i = 0; i < l->len; i++) {
		if (l->p[i] != ' ' && l->p[i] != '\t')
			break;
	}
	if (i == l->len || h->nfields == 0)
		h->odd |= ODD_FOLD;
	if (!open)
		return;
	f = &h->fields[h->nfields - 1];
	memcpy(h->text + h->textlen + f->len, l->p, l->len);
	f->len += l->len;
	f->rawlen = (size_t)(l->p + l->len - f->raw);
}

/* The last field is complete: trim and terminate its value. */
static void
header_finish(struct header *h)
{
	struct field *f;
	char *v;

	if (h->nfields == 0)
		return;
	f = &h->fields[h->nfields - 1];
	if (f->value != h->text + h->textlen)
		return;
	v = h->text + h->textlen;
	while (f->len > 0 && (*v == ' ' || *v == '\t')) {
		v++;
		f->len--;
	}
	while (f->len > 0 && (v[f->len - 1] == ' ' || v[f->len - 1] == '\t'))
		f->len--;
	v[f->len] = '\0';
	f->value = v;
	h->textlen = (size_t)(v + f->len + 1 - h->text);
}

static void
header_octets(struct header *h, const uint8_t *p, size_t n)
{
	if (octets_ascii(p, n) < n) {
		h->odd |= ODD_8BIT;
		if (!octets_utf8(p, n))
			h->odd |= ODD_CHARSET;
	}
	if (n > 0 && memchr(p, 0, n) != NULL)
		h->odd |= ODD_NUL;
}

/* No overlong forms, no surrogates, nothing above U+10FFFF. */
int
octets_utf8(const uint8_t *p, size_t n)
{
	size_t i = 0, k, more;
	uint32_t c;

	while ((i += octets_ascii(p + i, n - i)) < n) {
		if (p[i] < 0xc2 || p[i] > 0xf4)
			return 0;
		more = p[i] < 0xe0 ? 1 : p[i] < 0xf0 ? 2 : 3;
		if (n - i <= more)
			return 0;
		c = p[i] & (0x3fU >> more);
		for (k = 1; k <= more; k++) {
			if ((p[i + k] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (p[i + k] & 0x3f);
		}
		if ((more == 2 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
		    (more == 3 && (c < 0x10000 || c > 0x10ffff)))
			return 0;
		i += more + 1;
	}
	return 1;
}

/* -1 at the end.  A lone LF ends a line, too, as most readers have it. */
static int
line_next(struct line *l, const uint8_t *p, size_t n, unsigned *odd)
{
	const uint8_t *lf;

	if (n == 0)
		return -1;
	l->p = p;
	if ((lf = memchr(p, '\n', n)) == NULL) {
		l->len = l->next = n;
		return 0;
	}
	l->len = (size_t)(lf - p);
	l->next = l->len + 1;
	if (l->len > 0 && p[l->len - 1] == '\r')
		l->len--;
	else
		*odd |= ODD_LINEEND;
	return 0;
}

static enum field_id
field_lookup(const uint8_t *name, size_t len)
{
	unsigned i;

	for (i = FIELD_OTHER + 1; i < FIELD_MAX; i++) {
		const char *s = field_names[i];

		if ((s[0] ^ (char)name[0]) & ~0x20)
			continue;
		if (strlen(s) == len &&
		    strncasecmp(s, (const char *)name, len) == 0)
			return i;
	}
	return FIELD_OTHER;
}
