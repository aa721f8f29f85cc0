/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "regress/scand/harness.h"
#include "regress/unit.h"
#include "scand/broker.h"

/*
 * The broker between a front that asks and scanners that answer, park, die or
 * say nothing, all in this process, over real channels.
 */

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
	id_init("test");
	loop_init();
	CHECK_INT(running_make("/tmp", &wfd, &rfd), 0);
	CHECK_INT(running_map(wfd, 1), 0);
	CHECK_INT(broker_init(harness_config(), 0), 0);
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
