/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SMTPD_FRONT_H
#define SMTPD_FRONT_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/envelope.h"
#include "common/ipc.h"
#include "common/limits.h"
#include "common/loop.h"
#include "common/message.h"
#include "common/protocol.h"

/*
 * smtpd-front, in the order in which mail meets it: the process, a session,
 * its commands, a transaction, what is asked of the other daemons.
 */

struct ask;
struct io;
struct session;
struct tls;
struct transaction;

/*
 * The state of one smtp process that everything here shares.
 */
struct front {
	const struct config	*config;
	TAILQ_HEAD(, session)	 sessions;
	unsigned		 nsessions;
	unsigned		 max_sessions;	/* by descriptors; 0: any */
	unsigned		 norphans;	/* without a client */
	unsigned		 nheld;		/* transactions after the dot */
	int			 draining;
	int			 hurry;
	/* Called when a session or an orphan has gone; may be NULL. */
	void			(*left)(void);
};
extern struct front	 front;

/* --- session.c ----------------------------------------------------------- */

enum session_state {
	SESSION_COMMAND,	/* the next line is a command */
	SESSION_ASK,		/* a command waits for another daemon */
	SESSION_TLS,		/* handshake */
	SESSION_DATA,		/* content, up to the dot */
	SESSION_HELD,		/* after the dot, the client waits */
	SESSION_CLOSING		/* the last reply is on its way */
};

/* What an idle client costs, with the io: 4 KiB at most for thousands of them
   to be cheap, so keep it small. */
struct session {
	TAILQ_ENTRY(session)		 entry;
	struct io			*io;
	struct transaction		*transaction;	/* since MAIL */
	struct tls			*tls;	/* STARTTLS offered, or NULL */
	const struct config_relay	*relay;	/* class relay: which range */
	char				*helo;	/* as given, or NULL */
	uint64_t			 since;	/* of the state, loop_now() */
	uint64_t			 began;
	struct netaddr			 client;
	char				 sid[ID_SIZE];
	uint8_t				 state;		/* enum session_state */
	uint8_t				 class;		/* enum session_class */
	uint8_t				 esmtp;		/* EHLO was said */
	uint8_t				 eof;		/* client is silent */
	uint8_t				 linger;	/* we hang up first */
	uint8_t				 failed;	/* io is of no use */
	uint8_t				 busy;		/* inside its input */
	uint8_t				 told;		/* CLIENT was sent */
	uint16_t			 errors;	/* 5xx replies */
	uint32_t			 commands;	/* since a message */
	uint32_t			 messages;	/* transactions begun */
	uint32_t			 accepted;
	uint32_t			 refused;	/* 5xx after the dot */
	const char			*why;	/* it ends, for the log */
};

/* For a configuration that outlives everything here. */
void		 front_init(const struct config *);
/*
 * A client on a connected, non-blocking socket, which is taken.  Limits are
 * checked, it is greeted or turned away.  tls is what STARTTLS uses, or NULL.
 */
void		 session_new(int fd, const struct netaddr *client,
		    struct tls *tls);
/* A command or message that waited is answered: read on.  May free it. */
void		 session_resume(struct session *);
/* Say this (REPLY_MAX: nothing) and hang up; it is freed later, not here. */
void		 session_close(struct session *, unsigned reply,
		    const char *why);
/* Enter a state; the clock of its time limit starts anew. */
void		 session_enter(struct session *, enum session_state);
/* Every second: time limits. */
void		 session_sweep(void);
/*
 * Leave: idle clients get 421 now, others at their next MAIL; with hurry all
 * that have not yet sent their dot.
 */
void		 session_drain(int hurry);
/* Free all at once, without a word (end of the drain time, tests). */
void		 session_drop_all(void);

/* --- cmd_*.c ------------------------------------------------------------- */

#define NEED_HELO	0x01	/* HELO or EHLO first */
#define NEED_MAIL	0x02	/* inside a transaction */
#define NEED_NOMAIL	0x04	/* outside of one */
#define NEED_LAST	0x08	/* nothing may be pipelined behind it */
#define NEED_NOARGS	0x10
#define NEED_ARGS	0x20

