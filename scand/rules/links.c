/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scand/rules/links.h"

/*
 * Links of a message: in running text wherever a reader would make one of it,
 * in HTML in attributes and in what is shown.  One pass over each text; what
 * is kept is bounded, and where there is more a sample of it is kept, by
 * chance, so that no heap of harmless links hides one.
 */

#define ANCHOR_TEXT	256	/* octets of a link's text */
#define DECODED		4096	/* of an attribute or a piece of text */
#define HOST_LABELS	4	/* more of a host no list is asked for */
#define NESTED		4	/* URLs in one URL */

struct anchor {
	int	 open;
	char	 host[DNS_NAME];	/* where it leads to */
	char	 text[ANCHOR_TEXT];	/* what it shows */
	size_t	 len;
};

/* One HTML text while it is scanned. */
struct page {
	struct links	*links;
	struct anchor	 anchor;
	char		 base[DNS_NAME];	/* <base>, or "" */
};

static void	 scan_text(struct links *, const char *, size_t);
static size_t	 text_word(struct links *, const char *, size_t, size_t,
		    size_t);
static void	 text_scheme(struct links *, const char *, size_t, size_t);
static void	 text_bare(struct links *, const char *, size_t, size_t);
static int	 is_bare_host(const char *, size_t);
static void	 scan_html(struct links *, const char *, size_t);
static size_t	 raw_length(const struct html_tag *, const char *, size_t);
static void	 page_tag(struct page *, struct html_tag *);
static void	 page_attr(struct page *, const struct html_tag *,
		    const struct html_attr *);
static void	 page_refresh(struct page *, const char *, size_t);
static void	 page_srcset(struct page *, const char *, size_t);
static int	 page_link(struct page *, const char *, size_t, struct link *);
static void	 page_text(struct page *, const char *, size_t);
static void	 anchor_text(struct anchor *, const char *, size_t);
static void	 anchor_end(struct page *);
static int	 anchor_named(const char *, size_t, struct link *);
static void	 nested(struct links *, const char *, size_t);
static void	 keep(struct links *, const struct link *);
static void	 keep_host(struct links *, const char *, uint8_t);
static void	 note(struct links *, enum link_odd, const char *,
		    const char *);
static const char *last_labels(const char *);
static uint32_t	 chance(struct links *);
static int	 ends_text(unsigned char);
static int	 is_wordy(unsigned char);

void
links_reset(struct links *l)
{
	size_t i;

	l->n = l->distinct = l->total = l->tries = l->scanned = 0;
	for (i = 0; i < LINK_ODDS; i++)
		l->odd[i].n = 0;
	/* Nobody sees it, so each message may go on from the one before. */
	if (l->seed == 0)
		l->seed = arc4random() | 1;
}

void
links_scan(struct links *l, const char *s, size_t n, int is_html)
{
	if (n > LIM_LINK_TEXT - l->scanned)
		n = LIM_LINK_TEXT - l->scanned;
	l->scanned += n;
	if (is_html)
		scan_html(l, s, n);
	else
		scan_text(l, s, n);
}

/*
 * Running text: what has a scheme, what begins with "www.", and a host with a
 * path behind it.
 */
static void
scan_text(struct links *l, const char *s, size_t n)
{
	static const char wanted[256] = {
		['.'] = 1, [':'] = 1, ['/'] = 1, ['\\'] = 1
	};
	size_t i, from, to = 0;

	/* Most words have nothing that a link cannot be without. */
	while (to < n && l->tries < LIM_LINK_TRIES) {
		for (i = to; i < n && !wanted[(unsigned char)s[i]]; i++)
			continue;
		if (i == n)
			return;
		for (from = i; from > to &&
		    !ends_text((unsigned char)s[from - 1]); from--)
			continue;
		to = text_word(l, s, n, from, i);
	}
}

/* A word that begins at `word'; nothing is in it before s[i].  Its end. */
static size_t
text_word(struct links *l, const char *s, size_t n, size_t word, size_t i)
{
	int inside = 0;		/* of a URL */

	for (; i < n && !ends_text((unsigned char)s[i]) &&
	    l->tries < LIM_LINK_TRIES; i++) {
		if (s[i] == ':' && i + 2 < n &&
		    (s[i + 1] == '/' || s[i + 1] == '\\')) {
			text_scheme(l, s, n, i);
			inside = 1;
		} else if (!inside && (s[i] == '/' || s[i] == '\\')) {
			text_bare(l, s + word, i - word, n - word);
			word = i + 1;
		}
	}
	if (!inside)
		text_bare(l, s + word, i - word, i - word);
	return i;
}

