/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/content/office.h"

/*
 * A scanner for the tags and texts of XML.  It checks nothing and knows no
 * DTD, so no entity is ever expanded; what is not well-formed is read as far
 * as it makes sense.
 */

static enum xml_event tag(struct xml *, size_t);
static size_t	 skip_markup(const struct xml *, size_t);
static size_t	 skip_doctype(const struct xml *, size_t);
static size_t	 find(const struct xml *, size_t, const char *);
static size_t	 tag_end(const struct xml *, size_t);
static int	 is_space(char);
static size_t	 reference(const char *, size_t, char *, size_t *);

void
xml_open(struct xml *x, const void *p, size_t n)
{
	memset(x, 0, sizeof(*x));
	x->p = p;
	x->n = n;
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		x->at = 3;
}

enum xml_event
xml_next(struct xml *x)
{
	const char *lt;
	size_t at, end;

	while (x->at < x->n) {
		at = x->at;
		x->cdata = 0;
		if (x->p[at] != '<') {
			lt = memchr(x->p + at, '<', x->n - at);
			end = lt == NULL ? x->n : (size_t)(lt - x->p);
			x->text = x->p + at;
			x->text_n = end - at;
			x->at = end;
			return XML_TEXT;
		}
		if (x->n - at >= 9 && memcmp(x->p + at, "<![CDATA[", 9) == 0) {
			end = find(x, at + 9, "]]>");
			x->text = x->p + at + 9;
			x->text_n = end - at - 9;
			x->at = end < x->n ? end + 3 : end;
			x->cdata = 1;
			return XML_TEXT;
		}
		if (x->n - at >= 2 &&
		    (x->p[at + 1] == '!' || x->p[at + 1] == '?')) {
			x->at = skip_markup(x, at);
			continue;
		}
		return tag(x, at);
	}
	return XML_END;
}

/* Behind a comment, an instruction or a document type. */
static size_t
skip_markup(const struct xml *x, size_t at)
{
	size_t end;

	if (x->p[at + 1] == '?') {
		end = find(x, at + 2, "?>");
		return end < x->n ? end + 2 : end;
	}
	if (x->n - at >= 4 && memcmp(x->p + at, "<!--", 4) == 0) {
		end = find(x, at + 4, "-->");
		return end < x->n ? end + 3 : end;
	}
	return skip_doctype(x, at);
}

/* With its declarations in [], in which strings may have anything. */
static size_t
skip_doctype(const struct xml *x, size_t at)
{
	int inside = 0;
	char quote = '\0', c;

	for (at += 2; at < x->n; at++) {
		c = x->p[at];
		if (quote != '\0') {
			if (c == quote)
				quote = '\0';
		} else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '[')
			inside = 1;
		else if (c == ']')
			inside = 0;
		else if (c == '>' && !inside)
			return at + 1;
	}
	return at;
}

static size_t
find(const struct xml *x, size_t at, const char *what)
{
	return office_find((const uint8_t *)x->p, x->n, at, what,
	    strlen(what));
}

static enum xml_event
tag(struct xml *x, size_t at)
{
	size_t end = tag_end(x, at), i;
	int close = 0;

	x->at = end < x->n ? end + 1 : end;
	i = at + 1;
	if (i < end && x->p[i] == '/') {
		close = 1;
		i++;
	}
	x->empty = !close && end > i && x->p[end - 1] == '/';
	if (x->empty)
		end--;
	x->name = x->p + i;
	for (; i < end && !is_space(x->p[i]); i++)
		if (x->p[i] == ':')
			x->name = x->p + i + 1;
	x->name_n = (size_t)(x->p + i - x->name);
	x->attr = x->p + i;
	x->attr_n = end - i;
	return close ? XML_CLOSE : XML_OPEN;
}

/* The '>' that ends a tag; those in values do not. */
static size_t
tag_end(const struct xml *x, size_t at)
{
	char quote = '\0', c;

	for (at++; at < x->n; at++) {
		c = x->p[at];
		if (quote != '\0') {
			if (c == quote)
				quote = '\0';
		} else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '>')
			break;
	}
	return at;
}

int
xml_attr(const struct xml *x, const char *local, char *dst, size_t size)
{
	const char *s = x->attr, *end = x->attr + x->attr_n, *name, *value;
	size_t want = strlen(local), len = 0, n;
	char quote;

	*dst = '\0';
	while (s < end) {
		while (s < end && is_space(*s))
			s++;
		for (name = s; s < end && *s != '=' && !is_space(*s); s++)
			if (*s == ':')
				name = s + 1;
		n = (size_t)(s - name);
		while (s < end && is_space(*s))
			s++;
		if (s == end || *s != '=') {
			/* Not well-formed: go on behind it. */
			if (n == 0 && s < end)
				s++;
			continue;
		}
		for (s++; s < end && is_space(*s); s++)
			;
		if (s == end)
			break;
		quote = *s;
		if (quote != '"' && quote != '\'')
			continue;
		value = ++s;
		while (s < end && *s != quote)
			s++;
		if (n == want && memcmp(name, local, n) == 0) {
			xml_text(value, (size_t)(s - value), 0, dst, size,
			    &len);
			return 1;
		}
		if (s < end)
			s++;
	}
	return 0;
}

void
xml_text(const char *s, size_t n, int cdata, char *dst, size_t size,
    size_t *len)
{
	size_t i = 0, k;

	while (i < n && *len + 5 < size) {
		if (s[i] == '&' && !cdata &&
		    (k = reference(s + i, n - i, dst, len)) > 0) {
			i += k;
			continue;
		}
		dst[(*len)++] = s[i++];
	}
	dst[*len] = '\0';
}

/* Decode one, appending four octets at most; its length, 0: it is none. */
static size_t
reference(const char *s, size_t n, char *dst, size_t *len)
{
	static const struct {
		const char	*name;
		char		 c;
	} known[] = {
		{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' },
		{ "&quot;", '"' }, { "&apos;", '\'' }
	};
	uint32_t c = 0;
	size_t i, k;
	int hex;
	char d;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		k = strlen(known[i].name);
		if (n >= k && memcmp(s, known[i].name, k) == 0) {
			dst[(*len)++] = known[i].c;
			return k;
		}
	}
	if (n < 4 || s[1] != '#')
		return 0;
	hex = s[2] == 'x' || s[2] == 'X';
	for (i = hex ? 3 : 2; i < n && s[i] != ';'; i++) {
		d = s[i];
		if (d >= '0' && d <= '9')
			d -= '0';
		else if (hex && (d | 0x20) >= 'a' && (d | 0x20) <= 'f')
			d = (char)((d | 0x20) - 'a' + 10);
		else
			return 0;
		if (c < 0x110000)
			c = c * (hex ? 16 : 10) + (uint32_t)d;
	}
	if (i == n)
		return 0;
	*len += office_utf8(dst + *len, c < 0x110000 ? c : 0xfffd);
	return i + 1;
}

static int
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int
xml_utf16(const uint8_t *p, size_t n)
{
	if (n < 4)
		return -1;
	if (p[0] == 0xff && p[1] == 0xfe)
		return 0;
	if (p[0] == 0xfe && p[1] == 0xff)
		return 1;
	if (p[0] == '<' && p[1] == 0 && p[3] == 0)
		return 0;
	if (p[0] == 0 && p[1] == '<' && p[2] == 0)
		return 1;
	return -1;
}
