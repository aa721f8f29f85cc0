/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/queue.h>
#include <sys/tree.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/dns_wire.h"
#include "common/ipc.h"
#include "common/loop.h"
#include "common/protocol.h"
#include "common/resolver.h"
#include "common/wheel.h"

/*
 * The stub: one entry for each name and type that somebody in this process
 * waits for or whose answer is kept.  A question hangs at its entry until the
 * answer comes or its time is up; one whose answer is there already hangs in
 * `ready' until the end of the turn.
 */

struct blob {			/* an answer as its frame came */
	unsigned	 refs;
	size_t		 len;
	uint8_t		 data[];
};

TAILQ_HEAD(questions, dns_question);

struct entry {
	RB_ENTRY(entry)		 byname;
	RB_ENTRY(entry)		 byjob;		/* while it is asked */
	TAILQ_ENTRY(entry)	 lru;		/* while it is kept */
	struct questions	 waiting;
	uint32_t		 job;		/* 0: an answer, kept */
	unsigned		 tries;
	struct blob		*blob;
	uint64_t		 expires;
	uint16_t		 type;
	char			 name[];
};

struct dns_question {
	TAILQ_ENTRY(dns_question) entry;
	struct questions	*list;		/* NULL: being called */
	struct entry		*asked;		/* NULL: ready */
	struct blob		*blob;		/* ready: the answer, or ... */
	enum dns_status		 status;	/* ... just this */
	uint64_t		 expires;
	uint64_t		 due;
	struct wheel		 timer;
	void			(*cb)(const struct dns_answer *, void *);
	void			*arg;
};

RB_HEAD(dns_names, entry);
RB_HEAD(dns_jobs, entry);
TAILQ_HEAD(kept, entry);

static struct ipc		*peer;
static struct dns_names		 names = RB_INITIALIZER(&names);
static struct dns_jobs		 jobs = RB_INITIALIZER(&jobs);
static struct kept		 kept = TAILQ_HEAD_INITIALIZER(kept);
static unsigned			 nasked, nkept, nwaiting;
static size_t			 keptsize;
static uint32_t			 lastjob;
static struct questions		 ready = TAILQ_HEAD_INITIALIZER(ready);
static struct deferred		 ready_task;

static int		 cmp_name(struct entry *, struct entry *);
static int		 cmp_job(struct entry *, struct entry *);
static struct entry	*entry_find(const char *, uint16_t);
static struct entry	*entry_new(const char *, uint16_t);
static void		 entry_send(struct entry *);
static void		 entry_drop(struct entry *);
static void		 entry_keep(struct entry *, struct blob *, uint64_t);
static size_t		 entry_size(const struct entry *);
static void		 orphans_drop(void);
static int		 question_wants(struct entry *);
static void		 question_ready(struct dns_question *, struct blob *,
			    enum dns_status);
static void		 question_late(void *);
static void		 question_tell(struct dns_question *,
			    const struct dns_answer *);
static void		 question_remove(struct dns_question *);
static void		 ready_run(void *);
static int		 blob_answer(const struct blob *, struct dns_answer *);
static void		 blob_release(struct blob *);

RB_PROTOTYPE(dns_names, entry, byname, cmp_name)
RB_PROTOTYPE(dns_jobs, entry, byjob, cmp_job)
RB_GENERATE(dns_names, entry, byname, cmp_name)
RB_GENERATE(dns_jobs, entry, byjob, cmp_job)

void
dns_peer(struct ipc *ipc)
{
	struct entry *e;

	peer = ipc;
	if (peer == NULL) {
		orphans_drop();
		return;
	}
	RB_FOREACH(e, dns_jobs, &jobs)
		entry_send(e);
}

void
dns_peer_gone(struct ipc *ipc)
{
	if (ipc == peer)
		dns_peer(NULL);
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	struct dns_question *q;
	struct entry *e;
	char folded[DNS_NAME];

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	q->cb = cb;
	q->arg = arg;
	wheel_init(&q->timer, question_late, q);
	if (ms > LIM_DNS_MS)
		ms = LIM_DNS_MS;
	q->due = loop_now() + ms;
	if (dns_name(name, folded) == -1) {
		question_ready(q, NULL, DNS_NXDOMAIN);
		return q;
	}
	e = entry_find(folded, (uint16_t)type);
	if (e != NULL && e->job == 0) {
		q->expires = e->expires;
		question_ready(q, e->blob, DNS_OK);
		return q;
	}
	if (nwaiting == LIM_DNS_WAITERS ||
	    (e == NULL && (e = entry_new(folded, (uint16_t)type)) == NULL)) {
		question_ready(q, NULL, DNS_FAIL);
		return q;
	}
	q->asked = e;
	q->list = &e->waiting;
	TAILQ_INSERT_TAIL(q->list, q, entry);
	nwaiting++;
	wheel_set(&q->timer, (uint32_t)ms);
	if (e->tries == 0)
		entry_send(e);
	return q;
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	struct entry *e;
	char folded[DNS_NAME];

	if (dns_name(name, folded) == -1 ||
	    (e = entry_find(folded, (uint16_t)type)) == NULL || e->job != 0)
		return 0;
	return blob_answer(e->blob, a) == 0;
}

