/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "scand/rules/links.h"

/*
 * Just so much of HTML that links can be found in it: tags, attributes,
 * character references, as the tokeniser of the HTML standard reads them.
 */

#define REFERENCE_MAX	32	/* octets of a character reference */

static size_t	 comment_length(struct html_tag *, const char *, size_t);
static size_t	 tag_length(struct html_tag *, const char *, size_t);
static size_t	 reference(const char *, size_t, char *, size_t *);
static size_t	 reference_number(const char *, size_t, uint32_t *);
static size_t	 reference_name(const char *, size_t, uint32_t *);
static size_t	 utf8_put(uint32_t, char *);
static int	 is_space(char);
static int	 is_letter(char);

size_t
html_tag(struct html_tag *t, const char *s, size_t n)
{
	size_t i, len;

	t->name = NULL;
	t->namelen = 0;
	if (n < 2)
		return 1;
	if (s[1] == '!' || s[1] == '?')
		return comment_length(t, s, n);
	i = s[1] == '/' ? 2 : 1;
	if (i >= n || !is_letter(s[i]))
		return 1;
	len = tag_length(t, s, n);
	t->end = i == 2;
	t->name = s + i;
	for (; i < len && !is_space(s[i]) && s[i] != '/' && s[i] != '>'; i++)
		t->namelen++;
	t->p = s + i;
	t->to = s + len;
	return len;
}

/*
 * What only one reader shows (downlevel-hidden comments of Microsoft's) is
 * looked at; a comment that has no end hides nothing.
 */
static size_t
comment_length(struct html_tag *t, const char *s, size_t n)
{
	const char *end;

	if (n < 4 || memcmp(s, "<!--", 4) != 0 ||
	    (n >= 7 && strncasecmp(s + 4, "[if", 3) == 0))
		return tag_length(t, s, n);
	end = t->endless & HTML_COMMENT ? NULL :
	    memmem(s + 2, n - 2, "-->", 3);
	if (end != NULL)
		return (size_t)(end - s) + 3;
	t->endless |= HTML_COMMENT;
	return 4;
}

/* Up to the end of the tag; a ">" in quotes does not end it. */
static size_t
tag_length(struct html_tag *t, const char *s, size_t n)
{
	char quote = '\0', last = '\0';
	size_t i;

	for (i = 1; i < n && !(t->endless & HTML_QUOTE); i++) {
		if (quote != '\0') {
			if (s[i] == quote)
				quote = '\0';
		} else if (s[i] == '>')
			return i + 1;
		else if ((s[i] == '"' || s[i] == '\'') && last == '=')
			quote = s[i];
		if (!is_space(s[i]))
			last = s[i];
	}
	/* Without an end it is read to the next ">", whatever is in quotes. */
	t->endless |= HTML_QUOTE;
	for (i = 1; i < n && s[i] != '>'; i++)
		continue;
	return i < n ? i + 1 : n;
}

int
html_attr(struct html_tag *t, struct html_attr *a)
{
	const char *p = t->p, *to = t->to;
	char quote;

	memset(a, 0, sizeof(*a));
	while (p < to && (is_space(*p) || *p == '/'))
		p++;
	if (p == to || *p == '>')
		return 0;
	a->name = p;
	/* a "=" may be the first character of a name, but not a later one */
	for (p++; p < to && !is_space(*p) && *p != '/' && *p != '>' &&
	    *p != '='; p++)
		continue;
	a->namelen = (size_t)(p - a->name);
	a->value = p;
	while (p < to && is_space(*p))
		p++;
	if (p == to || *p != '=') {
		t->p = p;
		return 1;
	}
	for (p++; p < to && is_space(*p); p++)
		continue;
	quote = p < to && (*p == '"' || *p == '\'') ? *p++ : '\0';
	a->value = p;
	while (p < to && (quote != '\0' ? *p != quote :
	    !is_space(*p) && *p != '>'))
		p++;
	a->valuelen = (size_t)(p - a->value);
	if (quote != '\0' && p < to)
		p++;
	t->p = p;
	return 1;
}

int
html_is(const char *s, size_t n, const char *name)
{
	return strlen(name) == n && strncasecmp(s, name, n) == 0;
}

