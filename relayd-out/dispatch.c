/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "relayd-out/queue.h"

/*
 * Parts that are due go to deliver processes, with their envelope and the
 * content's descriptor, which are read from the spool first if need be.  A
 * hop prefers one process, as that keeps its idle connections.
 */

#define JOBS_MAX	(LIM_DELIVER_JOBS * LIM_PROCESSES)
#define EARLY_MAX	4096
#define OPEN_RETRY_MS	60000
/* deliver died under a message: soon again, but one that kills it again and
   again must not be tried without a pause. */
#define INTERRUPTED_MS	1000
#define INTERRUPTED_MAX	3

struct worker {
	TAILQ_ENTRY(worker)	 entry;
	struct ipc		*ipc;
	uint32_t		 njobs;
	int			 retired;	/* its successor is here */
};

struct job {
	struct part		*part;		/* NULL: free */
	struct worker		*worker;
	uint32_t		 number;
	uint32_t		 next_free;	/* index + 1 */
};

/* Results of jobs that our predecessor gave out. */
struct early {
	TAILQ_ENTRY(early)	 entry;
	struct result		 result;
};

static TAILQ_HEAD(, worker)	 workers = TAILQ_HEAD_INITIALIZER(workers);
static uint32_t			 nworkers;	/* not retired */
static struct job		*jobs;
static uint32_t			 njobs, free_job;
static TAILQ_HEAD(, early)	 early = TAILQ_HEAD_INITIALIZER(early);
static size_t			 nearly;

static void	 start(struct part *);
static void	 open_entry(struct entry *);
static void	 give(struct part *);
static void	 give_up(struct part *, uint64_t);
static int	 take_fd(struct entry *, const struct part *);
static struct worker *choose(struct hop *);
static struct job *job_new(struct part *, struct worker *);
static struct part *job_end(struct job *);
static struct job *job_find(uint32_t, const struct ipc *);
static void	 wants(struct entry *);
static void	 broken(struct entry *, const char *);
static void	 late(struct result *);

void
dispatch_worker_up(struct ipc *ipc)
{
	struct worker	*w, *old;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		fatal("worker");
	w->ipc = ipc;
	TAILQ_FOREACH(old, &workers, entry)
		if (old->ipc->instance == ipc->instance && !old->retired) {
			old->retired = 1;
			nworkers--;
		}
	TAILQ_INSERT_TAIL(&workers, w, entry);
	nworkers++;
	queue_kick();
}

void
dispatch_worker_gone(struct ipc *ipc)
{
	struct worker	*w;
	struct part	*p;
	struct audit	 a;
	uint32_t	 i;

	TAILQ_FOREACH(w, &workers, entry)
		if (w->ipc == ipc)
			break;
	if (w == NULL)
		return;
	for (i = 0; i < njobs; i++) {
		if (jobs[i].part == NULL || jobs[i].worker != w)
			continue;
		p = job_end(&jobs[i]);
		p->interrupted++;
		audit_begin(&a, p->entry->id, "interrupted");
		audit_str(&a, "hop", p->hop->key);
		audit_num(&a, "times", p->interrupted);
		audit_end(&a);
		give_up(p, p->interrupted < INTERRUPTED_MAX ? INTERRUPTED_MS :
		    OPEN_RETRY_MS * (uint64_t)p->interrupted);
	}
	TAILQ_REMOVE(&workers, w, entry);
	if (!w->retired)
		nworkers--;
	free(w);
	queue_kick();
}

void
dispatch_run(void)
{
	struct part	*p;

	while (counts.active < (size_t)nworkers * LIM_DELIVER_JOBS &&
	    (p = sched_take()) != NULL) {
		p->entry->nactive++;
		counts.active++;
		start(p);
	}
}

static void
start(struct part *p)
{
	struct entry	*e = p->entry;

	if (e->stored != NULL && e->fd != -1)
		give(p);
	else
		open_entry(e);
}

static void
open_entry(struct entry *e)
{
	struct ibuf	 b;

	if (e->opening)
		return;
	e->opening = 1;
	ibuf_init(&b);
	ibuf_add_raw(&b, e->id, sizeof(e->id));
	/* If spool is away: dispatch_ready asks again. */
	(void)queue_spool(VERB_SPOOL_OPEN, -1, &b);
	ibuf_free(&b);
}

/* An active part is not delivered after all; it waits. */
static void
give_up(struct part *p, uint64_t ms)
{
	p->entry->nactive--;
	counts.active--;
	sched_result(p, HOP_UNTOUCHED, NULL, loop_now());
	if (p->entry->nactive == 0)
		entry_cool(p->entry);
	if (!(p->entry->flags & ENTRY_HELD))
		part_wait(p, loop_now() + ms);
}

