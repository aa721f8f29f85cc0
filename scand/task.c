/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "scand/broker.h"

/*
 * The jobs that the broker holds, each with its descriptor until it is
 * answered, and who waits for them.  Whatever happens, everyone who waits gets
 * one answer, at the latest at the job's deadline.
 */

static int	task_cmp(const struct task *, const struct task *);
static void	waiter_free(struct waiter *);
static void	waiter_tell(const struct waiter *, const struct verdict *,
		    const struct ibuf *, const char *);
static void	task_unwanted(struct task *);

RB_HEAD(task_tree, task);
RB_PROTOTYPE(task_tree, task, node, task_cmp)

struct tasks		 tasks_queued = TAILQ_HEAD_INITIALIZER(tasks_queued);
struct broker_count	 broker_count;

static struct task_tree	 tree = RB_INITIALIZER(&tree);
static struct tasks	 all = TAILQ_HEAD_INITIALIZER(all);
static struct tasks	 pool = TAILQ_HEAD_INITIALIZER(pool);
static struct waiters	 spare = TAILQ_HEAD_INITIALIZER(spare);
static size_t		 ntasks;

size_t
tasks_number(void)
{
	return ntasks;
}

size_t
tasks_in_state(enum task_state state)
{
	struct task *t;
	size_t n = 0;

	TAILQ_FOREACH(t, &all, all)
		n += t->state == state;
	return n;
}

struct task *
task_new(struct scan *s, int fd)
{
	static uint32_t number;
	struct task *t;

	if (ntasks >= LIM_SCAN_JOBS)
		return NULL;
	if ((t = TAILQ_FIRST(&pool)) != NULL)
		TAILQ_REMOVE(&pool, t, entry);
	else if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->scan = *s;
	s->rcpts = NULL;
	t->fd = fd;
	/* 0 means none in the page of running jobs. */
	if (++number == 0)
		number = 1;
	t->number = number;
	t->due = loop_now() + t->scan.deadline;
	t->state = TASK_QUEUED;
	t->worker = NULL;
	t->deaths = t->reruns = 0;
	t->part[0] = '\0';
	TAILQ_INIT(&t->waiters);
	t->nwaiters = 0;
	RB_INSERT(task_tree, &tree, t);
	TAILQ_INSERT_TAIL(&all, t, all);
	TAILQ_INSERT_TAIL(&tasks_queued, t, entry);
	ntasks++;
	broker_count.jobs++;
	return t;
}

void
task_free(struct task *t)
{
	struct waiter *w;

	if (t == NULL)
		return;
	while ((w = TAILQ_FIRST(&t->waiters)) != NULL)
		waiter_free(w);
	if (t->state == TASK_QUEUED)
		TAILQ_REMOVE(&tasks_queued, t, entry);
	else
		worker_release(t);
	RB_REMOVE(task_tree, &tree, t);
	TAILQ_REMOVE(&all, t, all);
	ntasks--;
	close(t->fd);
	scan_free(&t->scan);
	TAILQ_INSERT_HEAD(&pool, t, entry);
}

struct task *
task_find(const char *id)
{
	static struct task key;

	memcpy(key.scan.id, id, sizeof(key.scan.id));
	return RB_FIND(task_tree, &tree, &key);
}

static int
task_cmp(const struct task *a, const struct task *b)
{
	return memcmp(a->scan.id, b->scan.id, LIM_ID);
}

RB_GENERATE(task_tree, task, node, task_cmp)

int
task_wait(struct task *t, struct ipc *ipc, uint32_t number)
{
	struct asker *a = ipc->arg;
	struct waiter *w;

	if (t->nwaiters >= LIM_SCAN_WAITERS)
		return -1;
	if ((w = TAILQ_FIRST(&spare)) != NULL)
		TAILQ_REMOVE(&spare, w, of_peer);
	else if ((w = calloc(1, sizeof(*w))) == NULL)
		return -1;
	w->task = t;
	w->ipc = ipc;
	w->number = number;
	TAILQ_INSERT_TAIL(&t->waiters, w, of_task);
	TAILQ_INSERT_TAIL(&a->waiters, w, of_peer);
	t->nwaiters++;
	a->n++;
	return 0;
}

