/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/address.h"
#include "common/log.h"
#include "common/message.h"
#include "common/proc.h"
#include "scand/broker.h"

/*
 * What gwctl asks of scand: its state, the verdict on a message from a file,
 * a reload.
 */

struct reload {
	TAILQ_ENTRY(reload)	 entry;
	struct ipc		*ipc;		/* NULL: has gone */
	uint32_t		 job;
};

#define OPERATOR_CLAMDS	16	/* shown */

static TAILQ_HEAD(, reload) reloads = TAILQ_HEAD_INITIALIZER(reloads);

/* What each clamd says of itself; "" away, or not heard of yet. */
static char	clamd[OPERATOR_CLAMDS][128];

static void	status_clamd(struct ipc *, uint32_t);
static int	scan_fill(struct scan *, struct ibuf *);
static void	policy_for(struct policy *, const char *);
static void	reload_done(int, const char *, void *);

int
operator_status(struct ipc *ipc, struct imsg *im)
{
	const struct broker_count *c = &broker_count;
	struct answers_count dns;
	char text[2048];
	int n;

	workers_count(&dns);
	n = snprintf(text, sizeof(text),
	    "scanners %zu\nwaiting %zu\nrunning %zu\nparked %zu\n"
	    "jobs %" PRIu64 "\naccept %" PRIu64 "\ngreylist %" PRIu64 "\n"
	    "tempfail %" PRIu64 "\nreject %" PRIu64 "\n"
	    "repeated %" PRIu64 "\njoined %" PRIu64 "\n"
	    "cancelled %" PRIu64 "\noverdue %" PRIu64 "\n"
	    "scanner-deaths %" PRIu64 "\ncharged %" PRIu64 "\n"
	    "reruns %" PRIu64 "\npoisons %zu\nremembered %zu\n"
	    "clients %" PRIu64 "\nprefetched %" PRIu64 "\n"
	    "dns-asked %" PRIu64 "\ndns-cached %" PRIu64 "\n"
	    "dns-given-up %" PRIu64 "\n"
	    "dns-secure %" PRIu64 "\ndns-bogus %" PRIu64 "\n"
	    "dns-unwaited %u\n"
	    "generation %u\n",
	    workers_number(), tasks_in_state(TASK_QUEUED),
	    tasks_in_state(TASK_GIVEN), tasks_in_state(TASK_PARKED),
	    c->jobs, c->actions[ACTION_ACCEPT], c->actions[ACTION_GREYLIST],
	    c->actions[ACTION_TEMPFAIL], c->actions[ACTION_REJECT],
	    c->repeated, c->joined, c->cancelled, c->overdue, c->deaths,
	    c->charged, c->reruns, poison_number(), recent_number(),
	    c->clients, c->prefetched, dns.asked, dns.cached, dns.given_up,
	    dns.secure, dns.bogus, workers_unwaited(BREAKER_DNS),
	    child_generation());
	if (n > 0 && (size_t)n < sizeof(text))
		operator_text(ipc, im->job, text);
	lists_status(ipc, im->job);
	status_clamd(ipc, im->job);
	operator_end(ipc, im->job, 0, NULL);
	return 0;
}

int
operator_virus(struct ipc *ipc, struct imsg *im)
{
	char text[sizeof(clamd[0])];

	ibuf_get_str(&im->data, text, sizeof(text));
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	if (ipc->instance < OPERATOR_CLAMDS)
		(void)strlcpy(clamd[ipc->instance], text, sizeof(clamd[0]));
	return 0;
}

/* "ClamAV 1.0.7/27000/Mon Jun  3 08:25:59 2024" has its database's date. */
static void
status_clamd(struct ipc *ipc, uint32_t job)
{
	const struct config *conf = child_config();
	const char *date;
	char text[512];
	struct tm tm;
	size_t i;
	int n;

	if (conf->antivirus != ANTIVIRUS_CLAMD)
		return;
	for (i = 0; i < conf->clamd.n && i < OPERATOR_CLAMDS; i++) {
		n = snprintf(text, sizeof(text), "clamd[%zu] %s\n", i,
		    *clamd[i] == '\0' ? "away" : clamd[i]);
		memset(&tm, 0, sizeof(tm));
		if (n > 0 && (size_t)n < sizeof(text) &&
		    (date = strrchr(clamd[i], '/')) != NULL &&
		    strptime(date + 1, "%a %b %d %H:%M:%S %Y", &tm) != NULL)
			(void)snprintf(text + n, sizeof(text) - (size_t)n,
			    "clamd[%zu].database-age %lld\n", i,
			    (long long)(time(NULL) - timegm(&tm)));
		operator_text(ipc, job, text);
	}
}

