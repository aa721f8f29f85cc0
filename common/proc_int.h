/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_PROC_INT_H
#define COMMON_PROC_INT_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdint.h>
#include <stdio.h>

#include "common/config/config.h"
#include "common/ipc.h"
#include "common/loop.h"
#include "common/proc.h"

/*
 * What the files of the process machinery share: proc.c (a parent's life),
 * spawn.c (its children), listen.c (its sockets), child.c and link.c (the
 * other side).
 */

#define CHILD_FD_PARENT	3	/* a child's channel to its parent */
#define CHILD_FD_LOG	4

struct child {
	TAILQ_ENTRY(child)	 entry;
	const struct process	*process;
	unsigned		 instance;
	pid_t			 pid;
	struct ipc		*ipc;
	int			 logfd;
	struct event		*logev;
	int			 ready;
	int			 draining;	/* not to be started again */
	uint64_t		 started;	/* clock_ms */
	struct timer		 limit;		/* on draining */
};
TAILQ_HEAD(children, child);

/* The running parent: made in proc.c. */
struct parent {
	const struct daemon	*daemon;
	const struct config	*config;
	uint32_t		 generation;
	int			 configfd;	/* canonical text */
	char			 self[1024];	/* path of the binary */
	char			**argv;
	int			 foreground;
	struct children		 children;
};
extern struct parent		 parent;

/* Options that a child needs as well. */
struct proc_options {
	const char		*file;
	struct config_macro	*macros;
	size_t			 nmacros;
	int			 foreground, check, print, verbose;
	const char		*title, *act;	/* -x, -T */
	unsigned		 instance;
};

/* spawn.c.  Start whatever of the table is not running; all of one role. */
void	 spawn_all(void);
void	 spawn_role(const struct process *);
unsigned spawn_count(const struct process *);
/* Ask the children of a role to leave (hurry: soon); with exchange set, new
   workers take their place at once. */
void	 spawn_drain(const struct process *, int hurry, int exchange);
/* Children of a role that are alive; with ready only those in their cage. */
unsigned spawn_alive(const struct process *, int ready);
unsigned spawn_draining(const struct process *);
/* SIGCHLD: collect the dead. */
void	 spawn_reap(void);
/* No child is started again. */
void	 spawn_end(void);
void	 spawn_kill_all(void);
/* proc.c: a child is ready, or gone. */
void	 proc_changed(void);
/* proc.c: VERB_RELOAD. */
void	 proc_reload(struct child *asker, uint32_t job);

/*
 * demands.c.  Has this machine what a configuration asks for: its users, with
 * addresses set those to send from; does it see its clamds (only a warning,
 * they may come later); and does it leave alone what a reload
 * cannot change of the running one (NULL: none)?  What is wrong goes to f, in
 * the parser's form; -1 if there was anything but warnings.
 */
int	 demands_met(const struct daemon *, const struct config *,
	    const struct config *running, int addresses, FILE *f);

/* listen.c.  Open what the configuration lists and is not open; listen_close_
   old closes what it no longer lists.  -1 with why: nothing has changed. */
int	 listen_open(const struct config *, char *why, size_t size);
void	 listen_close_old(void);
/* Give a child its listening sockets. */
void	 listen_pass(struct child *);
void	 listen_end(void);
/* Connect to another daemon's socket: descriptor or -1. */
int	 listen_connect(enum daemon_id);

/* The running child: its row of the table and the channel to its parent. */
extern const struct process	*child_process;
extern struct ipc		*child_parent;

/* link.c.  Before the cage: who may be an operator. */
void	 link_operators(void);
/* VERB_PEER, VERB_DAEMON, VERB_LISTEN. */
int	 link_peer(struct ipc *, struct imsg *);
int	 link_daemon(struct ipc *, struct imsg *);
int	 link_listen(struct ipc *, struct imsg *);

/* Accept nothing more: who comes now is the next one's. */
void	 link_drain(void);

/* child.c: the whole life of a child.  Returns its exit status. */
int	 child_main(const struct daemon *, const struct proc_options *);
/* The cage of a process under this configuration; fatal without its user. */
void	 child_cage(const struct process *, unsigned, const struct config *,
	    struct cage *, char *root, size_t rootsize);

#endif
