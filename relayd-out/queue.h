/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef RELAYD_OUT_QUEUE_H
#define RELAYD_OUT_QUEUE_H

#include <sys/queue.h>
#include <sys/tree.h>

#include "relayd-out/relayd-out.h"

/*
 * What the process queue is made of: the schedule, the messages in it, their
 * way in, out to deliver, and what becomes of them.
 */

/* ---- schedule.c: who is next ---- */

enum node_kind { NODE_PART, NODE_HOP, NODE_ENTRY };
struct node {				/* in the heap of times */
	uint64_t	 when;		/* monotonic ms */
	uint32_t	 pos;		/* 0: not in it */
	uint8_t		 kind;
};

enum part_state {
	PART_IDLE,		/* held, or nothing left to do */
	PART_WAITING,		/* for its time */
	PART_READY,		/* for its hop */
	PART_ACTIVE
};

struct entry;
struct hop;

/* The recipients of one message that share a next hop. */
struct part {
	TAILQ_ENTRY(part)	 ready;
	struct node		 node;
	struct entry		*entry;
	struct hop		*hop;
	uint32_t		 job;		/* while active, else 0 */
	uint16_t		 attempts;	/* that the message failed */
	uint8_t			 interrupted;	/* deliver died under it */
	uint8_t			 state;		/* enum part_state */
};

struct hop {
	RB_ENTRY(hop)		 tree;
	TAILQ_ENTRY(hop)	 runnable;
	TAILQ_ENTRY(hop)	 unused;
	TAILQ_HEAD(, part)	 ready;
	struct node		 node;		/* while it is down */
	struct hopspec		 spec;
	char			*key;
	char			*why;		/* last trouble, or NULL */
	uint32_t		 nready, nactive, nparts;
	uint32_t		 window;	/* how many at a time */
	uint32_t		 failures;	/* in a row */
	uint32_t		 worker;	/* deliver process it likes */
	uint64_t		 until;		/* down until then */
	uint8_t			 isrunnable;
};

/* Back-off of hops starts at first_ms, doubles, ends at max_ms. */
void	 sched_init(uint32_t window_max, uint64_t first_ms, uint64_t max_ms);
/* The hop of this key, made if it is new.  NULL without memory. */
struct hop *sched_hop(const struct hopspec *);
struct hop *sched_hop_next(struct hop *);	/* all, by key; NULL: first */
void	 part_init(struct part *, struct entry *, struct hop *);
void	 part_ready(struct part *);
void	 part_wait(struct part *, uint64_t when);
void	 part_idle(struct part *);
void	 part_free(struct part *);	/* forget it; its memory stays */
/* The next part whose hop may take one; it is active then. */
struct part *sched_take(void);
/* What was learnt about the hop of an active part, which is idle then. */
void	 sched_result(struct part *, enum hop_verdict, const char *why,
	    uint64_t now);
/* Could the hop start one more at once, or soon? */
int	 sched_prompt(const struct hop *);
/* Let all hops be tried again now (the operator's wish). */
void	 sched_retry_hops(void);
/* Move on what is due; entries whose time has come go to deadline. */
void	 sched_tick(uint64_t now, void (*deadline)(struct entry *));
uint64_t sched_due(void);		/* UINT64_MAX: nothing */
void	 node_set(struct node *, uint64_t when);
void	 node_del(struct node *);
/* base doubled n times, at most max, a tenth more or less. */
uint64_t sched_backoff(uint64_t base, uint64_t max, unsigned n);

/* ---- entry.c: a message in the queue ---- */

enum entry_state {
	ENTRY_STORING,		/* spool has it, no answer yet */
	ENTRY_QUEUED
};

/* What an envelope is being read for. */
#define WANT_EXPIRE	0x01
#define WANT_WARN	0x02
#define WANT_REMOVE	0x04	/* with a bounce */

struct report;		/* settle.c */
struct put;		/* accept.c */

struct entry {
	RB_ENTRY(entry)	 tree;
	struct node	 node;		/* the next of warning and expiry */
	char		 id[ID_SIZE];
	uint8_t		 state;		/* enum entry_state */
	uint8_t		 flags;		/* ENTRY_* */
	uint8_t		 envflags;
	uint8_t		 want;		/* WANT_* */
	uint8_t		 opening;	/* VERB_SPOOL_OPEN is out */
	uint8_t		 nparts;
	uint16_t	 nrcpts;
	uint16_t	 nactive;	/* parts */
	uint16_t	 nreports;	/* being made durable */
	uint32_t	 attempts;
	uint64_t	 time;		/* wall ms */
	uint64_t	 size;
	struct stored	*stored;	/* while something goes on with it */
	int		 fd;		/* its content, or -1 */
	TAILQ_ENTRY(entry) warm;	/* those with stored or fd */
	struct put	*put;		/* who waits for its 250 */
	uint8_t		*rstate;	/* RCPT_* of each recipient */
	uint8_t		*rpart;
	char		*sender;
	struct part	 parts[];
};

struct queue_counts {
	uint64_t	 accepted, delivered, deferred, failed, discarded;
	uint64_t	 bounces, removed;
	size_t		 entries, held, active, warm, storing;
};
extern struct queue_counts counts;

