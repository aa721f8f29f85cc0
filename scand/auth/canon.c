/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>

#include "scand/auth/auth.h"

/*
 * The canonical forms of fields and bodies (RFC 6376 3.4), for ARC, which
 * libopendkim does not know.  Line ends are CRLF; a lone CR or LF is an octet
 * like any other.
 */

static void	 put(struct canon *, uint8_t);
static void	 put_relaxed(struct canon *, const uint8_t *, size_t, int *);
static int	 is_blank(uint8_t);
static int	 all_blank(const uint8_t *, size_t);
static size_t	 line_length(const uint8_t *, size_t);

int
canon_begin(struct canon *c)
{
	c->n = 0;
	if ((c->md = EVP_MD_CTX_new()) == NULL)
		return -1;
	if (EVP_DigestInit_ex(c->md, EVP_sha256(), NULL) == 1)
		return 0;
	canon_end(c);
	return -1;
}

int
canon_copy(struct canon *c, struct canon *from)
{
	canon_octets(from, NULL, 0);
	c->n = 0;
	if ((c->md = EVP_MD_CTX_new()) == NULL)
		return -1;
	if (EVP_MD_CTX_copy_ex(c->md, from->md) == 1)
		return 0;
	canon_end(c);
	return -1;
}

int
canon_digest(struct canon *c, uint8_t digest[32])
{
	canon_octets(c, NULL, 0);
	return EVP_DigestFinal_ex(c->md, digest, NULL) == 1 ? 0 : -1;
}

void
canon_end(struct canon *c)
{
	EVP_MD_CTX_free(c->md);
	c->md = NULL;
}

/* What is in the buffer goes first. */
void
canon_octets(struct canon *c, const void *p, size_t n)
{
	if (c->n > 0)
		(void)EVP_DigestUpdate(c->md, c->buf, c->n);
	c->n = 0;
	if (n > 0)
		(void)EVP_DigestUpdate(c->md, p, n);
}

static void
put(struct canon *c, uint8_t octet)
{
	if (c->n == sizeof(c->buf))
		canon_octets(c, NULL, 0);
	c->buf[c->n++] = octet;
}

void
canon_field(struct canon *c, const struct field *f, int relaxed,
    const char *cut, size_t cutlen)
{
	const uint8_t *end = f->raw + f->rawlen, *hole = end, *rest = end;
	size_t i;
	int blank = -1;

	if (cut != NULL) {
		hole = (const uint8_t *)cut;
		rest = hole + cutlen;
	}
	if (!relaxed) {
		canon_octets(c, f->name, (size_t)(hole - f->name));
		canon_octets(c, rest, (size_t)(end - rest));
		return;
	}
	for (i = 0; i < f->namelen; i++)
		put(c, (uint8_t)tolower(f->name[i]));
	put(c, ':');
	put_relaxed(c, f->raw, (size_t)(hole - f->raw), &blank);
	put_relaxed(c, rest, (size_t)(end - rest), &blank);
}

/* 3.4.2 and 3.4.4: blanks are one, at the end none; *blank: one is due, or -1
   nothing stands before it where that counts. */
static void
put_relaxed(struct canon *c, const uint8_t *p, size_t n, int *blank)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] == '\r' && i + 1 < n && p[i + 1] == '\n')
			i++;
		else if (is_blank(p[i])) {
			if (*blank == 0)
				*blank = 1;
		} else {
			if (*blank == 1)
				put(c, ' ');
			*blank = 0;
			put(c, p[i]);
		}
	}
}

static int
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Empty lines wait until one comes that is not. */
void
canon_body(struct canon *c, const uint8_t *p, size_t n, int relaxed)
{
	size_t at, len, blanks = 0;
	int blank, any = 0;

	for (at = 0; at < n; at += len + 2) {
		len = line_length(p + at, n - at);
		if (relaxed ? all_blank(p + at, len) : len == 0) {
			blanks++;
			continue;
		}
		for (; blanks > 0; blanks--) {
			put(c, '\r');
			put(c, '\n');
		}
		blank = 0;
		if (relaxed)
			put_relaxed(c, p + at, len, &blank);
		else
			canon_octets(c, p + at, len);
		put(c, '\r');
		put(c, '\n');
		any = 1;
	}
	/* 3.4.3 */
	if (!relaxed && !any) {
		put(c, '\r');
		put(c, '\n');
	}
}

static int
all_blank(const uint8_t *p, size_t n)
{
	while (n > 0 && is_blank(p[n - 1]))
		n--;
	return n == 0;
}

/* Without its CRLF; the last one may have none. */
static size_t
line_length(const uint8_t *p, size_t n)
{
	const uint8_t *end = memmem(p, n, "\r\n", 2);

	return end == NULL ? n : (size_t)(end - p);
}