/* s[at] is a colon before a slash. */
static void
text_scheme(struct links *l, const char *s, size_t n, size_t at)
{
	struct link link;
	size_t from = at, to;

	while (from > 0 && at - from < 5 &&
	    is_wordy((unsigned char)s[from - 1]))
		from--;
	l->tries++;
	for (to = at; to < n && to - at < DECODED &&
	    !ends_text((unsigned char)s[to]); to++)
		continue;
	/* "xhttp:" is no scheme, but a reader may see one in it. */
	for (; at - from >= 2; from++) {
		if (link_parse(&link, s + from, to - from, LINK_TEXT) == 1) {
			keep(l, &link);
			nested(l, s + from, to - from);
			return;
		}
	}
}

/*
 * A word of len octets, which ends before a slash or where the text does; room
 * is what there is of it with its path.
 */
static void
text_bare(struct links *l, const char *s, size_t len, size_t room)
{
	struct link link;
	size_t i;

	while (len > 0 && !is_wordy((unsigned char)*s)) {
		/* the domain of an address is no link */
		if (*s == '@')
			return;
		s++;
		len--;
		room--;
	}
	/* what ends the sentence is not meant */
	while (room == len && len > 0 && !is_wordy((unsigned char)s[len - 1]))
		room = --len;
	if (len < 4 || len > 300 || memchr(s, '.', len) == NULL ||
	    memchr(s, '@', len) != NULL)
		return;
	for (i = len; i > 0 && (is_wordy((unsigned char)s[i - 1]) ||
	    s[i - 1] == '.' || s[i - 1] == '-'); i--)
		continue;
	if (strncasecmp(s, "www.", 4) != 0 &&
	    (i != 0 || !is_bare_host(s, len)))
		return;
	l->tries++;
	if (link_host(&link, s, len, LINK_TEXT) != 1)
		return;
	/* Without a path only what looks like a domain to everybody. */
	if (strncasecmp(s, "www.", 4) != 0 &&
	    (link.family != 0 || (room == len && !host_usual(link.host))))
		return;
	keep(l, &link);
}

/* Letters, digits and hyphens between dots; the last label is of letters. */
static int
is_bare_host(const char *s, size_t n)
{
	size_t i;

	if (s[n - 1] == '.')
		return 0;
	for (i = n; i > 0 && s[i - 1] != '.'; i--) {
		if (!((s[i - 1] | 0x20) >= 'a' && (s[i - 1] | 0x20) <= 'z'))
			return 0;
	}
	return i > 1 && n - i >= 2;
}

static void
scan_html(struct links *l, const char *s, size_t n)
{
	static struct page page;
	struct html_tag tag = { .endless = 0 };
	const char *lt;
	size_t at = 0, len;

	page.links = l;
	page.anchor.open = 0;
	page.base[0] = '\0';
	while (at < n && l->tries < LIM_LINK_TRIES) {
		lt = memchr(s + at, '<', n - at);
		len = lt == NULL ? n - at : (size_t)(lt - (s + at));
		page_text(&page, s + at, len);
		at += len;
		if (at == n)
			break;
		at += html_tag(&tag, s + at, n - at);
		if (tag.name == NULL)
			continue;
		page_tag(&page, &tag);
		if (tag.end)
			continue;
		len = raw_length(&tag, s + at, n - at);
		scan_text(l, s + at, len);
		at += len;
	}
	anchor_end(&page);
}

/* The content of elements in which there are no tags. */
static size_t
raw_length(const struct html_tag *t, const char *s, size_t n)
{
	static const char *const raw[] = { "script", "style" };
	const char *p = s, *end = s + n;
	size_t i, len;

	for (i = 0; i < 2; i++) {
		if (html_is(t->name, t->namelen, raw[i]))
			break;
	}
	if (i == 2)
		return 0;
	len = strlen(raw[i]);
	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		if ((size_t)(end - p) >= len + 2 && p[1] == '/' &&
		    strncasecmp(p + 2, raw[i], len) == 0)
			return (size_t)(p - s);
		p++;
	}
	return n;
}

static void
page_tag(struct page *page, struct html_tag *t)
{
	struct html_attr a;
	int is_a = html_is(t->name, t->namelen, "a");

	if (is_a)
		anchor_end(page);
	if (t->end)
		return;
	while (html_attr(t, &a))
		page_attr(page, t, &a);
}