static void
waiter_free(struct waiter *w)
{
	struct asker *a = w->ipc->arg;

	TAILQ_REMOVE(&w->task->waiters, w, of_task);
	TAILQ_REMOVE(&a->waiters, w, of_peer);
	w->task->nwaiters--;
	a->n--;
	TAILQ_INSERT_HEAD(&spare, w, of_peer);
}

void
task_answer(struct task *t, const struct verdict *v, const void *data,
    size_t len)
{
	struct ibuf b;
	struct waiter *w;
	enum action worst = ACTION_ACCEPT;
	size_t i;

	for (i = 0; i < v->nactions; i++) {
		if (v->actions[i] > worst)
			worst = v->actions[i];
	}
	broker_count.actions[worst]++;
	ibuf_from(&b, data, len);
	TAILQ_FOREACH(w, &t->waiters, of_task)
		waiter_tell(w, v, &b, NULL);
	task_free(t);
}

void
task_fail(struct task *t, const char *why)
{
	struct verdict v;
	struct ibuf b;
	struct audit a;
	struct waiter *w;

	audit_begin(&a, t->scan.id, "scan-failed");
	audit_str(&a, "why", why);
	audit_num(&a, "deaths", t->deaths);
	audit_str(&a, "part", t->part[0] == '\0' ? NULL : t->part);
	audit_num(&a, "size", (long long)t->scan.size);
	audit_end(&a);
	broker_count.actions[ACTION_TEMPFAIL]++;
	verdict_tempfail(&t->scan, &v);
	ibuf_init(&b);
	verdict_add(&b, &v);
	TAILQ_FOREACH(w, &t->waiters, of_task)
		waiter_tell(w, &v, &b, why);
	ibuf_free(&b);
	task_free(t);
}

void
scan_fail(struct ipc *ipc, uint32_t number, const struct scan *s,
    const char *why)
{
	struct verdict v;
	struct ibuf b;
	struct audit a;
	struct waiter w = { .ipc = ipc, .number = number };

	audit_begin(&a, s->id, "scan-failed");
	audit_str(&a, "why", why);
	audit_end(&a);
	broker_count.actions[ACTION_TEMPFAIL]++;
	verdict_tempfail(s, &v);
	ibuf_init(&b);
	verdict_add(&b, &v);
	waiter_tell(&w, &v, &b, why);
	ibuf_free(&b);
}

static void
waiter_tell(const struct waiter *w, const struct verdict *v,
    const struct ibuf *b, const char *error)
{
	if (w->ipc->kind != PEER_CONTROL) {
		(void)ipc_send(w->ipc, VERB_VERDICT, w->number, -1, b);
		return;
	}
	if (v->report != NULL)
		operator_text(w->ipc, w->number, v->report);
	operator_end(w->ipc, w->number, error != NULL, error);
}

void
asker_gone(struct ipc *ipc)
{
	struct asker *a = ipc->arg;
	struct waiter *w;
	struct task *t;

	while ((w = TAILQ_FIRST(&a->waiters)) != NULL) {
		t = w->task;
		waiter_free(w);
		task_unwanted(t);
	}
}

void
asker_cancel(struct ipc *ipc, uint32_t number)
{
	struct asker *a = ipc->arg;
	struct waiter *w;
	struct task *t;

	TAILQ_FOREACH(w, &a->waiters, of_peer) {
		if (w->number == number)
			break;
	}
	if (w == NULL)
		return;
	broker_count.cancelled++;
	t = w->task;
	waiter_free(w);
	task_unwanted(t);
}

/*
 * A scanner that has it already goes on: its answer is remembered for the
 * case that the id is asked for again.
 */
static void
task_unwanted(struct task *t)
{
	if (t->nwaiters > 0 || t->state == TASK_GIVEN)
		return;
	worker_forget(t);
	task_free(t);
}

void
tasks_expire(void)
{
	struct task *t, *next;
	struct waiter *w;

	TAILQ_FOREACH_SAFE(t, &all, all, next) {
		if (t->due > loop_now() || t->nwaiters == 0)
			continue;
		broker_count.overdue++;
		if (t->state != TASK_GIVEN) {
			worker_forget(t);
			task_fail(t, "deadline");
			continue;
		}
		/* Its scanner cannot be told; it stays in the books. */
		while ((w = TAILQ_FIRST(&t->waiters)) != NULL) {
			scan_fail(w->ipc, w->number, &t->scan, "deadline");
			waiter_free(w);
		}
	}
}
