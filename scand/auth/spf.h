/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_AUTH_SPF_H
#define SCAND_AUTH_SPF_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "common/cidr.h"
#include "common/limits.h"
#include "common/resolver.h"

/*
 * SPF, RFC 7208.  libspf2 evaluates, and the guard stands before it: what
 * libspf2 reads is made by the guard of names and numbers of its own, so that
 * not one octet of a stranger reaches it.
 *
 *	spf.c			the two checks, and libspf2
 *	spf_guard.c		records, look-ups, counts, explanations
 *	spf_guard_names.c	names of exchanges and of the client
 *	spf_guard_ahead.c	what will be asked next
 *	spf_guard_parse.c	the grammar of records
 *	spf_guard_rewrite.c	what libspf2 gets to read
 *	spf_macro.c		macros
 *
 * In the words of a caller:
 *
 *	struct spf_query q = { &scan->client, scan->helo, scan->sender, name };
 *	struct spf_check c;
 *
 *	if (spf_mailfrom(&job->answers, &q, &c) == 0)
 *		... symbols[c.result], "%s", c.domain
 */

struct answers;

/*
 * spf.c: for the scanner.
 */

enum spf_result {		/* RFC 7208 2.6 */
	SPF_PENDING,		/* questions are open */
	SPF_NONE, SPF_NEUTRAL, SPF_PASS, SPF_FAIL, SPF_SOFTFAIL,
	SPF_TEMPERROR, SPF_PERMERROR,
	SPF_RESULTS
};

struct spf_query {
	const struct netaddr	*client;
	const char		*helo;		/* as the client said */
	const char		*sender;	/* "" for the null path */
	const char		*receiver;	/* our name, for %{r} */
};

/* One identity.  All texts are printable ASCII; the explanation is the word of
   a stranger, and to be shown as his. */
struct spf_check {
	enum spf_result	 result;
	char		 domain[DNS_NAME];	/* that was asked, or "" */
	const char	*problem;		/* of an error, or NULL */
	char		 where[DNS_NAME];	/* the record with it */
	char		 explanation[LIM_SPF_TEXT + 1];	/* of a fail */
};

/*
 * Before the sandbox, since libspf2 asks for the name of the host.  -1: no
 * memory.
 */
int	spf_init(void);
/*
 * Evaluate the policy of the sender's domain (2.4; that of postmaster at HELO
 * for the null path) or of HELO (2.3).  What DNS says is read from the
 * answers.  0: the result is there; 1: it is SPF_PENDING, to be called again
 * when answers have come.
 */
int	spf_mailfrom(struct answers *, const struct spf_query *,
	    struct spf_check *);
int	spf_helo(struct answers *, const struct spf_query *,
	    struct spf_check *);
/* "none" to "permerror", as RFC 8601 2.7.2 has them. */
const char *spf_result_name(enum spf_result);

/*
 * spf_guard_parse.c
 */

enum spf_mech {
	SPF_ALL, SPF_INCLUDE, SPF_A, SPF_MX, SPF_PTR, SPF_IP4, SPF_IP6,
	SPF_EXISTS,
	SPF_REDIRECT, SPF_EXP, SPF_OTHER	/* modifiers */
};

struct spf_term {
	size_t		 off, end;	/* where it stands */
	enum spf_mech	 mech;
	char		 qualifier;	/* one of "+-~?" */
	const char	*spec;		/* domain-spec, in the record */
	size_t		 speclen;	/* 0: the current domain */
	uint8_t		 addr[16];	/* of ip4 and ip6 */
	unsigned	 cidr4, cidr6;
};

struct spf_record {
	char		 domain[DNS_NAME];	/* whose it is */
	const char	*text;		/* not terminated, not owned */
	size_t		 len;
	size_t		 redirect, exp;	/* offsets of these terms, or 0 */
	int		 parent;	/* the record that led here, or -1 */
	size_t		 resume;	/* and where evaluation goes on there */
};

#define SPF_VERSION_LEN	6		/* octets of "v=spf1" */

/* Is this text an SPF record (4.5), be it right or wrong? */
int	spf_record_is(const void *, size_t);
/*
 * The term at *off, which moves behind it.  1: here it is; 0: there is none;
 * -1: it is wrong, *why says in what.  Start at SPF_VERSION_LEN.
 */
int	spf_term_read(const struct spf_record *, size_t *off,
	    struct spf_term *, const char **why);
/* The whole record: 0, or -1 with *why.  Sets redirect and exp. */
int	spf_record_check(struct spf_record *, const char **why);

/*
 * spf_macro.c: RFC 7208 7.
 */

enum spf_macro {
	SPF_MACRO_DOMAIN,		/* domain-spec */
	SPF_MACRO_VALUE,		/* of an unknown modifier */
	SPF_MACRO_TEXT			/* explain-string */
};

struct spf_vars {
	const struct netaddr	*client;
	const char		*local;		/* part of the sender */
	const char		*domain;	/* of the sender */
	const char		*helo;
	const char		*receiver;
	const char		*current;	/* domain of the record */
	/* %{p}: never "", "unknown" where there is none; NULL: not yet. */
	const char		*(*client_name)(void *);
	void			*arg;
};

