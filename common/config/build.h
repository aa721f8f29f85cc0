/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_CONFIG_BUILD_H
#define COMMON_CONFIG_BUILD_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/config/config.h"
#include "common/config/lex.h"

/*
 * What the files of the parser share: the state of one parse, the values that
 * the grammar hands to the builders, and the steps.  Only common/config
 * includes this.
 */

/* A word as it was written.  Lives as long as the parse. */
struct value {
	struct value		*next;		/* in a list */
	struct config_where	 where;
	const char		*text;
};

struct values {
	struct value		*first, **last;
};

/* One of several parts of a statement: its kind and the values with it. */
struct item {
	struct item		*next;
	int			 kind;
	struct value		*a, *b, *c;
};

struct items {
	struct item		*first, **last;
};

/* Parts of a policy; ITEM_DECISIVE + enum decisive are the findings'. */
enum { ITEM_GREYLIST, ITEM_REJECT, ITEM_DELAY, ITEM_WINDOW, ITEM_KEEP,
    ITEM_DECISIVE };
enum { ITEM_RUNTIME, ITEM_SPOOL, ITEM_STATE };
enum { ITEM_SMTP, ITEM_SCANNER, ITEM_DELIVER };
enum { ITEM_RETRY, ITEM_MAX, ITEM_WARN, ITEM_EXPIRE };

/* What may be written once only. */
enum once {
	ONCE_SERVICE, ONCE_NODE, ONCE_CONTACT, ONCE_NETWORK, ONCE_CLUSTER,
	ONCE_SEND, ONCE_MESSAGE, ONCE_MEMORY, ONCE_ANTIVIRUS, ONCE_STATE,
	ONCE_RESOLVER, ONCE_DNSSEC, ONCE_DKIM, ONCE_USER, ONCE_OPERATORS,
	ONCE_FORWARDERS, ONCE_ARC,
	ONCE_GREY,				/* + ITEM_*, as those below */
	ONCE_DIRECTORY = ONCE_GREY + 5,
	ONCE_PROCESSES = ONCE_DIRECTORY + 3,
	ONCE_QUEUE = ONCE_PROCESSES + 3,
	ONCE_LIMIT = ONCE_QUEUE + 4,		/* + index in config_limits */
	ONCE_MAX = ONCE_LIMIT + 32
};

struct parse_node;
struct parse {
	struct config		*cf;
	struct lex		 lx;
	FILE			*errf;
	unsigned		 errors;
	struct config_where	 last;		/* of the last error */
	int			 fromfile;	/* look at files, and warn */
	struct config_where	 once[ONCE_MAX];
	uint16_t		 policy_set;	/* of the global lines */
	struct config_where	 policy_where;	/* the last threshold */
	struct config_participant *participant;	/* whose block is open */
	uint32_t		 npkis, nlistens, ndomains;
	struct parse_node	*nodes;		/* what dies with the parse */
	jmp_buf			 nomem;
};

/*
 * All that is looked up for each message, sorted.  Relay ranges of one family
 * and length lie together, longer ones first; a client is masked and sought
 * in each such run, of which there are few.
 */
struct relay_run {
	size_t			 first, n;
};

struct config_index {
	struct config_domain	**domains;
	size_t			 ndomains;
	struct config_relay	**relays;
	size_t			 nrelays;
	struct relay_run	*runs;
	size_t			 nruns;
};

/* config.c */
struct config	*config_new(void);		/* the defaults, or NULL */
/* Sort what the look-ups need.  -1: no memory. */
int		 config_index(struct config *);

/* load.c: errors and memory of a parse.  Without memory they jump out. */
void		 parse_error(struct parse *, const struct config_where *,
		    const char *, ...) __attribute__((format(printf, 3, 4)));
void		 parse_warn(struct parse *, const struct config_where *,
		    const char *, ...) __attribute__((format(printf, 3, 4)));
void		 parse_nomem(struct parse *) __attribute__((noreturn));
/* Zeroed; it dies with the parse, or is the caller's. */
void		*parse_alloc(struct parse *, size_t);
void		*parse_own(struct parse *, size_t);
char		*parse_strdup(struct parse *, const char *);
/* Takes the last token; its text is copied. */
struct value	*parse_value(struct parse *);
struct values	*values_add(struct parse *, struct values *, struct value *);
struct item	*item_new(struct parse *, int kind, struct value *,
		    struct value *, struct value *);
struct items	*items_add(struct parse *, struct items *, struct item *);
struct items	*items_join(struct items *, struct items *);

/* parse.y */
void		 parse_run(struct parse *);

