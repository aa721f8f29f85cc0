/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_PROTOCOL_H
#define COMMON_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/cidr.h"
#include "common/envelope.h"
#include "common/imsg.h"
#include "common/limits.h"

/*
 * Every message between processes: who sends it to whom, what it carries, what
 * answers it.  This is the only place that two daemons both know about each
 * other.  Payload fields are listed in order; str and blob are length and
 * octets.  `job' in the frame is the asker's number: the answer bears it too.
 *
 * A request whose id was seen before gets the answer that was given then, so
 * whatever was in flight when a process died is simply asked again.
 */

#define PROTOCOL_VERSION	1

enum verb {
	/* Any daemon, both ways, first on a channel between daemons.
	   u32 version, u32 generation, u32 credits. */
	VERB_HELLO = 1,

	/* Parent and child, in every daemon (common/proc.c). */
	VERB_CONFIG = 16,	/* > u32 generation, u8 debug; fd: text */
	VERB_LISTEN,		/* > u8 kind, u32 index; fd */
	VERB_PEER,		/* > u8 kind, u32 instance; fd */
	VERB_DAEMON,		/* > u8 daemon; fd, or none: not reachable */
	VERB_SHARE,		/* > u8 what, u32 index; fd: secrets ... */
	VERB_DRAIN,		/* > u8 hurry: finish what is held, leave */
	VERB_READY,		/* < cage closed */
	VERB_CALL,		/* < u8 daemon: connect me */
	VERB_RELOAD,		/* < job: an operator asks (control) */
	VERB_RELOADED,		/* > job, u8 ok, str text */
	VERB_KILL,		/* < u8 kind, u32 instance: it hangs */
	VERB_MEMFILES,		/* < u32 how many pairs (OpenBSD) */

	/* smtpd-front and scand. */
	VERB_CLIENT = 32,	/* smtp > broker: netaddr client */
	VERB_SCAN,		/* smtp > broker: struct scan; fd; VERDICT */
	VERB_VERDICT,		/* struct verdict */
	VERB_CANCEL,		/* any > any: job; the client has gone */
	VERB_SENDER,		/* smtp > broker: str helo, str sender; at
				   MAIL of a client that was told of */

	/* Inside scand. */
	VERB_JOB = 48,		/* broker > scanner: struct scan; fd; RESULT */
	VERB_RESULT,		/* scanner > broker: struct verdict */
	VERB_PARKED,		/* scanner > broker: job waits for answers; a
				   job that runs is told by SHARE_RUNNING */
	VERB_ASK,		/* > resolver: str name, u16 type, u32 ms */
	VERB_ANSWER,		/* < resolver: see resolver.h */
	VERB_VIRUS,		/* scanner > antivirus: u64 size; fd */
	VERB_VIRUSED,		/* u8 enum virus_status, str name */
	VERB_VIRUS_STATE,	/* antivirus > broker: str version; "": away */
	VERB_LISTS,		/* broker > scanner: blob, an octet for each
				   dnsbl: LIST_ASK_* */

	/* smtpd-front and greyd. */
	VERB_GREY = 64,		/* smtp > store: struct grey_ask; GREYED */
	VERB_GREYED,		/* u8 pass, u32 seconds to wait, str why */
	VERB_RATE,		/* smtp > store: str key, u32 cost, u32 limit,
				   u32 period in seconds; GREYED */
	VERB_EVENT,		/* smtp > store: u8 event, netaddr, str */

	/* smtpd-front and relayd-out. */
	VERB_PUT = 80,		/* smtp > queue: u32 deadline ms, envelope;
				   fd; STORED */
	VERB_STORED,		/* u8 enum put_status, str how or reply */

	/* Inside relayd-out (payloads: relayd-out/relayd-out.h). */
	VERB_SPOOL_PUT = 96,	/* queue > spool: envelope; fd */
	VERB_SPOOL_STORED,	/* spool > queue: u8 ok; fd read-only */
	VERB_SPOOL_OPEN,	/* queue > spool: str id */
	VERB_SPOOL_OPENED,	/* spool > queue: u8 ok, envelope; fd */
	VERB_SPOOL_UPDATE,	/* queue > spool: str id, record */
	VERB_SPOOL_REMOVE,	/* queue > spool: str id */
	VERB_SPOOL_LOADED,	/* spool > queue: entries at start */
	VERB_SPOOL_READY,	/* spool > queue: all was loaded */
	VERB_DELIVER,		/* queue > deliver: job; fd */
	VERB_DELIVERED,		/* deliver > queue: results a recipient */

	/* gwctl and the serving child of each daemon. */
	VERB_CTL_STATUS = 128,	/* > ; CTL_TEXT..., CTL_END */
	VERB_CTL_SCAN,		/* > scand: u64 size, u8 class, netaddr, str
				   helo, str sender, str rcpt; fd */
	VERB_CTL_QUEUE,		/* > relayd-out: str word, str argument */
	VERB_CTL_RELOAD,	/* > */
	VERB_CTL_TEXT = 133,	/* < str: lines of "key value" or plain text */
	VERB_CTL_END,		/* < u8 exit status, str error */
	VERB_MAX
};

/* VERB_LISTEN kinds. */
enum listen_kind {
	LISTEN_MAIL,		/* index: which listen line */
	LISTEN_DAEMON,		/* other daemons connect here */
	LISTEN_CONTROL		/* gwctl connects here */
};