struct command {
	const char	*verb;
	void		(*handler)(struct session *, char *args);
	unsigned	 needs;
};

/* One line without its end; args are cut up in place. */
void		 command_run(struct session *, char *line);

/* Handlers of that table: what is needed holds, the reply is theirs. */
void		 cmd_helo(struct session *, char *);
void		 cmd_ehlo(struct session *, char *);
void		 cmd_mail(struct session *, char *);
void		 cmd_rcpt(struct session *, char *);
void		 cmd_data(struct session *, char *);
void		 cmd_starttls(struct session *, char *);
void		 cmd_rset(struct session *, char *);
void		 cmd_noop(struct session *, char *);
void		 cmd_quit(struct session *, char *);
void		 cmd_vrfy(struct session *, char *);
void		 cmd_help(struct session *, char *);
void		 cmd_known(struct session *, char *);
void		 cmd_foreign(struct session *, char *);

/*
 * The parameters of MAIL and RCPT (RFC 5321 4.1.1.11): a table of keywords.
 * value is NULL for a keyword without "=".  A handler has replied when it
 * returns -1.
 */
struct param {
	const char	*keyword;
	int		(*handler)(struct session *, const char *value);
};
/* 0, or -1 and the reply is given. */
int		 param_read(struct session *, char *args,
		    const struct param *, size_t n);
/*
 * "FROM:" or "TO:" and the path behind it; *args moves behind the path.  -1:
 * the reply is given (501 with bad, or 553 for 8-bit without SMTPUTF8).
 */
int		 param_path(struct session *, char **args, const char *prefix,
		    int utf8, char *path, size_t size, unsigned bad);

/* --- reply.c ------------------------------------------------------------- */

enum reply_id {
	REPLY_BANNER, REPLY_BYE, REPLY_HELO, REPLY_OK, REPLY_RSET, REPLY_NOOP,
	REPLY_SENDER_OK, REPLY_RCPT_OK, REPLY_VRFY, REPLY_HELP, REPLY_TLS,
	REPLY_DATA, REPLY_ACCEPTED,
	/* Hanging up. */
	REPLY_DRAIN, REPLY_CONNECTIONS, REPLY_NETCONNECTIONS, REPLY_ERRORS,
	REPLY_COMMANDS, REPLY_MESSAGES, REPLY_IDLE, REPLY_SLOW, REPLY_MEMORY,
	REPLY_EARLY, REPLY_PIPELINING, REPLY_FOREIGN,
	/* Commands. */
	REPLY_UNKNOWN, REPLY_KNOWN, REPLY_LONG, REPLY_LINE_END, REPLY_NUL,
	REPLY_HELO_SYNTAX, REPLY_NOARGS, REPLY_ARGS, REPLY_NEED_HELO,
	REPLY_NEED_MAIL, REPLY_NEED_RCPT, REPLY_NESTED, REPLY_NO_TLS,
	REPLY_TLS_ON, REPLY_PARAM_UNKNOWN, REPLY_PARAM_BAD, REPLY_PARAM_TWICE,
	REPLY_PATH_SYNTAX, REPLY_SENDER_SYNTAX, REPLY_RCPT_SYNTAX, REPLY_8BIT,
	REPLY_SIZE, REPLY_ROOM, REPLY_NOMEM, REPLY_RATE,
	REPLY_RELAY, REPLY_NO_USER, REPLY_RCPTS, REPLY_RCPT_CLASS,
	REPLY_NO_RCPTS,
	/* After the dot: these have the id on a second line. */
	REPLY_BARE, REPLY_LOOP, REPLY_BIG, REPLY_FULL, REPLY_LOCAL,
	REPLY_UNSCANNED, REPLY_REJECT, REPLY_TEMPFAIL, REPLY_SPLIT, REPLY_GREY,
	REPLY_GREY_AWAY, REPLY_QUEUE_AWAY, REPLY_PUT_REFUSED, REPLY_PUT_FAILED,
	REPLY_MAX
};

