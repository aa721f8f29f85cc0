/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/proc.h"
#include "scand/broker.h"

/*
 * The scanners as the broker sees them.  A scanner works in the order of its
 * frames and says RESULT or PARKED of each before it begins the next, so the
 * first of `given' that it has not spoken of is the one that is running or
 * will be next.  It is given a few in advance, since waking it costs as much
 * as a whole small scan.  When it dies, the page of running jobs names the one
 * that is charged.
 */

#define STALL_MS	50	/* the running one takes long: send no more */

static TAILQ_HEAD(, worker) workers = TAILQ_HEAD_INITIALIZER(workers);
static size_t		 nworkers;
static struct deferred	 dispatch;

static void	dispatch_now(void *);
static struct worker *worker_for(const struct task *);
static int	worker_give(struct worker *, struct task *);
static void	worker_lost(struct task *, const struct running *);

static int
is_small(const struct task *t)
{
	return t->scan.size <= LIM_PREAD;
}

void
workers_dispatch(void)
{
	dispatch.fn = dispatch_now;
	loop_defer(&dispatch);
}

static void
dispatch_now(void *arg)
{
	struct task *t;
	struct worker *w;

	(void)arg;
	/* A list that has gone mad must not refuse the first messages. */
	if (!lists_settled())
		return;
	while ((t = TAILQ_FIRST(&tasks_queued)) != NULL) {
		if ((w = worker_for(t)) == NULL || worker_give(w, t) == -1)
			return;
	}
}

/*
 * Small ones go to the first scanner that is not full, so that one process
 * takes the whole backlog and the others sleep; but never behind a large or
 * a slow one while somebody is free.
 */
static struct worker *
worker_for(const struct task *t)
{
	struct worker *w;
	struct task *first;

	TAILQ_FOREACH(w, &workers, entry) {
		if (w->killed ||
		    w->nparked + w->ngiven >= LIM_SCAN_PARKED)
			continue;
		if ((first = TAILQ_FIRST(&w->given)) == NULL)
			return w;
		if (is_small(t) && is_small(first) &&
		    w->ngiven < LIM_SCAN_BACKLOG &&
		    loop_now() - w->since < STALL_MS)
			return w;
	}
	return NULL;
}