/* The answer is still worth having, so the resolver is not told. */
void
dns_cancel(struct dns_question *q)
{
	if (q == NULL || q->list == NULL)
		return;
	question_remove(q);
	blob_release(q->blob);
	free(q);
}

int
dns_answered(struct ipc *ipc, struct imsg *im)
{
	struct dns_answer a;
	struct dns_question *q;
	struct entry *e, key;
	struct questions list = TAILQ_HEAD_INITIALIZER(list);
	struct blob *blob;
	uint64_t ttl;

	(void)ipc;
	if (dns_answer_parse(&im->data, &a) == -1 ||
	    ibuf_get_end(&im->data) == -1)
		return -1;
	key.job = im->job;
	if (im->job == 0 || (e = RB_FIND(dns_jobs, &jobs, &key)) == NULL)
		return 0;
	/* the time of the first who asked; somebody may have more */
	if (a.status == DNS_TIMEOUT && question_wants(e)) {
		entry_send(e);
		return 0;
	}
	while ((q = TAILQ_FIRST(&e->waiting)) != NULL) {
		TAILQ_REMOVE(&e->waiting, q, entry);
		TAILQ_INSERT_TAIL(&list, q, entry);
		q->list = &list;
		q->asked = NULL;
		nwaiting--;
	}
	ttl = a.status == DNS_OK ? LIM_DNS_TTL_S : LIM_DNS_NEGTTL_S;
	if (a.ttl < ttl)
		ttl = a.ttl;
	blob = NULL;
	if (a.status <= DNS_NXDOMAIN && ttl > 0 &&
	    (blob = malloc(sizeof(*blob) + im->data.len)) != NULL) {
		blob->refs = 1;
		blob->len = im->data.len;
		memcpy(blob->data, im->data.p, blob->len);
		entry_keep(e, blob, ttl);
	} else
		entry_drop(e);
	/* the frame lives until this returns; e may be gone from here on */
	while ((q = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, q, entry);
		question_tell(q, &a);
	}
	return 0;
}

