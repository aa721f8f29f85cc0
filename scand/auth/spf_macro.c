/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "scand/auth/spf.h"

/*
 * The macros of RFC 7208 7: grammar and expansion.  Text goes into a bounded
 * sink which, for names, keeps the end and, for explanations, the beginning.
 */

#define NAME_MAX_TEXT	253		/* RFC 1035 2.3.4, written */
#define LABEL_MAX	63
#define PARTS_MAX	1000		/* more than any value has */
#define VALUE_SIZE	(LIM_PATH + LIM_DOMAIN + 2)

struct macro {
	char		 letter;	/* in lower case */
	int		 escape;	/* it was a capital */
	unsigned	 keep;		/* parts from the right, 0: all */
	int		 reverse;
	const char	*delims;
	size_t		 ndelims;
};

enum piece_kind { PIECE_LITERAL, PIECE_ESCAPE, PIECE_MACRO };

/* What stands at one place of a macro-string. */
struct piece {
	enum piece_kind	 kind;
	char		 text[4];	/* not of PIECE_MACRO */
	struct macro	 macro;
};

struct sink {
	char		*dst;
	size_t		 size, len;
	int		 tail;		/* keep the end */
	int		 cut;
};

static int	 piece_read(const char **, const char *, struct piece *);
static int	 macro_read(const char **, const char *, struct macro *);
static int	 toplabel_ends(const char *, size_t);
static int	 expand(const char *, size_t, const struct spf_vars *,
		    struct sink *);
static const char *macro_value(const struct macro *, const struct spf_vars *,
		    char *, size_t);
static void	 print_nibbles(const struct netaddr *, char *, size_t);
static void	 put_value(struct sink *, const struct macro *,
		    const char *);
static void	 put_part(struct sink *, const struct macro *, const char *,
		    const char *);
static void	 put_octet(struct sink *, int escape, char);
static void	 sink_put(struct sink *, char);
static int	 name_finish(struct sink *, char *);

int
spf_macro_valid(const char *p, size_t n, enum spf_macro kind)
{
	const char *end = p + n, *literal = p;
	struct piece piece;

	while (p < end) {
		if (*p == ' ' && kind == SPF_MACRO_TEXT) {
			p++;
			continue;
		}
		if (piece_read(&p, end, &piece) == -1)
			return 0;
		if (piece.kind != PIECE_LITERAL)
			literal = p;
		/* 7.2: these are for explanations. */
		if (kind == SPF_MACRO_DOMAIN && piece.kind == PIECE_MACRO &&
		    strchr("crt", piece.macro.letter) != NULL)
			return 0;
	}
	if (kind != SPF_MACRO_DOMAIN)
		return 1;
	/* 7.1: domain-end is a macro or a top label. */
	return n > 0 && (literal == end ||
	    toplabel_ends(literal, (size_t)(end - literal)));
}

int
spf_macro_name(const char *p, size_t n, const struct spf_vars *v,
    char dst[DNS_NAME])
{
	char buf[4 * DNS_NAME];
	struct sink s = { buf, sizeof(buf), 0, 1, 0 };

	if (expand(p, n, v, &s) == -1)
		return -1;
	return name_finish(&s, dst);
}

int
spf_macro_text(const char *p, size_t n, const struct spf_vars *v, char *dst,
    size_t dstsize)
{
	struct sink s = { dst, dstsize, 0, 0, 0 };
	size_t i;

	if (expand(p, n, v, &s) == -1)
		return -1;
	/* What the client said of itself may be anything. */
	for (i = 0; i < s.len; i++) {
		if (dst[i] < ' ' || dst[i] > '~')
			dst[i] = '?';
	}
	dst[s.len] = '\0';
	return 0;
}