/* VERB_SHARE kinds. */
enum share_kind {
	SHARE_LIMITS,		/* the page of counts, smtpd-front/limit.c */
	SHARE_CERT,		/* PEM text of pki number `index' */
	SHARE_KEY,
	SHARE_MEMFILE_W,	/* OpenBSD: a pair of descriptors */
	SHARE_MEMFILE_R,
	SHARE_RUNNING		/* the page of running jobs, scand/running.c */
};

enum daemon_id {
	DAEMON_FRONT, DAEMON_SCAND, DAEMON_GREYD, DAEMON_RELAYD, DAEMON_MAX
};
/* "smtpd-front" ...; also the base of its sockets in the runtime directory. */
const char *daemon_name(enum daemon_id);

/* What may be done with a message of one policy class. */
enum action {
	ACTION_ACCEPT,
	ACTION_GREYLIST,	/* between the thresholds: ask greyd */
	ACTION_TEMPFAIL,	/* could not be judged: 451 4.3.0 */
	ACTION_REJECT,		/* 554 5.7.1 or what the verdict's reply says */
	ACTION_MAX
};
const char *action_name(enum action);

/* Findings that decide by themselves; each has a policy (pfoertner.conf).  Of
   several in one message, a refusal tells the first. */
enum decisive {
	DECISIVE_VIRUS,
	DECISIVE_MACRO,
	DECISIVE_MACRO_UNREADABLE,
	DECISIVE_PDF,
	DECISIVE_PDF_OWNER,	/* encrypted, but opens without password */
	DECISIVE_ARCHIVE,
	DECISIVE_ARCHIVE_HALF,	/* encrypted by one of two headers */
	DECISIVE_OFFICE,
	DECISIVE_PARTIAL,	/* message/partial */
	DECISIVE_OPAQUE,	/* cannot be looked into */
	DECISIVE_DMARC,		/* and the policy of its domain is reject */
	DECISIVE_MAX
};

enum policy_role {
	POLICY_ORDINARY,
	POLICY_POSTMASTER,	/* abuse@, postmaster@: no score, no greylist */
	POLICY_DUMMY		/* discard */
};

/* A policy class of recipients: what the verdict needs to know of it.  Names
   last longer than the numbers of a configuration, which each daemon
   reloads. */
struct policy {
	uint8_t		role;		/* enum policy_role */
	int32_t		greylist_at;	/* hundredths of points */
	int32_t		reject_at;
	uint8_t		decisive[DECISIVE_MAX];	/* enum action of each */
	char		participant[LIM_NAME + 1];	/* "": of none */
};

#define SCAN_EXPLAIN	0x01	/* fill verdict.report */

struct scan {
	char			 id[ID_SIZE];
	uint32_t		 deadline;	/* ms left for the verdict */
	uint8_t			 flags;		/* SCAN_* */
	enum session_class	 class;
	struct netaddr		 client;
	char			 helo[LIM_HELO + 1];
	char			 tls[64];
	char			 sender[LIM_PATH + 1];
	uint64_t		 size;
	uint8_t			 hash[MESSAGE_HASH];	/* zeros: not known */
	uint16_t		 nrcpts;
	char			*rcpts;		/* addresses, one a line (LF) */
	struct policy		 policies[LIM_CLASSES];
	size_t			 npolicies;
};

struct symbol_hit {
	char		 name[LIM_SYMNAME];
	int32_t		 points;
	char		 detail[128];	/* "", or what was found, printable */
};

struct verdict {
	char			 id[ID_SIZE];
	int32_t			 score;
	uint32_t		 ms;		/* spent, wall */
	uint8_t			 actions[LIM_CLASSES];	/* enum action */
	size_t			 nactions;
	struct symbol_hit	*hits;
	size_t			 nhits;
	char			 reply[LIM_REPLY];	/* "5.7.1 text", or
						   "550 5.7.26 text" */
	char			 rdns[LIM_DOMAIN + 1];	/* confirmed, or "" */
	char			 domain[LIM_DOMAIN + 1]; /* authenticated */
	char			*trace;		/* header fields to prepend */
	char			*report;	/* SCAN_EXPLAIN, else NULL */
};

/* free functions take what the struct owns, not the struct. */
void	 scan_add(struct ibuf *, const struct scan *);
int	 scan_parse(struct ibuf *, struct scan *);
void	 scan_free(struct scan *);
void	 verdict_add(struct ibuf *, const struct verdict *);
int	 verdict_parse(struct ibuf *, struct verdict *);
void	 verdict_free(struct verdict *);
void	 netaddr_add(struct ibuf *, const struct netaddr *);
void	 netaddr_get(struct ibuf *, struct netaddr *);

struct grey_ask {
	char		 id[ID_SIZE];
	struct netaddr	 client;
	char		 sender[LIM_PATH + 1];
	char		 domain[LIM_DOMAIN + 1];	/* authenticated */
	char		*rcpt_domains;	/* distinct, folded, one a line (LF) */
	int32_t		 score;
};
void	 grey_ask_add(struct ibuf *, const struct grey_ask *);
int	 grey_ask_parse(struct ibuf *, struct grey_ask *);
void	 grey_ask_free(struct grey_ask *);

enum put_status {
	PUT_DURABLE,		/* in the queue after fsync, or on the hop */
	PUT_REFUSED,		/* 5xx of the next hop, text is the reply */
	PUT_FAILED		/* 451: no space, no memory, deadline */
};

/* VERB_EVENT */
enum client_event { EVENT_TRAP, EVENT_REFUSED, EVENT_UNKNOWN_RCPT };

#endif