/* The content's descriptor: the last one that needs it takes it. */
static int
take_fd(struct entry *e, const struct part *p)
{
	size_t	 i;
	int	 fd = e->fd;

	for (i = 0; i < e->nparts; i++)
		if (&e->parts[i] != p && (e->parts[i].state == PART_READY ||
		    (e->parts[i].state == PART_ACTIVE &&
		    e->parts[i].job == 0)))
			return fcntl(e->fd, F_DUPFD_CLOEXEC, 0);
	e->fd = -1;
	return fd;
}

static void
give(struct part *p)
{
	static struct ibuf	 b;
	struct entry		*e = p->entry;
	struct envelope		 sub = *e->stored->env;
	struct rcpt		 rcpts[LIM_RCPTS];
	uint16_t		 index[LIM_RCPTS];
	struct worker		*w;
	struct job		*j = NULL;
	size_t			 i, n = 0;
	int			 fd = -1;

	for (i = 0; i < e->nrcpts && i < sub.nrcpts; i++) {
		if (&e->parts[e->rpart[i]] != p ||
		    e->rstate[i] != RCPT_PENDING)
			continue;
		rcpts[n] = sub.rcpts[i];
		index[n++] = (uint16_t)i;
	}
	if (n == 0) {
		/* They were settled otherwise meanwhile. */
		give_up(p, 0);
		part_idle(p);
		return;
	}
	if ((w = choose(p->hop)) == NULL ||
	    (j = job_new(p, w)) == NULL || (fd = take_fd(e, p)) == -1) {
		if (j != NULL)
			(void)job_end(j);
		give_up(p, OPEN_RETRY_MS);
		return;
	}
	sub.rcpts = rcpts;
	sub.nrcpts = n;
	ibuf_reset(&b);
	hopspec_add(&b, &p->hop->spec);
	ibuf_add_u16(&b, (uint16_t)n);
	for (i = 0; i < n; i++)
		ibuf_add_u16(&b, index[i]);
	envelope_add(&b, &sub);
	if (ipc_send(w->ipc, VERB_DELIVER, j->number, fd, &b) == -1) {
		(void)job_end(j);
		give_up(p, OPEN_RETRY_MS);
	}
}

static struct worker *
choose(struct hop *h)
{
	struct worker	*w, *best = NULL;

	TAILQ_FOREACH(w, &workers, entry) {
		if (w->retired)
			continue;
		if (w->ipc->instance + 1 == h->worker &&
		    w->njobs < LIM_DELIVER_JOBS)
			return w;
		if (best == NULL || w->njobs < best->njobs)
			best = w;
	}
	if (best != NULL)
		h->worker = best->ipc->instance + 1;
	return best;
}

static struct job *
job_new(struct part *p, struct worker *w)
{
	struct job	*j;
	uint32_t	 i, n;

	if (free_job == 0) {
		n = njobs == 0 ? 64 : njobs * 2;
		if (n > JOBS_MAX || (j = recallocarray(jobs, njobs, n,
		    sizeof(*j))) == NULL)
			return NULL;
		jobs = j;
		for (i = njobs; i < n; i++) {
			jobs[i].number = i + 1;
			jobs[i].next_free = i + 1 == n ? 0 : i + 2;
		}
		free_job = njobs + 1;
		njobs = n;
	}
	j = &jobs[free_job - 1];
	free_job = j->next_free;
	j->part = p;
	j->worker = w;
	/* The same place has another number each time. */
	j->number += JOBS_MAX;
	p->job = j->number;
	w->njobs++;
	return j;
}

/* The job is over; its part is the caller's to deal with. */
static struct part *
job_end(struct job *j)
{
	struct part	*p = j->part;

	p->job = 0;
	j->worker->njobs--;
	j->part = NULL;
	j->worker = NULL;
	j->next_free = free_job;
	free_job = (uint32_t)(j - jobs) + 1;
	return p;
}

static struct job *
job_find(uint32_t number, const struct ipc *ipc)
{
	uint32_t	 i = (number - 1) % JOBS_MAX;

	if (number == 0 || i >= njobs || jobs[i].part == NULL ||
	    jobs[i].number != number || jobs[i].worker->ipc != ipc)
		return NULL;
	return &jobs[i];
}