/* 7.1: macro-expand or one macro-literal. */
static int
piece_read(const char **pp, const char *end, struct piece *piece)
{
	const char *p = *pp;

	piece->kind = PIECE_LITERAL;
	piece->text[0] = *p;
	piece->text[1] = '\0';
	if (*p != '%') {
		if (*p <= ' ' || *p > '~')
			return -1;
		*pp = p + 1;
		return 0;
	}
	if (end - p < 2)
		return -1;
	piece->kind = PIECE_ESCAPE;
	switch (p[1]) {
	case '%':
		break;
	case '_':
		piece->text[0] = ' ';
		break;
	case '-':
		(void)memcpy(piece->text, "%20", 4);
		break;
	case '{':
		piece->kind = PIECE_MACRO;
		*pp = p + 2;
		return macro_read(pp, end, &piece->macro);
	default:
		return -1;
	}
	*pp = p + 2;
	return 0;
}

/* Behind "%{": macro-letter transformers *delimiter "}". */
static int
macro_read(const char **pp, const char *end, struct macro *m)
{
	const char *p = *pp;
	int digits = 0;

	memset(m, 0, sizeof(*m));
	if (p == end)
		return -1;
	m->escape = *p >= 'A' && *p <= 'Z';
	m->letter = m->escape ? (char)(*p - 'A' + 'a') : *p;
	if (m->letter == '\0' || strchr("slodiphcrtv", m->letter) == NULL)
		return -1;
	for (p++; p < end && *p >= '0' && *p <= '9'; p++, digits = 1) {
		m->keep = m->keep * 10 + (unsigned)(*p - '0');
		if (m->keep > PARTS_MAX)
			m->keep = PARTS_MAX;
	}
	if (digits && m->keep == 0)
		return -1;
	if (p < end && (*p == 'r' || *p == 'R')) {
		m->reverse = 1;
		p++;
	}
	m->delims = p;
	while (p < end && *p != '\0' && strchr(".-+,/_=", *p) != NULL)
		p++;
	m->ndelims = (size_t)(p - m->delims);
	if (p == end || *p != '}')
		return -1;
	*pp = p + 1;
	return 0;
}

/* Does it end in "." toplabel [ "." ]? */
static int
toplabel_ends(const char *p, size_t n)
{
	size_t i;
	int more = 0;			/* than digits */

	if (n > 0 && p[n - 1] == '.')
		n--;
	for (i = n; i > 0 && p[i - 1] != '.'; i--) {
		char c = p[i - 1];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '-')
			more = 1;
		else if (c < '0' || c > '9')
			return 0;
	}
	return i > 0 && i < n && more && p[i] != '-' && p[n - 1] != '-';
}

static int
expand(const char *p, size_t n, const struct spf_vars *v, struct sink *s)
{
	const char *end = p + n, *value, *t;
	struct piece piece;
	char buf[VALUE_SIZE];

	while (p < end) {
		if (*p == ' ') {	/* only in an explanation */
			sink_put(s, *p++);
			continue;
		}
		if (piece_read(&p, end, &piece) == -1)
			return -1;
		if (piece.kind != PIECE_MACRO) {
			for (t = piece.text; *t != '\0'; t++)
				sink_put(s, *t);
			continue;
		}
		value = macro_value(&piece.macro, v, buf, sizeof(buf));
		if (value == NULL)
			return -1;
		put_value(s, &piece.macro, value);
	}
	return 0;
}

/* 7.2, 7.3.  NULL: not known yet. */
static const char *
macro_value(const struct macro *m, const struct spf_vars *v, char *buf,
    size_t size)
{
	int v4 = v->client->family == AF_INET;

	switch (m->letter) {
	case 's':
		(void)snprintf(buf, size, "%s@%s", v->local, v->domain);
		return buf;
	case 'l':
		return v->local;
	case 'o':
		return v->domain;
	case 'd':
		return v->current;
	case 'i':
		if (!v4) {
			print_nibbles(v->client, buf, size);
			return buf;
		}
		return netaddr_print(v->client, buf, size);
	case 'p':
		return v->client_name(v->arg);
	case 'v':
		return v4 ? "in-addr" : "ip6";
	case 'h':
		return v->helo;
	case 'c':
		return netaddr_print(v->client, buf, size);
	case 'r':
		return v->receiver;
	case 't':
		(void)snprintf(buf, size, "%lld", (long long)time(NULL));
		return buf;
	default:
		return "";
	}
}