static void
page_attr(struct page *page, const struct html_tag *t,
    const struct html_attr *a)
{
	enum { URL, SET, REFRESH, TEXT };
	static const struct {
		const char	*name;
		int		 kind;
	} attrs[] = {
		{ "href", URL }, { "src", URL }, { "action", URL },
		{ "formaction", URL }, { "background", URL },
		{ "data", URL }, { "poster", URL }, { "xlink:href", URL },
		{ "srcset", SET }, { "content", REFRESH }, { "style", TEXT }
	};
	static char value[DECODED];
	struct link link;
	size_t i, n;

	for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		if (html_is(a->name, a->namelen, attrs[i].name))
			break;
	}
	if (i == sizeof(attrs) / sizeof(attrs[0]) || a->valuelen == 0)
		return;
	n = html_decode(a->value, a->valuelen, value, sizeof(value));
	switch (attrs[i].kind) {
	case SET:
		page_srcset(page, value, n);
		return;
	case REFRESH:
		page_refresh(page, value, n);
		return;
	case TEXT:
		scan_text(page->links, value, n);
		return;
	}
	if (!page_link(page, value, n, &link) || attrs[i].name[0] != 'h')
		return;
	if (html_is(t->name, t->namelen, "base"))
		(void)strlcpy(page->base, link.host, sizeof(page->base));
	else if (html_is(t->name, t->namelen, "a")) {
		page->anchor.open = 1;
		page->anchor.len = 0;
		(void)strlcpy(page->anchor.host, link.host,
		    sizeof(page->anchor.host));
	}
}

/* "0; url=http://..." */
static void
page_refresh(struct page *page, const char *s, size_t n)
{
	struct link link;
	size_t i, end;

	for (i = 0; i + 4 < n; i++) {
		if (strncasecmp(s + i, "url=", 4) != 0)
			continue;
		for (i += 4; i < n && (s[i] == '\'' || s[i] == '"' ||
		    s[i] == ' '); i++)
			continue;
		for (end = i; end < n && s[end] != '\'' && s[end] != '"';
		    end++)
			continue;
		(void)page_link(page, s + i, end - i, &link);
		return;
	}
}

/* "URL 1x, URL 2x" */
static void
page_srcset(struct page *page, const char *s, size_t n)
{
	struct link link;
	size_t i, from;

	for (i = 0; i < n; ) {
		while (i < n && (s[i] == ',' || (unsigned char)s[i] <= ' '))
			i++;
		for (from = i; i < n && (unsigned char)s[i] > ' '; i++)
			continue;
		(void)page_link(page, s + from, i - from, &link);
		while (i < n && s[i] != ',')
			i++;
	}
}

/* 1: l has the host that it leads to. */
static int
page_link(struct page *page, const char *s, size_t n, struct link *l)
{
	page->links->tries++;
	switch (link_parse(l, s, n, LINK_STRICT)) {
	case 1:
		keep(page->links, l);
		nested(page->links, s, n);
		return 1;
	case -1:
		/* "#top" stays where it is; the rest goes to the base */
		if (n == 0 || *s == '#' || page->base[0] == '\0')
			return 0;
		(void)strlcpy(l->host, page->base, sizeof(l->host));
		return 1;
	}
	if (l->odd & LINK_BIT(LINK_DOCUMENT))
		note(page->links, LINK_DOCUMENT, "", NULL);
	return 0;
}

/* What is shown; in pieces that end where a word does. */
static void
page_text(struct page *page, const char *s, size_t n)
{
	static char text[DECODED];
	size_t len, cut;

	for (; n > 0; s += cut, n -= cut) {
		cut = n;
		if (cut > sizeof(text)) {
			cut = sizeof(text);
			while (cut > sizeof(text) / 2 &&
			    (unsigned char)s[cut - 1] > ' ')
				cut--;
		}
		len = html_decode(s, cut, text, sizeof(text));
		scan_text(page->links, text, len);
		if (page->anchor.open)
			anchor_text(&page->anchor, text, len);
	}
}

static void
anchor_text(struct anchor *a, const char *s, size_t n)
{
	if (n > sizeof(a->text) - a->len)
		n = sizeof(a->text) - a->len;
	memcpy(a->text + a->len, s, n);
	a->len += n;
}