static int
worker_give(struct worker *w, struct task *t)
{
	static struct ibuf b;
	int fd;

	if ((fd = fcntl(t->fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		log_warn("descriptor for a scanner");
		return -1;
	}
	t->scan.deadline = t->due > loop_now() ?
	    (uint32_t)(t->due - loop_now()) : 1;
	ibuf_reset(&b);
	scan_add(&b, &t->scan);
	if (ipc_send(w->ipc, VERB_JOB, t->number, fd, &b) == -1)
		return -1;
	TAILQ_REMOVE(&tasks_queued, t, entry);
	if (w->ngiven++ == 0)
		w->since = loop_now();
	TAILQ_INSERT_TAIL(&w->given, t, entry);
	t->state = TASK_GIVEN;
	t->worker = w;
	return 0;
}

void
worker_new(struct ipc *ipc)
{
	struct worker *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		fatalx("no memory for a scanner");
	w->ipc = ipc;
	TAILQ_INIT(&w->given);
	TAILQ_INIT(&w->parked);
	TAILQ_INSERT_TAIL(&workers, w, entry);
	nworkers++;
	lists_tell(ipc);
	workers_dispatch();
}

void
workers_tell_lists(void)
{
	struct worker *w;

	TAILQ_FOREACH(w, &workers, entry)
		lists_tell(w->ipc);
}

struct worker *
worker_of(const struct ipc *ipc)
{
	struct worker *w;

	TAILQ_FOREACH(w, &workers, entry) {
		if (w->ipc == ipc)
			break;
	}
	return w;
}

struct task *
worker_task(struct worker *w, uint32_t number)
{
	struct task *t;

	TAILQ_FOREACH(t, &w->given, entry) {
		if (t->number == number)
			return t;
	}
	TAILQ_FOREACH(t, &w->parked, entry) {
		if (t->number == number)
			return t;
	}
	return NULL;
}

void
worker_parked(struct worker *w, struct task *t)
{
	if (t->state != TASK_GIVEN)
		return;
	worker_release(t);
	t->worker = w;
	t->state = TASK_PARKED;
	TAILQ_INSERT_TAIL(&w->parked, t, entry);
	w->nparked++;
}

void
worker_forget(const struct task *t)
{
	if (t->state == TASK_PARKED)
		(void)ipc_send(t->worker->ipc, VERB_CANCEL, t->number, -1,
		    NULL);
}

void
worker_release(struct task *t)
{
	struct worker *w = t->worker;

	if (t->state == TASK_PARKED) {
		TAILQ_REMOVE(&w->parked, t, entry);
		w->nparked--;
	} else {
		TAILQ_REMOVE(&w->given, t, entry);
		w->ngiven--;
		w->since = loop_now();
	}
	t->worker = NULL;
	workers_dispatch();
}

void
worker_gone(struct worker *w)
{
	struct running r;
	struct task *t;

	broker_count.deaths++;
	running_get(w->ipc->instance, &r);
	TAILQ_REMOVE(&workers, w, entry);
	nworkers--;
	/* Last first, each to the head of the queue: the order stays. */
	while ((t = TAILQ_LAST(&w->given, tasks)) != NULL ||
	    (t = TAILQ_LAST(&w->parked, tasks)) != NULL)
		worker_lost(t, t->number == r.job ? &r : NULL);
	free(w);
	workers_dispatch();
}

/*
 * One more try for the job that was running, on another scanner: it may have
 * been chance.  The others were not to blame, but are not run for ever.
 */
static void
worker_lost(struct task *t, const struct running *r)
{
	worker_release(t);
	t->state = TASK_QUEUED;
	TAILQ_INSERT_HEAD(&tasks_queued, t, entry);
	if (r != NULL) {
		broker_count.charged++;
		(void)strlcpy(t->part, r->part, sizeof(t->part));
		log_warnx("id=%s: a scanner died of it%s%s", t->scan.id,
		    r->part[0] == '\0' ? "" : ", at part ", r->part);
		if (++t->deaths >= 2) {
			poison_put(t->scan.hash);
			task_fail(t, "killed two scanners");
			return;
		}
	} else {
		broker_count.reruns++;
		if (++t->reruns > LIM_SCAN_RERUNS) {
			task_fail(t, "scanners died");
			return;
		}
	}
	if (t->nwaiters == 0)
		task_free(t);
}

/*
 * A scanner ends itself when a job takes too much processor time.  One that is
 * stopped or cannot get at its memory does not; and if it was us who slept,
 * nobody is to blame.
 */
void
workers_watch(void)
{
	static uint64_t last;
	struct worker *w;
	uint64_t now = loop_now(), slept;

	slept = last != 0 && now - last > 5000 ? now - last : 0;
	last = now;
	TAILQ_FOREACH(w, &workers, entry) {
		if (w->ngiven == 0 || w->killed)
			continue;
		w->since = w->since + slept < now ? w->since + slept : now;
		if (now - w->since < LIM_SCAN_RUN_S * 1000ULL)
			continue;
		w->killed = 1;
		log_warnx("%s: no answer for %d s", w->ipc->name,
		    LIM_SCAN_RUN_S);
		child_kill(PEER_SCANNER, w->ipc->instance);
	}
}

size_t
workers_number(void)
{
	return nworkers;
}

unsigned
workers_given(void)
{
	struct worker *w;
	unsigned n = 0;

	TAILQ_FOREACH(w, &workers, entry)
		n += w->ngiven;
	return n;
}

unsigned
workers_unwaited(unsigned breaker)
{
	struct running r;
	struct worker *w;
	unsigned n = 0;

	TAILQ_FOREACH(w, &workers, entry) {
		running_get(w->ipc->instance, &r);
		n += r.unwaited >> breaker & 1;
	}
	return n;
}

void
workers_count(struct answers_count *sum)
{
	struct running r;
	struct worker *w;

	memset(sum, 0, sizeof(*sum));
	TAILQ_FOREACH(w, &workers, entry) {
		running_get(w->ipc->instance, &r);
		sum->asked += r.dns.asked;
		sum->cached += r.dns.cached;
		sum->given_up += r.dns.given_up;
		sum->secure += r.dns.secure;
		sum->bogus += r.dns.bogus;
	}
}
