/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_AUTH_AUTH_H
#define SCAND_AUTH_AUTH_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "scand/scand.h"

/*
 * What DKIM and DMARC share among their files.  All parsers here take octets,
 * do no I/O and keep nothing.
 */

enum dkim_alg { DKIM_RSA_SHA1, DKIM_RSA_SHA256, DKIM_ED25519_SHA256 };

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

/* The value is base64; its octets into dst.  -1: it is not, or does not fit. */
int	tag_base64(const struct tag *, uint8_t *dst, size_t size,
	    size_t *len);
/* The value is a name for DNS, which is folded; -1: it is not. */
int	tag_name(const struct tag *, char *dst, size_t size);

/*
 * canon.c: the canonical forms of RFC 6376 3.4, into a hash.
 */
struct canon {
	EVP_MD_CTX	*md;
	uint8_t		 buf[1024];
	size_t		 n;
};

/* SHA-256 begins; -1: no memory. */
int	canon_begin(struct canon *);
/* The same after what came so far to the second, which goes on, too. */
int	canon_copy(struct canon *, struct canon *);
/* The digest of it all, which ends.  -1: no memory. */
int	canon_digest(struct canon *, uint8_t [32]);
void	canon_end(struct canon *);		/* bears NULL in md */
void	canon_octets(struct canon *, const void *, size_t);
/* A field without its line end.  cut (or NULL) is a part of its value, of
   cutlen octets, that is left out. */
void	canon_field(struct canon *, const struct field *, int relaxed,
	    const char *cut, size_t cutlen);
/* The body, from behind the empty line. */
void	canon_body(struct canon *, const uint8_t *p, size_t n, int relaxed);

/*
 * arc_fields.c: the ARC fields of a message (RFC 8617 4.1).
 */

/* ARC-Seal or ARC-Message-Signature, strictly. */
struct arc_tags {
	unsigned	 instance;
	char		 domain[LIM_DOMAIN + 1];
	char		 selector[LIM_DOMAIN + 1];
	enum dkim_alg	 alg;
	char		 cv;		/* n, p, f; of a seal */
	struct tag	 b;		/* with all that is to be left out */
	uint8_t		 sig[512];
	size_t		 siglen;
	/* Of a message signature. */
	uint8_t		 bh[32];
	int		 relaxed_header, relaxed_body;
	struct tag	 h;
};

struct arc_set {
	const struct field	*results, *message, *seal;
};

/* NULL, or what is wrong. */
const char *arc_seal_parse(const struct field *, struct arc_tags *);
const char *arc_message_parse(const struct field *, int64_t now,
	    struct arc_tags *);
/*
 * The sets of a message, the first one first.  *n is their number, 0 without
 * ARC.  NULL, or why they are no chain.
 */
const char *arc_sets(const struct header *, struct arc_set [LIM_ARC_SETS],
	    size_t *n);

/*
 * dkim_tags.c: a DKIM-Signature field, before libopendkim sees it.
 */
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
