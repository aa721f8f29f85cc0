/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>

#include "common/address.h"
#include "scand/mime/mime.h"

/*
 * Address lists (RFC 5322 3.4, 4.4), read leniently: a mail reader shows
 * something for nearly every octet string, so what can be read is returned,
 * and the caller is told when the rest was out of order.
 */

struct list {
	const char	*p, *end;
	struct mailbox	*v;
	size_t		 max, n;
	int		 bad;
	/* The element being read: words so far, and the addr-spec in <>. */
	char		 phrase[LIM_PATH + 1];
	size_t		 plen;
	char		 angle[LIM_PATH + 1];
	size_t		 alen;
	int		 has_angle, group;
};

static void	list_element(struct list *);
static void	list_quoted(struct list *, char *, size_t *, size_t, int);
static void	list_comment(struct list *);
static void	list_angle(struct list *);
static void	list_put(struct list *, char *, size_t *, size_t, char);
static void	list_done(struct list *);
static int	spec_valid(const char *);
static int	is_atom(unsigned char);

int
mailbox_list(const char *s, size_t len, struct mailbox *v, size_t max,
    size_t *n)
{
	struct list l;

	memset(&l, 0, sizeof(l));
	l.p = s;
	l.end = s + len;
	l.v = v;
	l.max = max;
	while (l.p < l.end)
		list_element(&l);
	list_done(&l);
	if (l.group)
		l.bad = 1;
	*n = l.n;
	return l.bad ? -1 : 0;
}

/* One token, or what ends an element. */
static void
list_element(struct list *l)
{
	char c = *l->p;

	switch (c) {
	case '"':
		list_quoted(l, l->phrase, &l->plen, sizeof(l->phrase), 0);
		return;
	case '(':
		list_comment(l);
		return;
	case '<':
		list_angle(l);
		return;
	case ',':
	case ';':
		list_done(l);
		if (c == ';') {
			if (!l->group)
				l->bad = 1;
			l->group = 0;
		}
		break;
	case ':':
		/* "group name:"; the words so far were its name. */
		if (l->group || l->has_angle)
			l->bad = 1;
		l->group = 1;
		l->plen = 0;
		break;
	default:
		if (l->has_angle && c != ' ' && c != '\t')
			l->bad = 1;
		if (!l->has_angle)
			list_put(l, l->phrase, &l->plen, sizeof(l->phrase), c);
		break;
	}
	l->p++;
}

/* keep: the quotes belong to what is written (a local part). */
static void
list_quoted(struct list *l, char *dst, size_t *len, size_t size, int keep)
{
	l->p++;
	if (keep)
		list_put(l, dst, len, size, '"');
	while (l->p < l->end && *l->p != '"') {
		if (*l->p == '\\' && l->p + 1 < l->end) {
			if (keep)
				list_put(l, dst, len, size, '\\');
			l->p++;
		}
		list_put(l, dst, len, size, *l->p++);
	}
	if (keep)
		list_put(l, dst, len, size, '"');
	if (l->p == l->end)
		l->bad = 1;
	else
		l->p++;
}

static void
list_comment(struct list *l)
{
	unsigned depth = 0;

	for (; l->p < l->end; l->p++) {
		if (*l->p == '\\' && l->p + 1 < l->end)
			l->p++;
		else if (*l->p == '(')
			depth++;
		else if (*l->p == ')' && --depth == 0) {
			l->p++;
			return;
		}
	}
	l->bad = 1;
}

static void
list_angle(struct list *l)
{
	const char *colon;

	if (l->has_angle)
		l->bad = 1;
	l->has_angle = 1;
	l->alen = 0;
	l->p++;
	while (l->p < l->end && *l->p != '>') {
		if (*l->p == '"')
			list_quoted(l, l->angle, &l->alen, sizeof(l->angle), 1);
		else if (*l->p == '(')
			list_comment(l);
		else if (*l->p == ' ' || *l->p == '\t')
			l->p++;
		else
			list_put(l, l->angle, &l->alen, sizeof(l->angle),
			    *l->p++);
	}
	if (l->p == l->end)
		l->bad = 1;
	else
		l->p++;
	l->angle[l->alen] = '\0';
	/* RFC 5322 4.4: a route before the address. */
	if (l->angle[0] == '@' && (colon = strchr(l->angle, ':')) != NULL) {
		l->alen -= (size_t)(colon + 1 - l->angle);
		memmove(l->angle, colon + 1, l->alen + 1);
	}
}

static void
list_put(struct list *l, char *dst, size_t *len, size_t size, char c)
{
	if (*len + 1 >= size) {
		l->bad = 1;
		return;
	}
	if ((unsigned char)c < 32 || c == 127)
		c = ' ';
	if (c == ' ' && (*len == 0 || dst[*len - 1] == ' '))
		return;
	dst[(*len)++] = c;
}

/* The element is complete: a mailbox, or nothing between two commas. */
static void
list_done(struct list *l)
{
	struct mailbox *m = l->n < l->max ? &l->v[l->n] : NULL;
	const char *spec;
	size_t room;

	while (l->plen > 0 && l->phrase[l->plen - 1] == ' ')
		l->plen--;
	l->phrase[l->plen] = '\0';
	if (!l->has_angle && l->plen == 0)
		return;
	spec = l->has_angle ? l->angle : l->phrase;
	if (!spec_valid(spec))
		l->bad = 1;
	if (m != NULL) {
		m->display[0] = '\0';
		if (l->has_angle) {
			room = l->plen < sizeof(m->display) ? l->plen :
			    sizeof(m->display) - 1;
			memcpy(m->display, l->phrase, room);
			m->display[room] = '\0';
		}
		memcpy(m->address, spec, strlen(spec) + 1);
	}
	l->n++;
	l->plen = l->alen = 0;
	l->has_angle = 0;
}

/* local@domain as far as a header shows it: UTF-8 is let through, RFC 6532. */
static int
spec_valid(const char *s)
{
	const char *why;

	return strchr(s, '@') != NULL && address_mailbox(s, 1, &why) == 0;
}

int
mailbox_in_text(const char *s, char *dst, size_t dstsize)
{
	const char *at = s, *b, *e, *dot;

	while ((at = strchr(at, '@')) != NULL) {
		for (b = at; b > s && is_atom((unsigned char)b[-1]); b--)
			;
		for (e = at + 1; isalnum((unsigned char)*e) || *e == '-' ||
		    *e == '.'; e++)
			;
		/* "a@b.example." at the end of a sentence */
		while (e > at + 1 && !isalnum((unsigned char)e[-1]))
			e--;
		dot = memchr(at + 1, '.', (size_t)(e - at - 1));
		if (b < at && dot != NULL && dot > at + 1 &&
		    (size_t)(e - b) < dstsize) {
			memcpy(dst, b, (size_t)(e - b));
			dst[e - b] = '\0';
			return 0;
		}
		at++;
	}
	return -1;
}

static int
is_atom(unsigned char c)
{
	return isalnum(c) || (c != '\0' && strchr("._+-=", c) != NULL);
}