static void
print_nibbles(const struct netaddr *a, char *buf, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < 32 && 2 * i + 2 <= size; i++) {
		buf[2 * i] = hex[(a->octets[i / 2] >> (i % 2 ? 0 : 4)) & 15];
		buf[2 * i + 1] = '.';
	}
	buf[2 * i - 1] = '\0';
}

static int
is_delim(const struct macro *m, char c)
{
	return m->ndelims == 0 ? c == '.' :
	    memchr(m->delims, c, m->ndelims) != NULL;
}

/*
 * 7.3: split, reverse, keep the last parts, join with dots.  Of parts that
 * are reversed, the last ones are the first as written.
 */
static void
put_value(struct sink *s, const struct macro *m, const char *v)
{
	const char *p, *end = v + strlen(v), *stop;
	unsigned parts = 1, skip;

	for (p = v; p < end; p++)
		parts += (unsigned)is_delim(m, *p);
	skip = m->keep == 0 || m->keep > parts ? 0 : parts - m->keep;
	if (!m->reverse) {
		for (p = v; skip > 0; p++)
			skip -= (unsigned)is_delim(m, *p);
		put_part(s, m, p, end);
		return;
	}
	for (stop = end; skip > 0; )
		skip -= (unsigned)is_delim(m, *--stop);
	for (;;) {
		for (p = stop; p > v && !is_delim(m, p[-1]); p--)
			;
		put_part(s, m, p, stop);
		if (p == v)
			break;
		sink_put(s, '.');
		stop = p - 1;
	}
}

/* One part, or several with delimiters that become dots. */
static void
put_part(struct sink *s, const struct macro *m, const char *p,
    const char *end)
{
	for (; p < end; p++) {
		if (is_delim(m, *p))
			sink_put(s, '.');
		else
			put_octet(s, m->escape, *p);
	}
}

/* 7.3: capitals escape what is not "unreserved" in RFC 3986 2.3. */
static void
put_octet(struct sink *s, int escape, char c)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char u = (unsigned char)c;

	if (!escape || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~') {
		sink_put(s, c);
		return;
	}
	sink_put(s, '%');
	sink_put(s, hex[u >> 4]);
	sink_put(s, hex[u & 15]);
}

static void
sink_put(struct sink *s, char c)
{
	size_t half = s->size / 2;

	if (s->len + 1 >= s->size) {
		s->cut = 1;
		if (!s->tail)
			return;
		s->len -= half;
		memmove(s->dst, s->dst + half, s->len);
	}
	s->dst[s->len++] = c;
}

/*
 * 7.3: a name that is too long loses labels on the left.  Names that DNS
 * cannot have (empty or long labels, octets outside ASCII: RFC 8616 4) do not
 * exist.
 */
static int
name_finish(struct sink *s, char *dst)
{
	size_t begin = 0, i, label = 0;

	if (s->len > 0 && s->dst[s->len - 1] == '.')
		s->len--;
	while (s->cut || s->len - begin > NAME_MAX_TEXT) {
		while (begin < s->len && s->dst[begin] != '.')
			begin++;
		if (begin == s->len)
			return 1;
		begin++;
		s->cut = 0;
	}
	for (i = begin; i < s->len; i++) {
		char c = s->dst[i];

		if (c == '.') {
			if (label == 0)
				return 1;
			label = 0;
		} else if (c < ' ' || c > '~' || c == '\\' ||
		    ++label > LABEL_MAX)
			return 1;
		dst[i - begin] = c >= 'A' && c <= 'Z' ?
		    (char)(c - 'A' + 'a') : c;
	}
	dst[i - begin] = '\0';
	return label == 0;
}
