/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef RELAYD_OUT_DELIVER_H
#define RELAYD_OUT_DELIVER_H

#include "common/io.h"
#include "common/resolver.h"
#include "relayd-out/relayd-out.h"

/*
 * What the process deliver is made of: routes, connections, transactions.
 */

/* ---- reply.c: what a server answers ---- */

struct reply {
	int		 code;		/* 0: nothing read yet */
	char		 status[12];	/* RFC 3463 code, or "" */
	char		 text[LIM_REPLY];	/* "250 2.0.0 ok": one line */
	size_t		 len, lines;
	int		 done;
};

void	 reply_reset(struct reply *);
/*
 * One line without its end.  1: the reply is complete; 0: more lines follow;
 * -1: not a reply as RFC 5321 4.2 writes it, or too long.  The next line
 * after a complete reply begins a new one.
 */
int	 reply_line(struct reply *, const char *, size_t);
/* What a server offers: EHLO_* from one line of its answer. */
#define EHLO_PIPELINING	0x01
#define EHLO_STARTTLS	0x02
#define EHLO_8BITMIME	0x04
#define EHLO_SMTPUTF8	0x08
#define EHLO_DSN	0x10
#define EHLO_SIZE	0x20
unsigned reply_ehlo(const char *line, size_t len, uint64_t *size);

/* ---- content.c: a message onto the wire ---- */

/*
 * Reads what will be sent.  Small ones are read and compared with the hash
 * before anything is sent; larger ones are hashed while they are sent.
 */
enum content_status {
	CONTENT_OK,		/* queued, the final dot too */
	CONTENT_MORE,		/* call content_end at IO_LOWAT */
	CONTENT_BROKEN,		/* not what was accepted: no dot */
	CONTENT_FAILED		/* no memory, or it cannot be read */
};
struct delivery;
struct content {
	const struct delivery	*d;
	struct hash		*hash;
};
enum content_status content_send(struct content *, struct io *,
	    const struct delivery *);
enum content_status content_end(struct content *, struct io *);
void	 content_free(struct content *);
/* Has the header section octets over 127?  -1: cannot be read. */
int	 content_8bit_header(int fd, uint64_t size);

/* ---- client.c: the SMTP client ---- */

/* One transaction: deliver.c's, client.c fills in the result. */
struct delivery {
	TAILQ_ENTRY(delivery)	 entry, wait;
	int			 active, waiting;	/* in which list */
	uint32_t		 job;
	struct dest		*dest;
	struct conn		*conn;		/* while it is on one */
	struct route		*route;
	uint32_t		 tried;		/* addresses, a bit each */
	int			 plain;		/* TLS failed: go without */
	int			 orphan;	/* its queue is gone */
	char			*why;		/* the last failure */
	struct envelope		*env;		/* only its own recipients */
	uint16_t		 index[LIM_RCPTS];
	uint8_t			 decided[LIM_RCPTS];
	int			 fd;
	struct result		 result;
};

enum client_end {
	CLIENT_UNREACHABLE,	/* no connection, no greeting */
	CLIENT_TLSFAILED,	/* worth another try without */
	CLIENT_STALE,		/* a used connection, gone before it answered
				   anything in this transaction */
	CLIENT_LOST,		/* in a transaction */
	CLIENT_CLOSED		/* idle, or after QUIT */
};

struct client;
struct client_ops {
	/* Greeted, or done with a delivery: client_send or client_quit it, or
	   leave it idle. */
	void	(*ready)(struct client *, void *arg);
	/* The delivery's result is complete; ready or dead follows. */
	void	(*done)(struct client *, struct delivery *, void *arg);
	/* It is over; the client is freed after the call.  d is what was
	   under way, or NULL; sent: the final dot may have arrived. */
	void	(*dead)(struct client *, struct delivery *d, enum client_end,
		    const char *why, int sent, void *arg);
};

/* What all clients of the process have in common. */
void	 client_setup(const char *helo, struct tls_config *,
	    uint64_t connect_ms);
/* plain: no STARTTLS; source family 0: any.  NULL with errno. */
struct client *client_connect(const char *host, const struct netaddr *,
	    uint16_t port, const struct netaddr *source, int plain,
	    const struct client_ops *, void *arg);
