/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "relayd-out/queue.h"

/*
 * Messages on their way in: from PUT, or from a report of our own, until
 * spool says that they are durable.  The memory file is kept until then, so a
 * spool that dies is simply asked again.
 */

#define REPORT_RETRY_MS	60000	/* a report could not be stored: again */

struct put {
	TAILQ_ENTRY(put)	 entry;
	struct entry		*e;
	struct ipc		*asker;		/* NULL: nobody waits */
	uint32_t		 job;
	uint64_t		 deadline;	/* monotonic */
	struct envelope		*env;
	int			 fd;		/* memory file, or -1 */
	int			 sent;
	struct report		*report;	/* it is a report */
	struct ibuf		 composed;	/* its request */
};

static TAILQ_HEAD(, put)	 asked = TAILQ_HEAD_INITIALIZER(asked);

static struct put *put_new(struct envelope *);
static void	 put_send(struct put *);
static void	 put_free(struct put *);
static void	 put_answer(struct put *, enum put_status, const char *);
static void	 put_durable(struct put *, int);
static int	 proper(const struct envelope *);
static int	 all_discarded(const struct envelope *);
static int	 known(struct ipc *, uint32_t, const char *);
static void	 answer(struct ipc *, uint32_t, enum put_status, const char *);

int
accept_put(struct ipc *ipc, struct imsg *im)
{
	struct envelope	*env;
	struct put	*p;
	uint32_t	 deadline;

	deadline = ibuf_get_u32(&im->data);
	env = envelope_parse(&im->data);
	if (ibuf_get_end(&im->data) == -1 || env == NULL || !proper(env)) {
		envelope_free(env);
		return -1;
	}
	/* On the way out; who asks our successor gets an answer. */
	if (queue_leaving() || known(ipc, im->job, env->id)) {
		envelope_free(env);
		return 0;
	}
	if (im->fd == -1 || message_check(im->fd, env->size) == -1) {
		log_warnx("%s: id=%s has no sealed file of %llu octets",
		    ipc->name, env->id, (unsigned long long)env->size);
		answer(ipc, im->job, PUT_FAILED, "message lost on the way");
		envelope_free(env);
		return 0;
	}
	if (all_discarded(env)) {
		settle_discards(env);
		settled_add(env->id);
		answer(ipc, im->job, PUT_DURABLE, "discarded");
		envelope_free(env);
		return 0;
	}
	if ((p = put_new(env)) == NULL) {
		answer(ipc, im->job, PUT_FAILED, "no memory");
		envelope_free(env);
		return 0;
	}
	p->asker = ipc;
	p->job = im->job;
	p->deadline = loop_now() + deadline;
	p->fd = im->fd;
	im->fd = -1;
	if (queue_ready())
		put_send(p);
	return 0;
}

/* smtp has looked at every address; we send them on, so we look again. */
static int
proper(const struct envelope *env)
{
	size_t	 i;

	if (env->nrcpts == 0 || !text_clean(env->sender))
		return 0;
	for (i = 0; i < env->nrcpts; i++)
		if (!text_clean(env->rcpts[i].address) ||
		    (env->rcpts[i].orcpt != NULL &&
		    !text_clean(env->rcpts[i].orcpt)))
			return 0;
	return 1;
}

/* A message that was seen before gets the answer that it got then. */
static int
known(struct ipc *ipc, uint32_t job, const char *id)
{
	struct entry	*e;

	if (settled_has(id)) {
		answer(ipc, job, PUT_DURABLE, "queue");
		return 1;
	}
	if ((e = entry_find(id)) == NULL)
		return 0;
	if (e->put == NULL)
		answer(ipc, job, PUT_DURABLE, "queue");
	else {
		e->put->asker = ipc;
		e->put->job = job;
	}
	return 1;
}

static int
all_discarded(const struct envelope *env)
{
	size_t	 i;

	for (i = 0; i < env->nrcpts; i++)
		if (!env->rcpts[i].discard)
			return 0;
	return 1;
}

static struct put *
put_new(struct envelope *env)
{
	struct put	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->fd = -1;
	ibuf_init(&p->composed);
	if ((p->e = entry_from_envelope(env)) == NULL ||
	    entry_insert(p->e) == -1) {
		entry_free(p->e);
		free(p);
		return NULL;
	}
	p->e->state = ENTRY_STORING;
	p->e->put = p;
	p->env = env;
	TAILQ_INSERT_TAIL(&asked, p, entry);
	counts.storing++;
	return p;
}

static void
put_free(struct put *p)
{
	TAILQ_REMOVE(&asked, p, entry);
	counts.storing--;
	if (p->e != NULL)
		p->e->put = NULL;
	if (p->fd != -1)
		close(p->fd);
	envelope_free(p->env);
	settle_report_free(p->report);
	ibuf_free(&p->composed);
	free(p);
}