size_t
html_decode(const char *s, size_t n, char *dst, size_t size)
{
	const char *amp;
	char text[4];
	size_t i, len = 0, used, k;

	for (i = 0; i < n && len < size; i += used) {
		used = s[i] == '&' ? reference(s + i, n - i, text, &k) : 0;
		if (used > 0) {
			if (k > size - len)
				break;
			memcpy(dst + len, text, k);
			len += k;
			continue;
		}
		/* As it is, up to the next one. */
		amp = memchr(s + i + 1, '&', n - i - 1);
		used = amp == NULL ? n - i : (size_t)(amp - (s + i));
		if (used > size - len)
			used = size - len;
		memmove(dst + len, s + i, used);
		len += used;
	}
	return len;
}

/* Octets that it takes, 0 if it is none; its character is in text. */
static size_t
reference(const char *s, size_t n, char *text, size_t *len)
{
	uint32_t c;
	size_t used;

	if (n > REFERENCE_MAX)
		n = REFERENCE_MAX;
	if (n > 2 && s[1] == '#')
		used = reference_number(s, n, &c);
	else
		used = reference_name(s, n, &c);
	if (used > 0)
		*len = utf8_put(c, text);
	return used;
}

static size_t
reference_number(const char *s, size_t n, uint32_t *c)
{
	unsigned base = 10, d;
	size_t i = 2, first;

	if ((s[i] | 0x20) == 'x') {
		base = 16;
		i++;
	}
	*c = 0;
	for (first = i; i < n; i++) {
		d = s[i] >= '0' && s[i] <= '9' ? (unsigned)(s[i] - '0') :
		    is_letter(s[i]) ? (unsigned)((s[i] | 0x20) - 'a') + 10 :
		    16;
		if (d >= base)
			break;
		if (*c <= 0x10ffff)
			*c = *c * base + d;
	}
	if (i == first)
		return 0;
	if (*c == 0 || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		*c = 0xfffd;
	return i < n && s[i] == ';' ? i + 1 : i;
}

/*
 * Those that can stand in a URL or spread over one.  Some are old enough to
 * need no semicolon.
 */
static size_t
reference_name(const char *s, size_t n, uint32_t *c)
{
	static const struct {
		const char	*name;
		uint32_t	 c;
		int		 bare;
	} names[] = {
		{ "amp", '&', 1 }, { "AMP", '&', 1 }, { "lt", '<', 1 },
		{ "LT", '<', 1 }, { "gt", '>', 1 }, { "GT", '>', 1 },
		{ "quot", '"', 1 }, { "QUOT", '"', 1 }, { "apos", '\'', 0 },
		{ "nbsp", 0xa0, 1 }, { "shy", 0xad, 1 }, { "colon", ':', 0 },
		{ "sol", '/', 0 }, { "bsol", '\\', 0 }, { "period", '.', 0 },
		{ "commat", '@', 0 }, { "num", '#', 0 }, { "quest", '?', 0 },
		{ "equals", '=', 0 }, { "percnt", '%', 0 }, { "comma", ',', 0 },
		{ "lowbar", '_', 0 }, { "Tab", '\t', 0 },
		{ "NewLine", '\n', 0 }, { "lpar", '(', 0 }, { "rpar", ')', 0 },
		{ "lsqb", '[', 0 }, { "lbrack", '[', 0 }, { "rsqb", ']', 0 },
		{ "rbrack", ']', 0 }, { "semi", ';', 0 }, { "excl", '!', 0 },
		{ "dollar", '$', 0 }, { "plus", '+', 0 }, { "ast", '*', 0 },
		{ "hyphen", 0x2010, 0 }, { "dash", 0x2010, 0 },
		{ "NoBreak", 0x2060, 0 }, { "ZeroWidthSpace", 0x200b, 0 },
		{ "zwnj", 0x200c, 0 }, { "zwj", 0x200d, 0 },
		{ "auml", 0xe4, 1 }, { "ouml", 0xf6, 1 }, { "uuml", 0xfc, 1 },
		{ "szlig", 0xdf, 1 }
	};
	size_t i, len;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i].name);
		if (len + 1 > n || memcmp(s + 1, names[i].name, len) != 0)
			continue;
		*c = names[i].c;
		if (len + 1 < n && s[len + 1] == ';')
			return len + 2;
		/* "&ltx" may be a parameter, "&amp=1" is one. */
		if (names[i].bare && (len + 1 == n || (s[len + 1] != '=' &&
		    !is_letter(s[len + 1]))))
			return len + 1;
	}
	return 0;
}

static size_t
utf8_put(uint32_t c, char *dst)
{
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	for (i = len; i-- > 1; c >>= 6)
		dst[i] = (char)(0x80 | (c & 0x3f));
	dst[0] = (char)(len == 1 ? c : c | (0xf00U >> len & 0xff));
	return len;
}

static int
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static int
is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