/* NULL without memory.  Not in the table yet. */
struct entry *entry_new(const struct loaded *);
struct entry *entry_from_envelope(const struct envelope *);
/* -1: the id is there already. */
int	 entry_insert(struct entry *);
struct entry *entry_find(const char *id);
struct entry *entry_after(const char *id);	/* "" for the first */
/* Out of the table and gone; its files are not touched. */
void	 entry_free(struct entry *);
/* What is pending and not active waits until then, or is ready. */
void	 entry_schedule(struct entry *, uint64_t next_wall_ms);
void	 entry_deadline(struct entry *);	/* set the node */
/* The first wall ms at which a part is due again. */
uint64_t entry_next(const struct entry *);
int	 entry_pending(const struct entry *);	/* recipients */
void	 entry_hold(struct entry *, int on);	/* and what follows */
/* Keep or drop the envelope and descriptor of one that is not active. */
void	 entry_warm(struct entry *, struct stored *, int fd);
void	 entry_cool(struct entry *);

/* Ids settled lately, so that a question asked twice has one answer. */
void	 settled_add(const char *id);
int	 settled_has(const char *id);

/* ---- queue.c: for its other files ---- */

/* Something may be startable: at the end of this turn. */
void	 queue_kick(void);
int	 queue_ready(void);		/* spool is there, all was loaded */
int	 queue_leaving(void);		/* no new work */
/* To spool.  fd is taken.  0, or -1 when it is away; it is told what it must
   know when it is back. */
int	 queue_spool(enum verb, int fd, const struct ibuf *);
void	 queue_remove(const char *id, int was_settled);
/* The state of an entry, with news of recipients (or NULL), to spool. */
void	 queue_save(const struct entry *, char *const *notes);

/* ---- accept.c: PUT until it is durable ---- */

int	 accept_put(struct ipc *, struct imsg *);
int	 accept_cancel(struct ipc *, struct imsg *);
int	 accept_stored(struct ipc *, struct imsg *);
void	 accept_found(struct entry *);	/* that has a put, in spool */
void	 accept_ready(void);		/* spool is there, all was loaded */
void	 accept_peer_gone(struct ipc *);
void	 accept_tick(uint64_t now);	/* deadlines */
/* Store a report of ours; takes env, head and tail are copied.  -1: no
   memory. */
int	 accept_report(struct envelope *, struct report *,
	    const struct text *head, const char *origin, enum compose,
	    const struct text *tail);

/* ---- dispatch.c: parts to deliver processes ---- */

void	 dispatch_run(void);
void	 dispatch_worker_up(struct ipc *);
void	 dispatch_worker_gone(struct ipc *);
int	 dispatch_opened(struct ipc *, struct imsg *);
int	 dispatch_delivered(struct ipc *, struct imsg *);
/* Read an entry's envelope for WANT_*. */
void	 dispatch_want(struct entry *, uint8_t want);
void	 dispatch_ready(void);		/* spool is there, all was loaded */
void	 dispatch_print(struct text *);	/* for gwctl status */

/* ---- settle.c: what becomes of recipients ---- */

/* A delivery of these recipients has ended so; p (idle now) or NULL. */
void	 settle_result(struct entry *, struct part *, struct result *);
/* Give up all recipients that still wait; the entry is warm. */
enum giveup { GIVEUP_EXPIRED, GIVEUP_REMOVED };
void	 settle_giveup(struct entry *, enum giveup);
void	 settle_warn(struct entry *);
void	 settle_drop(struct entry *);	/* the operator's: no bounce */
void	 settle_deadline(struct entry *);	/* its node is due */
/* Remove it if nothing is left to do: then it is freed, and 1. */
int	 settle_finish(struct entry *);
/* Free it and its files; it counts as settled. */
void	 settle_remove(struct entry *);
/* A report is durable. */
void	 settle_reported(struct report *);
void	 settle_report_free(struct report *);
/* Recipients that are to be discarded: gone, and logged. */
void	 settle_discards(const struct envelope *);

/* ---- dsn.c: RFC 3461, RFC 3464 ---- */

enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_RELAYED };

/* "failed", "delayed", "relayed" */
const char *dsn_action_name(enum dsn_action);

struct dsn_rcpt {
	const struct rcpt	*rcpt;
	const char		*code;		/* "5.1.1" */
	const char		*text;		/* reply or reason, or NULL */
	const char		*remote;	/* "mx[addr]": it is a reply */
};

struct dsn {
	enum dsn_action		 action;
	const struct envelope	*env;		/* what it is about */
	const char		*service, *node, *contact;
	const char		*id;		/* of the report */
	uint64_t		 now;		/* wall ms */
	uint64_t		 until;		/* DELAYED: given up then */
	const struct dsn_rcpt	*rcpts;
	size_t			 nrcpts;
};

/* Is a report of this kind wanted for the recipient? */
int	 dsn_wanted(const struct envelope *, const struct rcpt *,
	    enum dsn_action);
/* What stands before and behind the returned message. */
void	 dsn_print(const struct dsn *, struct text *head, struct text *tail);
/* How much of it is returned. */
enum compose dsn_returns(const struct dsn *);

/* ---- control.c: the operator's words ---- */

int	 control_status(struct ipc *, struct imsg *);
int	 control_queue(struct ipc *, struct imsg *);
int	 control_reload(struct ipc *, struct imsg *);
void	 control_gone(struct ipc *);
void	 control_opened(const char *id, enum open_status,
	    const struct stored *);

#endif