/* Does the text of a link name another domain than it leads to? */
static void
anchor_end(struct page *page)
{
	struct anchor *a = &page->anchor;
	struct link shown;

	if (a->open && anchor_named(a->text, a->len, &shown) &&
	    strcasecmp(host_domain(shown.host), host_domain(a->host)) != 0)
		note(page->links, LINK_DIFFERS, shown.host, a->host);
	a->open = 0;
}

/* Only a text that is nothing but a URL or a domain names one. */
static int
anchor_named(const char *s, size_t n, struct link *l)
{
	size_t i;

	while (n > 0 && !is_wordy((unsigned char)*s)) {
		s++;
		n--;
	}
	while (n > 0 && (unsigned char)s[n - 1] <= ' ')
		n--;
	for (i = 0; i < n; i++) {
		if (ends_text((unsigned char)s[i]))
			return 0;
	}
	if (memmem(s, n, "://", 3) != NULL)
		return link_parse(l, s, n, LINK_TEXT) == 1;
	if (memchr(s, '@', n) != NULL || memchr(s, '.', n) == NULL)
		return 0;
	return link_host(l, s, n, LINK_TEXT) == 1 && l->family == 0 &&
	    (strncasecmp(s, "www.", 4) == 0 || host_usual(l->host));
}

/* URLs inside of a URL: where a redirector sends to. */
static void
nested(struct links *l, const char *s, size_t n)
{
	static const char colon[] = "%3a";
	char buf[DECODED];
	struct link link;
	size_t i, len = 0, found = 0;

	if (n < 14 || memmem(s + 5, n - 5, "ttp", 3) == NULL)
		return;
	/* Colon and slashes once undone; the host does the rest itself. */
	for (i = 0; i < n && len < sizeof(buf); i++) {
		if (i + 2 < n && (strncasecmp(s + i, colon, 3) == 0 ||
		    strncasecmp(s + i, "%2f", 3) == 0)) {
			buf[len++] = (s[i + 1] == '3') ? ':' : '/';
			i += 2;
		} else
			buf[len++] = s[i];
	}
	for (i = 5; i + 3 < len && found < NESTED; i++) {
		if (memcmp(buf + i, "://", 3) != 0 || i < 6)
			continue;
		if (strncasecmp(buf + i - 4, "http", 4) == 0)
			i -= 4;
		else if (strncasecmp(buf + i - 5, "https", 5) == 0)
			i -= 5;
		else
			continue;
		if (i > 0 && link_parse(&link, buf + i, len - i,
		    LINK_TEXT) == 1) {
			found++;
			keep(l, &link);
		}
		i += 6;
	}
}

static void
keep(struct links *l, const struct link *link)
{
	unsigned i;

	l->total++;
	for (i = 0; i < LINK_ODDS; i++) {
		if (link->odd & LINK_BIT(i))
			note(l, i, link->host, NULL);
	}
	keep_host(l, link->family != 0 ? link->host :
	    last_labels(link->host), link->family);
}

static void
keep_host(struct links *l, const char *host, uint8_t family)
{
	struct link_found *v;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].host, host) == 0)
			return;
	}
	l->distinct++;
	if (l->n < LIM_LINKS)
		v = &l->v[l->n++];
	else if ((i = chance(l) % l->distinct) < LIM_LINKS)
		v = &l->v[i];
	else
		return;
	(void)strlcpy(v->host, host, sizeof(v->host));
	v->family = family;
}

static void
note(struct links *l, enum link_odd odd, const char *host, const char *other)
{
	if (l->odd[odd].n++ == 0)
		(void)snprintf(l->odd[odd].example,
		    sizeof(l->odd[odd].example), "%.45s%s%.45s", host,
		    other == NULL ? "" : " -> ", other == NULL ? "" : other);
}

static const char *
last_labels(const char *host)
{
	const char *p = host + strlen(host);
	int n = 0;

	for (; p > host; p--) {
		if (p[-1] == '.' && ++n == HOST_LABELS)
			return p;
	}
	return host;
}

/* xorshift; not to be foreseen by who has not seen the seed. */
static uint32_t
chance(struct links *l)
{
	l->seed ^= l->seed << 13;
	l->seed ^= l->seed >> 17;
	l->seed ^= l->seed << 5;
	return l->seed;
}

/* Where a reader ends a URL, whatever else may stand in one. */
static int
ends_text(unsigned char c)
{
	return c <= ' ' || c == '<' || c == '>' || c == '"' || c == '`' ||
	    c == 0x7f;
}

static int
is_wordy(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' &&
	    (c | 0x20) <= 'z') || c >= 0x80;
}
