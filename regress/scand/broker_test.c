/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/socket.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/proc.h"
#include "regress/unit.h"
#include "scand/broker.h"

/*
 * The broker between a front that asks and scanners that answer, park, die or
 * say nothing, all in this process, over real channels.
 */

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

/* What the broker calls of the machinery of children and of DNS. */
static unsigned	 nkilled, nquestions, nreloads;

const struct config *
child_config(void)
{
	return conf;
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

void
dns_peer(struct ipc *ipc)
{
	(void)ipc;
}

void
dns_peer_gone(struct ipc *ipc)
{
	(void)ipc;
}

int
dns_answered(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	(void)im;
	return 0;
}

/* Scanners: what they have been given and not answered. */
#define SCANNERS	4
#define GIVEN		64

static struct scanner {
	struct ipc	*ipc;
	struct {
		uint32_t	number;
		char		id[ID_SIZE];
		size_t		npolicies;
	}		 v[GIVEN];
	size_t		 n;
	unsigned	 cancels;
} scanners[SCANNERS];

static int
on_job(struct ipc *ipc, struct imsg *im)
{
	struct scanner *s = ipc->arg;
	static struct scan scan;

	CHECK_INT(scan_parse(&im->data, &scan), 0);
	CHECK(im->fd != -1 && message_check(im->fd, scan.size) == 0);
	CHECK(scan.deadline > 0);
	if (s->n < GIVEN) {
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
	struct scanner *s = ipc->arg;

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
	struct scanner *s = ipc->arg;

	s->ipc = NULL;
}

static void
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

/* The k-th of what scanner i holds is done. */
static void
scanner_result(unsigned i, size_t k, int32_t score)
{
	struct scanner *s = &scanners[i];
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
struct got {
	uint32_t	number;
	int32_t		score;
	enum action	action;
};
static struct got	 got[256];
static size_t		 ngot;
static char		 text[4096], end_error[256];
static int		 nends, end_status, front_up;

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

static struct ipc *
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

/* Let the loop run for so long, and on a busy machine for some turns. */
static void
settle(uint64_t ms)
{
	turns = 20;
	timer_init(&quiet, settled, NULL);
	timer_set(&quiet, ms);
	loop_run();
	timer_free(&quiet);
}

static int
message_fd(const char *s, uint8_t hash[MESSAGE_HASH])
{
	struct message *m = message_new();
	int fd;

	CHECK_INT(message_write(m, s, strlen(s)), 0);
	fd = dup(message_seal(m, hash));
	message_free(m);
	return fd;
}

static char	last_id[ID_SIZE];

/* Ask for a verdict; with id NULL a new one. */
static void
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

static void
test_plain(struct ipc *front)
{
	char id[ID_SIZE];

	ngot = 0;
	ask(front, 1, NULL, "one", 5000);
	memcpy(id, last_id, ID_SIZE);
	settle(3);
	CHECK_INT(scanners[0].n, 1);
	CHECK_INT(tasks_number(), 1);
	/* The same id meanwhile joins. */
	ask(front, 2, id, "one", 5000);
	settle(3);
	CHECK_INT(tasks_number(), 1);
	CHECK_INT(scanners[0].n, 1);
	scanner_result(0, 0, 111);
	settle(3);
	CHECK_INT(ngot, 2);
	CHECK_INT(got[0].number, 1);
	CHECK_INT(got[1].number, 2);
	CHECK_INT(got[0].score, 111);
	CHECK_INT(tasks_number(), 0);
	/* And later gets the answer that was given. */
	ask(front, 3, id, "one", 5000);
	settle(3);
	CHECK_INT(ngot, 3);
	CHECK_INT(got[2].number, 3);
	CHECK_INT(got[2].score, 111);
	CHECK_INT(scanners[0].n, 0);
}

static void
test_batches(struct ipc *front)
{
	uint32_t i;

	ngot = 0;
	for (i = 0; i < 20; i++)
		ask(front, i, NULL, "small", 5000);
	settle(3);
	CHECK_INT(scanners[0].n, LIM_SCAN_BACKLOG);
	CHECK_INT(scanners[1].n, LIM_SCAN_BACKLOG);
	CHECK_INT(tasks_in_state(TASK_QUEUED), 20 - 2 * LIM_SCAN_BACKLOG);
	/* One that waits for DNS does not count. */
	(void)ipc_send(scanners[0].ipc, VERB_PARKED, scanners[0].v[0].number,
	    -1, NULL);
	settle(3);
	CHECK_INT(scanners[0].n, LIM_SCAN_BACKLOG + 1);
	CHECK_INT(tasks_in_state(TASK_PARKED), 1);
	while (scanners[0].n > 0 || scanners[1].n > 0) {
		if (scanners[0].n > 0)
			scanner_result(0, scanners[0].n - 1, 1);
		if (scanners[1].n > 0)
			scanner_result(1, 0, 1);
		settle(1);
	}
	settle(3);
	CHECK_INT(ngot, 20);
	CHECK_INT(tasks_number(), 0);
}

/* Large ones have a scanner to themselves. */
static void
test_large(struct ipc *front)
{
	char *big = malloc(LIM_PREAD + 2);

	ngot = 0;
	if (big == NULL)
		return;
	memset(big, 'x', LIM_PREAD + 1);
	big[LIM_PREAD + 1] = '\0';
	ask(front, 1, NULL, big, 5000);
	ask(front, 2, NULL, "small", 5000);
	ask(front, 3, NULL, big, 5000);
	settle(3);
	CHECK_INT(scanners[0].n, 1);
	CHECK_INT(scanners[1].n, 1);
	CHECK_INT(tasks_in_state(TASK_QUEUED), 1);
	scanner_result(0, 0, 1);
	settle(3);
	CHECK_INT(scanners[0].n, 1);
	scanner_result(0, 0, 1);
	scanner_result(1, 0, 1);
	settle(3);
	CHECK_INT(ngot, 3);
	free(big);
}

/* Where a scanner is; what it may have written there. */
static void
test_part(void)
{
	struct running r;

	running_set(3, 7);
	running_get(3, &r);
	CHECK_STR(r.part, "");
	running_part(3, "2.1");
	running_get(3, &r);
	CHECK_INT(r.job, 7);
	CHECK_STR(r.part, "2.1");
	running_part(3, "2.1\nid=x");
	running_get(3, &r);
	CHECK_STR(r.part, "2.1");
	running_part(3, "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18");
	running_get(3, &r);
	CHECK_INT(strlen(r.part), RUNNING_PART - 1);
	running_set(3, 0);
	running_get(3, &r);
	CHECK_STR(r.part, "");
}

/*
 * The first of three has its result lost with the scanner, the second was
 * running, the third waited, a fourth was parked.
 */
static void
test_death(struct ipc *front)
{
	uint32_t i, numbers[4];
	size_t k;

	ngot = 0;
	ask(front, 10, NULL, "parked", 5000);
	settle(3);
	(void)ipc_send(scanners[0].ipc, VERB_PARKED, scanners[0].v[0].number,
	    -1, NULL);
	for (i = 11; i < 14; i++)
		ask(front, i, NULL, i == 12 ? "killer" : "innocent", 5000);
	settle(3);
	CHECK_INT(scanners[0].n, 4);
	running_set(0, scanners[0].v[2].number);
	for (k = 0; k < 4; k++)
		numbers[k] = scanners[0].v[k].number;
	ipc_close(scanners[0].ipc);
	settle(3);
	CHECK_INT(workers_number(), 1);
	CHECK_INT(scanners[1].n, 4);
	/* In the old order. */
	for (k = 0; k < 4; k++)
		CHECK_INT(scanners[1].v[k].number, numbers[k]);
	CHECK_INT(broker_count.charged, 1);
	CHECK_INT(broker_count.reruns, 3);
	/* Again; a third scanner must not see it. */
	running_set(1, numbers[2]);
	scanner_result(1, 0, 5);
	settle(3);
	ipc_close(scanners[1].ipc);
	settle(3);
	CHECK_INT(ngot, 2);
	CHECK_INT(got[1].number, 12);
	CHECK_INT(got[1].action, ACTION_TEMPFAIL);
	CHECK_INT(tasks_number(), 2);
	running_set(0, 0);
	running_set(1, 0);
	scanner_start_fake(2);
	settle(3);
	CHECK_INT(scanners[2].n, 2);
	ask(front, 14, NULL, "killer", 5000);
	settle(3);
	CHECK_INT(scanners[2].n, 2);
	CHECK_INT(ngot, 3);
	CHECK_INT(got[2].action, ACTION_TEMPFAIL);
	CHECK_INT(poison_number(), 1);
	scanner_result(2, 0, 1);
	scanner_result(2, 0, 1);
	settle(3);
	CHECK_INT(ngot, 5);
	CHECK_INT(got[3].action, ACTION_ACCEPT);
	CHECK_INT(tasks_number(), 0);
}

/* Scanners that die without saying of what are not fed for ever. */
static void
test_reruns(struct ipc *front)
{
	int i;

	ngot = 0;
	ask(front, 1, NULL, "unlucky", 5000);
	settle(2);
	for (i = 0; i <= LIM_SCAN_RERUNS; i++) {
		CHECK_INT(ngot, 0);
		ipc_close(scanners[2].ipc);
		settle(2);
		scanner_start_fake(2);
		settle(2);
	}
	CHECK_INT(ngot, 1);
	CHECK_INT(got[0].action, ACTION_TEMPFAIL);
	CHECK_INT(scanners[2].n, 0);
}

static void
test_cancel(struct ipc *front)
{
	char id[ID_SIZE];

	ngot = 0;
	/* Parked: the scanner forgets it. */
	ask(front, 1, NULL, "a", 5000);
	settle(3);
	(void)ipc_send(scanners[2].ipc, VERB_PARKED, scanners[2].v[0].number,
	    -1, NULL);
	settle(3);
	(void)ipc_send(front, VERB_CANCEL, 1, -1, NULL);
	settle(3);
	CHECK_INT(tasks_number(), 0);
	CHECK_INT(scanners[2].cancels, 1);
	scanners[2].n = 0;
	/* Given: it goes on, and the answer is remembered. */
	ask(front, 2, NULL, "b", 5000);
	memcpy(id, last_id, ID_SIZE);
	settle(3);
	(void)ipc_send(front, VERB_CANCEL, 2, -1, NULL);
	settle(3);
	CHECK_INT(tasks_number(), 1);
	scanner_result(2, 0, 222);
	settle(3);
	CHECK_INT(tasks_number(), 0);
	CHECK_INT(ngot, 0);
	ask(front, 3, id, "b", 5000);
	settle(3);
	CHECK_INT(ngot, 1);
	CHECK_INT(got[0].score, 222);
	/* Unknown ones do no harm. */
	(void)ipc_send(front, VERB_CANCEL, 99, -1, NULL);
	settle(3);
	CHECK_INT(front_up, 1);
}

static void
test_deadline(struct ipc *front)
{
	uint32_t number;

	ngot = 0;
	ask(front, 1, NULL, "parked", 300);
	settle(3);
	number = scanners[2].v[0].number;
	(void)ipc_send(scanners[2].ipc, VERB_PARKED, number, -1, NULL);
	ask(front, 2, NULL, "running", 300);
	settle(600);
	CHECK_INT(ngot, 2);
	CHECK_INT(got[0].action, ACTION_TEMPFAIL);
	CHECK_INT(got[1].action, ACTION_TEMPFAIL);
	CHECK_INT(scanners[2].cancels, 2);
	/* The running one is only forgotten when its scanner is done. */
	CHECK_INT(tasks_number(), 1);
	scanner_result(2, 1, 1);
	scanners[2].n = 0;
	settle(3);
	CHECK_INT(tasks_number(), 0);
	CHECK_INT(ngot, 2);
	/* Nobody there at all. */
	ipc_close(scanners[2].ipc);
	ask(front, 3, NULL, "waiting", 50);
	settle(350);
	CHECK_INT(ngot, 3);
	CHECK_INT(got[2].action, ACTION_TEMPFAIL);
	CHECK_INT(tasks_number(), 0);
	scanner_start_fake(2);
}

static void
test_refusals(struct ipc *front)
{
	static struct scan s;
	char none[] = "";
	struct ibuf b;
	uint32_t i;
	FILE *f;
	int fd;

	ngot = 0;
	memset(&s, 0, sizeof(s));
	id_new(s.id);
	s.deadline = 5000;
	s.size = 3;
	s.rcpts = none;
	s.npolicies = 1;
	ibuf_init(&b);
	scan_add(&b, &s);
	/* Not sealed, wrong size, none at all. */
	f = tmpfile();
	fd = f == NULL ? -1 : dup(fileno(f));
	CHECK_INT(write(fd, "abc", 3), 3);
	(void)ipc_send(front, VERB_SCAN, 1, fd, &b);
	(void)ipc_send(front, VERB_SCAN, 2, message_fd("abcd", s.hash), &b);
	(void)ipc_send(front, VERB_SCAN, 3, -1, &b);
	settle(3);
	CHECK_INT(ngot, 3);
	for (i = 0; i < 3; i++)
		CHECK_INT(got[i].action, ACTION_TEMPFAIL);
	CHECK_INT(tasks_number(), 0);
	if (f != NULL)
		(void)fclose(f);
	/* More than its credits. */
	ngot = 0;
	for (i = 0; i < LIM_CREDITS_SCAN + 3; i++)
		ask(front, i, NULL, "much", 5000);
	settle(3);
	CHECK_INT(ngot, 3);
	CHECK_INT(tasks_number(), LIM_CREDITS_SCAN);
	ibuf_free(&b);
}

/* A front that dies takes what waits with it. */
static void
test_front_gone(struct ipc *front)
{
	ipc_close(front);
	settle(3);
	CHECK_INT(tasks_number(), scanners[2].n);
	CHECK_INT(tasks_in_state(TASK_QUEUED), 0);
	while (scanners[2].n > 0)
		scanner_result(2, 0, 1);
	settle(3);
	CHECK_INT(tasks_number(), 0);
}

/* A scanner that talks nonsense is cut off, and only that one. */
static void
test_nonsense(struct ipc *front)
{
	struct ibuf b;

	ngot = 0;
	scanner_start_fake(3);
	ask(front, 1, NULL, "x", 5000);
	settle(3);
	CHECK_INT(scanners[2].n, 1);
	ibuf_init(&b);
	ibuf_add_str(&b, "nonsense");
	(void)ipc_send(scanners[2].ipc, VERB_RESULT, scanners[2].v[0].number,
	    -1, &b);
	ibuf_free(&b);
	settle(3);
	CHECK(scanners[2].ipc == NULL);
	CHECK_INT(workers_number(), 1);
	CHECK_INT(scanners[3].n, 1);
	/* An answer under somebody else's number, with another id. */
	memcpy(scanners[3].v[0].id, "zzzzzzzzzzzzzzzz", ID_SIZE);
	scanner_result(3, 0, 9);
	settle(3);
	CHECK(scanners[3].ipc == NULL);
	CHECK_INT(ngot, 0);
	scanner_start_fake(2);
	settle(3);
	scanner_result(2, 0, 1);
	settle(3);
	CHECK_INT(ngot, 1);
}

static void
test_operator(void)
{
	struct ipc *ctl = front_start(PEER_CONTROL);
	uint8_t hash[MESSAGE_HASH];
	struct netaddr client;
	struct ibuf b;

	(void)ipc_send(ctl, VERB_CTL_STATUS, 1, -1, NULL);
	settle(3);
	CHECK_INT(nends, 1);
	CHECK_INT(end_status, 0);
	CHECK(strstr(text, "scanners 1\n") != NULL);
	CHECK(strstr(text, "charged 2\n") != NULL);
	CHECK(strstr(text, "poisons 1\n") != NULL);
	ibuf_init(&b);
	CHECK_INT(netaddr_parse(&client, "192.0.2.9"), 0);
	ibuf_add_u64(&b, 5);
	ibuf_add_u8(&b, CLASS_INBOUND);
	netaddr_add(&b, &client);
	ibuf_add_str(&b, "helo.example");
	ibuf_add_str(&b, "a@b.example");
	ibuf_add_str(&b, "Postmaster@uni.example");
	(void)ipc_send(ctl, VERB_CTL_SCAN, 2, message_fd("hello", hash), &b);
	settle(3);
	CHECK_INT(scanners[2].n, 1);
	scanner_result(2, 0, 77);
	settle(3);
	CHECK_INT(nends, 2);
	CHECK_STR(text, "the table\n");
	(void)ipc_send(ctl, VERB_CTL_SCAN, 3, message_fd("hell", hash), &b);
	settle(3);
	CHECK_INT(nends, 3);
	CHECK_INT(end_status, 1);
	ibuf_free(&b);
	(void)ipc_send(ctl, VERB_CTL_RELOAD, 4, -1, NULL);
	settle(3);
	CHECK_INT(nends, 4);
	CHECK_INT(end_status, 1);
	CHECK_STR(end_error, "line 3: no");
	ipc_close(ctl);
	settle(3);
}

static void
sender_ask(struct ipc *front, const char *helo, const char *sender)
{
	struct ibuf b;

	ibuf_init(&b);
	ibuf_add_str(&b, helo);
	ibuf_add_str(&b, sender);
	(void)ipc_send(front, VERB_SENDER, 0, -1, &b);
	ibuf_free(&b);
	settle(3);
}

static void
test_prefetch(struct ipc *front)
{
	struct netaddr client;
	struct ibuf b;

	nquestions = 0;
	CHECK_INT(netaddr_parse(&client, "192.0.2.9"), 0);
	ibuf_init(&b);
	netaddr_add(&b, &client);
	(void)ipc_send(front, VERB_CLIENT, 0, -1, &b);
	ibuf_free(&b);
	settle(3);
	/* Its name, the addresses of that, one list. */
	CHECK_INT(nquestions, 3);
	CHECK_INT(prefetch_open(), 0);
	/* Its TXT, MX and policy; of HELO only the TXT; of nonsense none. */
	sender_ask(front, "mx.a.example", "x@A.example");
	CHECK_INT(nquestions, 6);
	sender_ask(front, "mx.a.example", "");
	CHECK_INT(nquestions, 7);
	sender_ask(front, "localhost", "");
	sender_ask(front, "mx.a.example", "x@[192.0.2.1]");
	CHECK_INT(nquestions, 7);
}

static void
test_recent(void)
{
	char id[ID_SIZE] = "0000000000000000";
	static uint8_t data[1000];
	size_t len;
	int i;

	for (i = 0; i < LIM_VERDICTS + 10; i++) {
		id[15] = (char)('0' + i % 10);
		id[14] = (char)('0' + i / 10 % 10);
		id[13] = (char)('0' + i / 100 % 10);
		id[12] = (char)('0' + i / 1000 % 10);
		recent_put(id, data, sizeof(data));
	}
	CHECK_INT(recent_number(), LIM_VERDICTS);
	CHECK(recent_get(id, &len) != NULL);
	CHECK_INT(len, sizeof(data));
	CHECK(recent_get("0000000000000000", &len) == NULL);
}

int
main(void)
{
	struct ipc *front;
	int wfd, rfd;

	log_init("broker_test", 1);
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stderr);
	if (conf == NULL)
		return 1;
	id_init("test");
	loop_init();
	CHECK_INT(running_make("/tmp", &wfd, &rfd), 0);
	CHECK_INT(running_map(wfd, 1), 0);
	CHECK_INT(broker_init(conf, 0), 0);
	broker_start();
	front = front_start(PEER_SMTP);
	scanner_start_fake(0);
	scanner_start_fake(1);
	settle(3);
	CHECK_INT(front_up, 1);
	CHECK_INT(workers_number(), 2);
	test_plain(front);
	test_batches(front);
	test_large(front);
	test_part();
	test_death(front);
	test_reruns(front);
	test_cancel(front);
	test_deadline(front);
	test_refusals(front);
	test_front_gone(front);
	front = front_start(PEER_SMTP);
	settle(3);
	test_nonsense(front);
	test_operator();
	test_prefetch(front);
	test_recent();
	CHECK_INT(nkilled, 0);
	CHECK_INT(nreloads, 1);
	return unit_end();
}
