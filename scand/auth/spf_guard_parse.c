/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "scand/auth/spf.h"

/*
 * The grammar of SPF records, RFC 7208 4.6.1, 5, 6 and 12, to the letter: one
 * wrong term makes the record a permerror, wherever it stands.
 */

enum spec { SPEC_NONE, SPEC_OPTIONAL, SPEC_REQUIRED, SPEC_ADDRESS };

struct mechanism {
	const char	*name;
	enum spf_mech	 mech;
	enum spec	 spec;
	int		 cidr;
};

static const struct mechanism mechanisms[] = {
	{ "all",	SPF_ALL,	SPEC_NONE,	0 },
	{ "include",	SPF_INCLUDE,	SPEC_REQUIRED,	0 },
	{ "a",		SPF_A,		SPEC_OPTIONAL,	1 },
	{ "mx",		SPF_MX,		SPEC_OPTIONAL,	1 },
	{ "ptr",	SPF_PTR,	SPEC_OPTIONAL,	0 },
	{ "ip4",	SPF_IP4,	SPEC_ADDRESS,	1 },
	{ "ip6",	SPF_IP6,	SPEC_ADDRESS,	1 },
	{ "exists",	SPF_EXISTS,	SPEC_REQUIRED,	0 },
};

static int	 modifier_read(const char *, size_t, size_t,
		    struct spf_term *, const char **);
static int	 mechanism_read(const char *, size_t, struct spf_term *,
		    const char **);
static const struct mechanism *mechanism_find(const char *, size_t);
static int	 spec_read(const char *, size_t, const struct mechanism *,
		    struct spf_term *, const char **);
static int	 address_read(const char *, size_t, struct spf_term *,
		    const char **);
static int	 cidr_cut(const char *, size_t *, struct spf_term *);
static int	 number_read(const char *, size_t, unsigned, unsigned *);
static int	 is_alpha(char);
static int	 is_digit(char);
static int	 is_word(const char *, size_t, const char *);

int
spf_record_is(const void *data, size_t len)
{
	const char *p = data;

	/* 4.5; strings of ABNF have no case. */
	return len >= SPF_VERSION_LEN &&
	    strncasecmp(p, "v=spf1", SPF_VERSION_LEN) == 0 &&
	    (len == SPF_VERSION_LEN || p[SPF_VERSION_LEN] == ' ');
}

int
spf_record_check(struct spf_record *r, const char **why)
{
	struct spf_term t;
	size_t off = SPF_VERSION_LEN, i;
	int status;

	r->redirect = r->exp = 0;
	for (i = 0; i < r->len; i++) {
		if (r->text[i] < ' ' || r->text[i] > '~') {
			*why = "octets that are not printable ASCII";
			return -1;
		}
	}
	while ((status = spf_term_read(r, &off, &t, why)) == 1) {
		if (t.mech == SPF_REDIRECT) {
			if (r->redirect != 0) {
				*why = "two redirect= modifiers";
				return -1;
			}
			r->redirect = t.off;
		} else if (t.mech == SPF_EXP) {
			if (r->exp != 0) {
				*why = "two exp= modifiers";
				return -1;
			}
			r->exp = t.off;
		}
	}
	return status;
}

int
spf_term_read(const struct spf_record *r, size_t *offp, struct spf_term *t,
    const char **why)
{
	const char *p;
	size_t off = *offp, n, name;

	while (off < r->len && r->text[off] == ' ')
		off++;
	if (off >= r->len)
		return 0;
	p = r->text + off;
	for (n = 0; off + n < r->len && p[n] != ' '; n++)
		;
	*offp = off + n;
	memset(t, 0, sizeof(*t));
	t->off = off;
	t->end = off + n;
	t->qualifier = '+';
	t->cidr4 = 32;
	t->cidr6 = 128;

	/* A name and "=" make a modifier; modifiers have no qualifier. */
	for (name = 0; name < n && (is_alpha(p[name]) || (name > 0 &&
	    (is_digit(p[name]) || strchr("-_.", p[name]) != NULL))); name++)
		;
	if (name > 0 && name < n && p[name] == '=')
		return modifier_read(p, name, n, t, why) == -1 ? -1 : 1;
	return mechanism_read(p, n, t, why) == -1 ? -1 : 1;
}