static int
cmp_name(struct entry *a, struct entry *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int
cmp_job(struct entry *a, struct entry *b)
{
	return a->job < b->job ? -1 : a->job > b->job;
}

/* What is kept counts as used by that; NULL when its time is up. */
static struct entry *
entry_find(const char *name, uint16_t type)
{
	union {
		struct entry	 key;
		uint8_t		 room[sizeof(struct entry) + DNS_NAME];
	} u;
	struct entry *e;

	u.key.type = type;
	(void)memcpy(u.room + offsetof(struct entry, name), name,
	    strlen(name) + 1);
	if ((e = RB_FIND(dns_names, &names, &u.key)) == NULL || e->job != 0)
		return e;
	if (e->expires <= loop_now()) {
		entry_drop(e);
		return NULL;
	}
	TAILQ_REMOVE(&kept, e, lru);
	TAILQ_INSERT_TAIL(&kept, e, lru);
	return e;
}

static struct entry *
entry_new(const char *name, uint16_t type)
{
	struct entry *e;
	size_t n = strlen(name) + 1;

	if (nasked == LIM_DNS_QUESTIONS ||
	    (e = calloc(1, sizeof(*e) + n)) == NULL)
		return NULL;
	TAILQ_INIT(&e->waiting);
	e->type = type;
	memcpy(e->name, name, n);
	do {
		if (++lastjob == 0)
			lastjob = 1;
		e->job = lastjob;
	} while (RB_INSERT(dns_jobs, &jobs, e) != NULL);
	(void)RB_INSERT(dns_names, &names, e);
	nasked++;
	return e;
}

static void
entry_send(struct entry *e)
{
	struct dns_question *q;
	struct ibuf b;
	uint64_t now, due = 0;

	if (peer == NULL)
		return;
	TAILQ_FOREACH(q, &e->waiting, entry)
		if (q->due > due)
			due = q->due;
	now = loop_now();
	ibuf_init(&b);
	ibuf_add_str(&b, e->name);
	ibuf_add_u16(&b, e->type);
	ibuf_add_u32(&b, due > now ? (uint32_t)(due - now) : 0);
	(void)ipc_send(peer, VERB_ASK, e->job, -1, &b);
	ibuf_free(&b);
	e->tries++;
}

/* Nobody waits at e. */
static void
entry_drop(struct entry *e)
{
	RB_REMOVE(dns_names, &names, e);
	if (e->job != 0) {
		RB_REMOVE(dns_jobs, &jobs, e);
		nasked--;
	} else {
		TAILQ_REMOVE(&kept, e, lru);
		nkept--;
		keptsize -= entry_size(e);
	}
	blob_release(e->blob);
	free(e);
}

/* From asked to kept; the least used ones make room, maybe e itself. */
static void
entry_keep(struct entry *e, struct blob *blob, uint64_t ttl)
{
	RB_REMOVE(dns_jobs, &jobs, e);
	nasked--;
	e->job = 0;
	e->blob = blob;
	e->expires = loop_now() + ttl * 1000;
	TAILQ_INSERT_TAIL(&kept, e, lru);
	nkept++;
	keptsize += entry_size(e);
	while (nkept > LIM_DNS_CACHE || keptsize > LIM_DNS_CACHE_SIZE)
		entry_drop(TAILQ_FIRST(&kept));
}

static size_t
entry_size(const struct entry *e)
{
	return sizeof(*e) + strlen(e->name) + sizeof(*e->blob) + e->blob->len;
}

/* Asked for nobody any more, and nobody is there to answer. */
static void
orphans_drop(void)
{
	struct entry *e, *next;

	for (e = RB_MIN(dns_jobs, &jobs); e != NULL; e = next) {
		next = RB_NEXT(dns_jobs, &jobs, e);
		if (TAILQ_EMPTY(&e->waiting))
			entry_drop(e);
	}
}

/* Somebody at e has more time than it takes to ask once more. */
static int
question_wants(struct entry *e)
{
	struct dns_question *q;

	if (e->tries >= LIM_DNS_TRIES)
		return 0;
	TAILQ_FOREACH(q, &e->waiting, entry)
		if (q->due > loop_now() + 2 * WHEEL_TICK)
			return 1;
	return 0;
}

static void
question_ready(struct dns_question *q, struct blob *blob,
    enum dns_status status)
{
	q->status = status;
	q->blob = blob;
	if (blob != NULL)
		blob->refs++;
	q->list = &ready;
	TAILQ_INSERT_TAIL(&ready, q, entry);
	ready_task.fn = ready_run;
	loop_defer(&ready_task);
}

static void
question_late(void *arg)
{
	struct dns_question *q = arg;
	struct entry *e = q->asked;
	struct dns_answer a;

	memset(&a, 0, sizeof(a));
	a.status = DNS_TIMEOUT;
	question_remove(q);
	if (e != NULL && TAILQ_EMPTY(&e->waiting))
		entry_drop(e);
	question_tell(q, &a);
}

/* Once, and off every list; the owner may still know q. */
static void
question_tell(struct dns_question *q, const struct dns_answer *a)
{
	wheel_stop(&q->timer);
	q->list = NULL;
	q->cb(a, q->arg);
	blob_release(q->blob);
	free(q);
}

static void
question_remove(struct dns_question *q)
{
	wheel_stop(&q->timer);
	TAILQ_REMOVE(q->list, q, entry);
	if (q->asked != NULL)
		nwaiting--;
	q->asked = NULL;
}

/* Only those that are there now: a callback may ask again and again. */
static void
ready_run(void *arg)
{
	struct questions list = TAILQ_HEAD_INITIALIZER(list);
	struct dns_question *q;
	struct dns_answer a;
	uint64_t now = loop_now();

	(void)arg;
	TAILQ_CONCAT(&list, &ready, entry);
	TAILQ_FOREACH(q, &list, entry)
		q->list = &list;
	while ((q = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, q, entry);
		if (q->blob == NULL || blob_answer(q->blob, &a) == -1) {
			memset(&a, 0, sizeof(a));
			a.status = q->blob == NULL ? q->status : DNS_FAIL;
		} else
			a.ttl = q->expires > now ?
			    (uint32_t)((q->expires - now) / 1000) : 0;
		question_tell(q, &a);
	}
}

static int
blob_answer(const struct blob *blob, struct dns_answer *a)
{
	struct ibuf b;

	ibuf_from(&b, blob->data, blob->len);
	return dns_answer_parse(&b, a);
}

static void
blob_release(struct blob *blob)
{
	if (blob != NULL && --blob->refs == 0)
		free(blob);
}
