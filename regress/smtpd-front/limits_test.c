/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "regress/smtpd-front/harness.h"
#include "regress/unit.h"
#include "smtpd-front/smtpd-front.h"

/*
 * What a client may cost: errors, commands, messages, recipients, time,
 * connections, memory, the size of a message, and requests in flight.
 */

static const char	 more[] =
    "message max 1M\n"
    "memory 4M\n"
    "limit errors 3\n"
    "limit commands 20\n"
    "limit messages 5\n"
    "limit recipients 2\n"
    "limit connections 6\n"
    "limit connections per network 4\n"
    "limit idle 300\n"
    "limit data 60\n";

/* n octets of content in lines, and the end. */
static void
send_size(size_t n)
{
	char	*p;
	size_t	 i;

	if ((p = malloc(n + 5)) == NULL)
		return;
	for (i = 0; i < n; i++)
		p[i] = i % 80 == 78 ? '\r' : i % 80 == 79 ? '\n' : 'x';
	memcpy(p + n, "\r\n.\r\n", 5);
	harness_send(p, n + 5);
	free(p);
}

static void
expect(const char *want)
{
	const char	*line = harness_line();

	if (line != NULL && strncmp(line, want, strlen(want)) == 0)
		unit_ok++;
	else {
		unit_failed++;
		printf("expected %s, got %s\n", want,
		    line == NULL ? "nothing" : line);
	}
}

static void
say(const char *text, const char *want)
{
	harness_send(text, strlen(text));
	expect(want);
}

static void
begin(const char *addr)
{
	harness_connect(addr);
	expect("220");
	say("HELO x\r\n", "250");
	say("MAIL FROM:<a@b.example>\r\n", "250");
	say("RCPT TO:<x@uni-a.example>\r\n", "250");
}

static void
test_size(void)
{
	begin("192.0.2.9");
	say("DATA\r\n", "354");
	send_size(1048576 - 2);
	expect("250 2.0.0");
	begin("192.0.2.9");
	say("DATA\r\n", "354");
	send_size(1048576 - 1);
	expect("552-5.3.4");
	expect("552 5.3.4 id ");
	CHECK_INT(limit_gauged(GAUGE_MEMORY), 0);
	/* one that does not end */
	begin("192.0.2.9");
	say("DATA\r\n", "354");
	send_size(1048576 / 80 * 80 * 3);
	expect("552-5.3.4");
	expect("552 5.3.4 id ");
	CHECK(harness_line() == NULL);
}

/* Slice 4 MiB, reserve 512 KiB, a network at most 1 MiB. */
static void
test_memory(void)
{
	struct netaddr	 nets[5];
	struct hold	 holds[5];
	char		 text[20];
	int		 i;

	memset(holds, 0, sizeof(holds));
	for (i = 0; i < 5; i++) {
		(void)snprintf(text, sizeof(text), "198.51.%d.1", i);
		CHECK_INT(netaddr_parse(&nets[i], text), 0);
	}
	CHECK_INT(limit_hold(&holds[0], &nets[0], 1048576), 0);
	CHECK_INT(limit_hold(&holds[4], &nets[0], 1), -1);
	CHECK_INT(limit_hold(&holds[1], &nets[1], 1048576), 0);
	CHECK_INT(limit_hold(&holds[2], &nets[2], 1048576), 0);
	CHECK_INT(limit_hold(&holds[3], &nets[3], 1048576), -1);
	CHECK_INT(limit_hold(&holds[3], &nets[3], 524288), 0);
	/* only the reserve is left, for small ones */
	CHECK_INT(limit_hold(&holds[4], &nets[4], LIM_SMALL + 1), -1);
	CHECK_INT(limit_hold(&holds[4], &nets[4], LIM_SMALL), 0);
	CHECK_INT(limit_hold(&holds[4], &nets[4], LIM_SMALL + 1), -1);
	CHECK(!limit_room(&nets[4], 100000));
	CHECK(limit_room(&nets[4], 1000));
	begin("192.0.2.9");
	say("RSET\r\n", "250");
	say("MAIL FROM:<> SIZE=100000\r\n", "452 4.3.1");
	say("MAIL FROM:<> SIZE=1000\r\n", "250");
	say("RCPT TO:<x@uni-a.example>\r\n", "250");
	say("DATA\r\n", "354");
	send_size(100000);
	expect("452-4.3.1");
	expect("452 4.3.1 id ");
	for (i = 0; i < 4; i++)
		limit_release(&holds[i]);
	CHECK_INT(limit_gauged(GAUGE_MEMORY), LIM_SMALL);
	limit_release(&holds[4]);
	limit_release(&holds[4]);
	CHECK_INT(limit_gauged(GAUGE_MEMORY), 0);
	harness_hangup();
}

