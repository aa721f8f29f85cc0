/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scand/auth/spf.h"

/*
 * What libspf2 reads instead of a record.  Domains have become names of ours
 * (libspf2 expands macros wrongly, and over its buffers), addresses of the
 * other family are gone, a prefix length of 0, which is none for libspf2, is
 * written as two halves, redirect= stands at the end, since libspf2 follows it
 * where it stands, and other modifiers are left out.  What libspf2 would drop
 * without a word, because compiled it is longer than 511 octets, becomes a
 * redirect to a part of the record.
 */

#define COMPILED_MAX	511		/* SPF_MAX_MECH_LEN of libspf2 */
#define COMPILED_ALL	4		/* a mechanism's head */
#define COMPILED_IP4	8
#define COMPILED_IP6	20
#define COMPILED_NAME	28		/* head, prefix length, a string of up
					   to 16 octets with its own head */

struct out {
	char	*dst;
	size_t	 size, len;
	size_t	 compiled;
	int	 full;
};

static size_t	 term_size(const struct spf_term *, sa_family_t);
static void	 term_put(struct out *, const struct spf_term *, size_t,
		    sa_family_t);
static void	 named_put(struct out *, const char *,
		    const struct spf_term *, size_t, sa_family_t);
static void	 address_put(struct out *, const struct spf_term *);
static void	 put(struct out *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static int	 place_number(const char **, size_t *);

int
spf_rewrite(const struct spf_record *r, size_t index, size_t off,
    sa_family_t family, char *dst, size_t dstsize)
{
	struct out out = { dst, dstsize, 0, 0, 0 };
	struct spf_term t;
	const char *why;
	size_t size;

	put(&out, "v=spf1");
	while (spf_term_read(r, &off, &t, &why) == 1) {
		if ((size = term_size(&t, family)) == 0)
			continue;
		if (out.compiled + size + COMPILED_NAME > COMPILED_MAX) {
			put(&out, " redirect=" SPF_NAME_PART, index, t.off);
			goto done;
		}
		out.compiled += size;
		term_put(&out, &t, index, family);
		if (t.mech == SPF_ALL)	/* 5.1: the rest does not matter */
			goto done;
	}
	if (r->redirect != 0)
		put(&out, " redirect=" SPF_NAME_TERM, index, r->redirect);
done:
	return out.full ? -1 : 0;
}

int
spf_place_read(const char *name, struct spf_place *p)
{
	const char *s = name + 1;

	memset(p, 0, sizeof(*p));
	p->kind = *name;
	switch (*name) {
	case 't':
	case 'p':
		if (place_number(&s, &p->record) == -1 ||
		    place_number(&s, &p->off) == -1)
			return -1;
		break;
	case 'm':
		if (place_number(&s, &p->record) == -1 ||
		    place_number(&s, &p->off) == -1 ||
		    place_number(&s, &p->host) == -1)
			return -1;
		break;
	default:
		return -1;
	}
	return strcmp(s, "x") == 0 ? 0 : -1;
}

/* Compiled; 0: nothing of it is written. */
static size_t
term_size(const struct spf_term *t, sa_family_t family)
{
	switch (t->mech) {
	case SPF_ALL:
		return COMPILED_ALL;
	case SPF_IP4:
		return family != AF_INET ? 0 :
		    t->cidr4 == 0 ? 2 * COMPILED_IP4 : COMPILED_IP4;
	case SPF_IP6:
		return family != AF_INET6 ? 0 :
		    t->cidr6 == 0 ? 2 * COMPILED_IP6 : COMPILED_IP6;
	case SPF_INCLUDE:
	case SPF_A:
	case SPF_MX:
	case SPF_PTR:
	case SPF_EXISTS:
		return COMPILED_NAME;
	default:
		return 0;
	}
}

static void
term_put(struct out *out, const struct spf_term *t, size_t index,
    sa_family_t family)
{
	switch (t->mech) {
	case SPF_ALL:
		put(out, " %call", t->qualifier);
		break;
	case SPF_IP4:
	case SPF_IP6:
		address_put(out, t);
		break;
	case SPF_INCLUDE:
		named_put(out, "include", t, index, 0);
		break;
	case SPF_A:
		named_put(out, "a", t, index, family);
		break;
	case SPF_MX:
		named_put(out, "mx", t, index, family);
		break;
	default:
		/* The guard knows the client's names, for %{p}. */
		named_put(out, "exists", t, index, 0);
		break;
	}
}

/*
 * With the prefix length of this family; 0 is left out too, and every address
 * of the name will be that of the client.
 */
static void
named_put(struct out *out, const char *mechanism, const struct spf_term *t,
    size_t index, sa_family_t family)
{
	put(out, " %c%s:" SPF_NAME_TERM, t->qualifier, mechanism, index,
	    t->off);
	if (family == AF_INET && t->cidr4 > 0 && t->cidr4 < 32)
		put(out, "/%u", t->cidr4);
	else if (family == AF_INET6 && t->cidr6 > 0 && t->cidr6 < 128)
		put(out, "//%u", t->cidr6);
}

static void
address_put(struct out *out, const struct spf_term *t)
{
	char text[INET6_ADDRSTRLEN];
	int v4 = t->mech == SPF_IP4;
	unsigned bits = v4 ? t->cidr4 : t->cidr6;

	if (bits == 0) {
		put(out, v4 ? " %cip4:0.0.0.0/1 %cip4:128.0.0.0/1" :
		    " %cip6:::/1 %cip6:8000::/1", t->qualifier, t->qualifier);
		return;
	}
	(void)inet_ntop(v4 ? AF_INET : AF_INET6, t->addr, text, sizeof(text));
	put(out, " %c%s:%s/%u", t->qualifier, v4 ? "ip4" : "ip6", text, bits);
}

static void
put(struct out *out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out->dst + out->len, out->size - out->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= out->size - out->len) {
		out->full = 1;
		out->dst[out->len] = '\0';
		return;
	}
	out->len += (size_t)n;
}

/* Digits and a dot. */
static int
place_number(const char **sp, size_t *out)
{
	const char *s = *sp;
	size_t v = 0;

	if (*s < '0' || *s > '9')
		return -1;
	for (; *s >= '0' && *s <= '9'; s++) {
		v = v * 10 + (size_t)(*s - '0');
		if (v > LIM_SPF_RECORD)
			return -1;
	}
	if (*s != '.')
		return -1;
	*sp = s + 1;
	*out = v;
	return 0;
}
