/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_BROKER_H
#define SCAND_BROKER_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdint.h>

#include "common/ipc.h"
#include "scand/scand.h"

/*
 * What the files of the broker process share: broker.c (frames), task.c (the
 * jobs and who waits for them), worker.c (the scanners), operator.c (gwctl),
 * listwatch.c, prefetch.c.
 */

struct worker;

/* Who is to be told; several may ask for one id. */
struct waiter {
	TAILQ_ENTRY(waiter)	 of_task;
	TAILQ_ENTRY(waiter)	 of_peer;
	struct task		*task;
	struct ipc		*ipc;
	uint32_t		 number;	/* the asker's */
};
TAILQ_HEAD(waiters, waiter);

/* In ipc->arg of a peer that asks. */
struct asker {
	struct waiters		 waiters;
	unsigned		 n;
};

enum task_state {
	TASK_QUEUED,		/* no scanner has it */
	TASK_GIVEN,		/* a scanner has it, and has not said a word */
	TASK_PARKED		/* a scanner waits for answers */
};

struct task {
	TAILQ_ENTRY(task)	 entry;		/* of the queue or a worker */
	RB_ENTRY(task)		 node;		/* by id */
	TAILQ_ENTRY(task)	 all;		/* oldest first */
	enum task_state		 state;
	uint32_t		 number;	/* ours, never used twice */
	struct scan		 scan;
	int			 fd;
	uint64_t		 due;		/* loop_now() */
	struct worker		*worker;
	unsigned		 deaths;	/* scanners that died of it */
	char			 part[RUNNING_PART];	/* where; or "" */
	unsigned		 reruns;	/* ... that ran another */
	struct waiters		 waiters;
	unsigned		 nwaiters;
};
TAILQ_HEAD(tasks, task);

struct worker {
	TAILQ_ENTRY(worker)	 entry;
	struct ipc		*ipc;
	struct tasks		 given, parked;	/* given: in order of frames */
	unsigned		 ngiven, nparked;
	uint64_t		 since;		/* ... its first is the first */
	int			 killed;
};

struct broker_count {
	uint64_t	jobs, repeated, joined, cancelled, overdue;
	uint64_t	deaths, charged, reruns;
	uint64_t	actions[ACTION_MAX];	/* the gravest of each */
	uint64_t	clients, prefetched;
};
extern struct broker_count broker_count;

/*
 * task.c
 */
extern struct tasks	 tasks_queued;
size_t	tasks_number(void);
size_t	tasks_in_state(enum task_state);
/* Takes what s owns and fd, and queues it.  NULL: no room, nothing taken. */
struct task *task_new(struct scan *s, int fd);
struct task *task_find(const char *id);
/* -1: too many askers. */
int	task_wait(struct task *, struct ipc *, uint32_t number);
/* The encoded verdict for all who wait; the task is gone after that. */
void	task_answer(struct task *, const struct verdict *, const void *,
	    size_t);
/* TEMPFAIL for all who wait, for this reason; the task is gone. */
void	task_fail(struct task *, const char *why);
/* The same without a task. */
void	scan_fail(struct ipc *, uint32_t number, const struct scan *,
	    const char *why);
/* Out of whatever list it is in, and freed; nobody is told. */
void	task_free(struct task *);
/* The asker is gone, or (number) does not want it any more; a task that
   nobody waits for is dropped unless a scanner is at it. */
void	asker_gone(struct ipc *);
void	asker_cancel(struct ipc *, uint32_t number);
/* Answer all that are due. */
void	tasks_expire(void);

/*
 * worker.c
 */
/* Give out what is queued, at the end of the turn. */
void	workers_dispatch(void);
void	worker_new(struct ipc *);
struct worker *worker_of(const struct ipc *);
/* Charge the job that was running, queue the others again. */
void	worker_gone(struct worker *);
struct task *worker_task(struct worker *, uint32_t number);
/* It waits for DNS: the next of its jobs is the running one. */
void	worker_parked(struct worker *, struct task *);
/* Its scanner need not wait for answers any more, if it does. */
void	worker_forget(const struct task *);
/* Out of the worker's hands. */
void	worker_release(struct task *);
/* Have the hanging ones killed. */
void	workers_watch(void);
size_t	workers_number(void);
unsigned workers_given(void);
void	workers_count(struct answers_count *sum);
/* How many of them do not wait for answers of this. */
unsigned workers_unwaited(unsigned breaker);
/* VERB_LISTS for all of them. */
void	workers_tell_lists(void);

/*
 * operator.c: handlers of gwctl's verbs.
 */
int	operator_status(struct ipc *, struct imsg *);
int	operator_virus(struct ipc *, struct imsg *);
int	operator_scan(struct ipc *, struct imsg *);
int	operator_reload(struct ipc *, struct imsg *);
void	operator_gone(struct ipc *);
void	operator_text(struct ipc *, uint32_t job, const char *);
void	operator_end(struct ipc *, uint32_t job, uint8_t status,
	    const char *error);

/*
 * listwatch.c: tests of the DNS lists, at the start and then and again.
 */
void	lists_watch(const struct config *);
/* Has each been tested once, or is it too late to wait for that? */
int	lists_settled(void);
/* What may be asked of one: LIST_ASK_*. */
unsigned lists_may(const struct config_dnsbl *);
/* A client was looked up in it: is it listed? */
void	lists_looked(const struct config_dnsbl *, int listed);
/* VERB_LISTS for a scanner. */
void	lists_tell(struct ipc *);
void	lists_status(struct ipc *, uint32_t job);

/*
 * prefetch.c: questions about a client that has connected, and its MAIL.
 */
void	prefetch_configure(const struct config *);
void	prefetch_client(const struct netaddr *);
/* What it has said of itself. */
void	prefetch_sender(const char *helo, const char *sender);
size_t	prefetch_open(void);

#endif
