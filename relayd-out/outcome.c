/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "relayd-out/deliver.h"

/*
 * What became of the recipients of a delivery, on the record and to queue.
 */

#define PASTS_MAX	512	/* results that are kept */
#define PAST_MS		30000	/* a queue that died is back sooner */

/*
 * A result, kept for a while: what queue had not read when it died is gone,
 * and would be delivered again.
 */
struct past {
	TAILQ_ENTRY(past)	 entry;
	struct ibuf		 frame;
	uint64_t		 when;
	int			 told;		/* to some queue */
};

static TAILQ_HEAD(, past)	 pasts = TAILQ_HEAD_INITIALIZER(pasts);
static unsigned			 npasts;

static void	 past_free(struct past *);

void
outcome_set(struct delivery *d, size_t i, enum outcome_status status,
    const char *code, const char *text)
{
	struct outcome	*o = &d->result.v[i];

	o->index = d->index[i];
	o->status = status;
	(void)strlcpy(o->code, code, sizeof(o->code));
	free(o->text);
	o->text = strdup(text);
	d->decided[i] = 1;
}

/* The same for all recipients whose fate is open. */
void
outcome_rest(struct delivery *d, enum outcome_status st,
    enum hop_verdict verdict, const char *code, const char *text)
{
	size_t	 i;

	d->result.verdict = (uint8_t)verdict;
	d->result.n = d->env->nrcpts;
	for (i = 0; i < d->env->nrcpts; i++)
		if (!d->decided[i])
			outcome_set(d, i, st, code, text);
}

void
outcome_log(const struct delivery *d, const char *tls)
{
	const struct outcome	*o = NULL;
	struct audit		 a;
	uint64_t		 now = clock_wall_ms();
	size_t			 i, n = 0;

	for (i = 0; i < d->result.n; i++)
		if (d->result.v[i].status == OUTCOME_DELIVERED) {
			o = &d->result.v[i];
			n++;
		}
	if (o == NULL)
		return;
	audit_begin(&a, d->env->id, "delivered");
	audit_str(&a, "to", d->result.remote);
	audit_str(&a, "tls", *tls == '\0' ? NULL : tls);
	audit_num(&a, "rcpts", (long long)n);
	audit_str(&a, "reply", o->text);
	audit_hex(&a, "sha256", d->env->hash, sizeof(d->env->hash));
	audit_ms(&a, "delay", now > d->env->time ? now - d->env->time : 0);
	audit_str(&a, "path", "queue");
	audit_end(&a);
}

void
outcome_tell(struct ipc *queue, uint32_t job, const struct result *r)
{
	struct past	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal("deliver");	/* queue must not wait for ever */
	ibuf_init(&p->frame);
	result_add(&p->frame, r);
	p->when = loop_now();
	if (queue != NULL) {
		(void)ipc_send(queue, VERB_DELIVERED, job, -1, &p->frame);
		p->told = 1;
	}
	TAILQ_INSERT_TAIL(&pasts, p, entry);
	npasts++;
	while (npasts > PASTS_MAX && TAILQ_FIRST(&pasts)->told)
		past_free(TAILQ_FIRST(&pasts));
}

static void
past_free(struct past *p)
{
	TAILQ_REMOVE(&pasts, p, entry);
	npasts--;
	ibuf_free(&p->frame);
	free(p);
}

void
outcome_again(struct ipc *queue)
{
	struct past	*p;

	while ((p = TAILQ_FIRST(&pasts)) != NULL) {
		if (!p->told || p->when + PAST_MS > loop_now())
			(void)ipc_send(queue, VERB_DELIVERED, 0, -1,
			    &p->frame);
		past_free(p);
	}
}