static int
modifier_read(const char *p, size_t name, size_t n, struct spf_term *t,
    const char **why)
{
	enum spf_macro kind = SPF_MACRO_DOMAIN;

	if (is_word(p, name, "redirect"))
		t->mech = SPF_REDIRECT;
	else if (is_word(p, name, "exp"))
		t->mech = SPF_EXP;
	else {
		t->mech = SPF_OTHER;
		kind = SPF_MACRO_VALUE;
	}
	t->spec = p + name + 1;
	t->speclen = n - name - 1;
	if (!spf_macro_valid(t->spec, t->speclen, kind)) {
		*why = "a wrong value of a modifier";
		return -1;
	}
	return 0;
}

static int
mechanism_read(const char *p, size_t n, struct spf_term *t,
    const char **why)
{
	const struct mechanism *m;
	size_t name;

	if (strchr("+-?~", *p) != NULL) {
		t->qualifier = *p++;
		n--;
	}
	for (name = 0; name < n && p[name] != ':' && p[name] != '/'; name++)
		;
	if ((m = mechanism_find(p, name)) == NULL) {
		*why = "an unknown mechanism";
		return -1;
	}
	t->mech = m->mech;
	p += name;
	n -= name;
	if (m->cidr && cidr_cut(p, &n, t) == -1) {
		*why = "a wrong prefix length";
		return -1;
	}
	if (n > 0 && (*p != ':' || m->spec == SPEC_NONE)) {
		*why = "something wrong behind a mechanism";
		return -1;
	}
	if (n == 0) {
		if (m->spec == SPEC_NONE || m->spec == SPEC_OPTIONAL)
			return 0;
		*why = "a mechanism without its argument";
		return -1;
	}
	return spec_read(p + 1, n - 1, m, t, why);
}

static const struct mechanism *
mechanism_find(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (is_word(p, n, mechanisms[i].name))
			return &mechanisms[i];
	}
	return NULL;
}

static int
spec_read(const char *p, size_t n, const struct mechanism *m,
    struct spf_term *t, const char **why)
{
	if (m->spec == SPEC_ADDRESS)
		return address_read(p, n, t, why);
	if (!spf_macro_valid(p, n, SPF_MACRO_DOMAIN)) {
		*why = "a wrong domain";
		return -1;
	}
	t->spec = p;
	t->speclen = n;
	return 0;
}

/* Without its prefix length. */
static int
address_read(const char *p, size_t n, struct spf_term *t, const char **why)
{
	char buf[INET6_ADDRSTRLEN];
	int family = t->mech == SPF_IP4 ? AF_INET : AF_INET6;

	*why = "a wrong address";
	if (n >= sizeof(buf))
		return -1;
	memcpy(buf, p, n);
	buf[n] = '\0';
	return inet_pton(family, buf, t->addr) == 1 ? 0 : -1;
}

/*
 * Cut [ip4-cidr-length] ["/" ip6-cidr-length] off the end of a mechanism, or
 * "/" and the one length of an address.
 */
static int
cidr_cut(const char *p, size_t *n, struct spf_term *t)
{
	size_t i = *n;
	int address = t->mech == SPF_IP4 || t->mech == SPF_IP6;

	while (i > 0 && is_digit(p[i - 1]))
		i--;
	if (i == *n || i == 0 || p[i - 1] != '/')
		return 0;
	if (t->mech == SPF_IP6 || (!address && i > 1 && p[i - 2] == '/')) {
		if (number_read(p + i, *n - i, 128, &t->cidr6) == -1)
			return -1;
		*n = address ? i - 1 : i - 2;
		if (address)
			return 0;
		i = *n;
		while (i > 0 && is_digit(p[i - 1]))
			i--;
		if (i == *n || i == 0 || p[i - 1] != '/')
			return 0;
	}
	if (number_read(p + i, *n - i, 32, &t->cidr4) == -1)
		return -1;
	*n = i - 1;
	return 0;
}

/* Without leading zeros. */
static int
number_read(const char *p, size_t n, unsigned max, unsigned *out)
{
	unsigned v = 0;
	size_t i;

	if (n == 0 || n > 3 || (n > 1 && p[0] == '0'))
		return -1;
	for (i = 0; i < n; i++)
		v = v * 10 + (unsigned)(p[i] - '0');
	if (v > max)
		return -1;
	*out = v;
	return 0;
}

static int
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
is_word(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(p, word, n) == 0;
}
