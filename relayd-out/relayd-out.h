/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef RELAYD_OUT_H
#define RELAYD_OUT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "common/cidr.h"
#include "common/config/config.h"
#include "common/envelope.h"
#include "common/ipc.h"
#include "common/limits.h"
#include "common/loop.h"
#include "common/message.h"
#include "common/protocol.h"

/*
 * relayd-out: the durable queue and the delivery.
 *
 *	queue	 the schedule in memory: who delivers what, and when
 *	spool	 the files: content, envelope, journal
 *	deliver	 the SMTP client
 *	resolver DNS (common/)
 *
 * Here is what they share; queue.h, spool.h and deliver.h are theirs.
 */

/* ---- text.c: text that grows ---- */

struct text {
	char	*p;		/* not terminated */
	size_t	 len, size;
	int	 bad;		/* no memory: sticky, like struct ibuf */
};

void	 text_reset(struct text *);		/* empty, memory kept */
void	 text_free(struct text *);
void	 text_add(struct text *, const void *, size_t);
void	 text_str(struct text *, const char *);
void	 text_num(struct text *, uint64_t);
void	 text_fmt(struct text *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/*
 * Octets as \xNN where a reader of lines would stumble: control characters
 * but the tab, and the backslash; in a word the blanks too.
 */
enum text_form { TEXT_LINE, TEXT_WORD };
void	 text_escape(struct text *, const char *, size_t, enum text_form);
/*
 * The reverse of n octets at p into dst, terminated.  -1: a broken escape, a
 * NUL, or longer than dst.
 */
int	 text_unescape(const char *p, size_t n, char *dst, size_t dstsize);
/* RFC 5322 3.3 date-time in UTC, or (iso) 2026-01-31T12:00:00Z. */
#define TEXT_DATE	40
const char *text_date(uint64_t wall_ms, int iso, char buf[TEXT_DATE]);
/* A check sum of n octets and whose they are: "~" and eight digits. */
#define SUM_SIZE	10
void	 text_sum(const char *p, size_t n, const char *seed,
	    char out[SUM_SIZE]);
/* No control characters: nothing that ends a line, a command or a field. */
int	 text_clean(const char *);
/* One line of printable text for logs and reports: other octets become "?",
   blanks at both ends go. */
void	 text_printable(const char *, char *dst, size_t dstsize);

/* ---- next hops ---- */

enum hop_kind {
	HOP_MX,		/* host is a domain: by MX, RFC 5321 5.1 */
	HOP_HOST,	/* host is a configured name: its addresses */
	HOP_ADDR,	/* addr */
	HOP_NONE,	/* the recipient has no usable domain */
	HOP_UNROUTED	/* inbound, and the domain is not served (any more) */
};

struct hopspec {
	enum hop_kind	 kind;
	char		 host[LIM_DOMAIN + 1];
	struct netaddr	 addr;
	uint16_t	 port;
};

#define HOP_KEY		(LIM_DOMAIN + 16)

/* Where mail for a folded domain goes; inbound: only where the configuration
   says.  hopspec_key: what messages with the same next hop have in common; for
   people too. */
void	 hopspec_route(const struct config *, const char *domain, int inbound,
	    struct hopspec *);
const char *hopspec_key(const struct hopspec *, char buf[HOP_KEY]);
void	 hopspec_add(struct ibuf *, const struct hopspec *);
int	 hopspec_parse(struct ibuf *, struct hopspec *);

/* ---- what travels between our processes: frames.c ---- */

/* States of a recipient, as they stand in files. */
#define RCPT_PENDING	'p'
#define RCPT_DELIVERED	'd'
#define RCPT_FAILED	'f'	/* and reported, where that was wanted */
#define RCPT_DISCARDED	'x'
#define RCPT_REPORTING	'r'	/* in memory: failed, report not durable yet */

/* Flags of a message in the queue. */
#define ENTRY_HELD	0x01	/* by the operator, or broken in the spool */
#define ENTRY_WARNED	0x02	/* the delay was reported */

/*
 * VERB_SPOOL_PUT: u8 flags, envelope; fd.  With SPUT_COMPOSE there is no
 * descriptor; the content is blob head, then the header fields or all of
 * message str origin (u8 enum compose), then blob tail, and spool completes
 * size and hash in the envelope.
 * VERB_SPOOL_STORED: str id, u8 ok, str why; fd with SPUT_OPEN.
 */
#define SPUT_OPEN	0x01	/* return the file: delivery starts at once */
#define SPUT_COMPOSE	0x02
enum compose { COMPOSE_NONE, COMPOSE_HEADERS, COMPOSE_ALL };

/*
 * VERB_SPOOL_OPEN: str id.
 * VERB_SPOOL_OPENED: str id, u8 enum open_status, and when it is OPEN_OK a
 * struct stored; fd.
 * VERB_SPOOL_REMOVE: str id, u8 settled (0: it was never ours: forget it).
 */
enum open_status {
	OPEN_OK,
	OPEN_GONE,	/* no such files */
	OPEN_BROKEN,	/* they do not hold what they should */
	OPEN_FAILED	/* the system failed us: later */
};

/* An envelope file, read. */
struct stored {
	struct envelope	*env;
	uint64_t	 next;		/* wall ms of the next attempt */
	uint32_t	 attempts;
	uint8_t		 flags;		/* ENTRY_* */
	char		 state[LIM_RCPTS + 1];	/* RCPT_*, one a recipient */
	char		*last[LIM_RCPTS];	/* last reply, or NULL */
};

/* To and from a frame.  stored_parse: NULL when it does not decode. */
void	 stored_add(struct ibuf *, const struct stored *);
struct stored *stored_parse(struct ibuf *);
void	 stored_free(struct stored *);	/* all of it; NULL is fine */

/* VERB_SPOOL_UPDATE */
struct update {
	char		 id[ID_SIZE];
	uint64_t	 next;
	uint32_t	 attempts;
	uint8_t		 flags;
	char		 state[LIM_RCPTS + 1];	/* all of them */
	char		*note[LIM_RCPTS];	/* news of a rcpt, or NULL */
};

void	 update_add(struct ibuf *, const struct update *);
int	 update_parse(struct ibuf *, struct update *);
void	 update_free(struct update *);	/* what it owns */

/*
 * VERB_SPOOL_LOADED: struct loaded, several.  VERB_SPOOL_READY: u64 count.
 * Domains are folded, one a recipient, blanks between: "-" for a recipient
 * that is discarded, "." for none, "=" for the same as before.
 */
struct loaded {
	uint8_t		 live;		/* 0: settled lately, for its id only */
	char		 id[ID_SIZE];
	uint64_t	 time, size;
	uint64_t	 next;
	uint32_t	 attempts;
	uint8_t		 flags;		/* ENTRY_* */
	uint8_t		 envflags;	/* ENV_*, LOADED_INBOUND */
	uint16_t	 nrcpts;
	char		 sender[LIM_PATH + 1];
	char		 state[LIM_RCPTS + 1];
	char		*domains;
};
#define LOADED_DOMAINS	(LIM_RCPTS * (LIM_DOMAIN + 1))
#define LOADED_INBOUND	0x80	/* goes to configured next hops only */

void	 loaded_add(struct ibuf *, const struct loaded *);
int	 loaded_parse(struct ibuf *, struct loaded *);
void	 loaded_free(struct loaded *);	/* what it owns */
uint8_t	 loaded_flags(const struct envelope *);
/* The domains of an envelope in the form above. */
void	 loaded_domains(struct text *, const struct envelope *);

/*
 * VERB_DELIVER: hopspec, u16 index of each recipient, envelope with only
 * these; fd of the content.  VERB_DELIVERED: struct result.
 */
enum outcome_status { OUTCOME_DELIVERED, OUTCOME_DEFERRED, OUTCOME_FAILED };

struct outcome {
	uint16_t	 index;		/* among all recipients */
	uint8_t		 status;
	uint8_t		 dsn;		/* the hop reports success: RFC 3461 */
	char		 code[12];	/* RFC 3463: "5.1.1" */
	char		*text;		/* the hop's reply, or our reason */
};

enum hop_verdict {
	HOP_GOOD,	/* it talked to us as it should */
	HOP_BUSY,	/* 421, or lost in the middle: fewer at a time */
	HOP_DOWN,	/* no connection or no greeting: all wait, one probes */
	HOP_UNTOUCHED	/* nothing was learnt about it */
};

struct result {
	char		 id[ID_SIZE];
	uint8_t		 verdict;	/* enum hop_verdict */
	uint8_t		 broken;	/* content is not what was accepted */
	char		 remote[HOP_KEY + NETADDR_STRLEN]; /* mx[addr], or "" */
	size_t		 n;
	struct outcome	 v[LIM_RCPTS];
};

void	 result_add(struct ibuf *, const struct result *);
int	 result_parse(struct ibuf *, struct result *);
void	 result_free(struct result *);	/* what it owns */

/* ---- spool.c: the process ---- */

int	 spool_init(const struct config *, unsigned);
void	 spool_start(void);
void	 spool_peer_up(struct ipc *);
void	 spool_peer_gone(struct ipc *);
void	 spool_drain(int);
#define SPOOL_NVERBS	4
extern const struct ipc_verb spool_verbs[SPOOL_NVERBS];

/* ---- queue.c: the process ---- */

void	 queue_start(void);
void	 queue_peer_up(struct ipc *);
void	 queue_peer_gone(struct ipc *);
void	 queue_drain(int);
#define QUEUE_NVERBS	10
extern const struct ipc_verb queue_verbs[QUEUE_NVERBS];

/* ---- deliver.c: the process ---- */

int	 deliver_init(const struct config *, unsigned);
void	 deliver_start(void);
void	 deliver_peer_up(struct ipc *);
void	 deliver_peer_gone(struct ipc *);
void	 deliver_drain(int);
#define DELIVER_NVERBS	2
extern const struct ipc_verb deliver_verbs[DELIVER_NVERBS];

#endif
