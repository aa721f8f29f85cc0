/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_PROC_H
#define COMMON_PROC_H

#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/ipc.h"
#include "common/protocol.h"
#include "common/sandbox.h"

/*
 * A daemon: a privileged parent and its table of children.  The parent forks
 * and executes itself (-x role -i instance) for each child, passes it its
 * configuration, sockets and channels, starts it again when it dies, and
 * exchanges all of them on reload.  The parent never reads network input or
 * message content.  proc.c is the parent's life, spawn.c its children,
 * listen.c its sockets; child.c is the child's life, link.c its channels.
 *
 * Children are started in the order of the table and stopped in the reverse
 * order, each role gone before the next is asked: whoever is asked for
 * something stands before who asks.
 */

enum proc_root {
	ROOT_EMPTY, ROOT_SPOOL, ROOT_STATE,
	ROOT_CLAMD	/* of the clamd socket with the instance's number */
};
enum proc_death {
	PROC_WORKER,	/* started again with back-off; what it held is 451 */
	PROC_CORE	/* the same, but only one at a time on reload: the old
			   one is gone before the new one reads its state */
};

struct process {
	enum peer		 role;
	const char		*title;		/* -x title; prefix+user */
	const char		*user;
	enum proc_root		 root;
	uint32_t		 powers;
	enum proc_death		 death;
	/* How many; NULL: one.  0 is allowed (antivirus builtin). */
	unsigned		(*count)(const struct config *);
	uint32_t		 peers;		/* PEER_BIT()s in this daemon */
	uint32_t		 serves;	/* 1 << enum listen_kind */
	uint32_t		 calls;		/* 1 << enum daemon_id */
	uint32_t		 kills;		/* PEER_BIT()s it may kill */
	uint32_t		 credits;	/* granted in HELLO */
	enum peer		 clients;	/* who uses LISTEN_DAEMON */
	uint64_t		(*fsize)(const struct config *); /* NULL: 0 */
	uint64_t		 memory;	/* RLIMIT_AS; 0: none */
	unsigned		 files;		/* RLIMIT_NOFILE; 0: leave */

	/*
	 * The child's life.  init: as root, before the cage (open what must be
	 * open; for ROOT_* other than empty the directory is still elsewhere).
	 * start: in the cage; channels and sockets come afterwards, by
	 * peer_up and listen.  -1 from init or a fatal ends the start.
	 */
	int			(*init)(const struct config *,
				    unsigned instance);
	void			(*start)(void);
	const struct ipc_verb	*verbs;		/* for all its channels */
	size_t			 nverbs;
	void			(*peer_up)(struct ipc *);
	void			(*peer_gone)(struct ipc *);
	/* A listening TCP socket (LISTEN_MAIL): the child accepts itself. */
	void			(*listen)(int fd, uint32_t index);
	/* A descriptor of VERB_SHARE; taken. */
	void			(*share)(enum share_kind, uint32_t index,
				    int fd);
	/* Finish and call child_exit() when nothing is held; with hurry set
	   (SIGTERM) as soon as what is half done is in order. */
	void			(*drain)(int hurry);
};

struct daemon {
	const char		*name;
	enum daemon_id		 id;
	const struct process	*procs;
	size_t			 nprocs;
	/* Parent, optional: before children of generation g start (make
	   shared pages, read keys); -1 with why (size octets) refuses the
	   configuration. */
	int			(*prepare)(const struct config *, char *why,
				    size_t size);
	/* Parent, optional: descriptors for one child: call proc_share(). */
	void			(*shares)(const struct config *, enum peer role,
				    unsigned instance);
	/* Parent, optional: a child has died (zero its row). */
	void			(*died)(enum peer role, unsigned instance);
};

/*
 * What `-x role -T act' exits with (or SANDBOX_STATUS, killed in the act).
 * `-T children' without -x prints the titles of the process table.
 */
enum try_status {
	TRY_REFUSED,
	TRY_FAILED,		/* no such act or role, no cage */
	TRY_POSSIBLE = 3,	/* and no power of the role permits it */
	TRY_PERMITTED		/* by one of its powers, and not tried */
};

/*
 * The whole of main(): options -f file -n -nv -d -v -D name=value, and for
 * children -x role -i instance [-T act].  Returns the exit status.
 */
int	daemon_main(int argc, char *argv[], const struct daemon *);

/* Parent, inside shares(): give fd (taken) to the child being started. */
void	proc_share(enum share_kind, uint32_t index, int fd);

/* Child: the configuration it runs with (for its life), who it is. */
const struct config *child_config(void);
unsigned	 child_instance(void);
const char	*child_title(void);
uint32_t	 child_generation(void);
/*
 * Child: connect me to a daemon; peer_up comes when there is a channel that
 * has greeted.  After peer_gone the child is connected again by itself, with
 * back-off, so this is called once in start().
 */
void		 child_call(enum daemon_id);
/* Child: the operator's wish, to the parent; cb gets the answer. */
void		 child_reload(void (*cb)(int ok, const char *text, void *),
		    void *arg);
/*
 * Child: a peer hangs; the parent kills it and starts another (the process
 * table's `kills' permits it).  peer_gone comes as for any death.
 */
void		 child_kill(enum peer, unsigned instance);
/* Child: drained; flush logs and leave with status 0. */
void		 child_exit(void) __attribute__((noreturn));

#endif