/* Queue a reply; %1 and %2 in its text are a and b. */
void		 reply(struct session *, unsigned id);
void		 reply_args(struct session *, unsigned id, const char *a,
		    const char *b);
/* EHLO's many lines (RFC 5321 4.1.1.1). */
void		 reply_ehlo(struct session *);
/*
 * The last word on a message.  Its text may have been said by another daemon:
 * "5.7.1 text", or with a code in front, LF between lines; what does not fit
 * the kind of reply (4xx or 5xx) is replaced by the table's.  Refusals get the
 * id and the contact on a further line.  A reply needs no session: the code
 * and status are logged all the same.
 */
struct answer {
	unsigned	 code;
	char		 status[12];
	char		 text[2 * LIM_REPLY];	/* lines, LF between them */
};
void		 answer_set(struct answer *, unsigned id, const char *a,
		    const char *b);
void		 answer_foreign(struct answer *, unsigned id,
		    const char *text);
void		 reply_answer(struct session *, const struct answer *,
		    const char *id);
/* For a client that never becomes a session: one write, no buffers. */
void		 reply_fd(int fd, unsigned id);
unsigned	 reply_code(unsigned id);

/* --- policy.c ------------------------------------------------------------ */

/* The class of a client address; *relay is its range, or NULL. */
enum session_class policy_session(const struct netaddr *,
		    const struct config_relay **relay);

struct target {				/* what a recipient is to us */
	const struct config_domain	*domain;	/* NULL: not served */
	struct policy			 policy;
	int				 trap;
	int				 discard;
};
/* address may become another one (postmaster, at our own names).  -1: too
   long, or no mailbox stands for it. */
int		 policy_target(char *address, size_t size, struct target *);
/* Does the route of this domain lie inside the cluster? */
int		 policy_inside(const struct config_domain *);
int		 policy_same(const struct policy *, const struct policy *);

#define POLICY_SPLIT	ACTION_MAX	/* the classes do not agree */
/*
 * One action for the message, from one for each class; dummies follow the
 * others.  ACTION_GREYLIST becomes ACTION_ACCEPT for all but inbound.
 */
unsigned	 policy_agree(const struct policy *, const uint8_t *actions,
		    size_t n, enum session_class);
/* Greyd is away: may this range send one more?  0, or seconds to wait. */
uint32_t	 policy_rate(const struct config_relay *);

/* --- content.c ----------------------------------------------------------- */

/*
 * The octets after DATA.  Only CRLF . CRLF ends them; a bare CR, a bare LF or
 * a NUL anywhere is remembered.  Pure: no I/O, fed in pieces of any size.
 */
struct content {
	uint8_t		 state;
	uint8_t		 bare;		/* what is forbidden was seen */
	uint8_t		 match;		/* octets of "received:" matched */
	uint8_t		 body;		/* the header section is over */
	unsigned	 hops;		/* Received fields */
};
void		 content_init(struct content *);
/*
 * Take some of the n octets at p: *used are done with, of which seglen at
 * *seg are content (dot-stuffing undone).  1: that was the end; 0: go on
 * with the rest, if any.
 */
int		 content_take(struct content *, const uint8_t *p, size_t n,
		    size_t *used, const uint8_t **seg, size_t *seglen);

/* --- limit.c ------------------------------------------------------------- */

enum limit_count {		/* of a child, for status */
	COUNT_CONNECTS, COUNT_TURNED_AWAY, COUNT_ACCEPTED, COUNT_REFUSED,
	COUNT_DEFERRED, COUNT_OCTETS, COUNT_MAX
};
enum limit_gauge { GAUGE_MEMORY, GAUGE_HELD, GAUGE_WAITING, GAUGE_MAX };

/* Parent: a new shared page in fd's file (to be passed to children); -1. */
int		 limit_page_make(int fd);
/* Parent: zero the rows of children that are no more. */
void		 limit_page_sweep(void);
/* Child: use the page behind fd, which is taken; without one, one of our
   own.  Fatal when it cannot be mapped. */
void		 limit_attach(int fd);
/* The slice of message memory that this process may hold. */
void		 limit_init(const struct config *);

