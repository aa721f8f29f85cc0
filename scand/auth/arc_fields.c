/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "scand/auth/auth.h"

/*
 * The fields of ARC (RFC 8617 4.1), read strictly: their tags, and whether
 * they are whole sets, one for each instance.
 */

enum {
	TAG_I, TAG_A, TAG_B, TAG_D, TAG_S, TAG_CV, TAG_BH, TAG_C, TAG_H,
	TAG_L, TAG_T, TAG_V, TAG_X, TAG_MAX
};
static const char *const names[TAG_MAX] = {
	"i", "a", "b", "d", "s", "cv", "bh", "c", "h", "l", "t", "v", "x"
};
#define BIT(t)		(1U << (t))
#define BOTH_NEED	(BIT(TAG_I) | BIT(TAG_A) | BIT(TAG_B) | BIT(TAG_D) | \
			BIT(TAG_S))

struct taglist {
	struct tag	 tags[TAG_MAX];
	unsigned	 seen;
};

static const char *read_tags(const struct field *, struct taglist *);
static const char *read_common(const struct taglist *, const struct field *,
		    struct arc_tags *);
static int	 read_form(const struct tag *, struct arc_tags *);
static int	 names_field(const struct tag *, const char *);
static int	 decimal(const struct tag *, size_t, uint64_t *);
static const struct field **slot(struct arc_set *, const struct field *);
static unsigned	 instance_of(const struct field *);
static int	 field_is(const struct field *, const char *);

const char *
arc_sets(const struct header *h, struct arc_set sets[LIM_ARC_SETS],
    size_t *n)
{
	struct arc_set none;
	const struct field *f, **at;
	unsigned k;
	size_t i;

	*n = 0;
	memset(sets, 0, LIM_ARC_SETS * sizeof(sets[0]));
	for (i = 0; i < h->nfields; i++) {
		f = &h->fields[i];
		if (slot(&none, f) == NULL)
			continue;
		/* 5.2, 1 and 3. */
		if ((k = instance_of(f)) == 0 || k > LIM_ARC_SETS)
			return "bad instance";
		at = slot(&sets[k - 1], f);
		if (*at != NULL)
			return "instance given twice";
		*at = f;
		if (k > *n)
			*n = k;
	}
	for (i = 0; i < *n; i++) {
		if (sets[i].results == NULL || sets[i].message == NULL ||
		    sets[i].seal == NULL)
			return "set not complete";
	}
	return NULL;
}

/* Where it stands in a set; NULL: it is no field of ARC. */
static const struct field **
slot(struct arc_set *set, const struct field *f)
{
	if (f->namelen < 8 || strncasecmp((const char *)f->name, "ARC-",
	    4) != 0)
		return NULL;
	if (field_is(f, "ARC-Authentication-Results"))
		return &set->results;
	if (field_is(f, "ARC-Message-Signature"))
		return &set->message;
	if (field_is(f, "ARC-Seal"))
		return &set->seal;
	return NULL;
}

static int
field_is(const struct field *f, const char *name)
{
	return f->namelen == strlen(name) &&
	    strncasecmp((const char *)f->name, name, f->namelen) == 0;
}

/* 4.2.1: i=, which is the first thing of results.  0: there is none. */
static unsigned
instance_of(const struct field *f)
{
	const char *p = (const char *)f->raw, *end = p + f->rawlen;
	struct tag t;
	uint64_t i;
	int r, first = field_is(f, "ARC-Authentication-Results");

	while ((r = tag_next(&p, end, &t)) != 0) {
		if (r == 1 && tag_is(&t, "i", 1))
			return decimal(&t, 2, &i) == -1 ? 0 : (unsigned)i;
		if (first)
			return 0;
	}
	return 0;
}

const char *
arc_seal_parse(const struct field *f, struct arc_tags *t)
{
	struct taglist l;
	const char *why;

	if ((why = read_tags(f, &l)) != NULL ||
	    (why = read_common(&l, f, t)) != NULL)
		return why;
	/* 4.1.3: it covers what it covers. */
	if (l.seen & (BIT(TAG_H) | BIT(TAG_BH) | BIT(TAG_C) | BIT(TAG_L)))
		return "seal with a tag of signatures";
	if (tag_says(&l.tags[TAG_CV], "none"))
		t->cv = 'n';
	else if (tag_says(&l.tags[TAG_CV], "pass"))
		t->cv = 'p';
	else if (tag_says(&l.tags[TAG_CV], "fail"))
		t->cv = 'f';
	else
		return "bad cv=";
	return NULL;
}

