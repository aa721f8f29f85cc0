/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_CONFIG_CONFIG_H
#define COMMON_CONFIG_CONFIG_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/cidr.h"
#include "common/protocol.h"

/*
 * pfoertner.conf(5) as the daemons see it.  One parser for all of them; a
 * child parses the canonical text that its parent printed, with the same
 * parser, so there is no serialiser.
 */

#ifndef CONFIG_FILE			/* the build may know better */
#define CONFIG_FILE	"/etc/pfoertner.conf"
#endif
#ifndef CONFIG_DIR_RUNTIME
#define CONFIG_DIR_RUNTIME	"/var/run/pfoertner"
#endif
#ifndef CONFIG_DIR_SPOOL
#define CONFIG_DIR_SPOOL	"/var/spool/pfoertner"
#endif
#ifndef CONFIG_DIR_STATE
#define CONFIG_DIR_STATE	"/var/db/pfoertner"
#endif
#ifndef CONFIG_USER_PREFIX
#define CONFIG_USER_PREFIX	"_pf"
#endif

/* Where a thing was written, for errors. */
struct config_where {
	const char	*file;			/* owned by the config */
	uint32_t	 line;
};

struct config_pki {
	TAILQ_ENTRY(config_pki)	 entry;
	struct config_where	 where;
	char			*name;
	char			*cert, *key;	/* file names */
	uint32_t		 index;		/* in order of the file */
};

struct config_listen {
	TAILQ_ENTRY(config_listen) entry;
	struct config_where	 where;
	struct netaddr		 addr;
	uint16_t		 port;
	char			*pki_name;	/* NULL: no STARTTLS */
	struct config_pki	*pki;
	uint32_t		 index;
};

/* What a return code of a DNS list means. */
struct config_range {
	/* Host order, inclusive; sorted, and ranges do not overlap. */
	uint32_t		 first, last;
	int32_t			 points;
};

/* What is looked up in a DNS list. */
enum config_listkind {
	LIST_ADDRESSES,		/* the client, RFC 5782 2 */
	LIST_DOMAINS,		/* names of the sender and of links, ... 3 */
	LIST_LINKS		/* hosts of links: names and addresses */
};

/* What the list has to have, to show that it works, RFC 5782 5. */
enum config_listtest {
	LIST_TEST_RFC,		/* 127.0.0.2 or TEST */
	LIST_TEST_ADDRESS,
	LIST_TEST_NAME,
	LIST_TEST_NONE		/* it has nothing of that kind */
};

struct config_dnsbl {
	TAILQ_ENTRY(config_dnsbl) entry;
	struct config_where	 where;
	char			*zone;		/* folded */
	enum config_listkind	 kind;
	enum config_listtest	 test;
	struct netaddr		 test_addr;	/* LIST_TEST_ADDRESS */
	char			*test_name;	/* LIST_TEST_NAME, folded */
	uint32_t		 index;		/* in order of the file */
	struct config_range	*ranges;
	size_t			 nranges;
};

/* A symbol whose points are changed. */
struct config_symbol {
	TAILQ_ENTRY(config_symbol) entry;
	struct config_where	 where;
	char			 name[LIM_SYMNAME];
	int32_t			 points;
};

/*
 * What of a policy was written where it stands; the rest of it comes from
 * the participant, the global lines or the defaults.
 */
#define POLICY_SET_GREYLIST	0x01
#define POLICY_SET_REJECT	0x02
#define POLICY_SET_DECISIVE(d)	(0x04 << (d))	/* enum decisive */

/* Where a participant's mail goes: host name or address, and port. */
struct config_hop {
	char			*host;		/* name, or NULL: addr */
	struct netaddr		 addr;
	uint16_t		 port;		/* 25 */
};

struct config_domain {
	TAILQ_ENTRY(config_domain) entry;
	struct config_where	 where;
	char			*name;		/* folded */
	struct config_hop	 hop;
	struct policy		 policy;	/* role POLICY_ORDINARY */
	uint16_t		 policy_set;	/* POLICY_SET_*: given here */
	struct config_participant *participant;
	uint32_t		 index;
};

struct config_relay {				/* relay from */
	TAILQ_ENTRY(config_relay) entry;
	struct config_where	 where;
	struct cidr		 range;
	uint32_t		 limit;		/* messages; 0: none */
	uint32_t		 period_s;
	struct config_participant *participant;
};

struct config_mailbox {				/* discard, trap */
	TAILQ_ENTRY(config_mailbox) entry;
	struct config_where	 where;
	char			*address;	/* folded */
	int			 trap;
	struct config_participant *participant;
};

TAILQ_HEAD(config_mailboxes, config_mailbox);

struct config_participant {
	TAILQ_ENTRY(config_participant) entry;
	struct config_where	 where;
	char			*name;
	char			*contact;	/* or NULL */
	struct policy		 policy;	/* default for its domains */
	uint16_t		 policy_set;
	struct config_where	 policy_where;	/* the last threshold */
	TAILQ_HEAD(, config_domain)  domains;
	TAILQ_HEAD(, config_relay)   relays;
	struct config_mailboxes	 discards, traps;
	struct config_mailbox	**boxes;	/* both, sorted by address */
	size_t			 nboxes;
};

enum config_antivirus { ANTIVIRUS_NONE, ANTIVIRUS_BUILTIN, ANTIVIRUS_CLAMD };
enum config_state { STATE_LMDB, STATE_REDIS };

