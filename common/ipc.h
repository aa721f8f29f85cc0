/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_IPC_H
#define COMMON_IPC_H

#include <event2/event.h>

#include <stdint.h>

#include "common/imsg.h"
#include "common/loop.h"

/*
 * A channel to one peer, and the dispatch of its frames by table.  What is
 * not in the table from that kind of peer is refused and logged; nothing is
 * allowed by default.
 */

/* Everybody that may be at the other end of a channel. */
enum peer {
	PEER_PARENT,
	PEER_SMTP,		/* smtpd-front */
	PEER_BROKER,		/* scand */
	PEER_SCANNER,
	PEER_ANTIVIRUS,
	PEER_RESOLVER,		/* scand and relayd-out have one each */
	PEER_STORE,		/* greyd */
	PEER_QUEUE,		/* relayd-out */
	PEER_SPOOL,
	PEER_DELIVER,
	PEER_DKIM,
	PEER_KEYS,
	PEER_STS,
	PEER_CONTROL,		/* gwctl on a control socket */
	PEER_MAX
};
#define PEER_BIT(p)	(1U << (p))

/* The word for a peer in logs: "smtp", "broker" ... */
const char	*peer_name(enum peer);

struct ipc;

struct ipc_verb {
	uint32_t	 type;		/* enum verb, protocol.h */
	uint32_t	 from;		/* PEER_BIT()s that may send it */
	uint32_t	 max;		/* octets of payload */
	int		 fd;		/* IPC_NOFD or IPC_FD */
	/*
	 * -1: the payload does not decode; the channel is then logged and
	 * closed.  The handler takes im->fd by setting it to -1, what it
	 * leaves is closed.  With IPC_FD and im->fdlost the handler is called
	 * all the same: only that request fails.
	 */
	int		(*handler)(struct ipc *, struct imsg *);
};
#define IPC_NOFD	0
#define IPC_FD		1

struct ipc {
	TAILQ_ENTRY(ipc)	 entry;		/* for its owner */
	struct imsgbuf		 ibuf;
	enum peer		 kind;
	uint32_t		 instance;	/* which of several */
	char			 name[48];	/* "scanner[2]" */
	const struct ipc_verb	*verbs;
	size_t			 nverbs;
	void			(*up)(struct ipc *);
	void			(*gone)(struct ipc *);
	void			*arg;		/* for its owner */
	uint32_t		 credits;	/* granted by its HELLO */
	uint32_t		 inflight;	/* requests without an answer */
	uint32_t		 generation;	/* of its configuration */
	uid_t			 uid;		/* accepted: who it is */
	int			 foreign;	/* HELLO comes first */
	int			 greeted;
	int			 closing;
	int			 busy;		/* inside a handler */
	struct event		*rev, *wev;
	struct deferred		 flush;
	struct timer		 pause;		/* no descriptor free: wait */
};

/*
 * A channel on fd, which is taken.  verbs is not copied.  gone is called once
 * when the peer has closed or was cut off, just before the ipc is freed by
 * this module; the owner must forget it there.
 */
struct ipc	*ipc_new(int fd, enum peer kind, uint32_t instance,
		    const struct ipc_verb *verbs, size_t nverbs,
		    void (*gone)(struct ipc *), void *arg);
/*
 * A channel to another daemon: sends HELLO with our version, generation and
 * the credits we grant; until the peer's HELLO has come all other verbs are
 * refused, then up is called.
 */
struct ipc	*ipc_new_foreign(int fd, enum peer kind,
		    const struct ipc_verb *verbs, size_t nverbs,
		    uint32_t generation, uint32_t credits,
		    void (*up)(struct ipc *), void (*gone)(struct ipc *),
		    void *arg);
/* Cut it off: gone is called (from the end of the turn if inside a handler). */
void		 ipc_close(struct ipc *);
/*
 * Queue a frame; it leaves at the end of the turn.  fd is taken (also on
 * failure); data may be NULL.  -1: not queued, the peer will not see it.
 */
int		 ipc_send(struct ipc *, uint32_t type, uint32_t job, int fd,
		    const struct ibuf *data);

#endif