static void
test_connections(void)
{
	struct netaddr	 a, b, c;
	int		 i;

	CHECK_INT(netaddr_parse(&a, "198.51.100.1"), 0);
	CHECK_INT(netaddr_parse(&b, "198.51.100.200"), 0);
	CHECK_INT(netaddr_parse(&c, "2001:db8::1"), 0);
	for (i = 0; i < 2; i++) {
		CHECK_INT(limit_connect(&a), 0);
		CHECK_INT(limit_connect(&b), 0);
	}
	CHECK_INT(limit_connect(&a), 2);
	harness_connect("198.51.100.9");
	expect("421 4.7.0 mx1.example.net has too many connections from");
	CHECK(harness_line() == NULL);
	CHECK_INT(limit_connect(&c), 0);
	CHECK_INT(limit_connect(&c), 0);
	CHECK_INT(limit_connect(&c), 1);
	harness_connect("192.0.2.9");
	expect("421 4.7.0 mx1.example.net has too many connections,");
	harness_hangup();
	CHECK_INT(limit_sessions(), 6);
	for (i = 0; i < 2; i++) {
		limit_disconnect(&a);
		limit_disconnect(&b);
		limit_disconnect(&c);
	}
	CHECK_INT(limit_sessions(), 0);
	CHECK_INT(limit_connect(&a), 0);
	limit_disconnect(&a);
}

/* What waits for an answer; its owner is not here. */
static int
fill(void *arg, struct ibuf *b, int *fd)
{
	(void)fd;
	(*(unsigned *)arg)++;
	ibuf_add_str(b, "key");
	ibuf_add_u32(b, 1);
	ibuf_add_u32(b, 1);
	ibuf_add_u32(b, 1);
	return 0;
}

static int
answer(void *arg, struct imsg *im)
{
	(void)im;
	(*(unsigned *)arg) += 100;
	return 0;
}

/* The harness grants 4 credits: the rest waits its turn. */
static void
test_credits(void)
{
	struct ask	 asks[10];
	unsigned	 sent = 0;
	int		 i;

	memset(asks, 0, sizeof(asks));
	harness_grey("silent");
	for (i = 0; i < 10; i++) {
		asks[i].to = DAEMON_GREYD;
		asks[i].verb = VERB_RATE;
		asks[i].fill = fill;
		asks[i].answer = answer;
		asks[i].arg = &sent;
		ask_send(&asks[i]);
	}
	CHECK_INT(sent, 4);
	CHECK_INT(ask_sent(DAEMON_GREYD), 4);
	CHECK_INT(ask_waiting(DAEMON_GREYD), 6);
	/* given up: the credit comes back with the answer only */
	ask_cancel(&asks[1]);
	ask_cancel(&asks[9]);
	CHECK_INT(sent, 4);
	CHECK_INT(ask_waiting(DAEMON_GREYD), 5);
	harness_wait(20);
	harness_grey("pass");
	harness_answer();
	/* all four were answered (or were never heard of again), and the rest
	   followed */
	harness_wait(20);
	CHECK_INT(ask_sent(DAEMON_GREYD) + ask_waiting(DAEMON_GREYD), 0);
	CHECK_INT(sent, 9 + 8 * 100);
}

int
main(void)
{
	harness_init(more);
	harness_file("regress/smtpd-front/limits.dialogue");
	test_size();
	harness_hangup();
	test_memory();
	test_connections();
	test_credits();
	CHECK_INT(front.nsessions, 0);
	CHECK_INT(front.nheld, 0);
	CHECK_INT(front.norphans, 0);
	CHECK_INT(harness_failed(), 0);
	printf("%u expectations\n", harness_checked());
	return unit_end();
}