/* Count a client in.  0; 1: too many; 2: too many of its network. */
int		 limit_connect(const struct netaddr *);
void		 limit_disconnect(const struct netaddr *);
void		 limit_count(enum limit_count, uint64_t);
void		 limit_gauge(enum limit_gauge, uint64_t);
/* Sums over all children. */
uint64_t	 limit_sessions(void);
uint64_t	 limit_counted(enum limit_count);
uint64_t	 limit_gauged(enum limit_gauge);

/* Of a client's network, with a key that nobody outside knows. */
uint64_t	 limit_network_hash(const struct netaddr *);

/* Client network and sender whose recipients have to come class by class. */
void		 limit_split_add(const struct netaddr *, const char *sender);
int		 limit_split_has(const struct netaddr *, const char *sender);

/* Memory that a message holds, of this process's slice. */
struct share;
struct hold {
	uint64_t	 size;
	struct share	*share;		/* its network's part */
};
/* Would a message of size octets find room?  Nothing is held yet. */
int		 limit_room(const struct netaddr *, uint64_t size);
/* Hold size octets from now on (it only grows).  -1: no room. */
int		 limit_hold(struct hold *, const struct netaddr *,
		    uint64_t size);
void		 limit_release(struct hold *);

/* --- ask.c --------------------------------------------------------------- */

/*
 * A request to another daemon and its way there: it waits for a channel and a
 * credit, is sent, and is sent again when the channel was lost.  It ends with
 * its answer or when its owner cancels it; the owner keeps the deadline.
 */
enum ask_state { ASK_IDLE, ASK_WAITING, ASK_SENT };
struct ask {
	TAILQ_ENTRY(ask)	  entry;
	enum daemon_id		  to;
	uint32_t		  verb;
	uint32_t		  job;
	enum ask_state		  state;
	/* Write the request; *fd is a new descriptor or -1.  -1: not now. */
	int			(*fill)(void *arg, struct ibuf *, int *fd);
	/* -1: does not decode (the channel is closed, the request stays). */
	int			(*answer)(void *arg, struct imsg *);
	void			 *arg;
};

void		 ask_init(void);
/* A channel has greeted, or is gone. */
void		 ask_up(struct ipc *);
void		 ask_down(struct ipc *);
int		 ask_isup(enum daemon_id);
/* Nobody has been there for LIM_AWAY_S: do not wait for it. */
int		 ask_isaway(enum daemon_id);
/* Never calls back before it returns. */
void		 ask_send(struct ask *);
/* Forget it; the peer is told, its credit comes back with its answer. */
void		 ask_cancel(struct ask *);
/* A frame that nobody answers; dropped when it cannot leave at once. */
void		 ask_tell(enum daemon_id, uint32_t verb,
		    const struct ibuf *);
/* Every second: a peer that is silent while others wait is cut off. */
void		 ask_sweep(void);
unsigned	 ask_waiting(enum daemon_id);
unsigned	 ask_sent(enum daemon_id);

/* What the other daemons send us, for the table of the process. */
int		 ask_answer(struct ipc *, struct imsg *);
#define ASK_VERBS							\
	{ VERB_VERDICT, PEER_BIT(PEER_BROKER), LIM_FRAME, IPC_NOFD,	\
	    ask_answer },						\
	{ VERB_GREYED, PEER_BIT(PEER_STORE), 1024, IPC_NOFD,		\
	    ask_answer },						\
	{ VERB_STORED, PEER_BIT(PEER_QUEUE), LIM_FRAME, IPC_NOFD,	\
	    ask_answer }

/* --- transaction.c ------------------------------------------------------- */

enum stage { STAGE_OPEN, STAGE_RATE, STAGE_DATA, STAGE_SCAN, STAGE_GREY,
	STAGE_PUT, STAGE_DONE };

