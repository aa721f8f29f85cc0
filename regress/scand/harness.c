/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/socket.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/proc.h"
#include "regress/scand/harness.h"
#include "regress/unit.h"
#include "scand/broker.h"

/* See harness.h. */

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "node \"mail-in01.example.net\"\n"
    "network { 192.0.2.0/24 }\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "dnsbl \"bl.example.org\" { 127.0.0.2 points 4.0 }\n"
    "participant \"uni\" contact \"postmaster@uni.example\" {\n"
    " domain \"uni.example\" deliver to 192.0.2.77 reject at 7.0\n"
    "}\n";
static struct config	*conf;
unsigned	 nkilled, nquestions, nreloads;
char		 last_id[ID_SIZE];

const struct config *
harness_config(void)
{
	if (conf == NULL)
		conf = config_parse_text("test", conf_text,
		    sizeof(conf_text) - 1, stderr);
	if (conf == NULL)
		exit(1);
	return conf;
}

/* What the broker calls of the machinery of children and of DNS. */

const struct config *
child_config(void)
{
	return harness_config();
}

uint32_t
child_generation(void)
{
	return 1;
}

void
child_exit(void)
{
	exit(1);
}

void
child_kill(enum peer kind, unsigned instance)
{
	CHECK_INT(kind, PEER_SCANNER);
	(void)instance;
	nkilled++;
}

void
child_reload(void (*cb)(int, const char *, void *), void *arg)
{
	nreloads++;
	cb(0, "line 3: no", arg);
}

struct dns_question {
	struct deferred	 later;
	enum dns_type	 type;
	int		 test;
	void		(*cb)(const struct dns_answer *, void *);
	void		*arg;
};

/* Every address has the same name, lists have their test point, and there is
   nothing else. */
static void
dns_answer_name(void *arg)
{
	static const char target[] = "mx.a.example";
	static const uint8_t listed[] = { 127, 0, 0, 2 };
	static struct dns_answer a;
	struct dns_question *q = arg;

	a.nrec = q->type == DNS_PTR || q->test;
	a.status = a.nrec > 0 ? DNS_OK : DNS_NXDOMAIN;
	a.rec[0].data = q->test ? listed : (const uint8_t *)target;
	a.rec[0].len = q->test ? 4 : sizeof(target) - 1;
	q->cb(&a, q->arg);
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	static struct dns_question asked[8];
	struct dns_question *q = &asked[nquestions++ % 8];

	(void)ms;
	if (type == DNS_PTR)
		CHECK_STR(name, "9.2.0.192.in-addr.arpa");
	q->type = type;
	q->test = strncmp(name, "2.0.0.127.", 10) == 0;
	q->cb = cb;
	q->arg = arg;
	q->later.fn = dns_answer_name;
	q->later.arg = q;
	loop_defer(&q->later);
	return q;
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	(void)name;
	(void)type;
	(void)a;
	return 0;
}

void
dns_cancel(struct dns_question *q)
{
	(void)q;
}

/* Scanners: what they have been given and not answered. */
struct fake_scanner	 scanners[FAKE_SCANNERS];

static int
on_job(struct ipc *ipc, struct imsg *im)
{
	struct fake_scanner *s = ipc->arg;
	static struct scan scan;

	CHECK_INT(scan_parse(&im->data, &scan), 0);
	CHECK(im->fd != -1 && message_check(im->fd, scan.size) == 0);
	CHECK(scan.deadline > 0);
	if (s->n < FAKE_GIVEN) {
		s->v[s->n].number = im->job;
		s->v[s->n].npolicies = scan.npolicies;
		memcpy(s->v[s->n++].id, scan.id, ID_SIZE);
	}
	scan_free(&scan);
	return 0;
}

static int
on_job_cancel(struct ipc *ipc, struct imsg *im)
{
	struct fake_scanner *s = ipc->arg;

	(void)im;
	s->cancels++;
	return 0;
}

static int
on_lists(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	(void)im;
	return 0;
}

static const struct ipc_verb scanner_side[] = {
	{ VERB_JOB, ~0U, LIM_FRAME, IPC_FD, on_job },
	{ VERB_CANCEL, ~0U, 0, IPC_NOFD, on_job_cancel },
	{ VERB_LISTS, ~0U, 64, IPC_NOFD, on_lists },
};

static void
scanner_lost(struct ipc *ipc)
{
	struct fake_scanner *s = ipc->arg;

	s->ipc = NULL;
}

void
scanner_start_fake(unsigned i)
{
	struct ipc *ours;
	int sp[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp), 0);
	scanners[i].n = 0;
	scanners[i].ipc = ipc_new(sp[0], PEER_BROKER, 0, scanner_side, 2,
	    scanner_lost, &scanners[i]);
	ours = ipc_new(sp[1], PEER_SCANNER, i, broker_verbs, 9,
	    broker_peer_gone, NULL);
	broker_peer_up(ours);
}

