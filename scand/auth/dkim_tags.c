/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "scand/auth/auth.h"

/*
 * The guard of libopendkim: DKIM-Signature fields (RFC 6376 3.5) are read here
 * first, strictly, and only well-formed ones are handed on.  The library takes
 * the same tag twice, tags in either case, items without "=" and any q=; it
 * reads past the end of an i= that ends in "=" or is very long, and takes an
 * l= of 2^63 for none.
 */

enum {
	TAG_V, TAG_A, TAG_B, TAG_BH, TAG_C, TAG_D, TAG_H, TAG_I, TAG_L, TAG_Q,
	TAG_S, TAG_T, TAG_X, TAG_Z, TAG_MAX
};
static const char *const names[TAG_MAX] = {
	"v", "a", "b", "bh", "c", "d", "h", "i", "l", "q", "s", "t", "x", "z"
};

struct taglist {
	struct tag	 tags[TAG_MAX];
	unsigned	 seen;		/* bits */
};

#define BASE64		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
			"0123456789+/="
#define UNKNOWN_MAX	32	/* tags that are compared with each other */

static const char *field_read(const char *, const char *, struct taglist *);
static int	 tag_number(const struct tag *, int *);
static int	 tag_printable(const struct tag *);
static const char *read_names(const struct taglist *, struct dkim_tags *);
static const char *read_numbers(const struct taglist *, struct dkim_tags *);
static const char *check_rest(const struct taglist *);
static int	 decimal(const struct tag *, size_t, uint64_t *);
static int	 identity_copy(const struct tag *, char *, size_t);

const char *
dkim_tags_parse(const uint8_t *p, size_t n, struct dkim_tags *t)
{
	static const unsigned needed = 1U << TAG_V | 1U << TAG_A |
	    1U << TAG_B | 1U << TAG_BH | 1U << TAG_D | 1U << TAG_H |
	    1U << TAG_S;
	struct taglist f;
	const char *why, *late;
	char b[LIM_DKIM_FIELD + 1];

	memset(t, 0, sizeof(*t));
	memset(&f, 0, sizeof(f));
	if (n > LIM_DKIM_FIELD)
		return "signature too long";
	why = field_read((const char *)p, (const char *)p + n, &f);
	/* As much as can be said of a bad one, too. */
	late = read_names(&f, t);
	if (f.seen & 1U << TAG_B && tag_copy(&f.tags[TAG_B], b,
	    sizeof(b)) == 0 && b[strspn(b, BASE64)] == '\0')
		(void)strlcpy(t->b, b, sizeof(t->b));
	if (why != NULL)
		return why;
	if ((f.seen & needed) != needed)
		return "signature lacks a tag";
	if (late != NULL)
		return late;
	if ((why = read_numbers(&f, t)) != NULL)
		return why;
	return check_rest(&f);
}

/* Each tag once; RFC 6376 3.2: else the whole list is invalid. */
static const char *
field_read(const char *p, const char *end, struct taglist *f)
{
	struct tag t, other[UNKNOWN_MAX];
	size_t i, n = 0;
	int r, id, exact;

	while ((r = tag_next(&p, end, &t)) != 0) {
		if (r == -1 || !tag_printable(&t))
			return "signature is not a tag list";
		if ((id = tag_number(&t, &exact)) != -1) {
			if (!exact)
				return "tag in upper case";
			if (f->seen & 1U << id)
				return "tag given twice";
			f->seen |= 1U << id;
			f->tags[id] = t;
			continue;
		}
		for (i = 0; i < n; i++) {
			if (other[i].namelen == t.namelen &&
			    strncasecmp(other[i].name, t.name,
			    t.namelen) == 0)
				return "tag given twice";
		}
		if (n == UNKNOWN_MAX)
			return "too many tags";
		other[n++] = t;
	}
	return NULL;
}

/* Its number, or -1; *exact: it is written as it should be. */
static int
tag_number(const struct tag *t, int *exact)
{
	int i;

	for (i = 0; i < TAG_MAX; i++) {
		if (tag_is(t, names[i], 0)) {
			*exact = tag_is(t, names[i], 1);
			return i;
		}
	}
	return -1;
}

/* tag-name is of letters, digits and "_"; the library and we are not that
   strict, but it begins with a letter or digit.  VALCHAR and folds. */
static int
tag_printable(const struct tag *t)
{
	size_t i;

	if (!isalnum((unsigned char)t->name[0]))
		return 0;
	for (i = 0; i < t->namelen; i++) {
		if (t->name[i] < 33 || t->name[i] > 126)
			return 0;
	}
	for (i = 0; i < t->len; i++) {
		if ((t->value[i] < 32 || t->value[i] > 126) &&
		    t->value[i] != '\t' && t->value[i] != '\r' &&
		    t->value[i] != '\n')
			return 0;
	}
	return 1;
}