struct transaction {
	struct session			*session;  /* NULL: client has gone */
	struct envelope			*env;
	const struct config_participant	*participant;
	struct message			*message;
	int				 fd;		/* once sealed */
	struct hold			 hold;
	struct content			 content;
	uint64_t			 declared;	/* SIZE=, or 0 */
	uint64_t			 thrown;	/* read, not kept */
	uint64_t			 window;	/* rate: since when */
	uint64_t			 came;		/* octets of window */
	uint64_t			 began;		/* the dot */
	uint64_t			 deadline;
	enum stage			 stage;
	uint8_t				 held;		/* the dot has come */
	uint8_t				 split;		/* class by class */
	uint8_t				 several;	/* participants */
	uint8_t				 outside;	/* must be scanned */
	uint8_t				 big, full, broken;
	uint8_t				 params;	/* seen, param.c */
	uint8_t				 rcpt_notify;
	char				*rcpt_orcpt;
	unsigned			 nrefused;	/* recipients */
	struct ask			 ask;
	struct timer			 timer;
	struct verdict			*verdict;
	struct policy			 policies[LIM_CLASSES];
	size_t				 npolicies;
};

/* At MAIL.  NULL: no memory. */
struct transaction *transaction_new(struct session *, const char *sender);
/* Also takes it out of its session. */
void		 transaction_free(struct transaction *);
/* A recipient that policy takes.  -1: no memory; -2: as another class than
   the first it has to come by itself. */
int		 transaction_rcpt(struct transaction *, const char *address,
		    const struct target *);
/* DATA: REPLY_DATA, or what to say instead. */
unsigned	 transaction_open(struct transaction *);
/* Content; returns how many octets it took.  The dot starts the chain. */
size_t		 transaction_data(struct transaction *, const uint8_t *,
		    size_t);
/* The client has gone. */
void		 transaction_abandon(struct transaction *);
/* Is its content coming too slowly?  To be asked now and then. */
int		 transaction_slow(struct transaction *);
/* The last word: reply, count, free it; the session reads on. */
void		 transaction_end(struct transaction *, unsigned reply);
void		 transaction_finish(struct transaction *,
		    const struct answer *);

/* --- chain.c ------------------------------------------------------------- */

/* The dot has come: judge, ask the others, answer. */
void		 chain_start(struct transaction *);
/* t->verdict is there. */
void		 chain_verdict(struct transaction *);
/* Ask; the answer comes to the last function, see struct ask. */
void		 chain_ask(struct transaction *, enum stage, enum daemon_id,
		    uint32_t verb, int (*fill)(void *, struct ibuf *, int *),
		    int (*answer)(void *, struct imsg *));
/* Milliseconds up to the deadline. */
uint32_t	 chain_left(const struct transaction *);
/* So long may the present stage take. */
void		 chain_timer(struct transaction *, uint64_t ms);
/* We have to leave: an answer soon, if need be 451. */
void		 chain_hurry(struct transaction *);
/* A new descriptor of the sealed file, for a frame.  -1: none is free. */
int		 chain_file(const struct transaction *, int *fd);

/* --- to_scand.c, to_greyd.c, to_relayd.c --------------------------------- */

/* A client who is worth looking up. */
void		 scan_client(const struct netaddr *);
/* What it says at HELO and MAIL. */
void		 scan_sender(const char *helo, const char *sender);
/* Ask for the verdict; chain_verdict() follows, or a reply. */
void		 scan_start(struct transaction *);
/* Between the thresholds: may it come in now? */
void		 grey_start(struct transaction *);
/* At MAIL of a relay client with a limit: the reply to it follows. */
void		 rate_start(struct transaction *);
/* The same by our own count, as greyd does not answer. */
void		 rate_local(struct transaction *);
/* An inbound client has done something; other classes are not told on. */
void		 greyd_event(const struct netaddr *, enum session_class,
		    enum client_event, const char *what);
/* Hand it on; the reply follows. */
void		 put_start(struct transaction *);

/* --- trace.c -------------------------------------------------------------- */

/* All trace fields of the envelope, ahead of content.  -1: no memory. */
int		 trace_make(struct envelope *, const struct verdict *,
		    int utf8, int esmtp);
/* Whole header fields with CRLF, and nothing else? */
int		 trace_valid(const char *);
/* RFC 5322 3.3, UTC; wall ms into buf of at least 32. */
void		 trace_date(uint64_t wall, char *buf, size_t);

#endif
