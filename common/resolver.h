/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_RESOLVER_H
#define COMMON_RESOLVER_H

#include <stdint.h>

#include "common/config/config.h"
#include "common/ipc.h"

/*
 * DNS.  The resolver process (libunbound) runs in scand and relayd-out; the
 * stub here asks it over a channel.  Nothing waits: an answer comes as a
 * callback, at the latest when the time of the question is up.
 */

enum dns_type {		/* numbers of the registry, RFC 1035 3.2.2 */
	DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16,
	DNS_AAAA = 28, DNS_TLSA = 52
};

enum dns_status {
	DNS_OK,			/* records are there */
	DNS_NODATA,		/* the name exists, not this type */
	DNS_NXDOMAIN,
	DNS_FAIL,		/* SERVFAIL, refused, malformed, bogus */
	DNS_TIMEOUT
};

enum dns_security { DNS_INSECURE, DNS_SECURE, DNS_BOGUS };

#define DNS_RECORDS	128	/* of one answer that travel; more: truncated.
				   Large firms have 100 TXT at their domain */
#define DNS_DATA	16384	/* octets of all records of one answer */
#define DNS_NAME	256

/*
 * Records as they are meant: addresses as 4 or 16 octets; MX as preference
 * (2, network order) and name text ("" is the root: no mail, RFC 7505); PTR
 * and CNAME as name text (lower case, no final dot); TXT as its strings
 * joined; TLSA as RDATA.  Malformed records are left out; where nothing is
 * left of an answer it is DNS_FAIL.
 */
struct dns_record {
	const uint8_t	*data;		/* name texts are not terminated */
	uint16_t	 len;
};

struct dns_answer {
	enum dns_status		 status;
	enum dns_security	 security;
	uint32_t		 ttl;		/* seconds */
	int			 truncated;	/* more records than travel */
	char			 cname[DNS_NAME];	/* canonical name */
	struct dns_record	 rec[DNS_RECORDS];
	size_t			 nrec;
};

/* Both ends of the wire, VERB_ANSWER: status to records in order.
   dns_answer_parse borrows from the frame; -1 when it does not decode. */
void	dns_answer_add(struct ibuf *, const struct dns_answer *);
int	dns_answer_parse(struct ibuf *, struct dns_answer *);

/*
 * The stub: one a process.  dns_peer(ipc) tells it the channel, dns_peer_gone
 * that one has closed: what is open is asked again when there is another,
 * until its time is up (after a reload the new channel may come before the
 * old one goes; an old one that goes then is no loss).  dns_peer(NULL): there
 * is none.  The process lists RESOLVER_VERB_ANSWER in its dispatch table.
 */
void	dns_peer(struct ipc *);
void	dns_peer_gone(struct ipc *);
int	dns_answered(struct ipc *, struct imsg *);
#define RESOLVER_VERB_ANSWER \
	{ VERB_ANSWER, PEER_BIT(PEER_RESOLVER), LIM_FRAME, IPC_NOFD, \
	    dns_answered }

/*
 * What the stub has kept from earlier questions, without asking: 1 with *a
 * borrowed until the next call of the stub, else 0.
 */
int	dns_known(const char *name, enum dns_type, struct dns_answer *a);

struct dns_question;
/*
 * Ask; cb is called once, never from inside dns_ask, unless dns_cancel comes
 * first.  The answer is borrowed for the call, in which dns_cancel of this
 * question does nothing.  NULL without memory.  Equal questions share one
 * frame, warm ones cost none.  What cannot be a name gets DNS_NXDOMAIN, what
 * is past LIM_DNS_QUESTIONS DNS_FAIL.  At most LIM_DNS_MS.
 */
struct dns_question *dns_ask(const char *name, enum dns_type, uint64_t ms,
	    void (*cb)(const struct dns_answer *, void *), void *arg);
void	dns_cancel(struct dns_question *);

/*
 * The process: the same for both daemons, for their process tables, which say
 * RESOLVER_HOOKS where their own name init, start, verbs and so on.  It needs
 * POWER_DNS and RESOLVER_FILES descriptors.
 */
int	resolver_init(const struct config *, unsigned instance);
void	resolver_start(void);
void	resolver_peer_up(struct ipc *);
void	resolver_peer_gone(struct ipc *);
void	resolver_drain(int hurry);
#define RESOLVER_NVERBS	1
extern const struct ipc_verb resolver_verbs[RESOLVER_NVERBS];
extern const size_t resolver_nverbs;
#define RESOLVER_FILES	9216
#define RESOLVER_HOOKS							\
	.init = resolver_init,						\
	.start = resolver_start,					\
	.verbs = resolver_verbs,					\
	.nverbs = RESOLVER_NVERBS,					\
	.peer_up = resolver_peer_up,					\
	.peer_gone = resolver_peer_gone,				\
	.drain = resolver_drain

#endif