const char *
arc_message_parse(const struct field *f, int64_t now, struct arc_tags *t)
{
	struct taglist l;
	const char *why;
	uint64_t end;
	size_t n;

	if ((why = read_tags(f, &l)) != NULL ||
	    (why = read_common(&l, f, t)) != NULL)
		return why;
	/* 4.1.2; and a part of a body is no message. */
	if (l.seen & (BIT(TAG_V) | BIT(TAG_CV) | BIT(TAG_L)))
		return "signature with a strange tag";
	if (!(l.seen & BIT(TAG_BH)) || !(l.seen & BIT(TAG_H)))
		return "signature lacks a tag";
	if (tag_base64(&l.tags[TAG_BH], t->bh, sizeof(t->bh), &n) == -1 ||
	    n != sizeof(t->bh))
		return "bad bh=";
	if (l.seen & BIT(TAG_C) && read_form(&l.tags[TAG_C], t) == -1)
		return "unknown canonicalization";
	t->h = l.tags[TAG_H];
	if (t->h.len > LIM_DKIM_HDRLIST)
		return "too many signed fields";
	if (!names_field(&t->h, "from") || names_field(&t->h, "arc-seal"))
		return "wrong fields are signed";
	if (l.seen & BIT(TAG_X) &&
	    (decimal(&l.tags[TAG_X], 12, &end) == -1 ||
	    (int64_t)end < now))
		return "expired";
	return NULL;
}

/* Known ones once, others are ignored (RFC 6376 3.2). */
static const char *
read_tags(const struct field *f, struct taglist *l)
{
	const char *p = (const char *)f->raw, *end = p + f->rawlen;
	struct tag t;
	int r, i;

	l->seen = 0;
	memset(l->tags, 0, sizeof(l->tags));
	if (f->rawlen > LIM_DKIM_FIELD)
		return "field too long";
	while ((r = tag_next(&p, end, &t)) != 0) {
		if (r == -1)
			return "not a tag list";
		for (i = 0; i < TAG_MAX && !tag_is(&t, names[i], 1); i++)
			;
		if (i == TAG_MAX)
			continue;
		if (l->seen & BIT(i))
			return "tag given twice";
		l->seen |= BIT(i);
		l->tags[i] = t;
	}
	return (l->seen & BOTH_NEED) == BOTH_NEED ? NULL :
	    "a tag is missing";
}

static const char *
read_common(const struct taglist *l, const struct field *f,
    struct arc_tags *t)
{
	const char *end = (const char *)f->raw + f->rawlen, *stop;
	const struct tag *b = &l->tags[TAG_B];
	uint64_t i;

	memset(t, 0, sizeof(*t));
	if (decimal(&l->tags[TAG_I], 2, &i) == -1)
		return "bad instance";
	t->instance = (unsigned)i;
	if (tag_says(&l->tags[TAG_A], "rsa-sha256"))
		t->alg = DKIM_RSA_SHA256;
	else if (tag_says(&l->tags[TAG_A], "ed25519-sha256"))
		t->alg = DKIM_ED25519_SHA256;
	else
		return "unknown algorithm";
	if (tag_name(&l->tags[TAG_D], t->domain, sizeof(t->domain)) == -1 ||
	    tag_name(&l->tags[TAG_S], t->selector,
	    sizeof(t->selector)) == -1 ||
	    strlen(t->selector) + strlen("._domainkey.") +
	    strlen(t->domain) > 253)
		return "bad domain";
	if (tag_base64(b, t->sig, sizeof(t->sig), &t->siglen) == -1)
		return "bad b=";
	/* RFC 6376 3.7: without its value and the blanks around that. */
	t->b.value = (const char *)memchr(b->name, '=',
	    (size_t)(end - b->name)) + 1;
	if ((stop = memchr(t->b.value, ';',
	    (size_t)(end - t->b.value))) == NULL)
		stop = end;
	t->b.len = (size_t)(stop - t->b.value);
	return NULL;
}

/* c=, of the header and, behind a slash, of the body. */
static int
read_form(const struct tag *c, struct arc_tags *t)
{
	static const struct {
		const char	*text;
		int		 header, body;
	} forms[] = {
		{ "simple", 0, 0 }, { "relaxed", 1, 0 },
		{ "simple/simple", 0, 0 }, { "simple/relaxed", 0, 1 },
		{ "relaxed/simple", 1, 0 }, { "relaxed/relaxed", 1, 1 },
	};
	char value[32];
	size_t i;

	if (tag_copy(c, value, sizeof(value)) == -1)
		return -1;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcasecmp(forms[i].text, value) == 0) {
			t->relaxed_header = forms[i].header;
			t->relaxed_body = forms[i].body;
			return 0;
		}
	}
	return -1;
}

static int
names_field(const struct tag *h, const char *name)
{
	char list[LIM_DKIM_HDRLIST + 1], *p = list, *word;

	if (tag_copy(h, list, sizeof(list)) == -1)
		return 0;
	while ((word = strsep(&p, ":")) != NULL) {
		if (strcasecmp(word, name) == 0)
			return 1;
	}
	return 0;
}

static int
decimal(const struct tag *t, size_t digits, uint64_t *n)
{
	size_t i;

	if (t->len == 0 || t->len > digits)
		return -1;
	for (i = 0, *n = 0; i < t->len; i++) {
		if (t->value[i] < '0' || t->value[i] > '9')
			return -1;
		*n = *n * 10 + (uint64_t)(t->value[i] - '0');
	}
	return 0;
}