/* One statement each; NULL is what was not written.  general.c: */
void	build_service(struct parse *, struct value *);
void	build_node(struct parse *, struct value *);
void	build_contact(struct parse *, struct value *);
void	build_user(struct parse *, struct value *);
void	build_operators(struct parse *, struct values *);
void	build_message(struct parse *, struct value *);
void	build_memory(struct parse *, struct value *);
void	build_antivirus(struct parse *, struct value *word,
	    struct values *clamd, struct value *failure);
void	build_hashes(struct parse *, struct values *);
void	build_symbol(struct parse *, struct value *, struct value *points);
void	build_directory(struct parse *, struct items *);
void	build_dkim(struct parse *, struct values *, struct value *below,
	    struct value *rotate);
void	build_limit(struct parse *, struct values *);
void	build_processes(struct parse *, struct items *);
void	build_queue(struct parse *, struct items *);

/* network.c: */
void	build_network(struct parse *, struct values *, struct values *except);
void	build_cluster(struct parse *, struct values *);
void	build_pki(struct parse *, struct value *name, struct value *cert,
	    struct value *key);
void	build_listen(struct parse *, struct values *, struct value *port,
	    struct value *pki);
void	build_send(struct parse *, struct values *);
void	build_resolver(struct parse *, struct items *);
void	build_dnssec(struct parse *, struct value *path);
void	build_state(struct parse *, struct value *word, struct values *redis,
	    int cluster);

/* lists.c: */
void	build_dnsbl(struct parse *, struct value *zone, struct value *kind,
	    struct value *test, struct items *codes);

/* auth.c: */
void	build_forwarders(struct parse *, struct values *);
void	build_arc(struct parse *, struct values *);

/* participant.c: */
void	build_participant(struct parse *, struct value *name,
	    struct value *contact);
void	build_participant_end(struct parse *);
void	build_domain(struct parse *, struct values *, struct value *host,
	    struct value *port, struct items *policy);
void	build_relay(struct parse *, struct values *, struct value *rate);
void	build_mailboxes(struct parse *, struct values *, int trap);
void	build_policy(struct parse *, struct items *);

/*
 * build.c: words to what they mean.  NULL, 0 or -1 after an error was told;
 * strings are the caller's.
 */
/* Has this not been written before?  what names it in the error. */
int	build_once(struct parse *, int once, const struct config_where *,
	    const char *what);
char	*build_domainname(struct parse *, const struct value *);
char	*build_path(struct parse *, const struct value *);
/* Letters, digits, dot, hyphen, underscore. */
char	*build_name(struct parse *, const struct value *, const char *what);
/* What people read. */
char	*build_text(struct parse *, const struct value *);
int	build_number(struct parse *, const struct value *, uint64_t min,
	    uint64_t max, uint32_t *);
int	build_port(struct parse *, const struct value *, uint16_t *);
int	build_time(struct parse *, const struct value *, uint32_t *);
int	build_size(struct parse *, const struct value *, uint64_t *);
int	build_points(struct parse *, const struct value *, int32_t *);
int	build_addr(struct parse *, const struct value *, struct netaddr *);
int	build_cidr(struct parse *, const struct value *, struct cidr *);
/* A range of clients that may do more than others is not the Internet. */
int	build_trusted(struct parse *, const struct value *,
	    const struct cidr *, const char *what);
void	build_names(struct parse *, struct config_names *, char *name);

/* check.c: what one statement alone cannot show. */
void	config_check(struct parse *);

/* units.c: numbers as they are written.  NULL, or why it is none. */
const char	*unit_count(const char *, uint64_t max, uint64_t *);
const char	*unit_points(const char *, int32_t *);
const char	*unit_time(const char *, uint32_t *);
const char	*unit_size(const char *, uint64_t *);
const char	*unit_rate(const char *, uint32_t *n, uint32_t *period);
/* Printed so that they read back to the same; returns buf. */
#define UNIT_STRLEN	48
const char	*unit_print_points(int32_t, char buf[UNIT_STRLEN]);
const char	*unit_print_time(uint32_t, char buf[UNIT_STRLEN]);
const char	*unit_print_size(uint64_t, char buf[UNIT_STRLEN]);
const char	*unit_print_rate(uint32_t, uint32_t, char buf[UNIT_STRLEN]);

/* print.c: the words of each enum decisive. */
extern const char *const		config_decisive[DECISIVE_MAX];

/* The limits: name, where it is kept, how it is written. */
enum limit_unit { LIMIT_COUNT, LIMIT_TIME, LIMIT_SIZE };

struct config_limit {
	const char	*name;
	size_t		 offset;		/* of a uint32_t in config */
	enum limit_unit	 unit;
	uint32_t	 max;
};
extern const struct config_limit	config_limits[];
extern const size_t			config_nlimits;

#endif