/* Does it follow the grammar? */
int	spf_macro_valid(const char *, size_t, enum spf_macro);
/*
 * A valid domain-spec becomes a name to ask DNS for, in lower case and cut on
 * the left to 253 octets (7.3).  0; 1: DNS has no such names; -1: client_name
 * is not known yet.
 */
int	spf_macro_name(const char *, size_t, const struct spf_vars *,
	    char dst[DNS_NAME]);
/*
 * A valid explain-string becomes text in printable ASCII, cut on the right
 * where dst ends.  0, or -1 as above.
 */
int	spf_macro_text(const char *, size_t, const struct spf_vars *,
	    char *dst, size_t dstsize);

/*
 * spf_guard_rewrite.c
 */

/* The names that libspf2 sees: a term, an exchange of a term, a part of a
   record.  For the numbers see spf_place. */
#define SPF_NAME_TERM	"t%zu.%zu.x"
#define SPF_NAME_HOST	"m%zu.%zu.%zu.x"
#define SPF_NAME_PART	"p%zu.%zu.x"

struct spf_place {
	char	 kind;			/* 't', 'm', 'p' */
	size_t	 record;		/* its index */
	size_t	 off;			/* of the term or the part in it */
	size_t	 host;			/* which exchange */
};

/* Room for any record that is rewritten. */
#define SPF_REWRITTEN	2048

/*
 * A record that was checked, from off on, as libspf2 reads it rightly for a
 * client of this family.  What does not fit into libspf2's memory is left for
 * a part.  0, or -1: dst is too small.
 */
int	spf_rewrite(const struct spf_record *, size_t index, size_t off,
	    sa_family_t family, char *dst, size_t dstsize);
/* Read one of the names; -1: it is none. */
int	spf_place_read(const char *, struct spf_place *);

/*
 * spf_guard.c: one evaluation.  Nothing is kept from run to run.
 */

struct spf_guard {
	struct answers		*answers;
	struct spf_vars		 vars;
	struct spf_record	 records[LIM_SPF_TERMS + 1];
	size_t			 nrecords;
	size_t			 top;	/* the record whose exp= counts */
	unsigned		 terms, voids;
	int			 stopped;	/* result is final */
	enum spf_result		 result;
	const char		*problem;
	char			 where[DNS_NAME];
	char			 client_name[DNS_NAME];
};

/* What there is behind a name. */
struct spf_found {
	size_t			 n;
	const struct dns_record	*rec;	/* addresses; NULL: any address */
};

/* Take the policy of domain, which is a name of DNS.  0, or -1: stopped. */
int	spf_guard_begin(struct spf_guard *, const char *domain);
/* The rewritten record of an include, a redirect or a part, as libspf2 asks
   for it.  0, or -1: stopped. */
int	spf_guard_policy(struct spf_guard *, const char *name, char *dst,
	    size_t dstsize);
/* The addresses of a name as libspf2 asks for them.  0, or -1: stopped. */
int	spf_guard_addresses(struct spf_guard *, const char *name,
	    struct spf_found *);
/* The exchanges of an "mx", as their number and place.  0, or -1: stopped. */
int	spf_guard_hosts(struct spf_guard *, const char *name,
	    struct spf_place *, size_t *n);
/* The explanation of a fail, "" when there is none.  0, or -1: stopped. */
int	spf_guard_explain(struct spf_guard *, char *dst, size_t dstsize);
/* Stop with this result; returns -1.  where may be NULL. */
int	spf_guard_stop(struct spf_guard *, enum spf_result, const char *where,
	    const char *problem);
/* For the other files of the guard: the answer, or NULL: stopped, pending. */
const struct answer *spf_guard_ask(struct spf_guard *, const char *name,
	    enum dns_type);
/* The name that a term means: 0; 1: it cannot be asked for; -1: not yet. */
int	spf_guard_target(struct spf_guard *, const struct spf_record *,
	    const struct spf_term *, char dst[DNS_NAME]);
/* The type of a client's addresses. */
enum dns_type spf_guard_family(const struct spf_guard *);
/* The one SPF record among TXT records.  Returns how many there are. */
size_t	spf_guard_select(const struct answer *, struct spf_record *);

/*
 * spf_guard_names.c
 */

/* Is the answer an error, or too large to be sure of? */
int	spf_answer_failed(const struct answer *, enum dns_type);
/* The name of exchange i in order of preference; -1: there is none. */
int	spf_mx_name(const struct answer *, size_t i, char dst[DNS_NAME]);
/* "ptr" (5.5): does a name of the client lie in domain and lead back?  -1:
   stopped. */
int	spf_ptr_match(struct spf_guard *, const char *domain, int *isvoid);
/* %{p} (7.3), for spf_vars; arg is the guard. */
const char *spf_client_name(void *arg);

/*
 * spf_guard_ahead.c
 */

/* Note what the terms behind off, of this record and of those that include
   it, will ask for, so that all questions go out together. */
void	spf_ahead(struct spf_guard *, size_t record, size_t off);

#endif