struct config_addrport {
	struct netaddr		 addr;
	uint16_t		 port;
};

struct config_names {
	char			**v;
	size_t			  n;
};

struct config_index;			/* sorted, for the look-ups */

struct config {
	struct config_names	 files;		/* that were read, as named */
	struct config_index	*index;
	/* Of what only the machine can say whether it is right; line 0 where
	   the default is meant. */
	struct config_where	 where_user, where_operators, where_send;
	struct config_where	 where_antivirus;
	struct config_where	 where_runtime, where_spool, where_state;

	/* Names. */
	char			*service;	/* shared by all nodes */
	char			*node;		/* this machine */
	char			*contact;	/* second line of refusals;
						   default postmaster@service */
	/* Networks. */
	struct cidr_list	 network, network_except, cluster;
	TAILQ_HEAD(, config_pki) pkis;
	TAILQ_HEAD(, config_listen) listens;
	struct netaddr		 send4, send6;	/* family 0: any */
	struct config_addrport	*resolvers;	/* none: the system's */
	size_t			 nresolvers;
	char			*dnssec;	/* trust anchors, or NULL */

	/* Policy. */
	struct policy		 policy;	/* for everybody */
	uint32_t		 grey_delay_s, grey_window_s, grey_keep_s;
	enum config_antivirus	 antivirus;
	struct config_names	 clamd;		/* socket paths */
	struct config_names	 virus_hashes;	/* of builtin, sorted */
	enum action		 antivirus_down; /* TEMPFAIL or ACCEPT */
	TAILQ_HEAD(, config_dnsbl) dnsbls;
	size_t			 ndnsbls;
	TAILQ_HEAD(, config_symbol) symbols;
	/* Who passes on mail of others; names are confirmed ones of clients,
	   or above them. */
	struct cidr_list	 forwarders;
	struct config_names	 forwarder_names;
	struct config_names	 arc_sealers;	/* domains, folded */
	TAILQ_HEAD(, config_participant) participants;

	/* State. */
	enum config_state	 state;
	struct config_addrport	*redis;
	size_t			 nredis;
	int			 redis_cluster;
	char			*dir_runtime, *dir_spool, *dir_state;
	char			*user_prefix;	/* "_pf" */
	struct config_names	 operators;	/* besides root */

	/* DKIM: kept for the processes that sign. */
	struct config_names	 dkim_selectors;
	char			*dkim_below;
	uint32_t		 dkim_rotate_s;

	/* Limits, `limit NAME VALUE'; defaults in limits.h. */
	uint64_t		 message_max;	/* octets */
	uint64_t		 memory;	/* of all messages held */
	uint32_t		 limit_connections, limit_netconnections;
	uint32_t		 limit_errors, limit_commands, limit_messages;
	uint32_t		 limit_rcpts;
	uint32_t		 limit_idle_s, limit_data_s, limit_deadline_s;
	uint32_t		 limit_dns_s, limit_connect_s, limit_drain_s;
	uint32_t		 limit_hopconnections, limit_lists_s;
	/* Of what is in one message, see struct budget in scand. */
	uint32_t		 limit_scan_depth, limit_scan_members;
	uint32_t		 limit_scan_bytes, limit_scan_ratio;
	uint32_t		 limit_scan_ms;
	uint32_t		 nsmtp, nscanner, ndeliver; /* processes */

	/* Queue. */
	uint32_t		 queue_retry_s, queue_retrymax_s;
	uint32_t		 queue_warn_s, queue_expire_s;
};

/* A macro given with -D name=value. */
struct config_macro {
	const char	*name, *value;
};

/*
 * Parse a file.  Errors go to errf (NULL: nowhere) as "file:line: reason", all
 * that are found in one go, and what is allowed but doubtful as "file:line:
 * warning: reason".  The names of what is included are relative to the
 * including file; certificates and keys must be there.  NULL when anything is
 * wrong.  One parse at a time: the grammar keeps its state in globals.
 */
struct config	*config_parse_file(const char *file,
		    const struct config_macro *, size_t nmacros, FILE *errf);
/* The same, without looking at the files it names and without warnings: for
   gwctl reload, whose user may not read keys. */
struct config	*config_parse_names(const char *file,
		    const struct config_macro *, size_t nmacros, FILE *errf);
/* As far as it can be read, errors or not; NULL without a file.  For gwctl,
   which only has to find the daemons. */
struct config	*config_parse_part(const char *file,
		    const struct config_macro *, size_t nmacros, FILE *errf);
/* The same from memory (canonical text, tests, fuzzing); include is refused,
   no file is looked at: a child in its empty root parses this way. */
struct config	*config_parse_text(const char *name, const char *text,
		    size_t len, FILE *errf);
/*
 * Canonical text, macros and includes expanded, defaults written out; it
 * parses to the same.  -1 when the stream failed.
 */
int		 config_print(const struct config *, FILE *);
void		 config_free(struct config *);

/*
 * Set by scand, which has the table of symbols: is there such a symbol?  The
 * other daemons leave it NULL and only the form of a name is checked.
 */
extern int	(*config_symbol_known)(const char *);

/* Look-ups; NULL or 0 when there is none. */
const struct config_domain *config_domain(const struct config *,
		    const char *folded);
const struct config_relay *config_relay(const struct config *,
		    const struct netaddr *client);	/* longest match */
int		 config_discard(const struct config_domain *,
		    const char *folded_address);
int		 config_trap(const struct config_domain *,
		    const char *folded_address);

#endif