void
scanner_result(unsigned i, size_t k, int32_t score)
{
	struct fake_scanner *s = &scanners[i];
	struct symbol_hit hit = { "OLD_DATE", 100, "" };
	struct verdict v;
	struct ibuf b;

	memset(&v, 0, sizeof(v));
	memcpy(v.id, s->v[k].id, ID_SIZE);
	v.score = score;
	v.nactions = s->v[k].npolicies;
	v.hits = &hit;
	v.nhits = 1;
	v.report = score == 77 ? strdup("the table\n") : NULL;
	ibuf_init(&b);
	verdict_add(&b, &v);
	(void)ipc_send(s->ipc, VERB_RESULT, s->v[k].number, -1, &b);
	ibuf_free(&b);
	free(v.report);
	s->n--;
	memmove(&s->v[k], &s->v[k + 1], (s->n - k) * sizeof(s->v[0]));
}

/* The front and gwctl. */
struct got	 got[256];
size_t		 ngot;
char		 text[4096], end_error[256];
int		 nends, end_status, front_up;

static int
on_verdict(struct ipc *ipc, struct imsg *im)
{
	struct verdict v;

	(void)ipc;
	CHECK_INT(verdict_parse(&im->data, &v), 0);
	CHECK_INT(ibuf_get_end(&im->data), 0);
	if (ngot < 256) {
		got[ngot].number = im->job;
		got[ngot].score = v.score;
		got[ngot++].action = v.actions[0];
	}
	verdict_free(&v);
	return 0;
}

static int
on_text(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	static char more[sizeof(text)];

	ibuf_get_str(&im->data, more, sizeof(more));
	CHECK_INT(ibuf_get_end(&im->data), 0);
	if (strncmp(more, "list[", 5) != 0)
		(void)strlcpy(text, more, sizeof(text));
	else
		CHECK_STR(more, "list[bl.example.org] on ipv4\n"
		    "list[bl.example.org].tests 1\n"
		    "list[bl.example.org].switched-off 0\n"
		    "list[bl.example.org].unwaited 0\n");
	return 0;
}

static int
on_end(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	nends++;
	end_status = ibuf_get_u8(&im->data);
	ibuf_get_str(&im->data, end_error, sizeof(end_error));
	CHECK_INT(ibuf_get_end(&im->data), 0);
	return 0;
}

static const struct ipc_verb front_side[] = {
	{ VERB_VERDICT, ~0U, LIM_FRAME, IPC_NOFD, on_verdict },
	{ VERB_CTL_TEXT, ~0U, LIM_FRAME, IPC_NOFD, on_text },
	{ VERB_CTL_END, ~0U, LIM_FRAME, IPC_NOFD, on_end },
};

static void
front_ready(struct ipc *ipc)
{
	(void)ipc;
	front_up = 1;
}

static void
front_lost(struct ipc *ipc)
{
	(void)ipc;
	front_up = 0;
}

struct ipc *
front_start(enum peer kind)
{
	struct ipc *theirs, *ours;
	int sp[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp), 0);
	if (kind == PEER_CONTROL) {
		theirs = ipc_new(sp[0], PEER_BROKER, 0, front_side, 3,
		    front_lost, NULL);
		ours = ipc_new(sp[1], kind, 0, broker_verbs, 9,
		    broker_peer_gone, NULL);
		broker_peer_up(ours);
		return theirs;
	}
	theirs = ipc_new_foreign(sp[0], PEER_BROKER, front_side, 3, 1, 0,
	    front_ready, front_lost, NULL);
	(void)ipc_new_foreign(sp[1], kind, broker_verbs, 9, 1, 64,
	    broker_peer_up, broker_peer_gone, NULL);
	return theirs;
}

static struct timer	 quiet;
static int		 turns;

static void
settled(void *arg)
{
	(void)arg;
	if (turns-- > 0)
		timer_set(&quiet, 0);
	else
		loop_stop();
}

void
settle(uint64_t ms)
{
	turns = 20;
	timer_init(&quiet, settled, NULL);
	timer_set(&quiet, ms);
	loop_run();
	timer_free(&quiet);
}

int
message_fd(const char *s, uint8_t hash[MESSAGE_HASH])
{
	struct message *m = message_new();
	int fd;

	CHECK_INT(message_write(m, s, strlen(s)), 0);
	fd = dup(message_seal(m, hash));
	message_free(m);
	return fd;
}

void
ask(struct ipc *front, uint32_t number, const char *id, const char *content,
    uint32_t deadline)
{
	static struct scan s;
	char none[] = "";
	struct ibuf b;
	int fd;

	memset(&s, 0, sizeof(s));
	if (id == NULL)
		id_new(s.id);
	else
		memcpy(s.id, id, ID_SIZE);
	memcpy(last_id, s.id, ID_SIZE);
	fd = message_fd(content, s.hash);
	s.size = strlen(content);
	s.deadline = deadline;
	s.rcpts = none;
	s.npolicies = 1;
	ibuf_init(&b);
	scan_add(&b, &s);
	CHECK_INT(ipc_send(front, VERB_SCAN, number, fd, &b), 0);
	ibuf_free(&b);
}