/* To spool; the file comes back where delivery can start at once. */
static void
put_send(struct put *p)
{
	static struct ibuf	 b;
	size_t			 i;
	uint8_t			 flags = 0;
	int			 fd = -1;

	p->sent = 1;
	if (p->report != NULL) {
		(void)queue_spool(VERB_SPOOL_PUT, -1, &p->composed);
		return;
	}
	if ((fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		log_warn("id=%s", p->env->id);
		put_answer(p, PUT_FAILED, "no descriptor left");
		entry_free(p->e);
		p->e = NULL;
		put_free(p);
		return;
	}
	for (i = 0; i < p->e->nparts; i++)
		if (sched_prompt(p->e->parts[i].hop))
			flags |= SPUT_OPEN;
	ibuf_reset(&b);
	ibuf_add_u8(&b, flags);
	envelope_add(&b, p->env);
	(void)queue_spool(VERB_SPOOL_PUT, fd, &b);
}

int
accept_report(struct envelope *env, struct report *report,
    const struct text *head, const char *origin, enum compose how,
    const struct text *tail)
{
	struct put	*p;
	char		 id[ID_SIZE] = "";

	if ((p = put_new(env)) == NULL)
		return -1;
	if (origin != NULL)
		memcpy(id, origin, sizeof(id));
	ibuf_add_u8(&p->composed, SPUT_COMPOSE);
	envelope_add(&p->composed, env);
	ibuf_add_blob(&p->composed, head->p, head->len);
	ibuf_add_raw(&p->composed, id, sizeof(id));
	ibuf_add_u8(&p->composed, (uint8_t)how);
	ibuf_add_blob(&p->composed, tail->p, tail->len);
	if (p->composed.bad || head->bad || tail->bad) {
		p->env = NULL;		/* stays the caller's */
		entry_free(p->e);
		p->e = NULL;
		put_free(p);
		return -1;
	}
	p->report = report;
	p->deadline = UINT64_MAX;
	if (queue_ready())
		put_send(p);
	return 0;
}

static void
answer(struct ipc *ipc, uint32_t job, enum put_status st, const char *text)
{
	static struct ibuf	 b;

	ibuf_reset(&b);
	ibuf_add_u8(&b, (uint8_t)st);
	ibuf_add_str(&b, text);
	(void)ipc_send(ipc, VERB_STORED, job, -1, &b);
}

static void
put_answer(struct put *p, enum put_status st, const char *text)
{
	if (p->asker != NULL)
		answer(p->asker, p->job, st, text);
	p->asker = NULL;
}

int
accept_cancel(struct ipc *ipc, struct imsg *im)
{
	struct put	*p;

	/* Once it is stored it is too late: the client may have its 250. */
	TAILQ_FOREACH(p, &asked, entry)
		if (p->asker == ipc && p->job == im->job) {
			p->asker = NULL;
			break;
		}
	return ibuf_get_end(&im->data);
}

void
accept_peer_gone(struct ipc *ipc)
{
	struct put	*p;

	TAILQ_FOREACH(p, &asked, entry)
		if (p->asker == ipc)
			p->asker = NULL;
}

int
accept_stored(struct ipc *ipc, struct imsg *im)
{
	struct entry	*e;
	struct put	*p;
	char		 id[ID_SIZE], why[256];
	uint8_t		 ok;
	int		 fd;

	(void)ipc;
	ibuf_get_raw(&im->data, id, sizeof(id));
	ok = ibuf_get_u8(&im->data);
	ibuf_get_str(&im->data, why, sizeof(why));
	if (ibuf_get_end(&im->data) == -1 || !id_valid(id))
		return -1;
	if ((e = entry_find(id)) == NULL || (p = e->put) == NULL)
		return 0;
	if (!ok && p->report != NULL) {
		/* What it is about is kept until it can be stored. */
		p->sent = 0;
		p->deadline = loop_now() + REPORT_RETRY_MS;
		return 0;
	}
	if (ok && (p->asker != NULL || p->report != NULL)) {
		fd = im->fd;
		im->fd = -1;
		put_durable(p, fd);
		return 0;
	}
	/* Nobody knows that it was stored: the client will send it again. */
	if (ok)
		queue_remove(id, 0);
	put_answer(p, PUT_FAILED, why);
	entry_free(e);
	p->e = NULL;
	put_free(p);
	return 0;
}

/* It is ours now: answer for it, schedule it. */
static void
put_durable(struct put *p, int fd)
{
	struct entry	*e = p->e;
	struct stored	*s;

	counts.accepted++;
	put_answer(p, PUT_DURABLE, "queue");
	e->state = ENTRY_QUEUED;
	if (p->report != NULL)
		settle_reported(p->report);
	else
		settle_discards(p->env);
	if (fd != -1 && (s = calloc(1, sizeof(*s))) != NULL) {
		s->env = p->env;
		p->env = NULL;
		entry_warm(e, s, fd);
	} else if (fd != -1)
		close(fd);
	put_free(p);
	entry_schedule(e, 0);
	queue_kick();
}

/*
 * It was asked of another queue before, and has been stored.  If nobody waits
 * for it any more, spool must be told: it would keep what no queue knows.
 */
void
accept_found(struct entry *e)
{
	e->put->sent = 1;
}

/* spool is there (again): what it has not answered for is sent to it. */
void
accept_ready(void)
{
	struct put	*p, *next;

	TAILQ_FOREACH_SAFE(p, &asked, entry, next) {
		if (p->asker == NULL && p->report == NULL && !p->sent) {
			entry_free(p->e);
			p->e = NULL;
			put_free(p);
		} else if (p->report == NULL && settled_has(p->e->id)) {
			put_answer(p, PUT_DURABLE, "queue");
			entry_free(p->e);
			p->e = NULL;
			put_free(p);
		} else {
			if (p->report != NULL)
				p->deadline = UINT64_MAX;
			put_send(p);
		}
	}
}

void
accept_tick(uint64_t now)
{
	struct put	*p, *next;

	TAILQ_FOREACH_SAFE(p, &asked, entry, next) {
		if (p->deadline > now)
			continue;
		if (p->report != NULL) {
			p->deadline = UINT64_MAX;
			if (queue_ready())
				put_send(p);
			continue;
		}
		put_answer(p, PUT_FAILED, "not stored in time");
		p->deadline = UINT64_MAX;
		if (!p->sent) {
			entry_free(p->e);
			p->e = NULL;
			put_free(p);
		}
	}
}