int
dispatch_opened(struct ipc *ipc, struct imsg *im)
{
	struct entry	*e;
	struct stored	*s = NULL;
	char		 id[ID_SIZE];
	size_t		 i;
	uint8_t		 st;

	(void)ipc;
	ibuf_get_raw(&im->data, id, sizeof(id));
	st = ibuf_get_u8(&im->data);
	if (st == OPEN_OK)
		s = stored_parse(&im->data);
	if (ibuf_get_end(&im->data) == -1 || !id_valid(id)) {
		stored_free(s);
		return -1;
	}
	if (st == OPEN_OK && im->fd == -1)
		st = OPEN_FAILED;	/* lost on the way */
	control_opened(id, st, s);
	if ((e = entry_find(id)) == NULL || !e->opening) {
		stored_free(s);
		return 0;
	}
	e->opening = 0;
	if (st == OPEN_OK && s->env->nrcpts == e->nrcpts) {
		entry_warm(e, s, im->fd);
		im->fd = -1;
		for (i = 0; i < e->nparts; i++)
			if (e->parts[i].state == PART_ACTIVE &&
			    e->parts[i].job == 0)
				give(&e->parts[i]);
		wants(e);
		return 0;
	}
	stored_free(s);
	for (i = 0; i < e->nparts; i++)
		if (e->parts[i].state == PART_ACTIVE && e->parts[i].job == 0)
			give_up(&e->parts[i], OPEN_RETRY_MS);
	if (st == OPEN_FAILED || st == OPEN_OK) {
		if (e->want != 0)
			node_set(&e->node, loop_now() + OPEN_RETRY_MS);
		return 0;
	}
	if (st == OPEN_GONE && e->nactive == 0) {
		/* Removed, and the journal's line about it was lost. */
		log_warnx("id=%s is no longer in the spool", id);
		settle_remove(e);
	} else
		broken(e, "its files are damaged");
	return 0;
}

/* Nobody gets what is not what was accepted; an operator has to look. */
static void
broken(struct entry *e, const char *why)
{
	struct audit	 a;

	log_warnx("id=%s is kept and not delivered: %s", e->id, why);
	audit_begin(&a, e->id, "held");
	audit_str(&a, "reason", why);
	audit_end(&a);
	e->want = 0;
	entry_hold(e, 1);
	queue_save(e, NULL);
}

void
dispatch_want(struct entry *e, uint8_t want)
{
	e->want |= want;
	if (e->stored != NULL)
		wants(e);
	else
		open_entry(e);
}

/* The envelope is there. */
static void
wants(struct entry *e)
{
	uint8_t	 want = e->want;

	e->want = 0;
	if (e->nactive != 0 && (want & (WANT_EXPIRE | WANT_REMOVE))) {
		/* First hear how that ends. */
		e->want = want;
		return;
	}
	if (want & WANT_REMOVE)
		settle_giveup(e, GIVEUP_REMOVED);
	else if (want & WANT_EXPIRE)
		settle_giveup(e, GIVEUP_EXPIRED);
	else if (want & WANT_WARN)
		settle_warn(e);
}

int
dispatch_delivered(struct ipc *ipc, struct imsg *im)
{
	struct result	 r;
	struct job	*j;
	struct part	*p;
	struct entry	*e;

	if (result_parse(&im->data, &r) == -1)
		return -1;
	if (ibuf_get_end(&im->data) == -1) {
		result_free(&r);
		return -1;
	}
	if ((j = job_find(im->job, ipc)) == NULL ||
	    strcmp(j->part->entry->id, r.id) != 0) {
		late(&r);
		return 0;
	}
	p = job_end(j);
	e = p->entry;
	e->nactive--;
	counts.active--;
	p->interrupted = 0;
	sched_result(p, r.verdict, r.n == 0 ? NULL : r.v[0].text, loop_now());
	if (r.broken)
		broken(e, "its content is not what was accepted");
	settle_result(e, p, &r);
	result_free(&r);
	queue_kick();
	return 0;
}

/*
 * The result of a job that we did not give out: our predecessor did.  Before
 * all is loaded it has to wait.
 */
static void
late(struct result *r)
{
	struct early	*x;
	struct entry	*e;

	if (!queue_ready()) {
		if (nearly < EARLY_MAX && (x = malloc(sizeof(*x))) != NULL) {
			x->result = *r;
			TAILQ_INSERT_TAIL(&early, x, entry);
			nearly++;
			return;
		}
	} else if ((e = entry_find(r->id)) != NULL &&
	    e->state == ENTRY_QUEUED)
		settle_result(e, NULL, r);
	result_free(r);
}

void
dispatch_ready(void)
{
	struct early	*x;
	struct entry	*e;
	const char	*id = "";

	while ((x = TAILQ_FIRST(&early)) != NULL) {
		TAILQ_REMOVE(&early, x, entry);
		nearly--;
		late(&x->result);
		free(x);
	}
	/* What the last spool was asked for and did not answer. */
	while ((e = entry_after(id)) != NULL) {
		id = e->id;
		if (e->opening) {
			e->opening = 0;
			open_entry(e);
		}
	}
}

void
dispatch_print(struct text *t)
{
	struct worker	*w;

	TAILQ_FOREACH(w, &workers, entry)
		text_fmt(t, "deliver[%u] %u jobs%s\n", w->ipc->instance,
		    w->njobs, w->retired ? ", leaving" : "");
}