static const char *
read_names(const struct taglist *f, struct dkim_tags *t)
{
	if (!(f->seen & 1U << TAG_D) || tag_name(&f->tags[TAG_D], t->domain,
	    sizeof(t->domain)) == -1)
		return "bad domain";
	if (!(f->seen & 1U << TAG_S) || tag_name(&f->tags[TAG_S],
	    t->selector, sizeof(t->selector)) == -1)
		return "bad selector";
	/* The name of the key, RFC 6376 3.6.2.1, must be one. */
	if (strlen(t->selector) + strlen("._domainkey.") +
	    strlen(t->domain) > 253)
		return "name of the key too long";
	if (!(f->seen & 1U << TAG_I))
		(void)snprintf(t->identity, sizeof(t->identity), "@%s",
		    t->domain);
	else if (identity_copy(&f->tags[TAG_I], t->identity,
	    sizeof(t->identity)) == -1) {
		t->identity[0] = '\0';
		return "bad identity";
	}
	return NULL;
}

static const char *
read_numbers(const struct taglist *f, struct dkim_tags *t)
{
	char c[64];
	uint64_t unused;

	if (f->tags[TAG_V].len != 1 || f->tags[TAG_V].value[0] != '1')
		return "unknown version";
	if (tag_says(&f->tags[TAG_A], "rsa-sha256"))
		t->alg = DKIM_RSA_SHA256;
	else if (tag_says(&f->tags[TAG_A], "ed25519-sha256"))
		t->alg = DKIM_ED25519_SHA256;
	else if (tag_says(&f->tags[TAG_A], "rsa-sha1"))
		t->alg = DKIM_RSA_SHA1;
	else
		return "unknown algorithm";
	/* Without "/", the body's is simple; 3.5. */
	if (f->seen & 1U << TAG_C) {
		if (tag_copy(&f->tags[TAG_C], c, sizeof(c)) == -1)
			return "unknown canonicalization";
		t->relaxed = strchr(c, '/') != NULL &&
		    strcasecmp(strchr(c, '/') + 1, "relaxed") == 0;
	}
	if (f->seen & 1U << TAG_L) {
		t->has_length = 1;
		if (decimal(&f->tags[TAG_L], 18, &t->length) == -1)
			return "bad l=";
	}
	/* 3.5: an implementation need not take more than 12 digits. */
	if ((f->seen & 1U << TAG_T &&
	    decimal(&f->tags[TAG_T], 12, &unused) == -1) ||
	    (f->seen & 1U << TAG_X &&
	    decimal(&f->tags[TAG_X], 12, &unused) == -1))
		return "bad time";
	return NULL;
}

static const char *
check_rest(const struct taglist *f)
{
	const struct tag *q = &f->tags[TAG_Q];
	char value[256], *p = value, *method;

	if (f->tags[TAG_H].len > LIM_DKIM_HDRLIST)
		return "too many signed fields";
	if (f->tags[TAG_B].len == 0 || f->tags[TAG_BH].len == 0)
		return "signature without data";
	if (!(f->seen & 1U << TAG_Q))
		return NULL;
	if (tag_copy(q, value, sizeof(value)) == -1)
		return "unknown query method";
	while ((method = strsep(&p, ":")) != NULL) {
		if (strcasecmp(method, "dns/txt") == 0)
			return NULL;
	}
	return "unknown query method";
}

static int
decimal(const struct tag *t, size_t digits, uint64_t *n)
{
	size_t i;

	if (t->len == 0 || t->len > digits)
		return -1;
	for (i = 0, *n = 0; i < t->len; i++) {
		if (!isdigit((unsigned char)t->value[i]))
			return -1;
		*n = *n * 10 + (uint64_t)(t->value[i] - '0');
	}
	return 0;
}

/*
 * dkim-quoted-printable (2.11) of a mailbox; the library, too, has a buffer of
 * that size for it.  What is not printable is not shown.
 */
static int
identity_copy(const struct tag *t, char *dst, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	char value[LIM_DOMAIN + 1];
	const char *p;
	size_t n = 0;
	int c, bad = 0;

	if (tag_copy(t, value, sizeof(value)) == -1)
		return -1;
	for (p = value; *p != '\0' && n + 1 < size; p++) {
		c = (unsigned char)*p;
		if (c == '=') {
			if (strspn(p + 1, hex) < 2)
				return -1;
			c = (int)(strchr(hex, p[1]) - hex) << 4 |
			    (int)(strchr(hex, p[2]) - hex);
			p += 2;
		}
		bad |= c < 33 || c > 126;
		dst[n++] = (char)c;
	}
	dst[bad ? 0 : n] = '\0';
	return 0;
}

uint64_t
dkim_body_length(const uint8_t *p, size_t n, int relaxed)
{
	uint64_t len = 0, last = 0;
	size_t i;
	int blank = 0, text = 0;

	for (i = 0; i < n; i++) {
		if (p[i] == '\r' && i + 1 < n && p[i + 1] == '\n') {
			/* Blanks at the end of a line, blank lines at the end
			   of the body are nothing. */
			i++;
			len += 2;
			if (text)
				last = len;
			blank = text = 0;
			continue;
		}
		if (relaxed && (p[i] == ' ' || p[i] == '\t')) {
			blank = 1;
			continue;
		}
		len += 1 + (uint64_t)blank;
		blank = 0;
		text = 1;
		last = len;
	}
	if (!relaxed && last == 0)
		return 2;		/* 3.4.3: an empty body is a CRLF */
	return last;
}
