/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_AUTH_AUTH_H
#define SCAND_AUTH_AUTH_H

#include <stddef.h>
#include <stdint.h>

#include "scand/scand.h"

/*
 * What DKIM and DMARC share among their files.  All parsers here take octets,
 * do no I/O and keep nothing.
 */

/*
 * taglist.c: "name=value; ..." of RFC 6376 3.2, which DMARC has, too.
 */
struct tag {
	const char	*name, *value;	/* trimmed, not terminated */
	size_t		 namelen, len;
};

/* The next one of [*p, end), which advances.  1: here it is; 0: there is no
   other; -1: an item without "=" or without name, which was skipped. */
int	tag_next(const char **p, const char *end, struct tag *);
/* Its name is this one; case counts only where exact is set. */
int	tag_is(const struct tag *, const char *name, int exact);
/* The value is this word, whatever the case. */
int	tag_says(const struct tag *, const char *word);
/* The value without white space; -1 does not fit, or has other octets than
   printable ASCII. */
int	tag_copy(const struct tag *, char *dst, size_t dstsize);

/*
 * dkim_tags.c: a DKIM-Signature field, before libopendkim sees it.
 */
enum dkim_alg { DKIM_RSA_SHA1, DKIM_RSA_SHA256, DKIM_ED25519_SHA256 };

struct dkim_tags {
	char		 domain[LIM_DOMAIN + 1];	/* folded */
	char		 selector[LIM_DOMAIN + 1];
	char		 identity[LIM_DOMAIN + 2];	/* i=, decoded; "@" and
					   domain without it, or "" */
	char		 b[9];		/* RFC 6008: how b= begins */
	enum dkim_alg	 alg;
	int		 relaxed;	/* the body */
	int		 has_length;	/* l= */
	uint64_t	 length;
};
/*
 * What stands behind the colon.  NULL: well formed, and nothing in it that
 * libopendkim does not bear.  Else why not; what was read by then is set, the
 * rest is empty.
 */
const char *dkim_tags_parse(const uint8_t *p, size_t n, struct dkim_tags *);
/* Octets of the canonical body, RFC 6376 3.4.3 and 3.4.4. */
uint64_t dkim_body_length(const uint8_t *p, size_t n, int relaxed);

/*
 * dkim_key.c: from the answer to a key record that libopendkim may see.
 */
/* Into buf, terminated.  0, or -1 with *why and *error, the library's code. */
int	dkim_key_text(const struct answer *, enum dkim_alg, char *buf,
	    size_t size, int *error, const char **why);

/*
 * dmarc_record.c: RFC 9989 4.7.
 */
struct dmarc_record {
	enum dmarc_policy p, sp, np;
	int		 has_sp, has_np;
	int		 usable;	/* 4.10.1: its policy is to be applied,
					   or none because of rua= */
	int		 strict_dkim, strict_spf;
	char		 psd;		/* y, n, u */
	int		 test;		/* t=y */
};
/* Is it a record of DMARC, whatever else it says? */
int	dmarc_record_is(const char *p, size_t n);
/* 0, or -1: it is to be ignored. */
int	dmarc_record_parse(const char *p, size_t n, struct dmarc_record *);

/*
 * dmarc_walk.c: RFC 9989 4.10 and 5.3.
 */

/* Who has vouched for the message. */
struct dmarc_id {
	const char	*domain;	/* folded */
	enum auth_result result;	/* PASS and TEMPERROR count */
	int		 spf;		/* else DKIM */
};
/*
 * 0: judged; 1: answers are missing and have been noted.  The author's domain
 * is folded and in ASCII.
 */
int	dmarc_evaluate(struct answers *, const char *author,
	    const struct dmarc_id *, size_t n, struct dmarc *);
/* Note all questions that a domain will need. */
void	dmarc_ask(struct answers *, const char *domain);

#endif