int
operator_scan(struct ipc *ipc, struct imsg *im)
{
	static struct scan s;
	struct audit a;
	struct task *t;

	if (scan_fill(&s, &im->data) == -1)
		return -1;
	audit_begin(&a, s.id, "operator-scan");
	audit_num(&a, "uid", (long long)ipc->uid);
	audit_num(&a, "size", (long long)s.size);
	audit_end(&a);
	if (im->fd == -1 || message_check(im->fd, s.size) == -1) {
		operator_end(ipc, im->job, 1, "not a sealed message");
		return 0;
	}
	if ((s.rcpts = strdup("")) == NULL ||
	    (t = task_new(&s, im->fd)) == NULL) {
		scan_free(&s);
		operator_end(ipc, im->job, 1, "too many jobs");
		return 0;
	}
	im->fd = -1;
	if (task_wait(t, ipc, im->job) == -1) {
		task_free(t);
		operator_end(ipc, im->job, 1, "no memory");
	}
	workers_dispatch();
	return 0;
}

static int
scan_fill(struct scan *s, struct ibuf *b)
{
	char rcpt[LIM_PATH + 1];
	uint8_t class;

	s->rcpts = NULL;
	s->size = ibuf_get_u64(b);
	class = ibuf_get_u8(b);
	netaddr_get(b, &s->client);
	ibuf_get_str(b, s->helo, sizeof(s->helo));
	ibuf_get_str(b, s->sender, sizeof(s->sender));
	ibuf_get_str(b, rcpt, sizeof(rcpt));
	if (ibuf_get_end(b) == -1 || class > CLASS_CLUSTER)
		return -1;
	s->class = class;
	id_new(s->id);
	s->deadline = child_config()->limit_deadline_s * 1000;
	s->flags = SCAN_EXPLAIN;
	s->tls[0] = '\0';
	memset(s->hash, 0, sizeof(s->hash));
	s->nrcpts = 0;
	policy_for(&s->policies[0], rcpt);
	s->npolicies = 1;
	return 0;
}

/* The policy class that a recipient is in; "": the general one. */
static void
policy_for(struct policy *p, const char *rcpt)
{
	const struct config *conf = child_config();
	const struct config_domain *d = NULL;
	char folded[LIM_PATH + 1];
	const char *domain;

	*p = conf->policy;
	if (address_fold(rcpt, folded, sizeof(folded)) == -1)
		return;
	if ((domain = address_domain(folded)) != NULL)
		d = config_domain(conf, domain);
	if (d == NULL)
		return;
	*p = d->policy;
	if (address_is_local(folded, "postmaster") ||
	    address_is_local(folded, "abuse"))
		p->role = POLICY_POSTMASTER;
	else if (config_discard(d, folded))
		p->role = POLICY_DUMMY;
}

int
operator_reload(struct ipc *ipc, struct imsg *im)
{
	struct reload *r;

	log_info("user %u asks for a reload", (unsigned)ipc->uid);
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		operator_end(ipc, im->job, 1, "no memory");
		return 0;
	}
	r->ipc = ipc;
	r->job = im->job;
	TAILQ_INSERT_TAIL(&reloads, r, entry);
	child_reload(reload_done, r);
	return 0;
}

static void
reload_done(int ok, const char *text, void *arg)
{
	struct reload *r = arg;

	if (r->ipc != NULL) {
		if (ok && *text != '\0')
			operator_text(r->ipc, r->job, text);
		operator_end(r->ipc, r->job, !ok, ok ? NULL : text);
	}
	TAILQ_REMOVE(&reloads, r, entry);
	free(r);
}

void
operator_gone(struct ipc *ipc)
{
	struct reload *r;

	TAILQ_FOREACH(r, &reloads, entry) {
		if (r->ipc == ipc)
			r->ipc = NULL;
	}
}

void
operator_text(struct ipc *ipc, uint32_t job, const char *text)
{
	struct ibuf b;

	ibuf_init(&b);
	ibuf_add_str(&b, text);
	(void)ipc_send(ipc, VERB_CTL_TEXT, job, -1, &b);
	ibuf_free(&b);
}

void
operator_end(struct ipc *ipc, uint32_t job, uint8_t status, const char *error)
{
	struct ibuf b;

	ibuf_init(&b);
	ibuf_add_u8(&b, status);
	ibuf_add_str(&b, error);
	(void)ipc_send(ipc, VERB_CTL_END, job, -1, &b);
	ibuf_free(&b);
}