/* The same on a connected socket, which is taken. */
struct client *client_attach(int fd, const char *host, int plain,
	    const struct client_ops *, void *arg);
void	 client_send(struct client *, struct delivery *);
void	 client_quit(struct client *);		/* dead follows */
void	 client_free(struct client *);		/* cut: no callback */
int	 client_dot_out(const struct client *);
unsigned client_used(const struct client *);	/* deliveries so far */
const char *client_remote(const struct client *);	/* host[addr] */
const char *client_tls(const struct client *);	/* "" when plain */

/* The rest is shared with transaction.c only. */
enum client_state {
	CS_CONNECT, CS_BANNER, CS_EHLO, CS_HELO, CS_STARTTLS, CS_TLS,
	CS_IDLE,	/* may take a delivery */
	CS_ENVELOPE,	/* answers to MAIL, RCPT, DATA are outstanding */
	CS_CONTENT,	/* the message is going out */
	CS_DOT,		/* so is its answer */
	CS_RSET, CS_QUIT
};

struct client {
	struct io		*io;
	enum client_state	 state;
	const struct client_ops	*ops;
	void			*arg;
	char			 host[DNS_NAME];
	char			 remote[DNS_NAME + NETADDR_STRLEN + 2];
	char			 tls[64];
	int			 plain;
	unsigned		 caps;		/* EHLO_* */
	uint64_t		 size_max;	/* 0: no limit */
	struct reply		 reply;
	unsigned		 used;
	int			 spent;		/* QUIT after this one */
	int			 busy, ended;
	/* The transaction. */
	struct delivery		*d;
	size_t			 sent, got;	/* steps */
	size_t			 naccepted;
	uint8_t			 accepted[LIM_RCPTS];
	int			 mail_ok;
	int			 empty;		/* a dot without a message */
	struct content		 content;
};

/* A new state, with its time-out. */
void	 client_enter(struct client *, enum client_state);
/* The connection is over: the owner hears dead, then it is freed. */
void	 client_end(struct client *, enum client_end, const char *why);
/* It may take a delivery: the owner hears ready. */
void	 client_idle(struct client *);
/* The delivery d begins; a whole reply has come; a large message is out. */
void	 transaction_begin(struct client *);
void	 transaction_reply(struct client *);
void	 transaction_content_sent(struct client *);

/* ---- outcome.c: what became of recipients ---- */

/* The fate of the rcpt-th recipient of a delivery; text is copied. */
void	 outcome_set(struct delivery *, size_t rcpt, enum outcome_status,
	    const char *code, const char *text);
/* The same for all whose fate is open, and what it says of the hop. */
void	 outcome_rest(struct delivery *, enum outcome_status,
	    enum hop_verdict, const char *code, const char *text);
/* The audit line of what was delivered, if anything was. */
void	 outcome_log(const struct delivery *, const char *tls);
/* Tell queue (NULL: away) the result of a job; it is kept for a while. */
void	 outcome_tell(struct ipc *queue, uint32_t job, const struct result *);
/* To a new queue: what the last one may not have read, by id. */
void	 outcome_again(struct ipc *queue);

/* ---- route.c: addresses of a next hop ---- */

#define ROUTE_MAX	LIM_HOP_ADDRESSES

struct route {
	size_t	 n;
	struct {
		struct netaddr	 addr;
		char		 host[DNS_NAME];
		uint64_t	 bad;	/* until then others come first */
	} v[ROUTE_MAX];
	uint16_t port;
	uint32_t ttl;			/* seconds */
	unsigned refs;			/* for its owners */
};

enum route_status { ROUTE_OK, ROUTE_DEFER, ROUTE_FAIL };
typedef void route_cb(enum route_status, const struct route *,
	    const char *code, const char *why, void *arg);
struct route_ask;

/* cb is called once, never from inside, unless route_cancel comes first.
   NULL without memory. */
struct route_ask *route_find(const struct config *, const struct hopspec *,
	    route_cb *, void *arg);
void	 route_cancel(struct route_ask *);

#endif
