/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "regress/smtpd-front/harness.h"
#include "regress/unit.h"
#include "smtpd-front/smtpd-front.h"

/*
 * From DATA to the last reply: what becomes of the content, and what scand,
 * greyd and relayd-out have to say.
 */

/* What goes in, in pieces of every size, and what must have come out. */
static const struct {
	const char	*in, *out;
} contents[] = {
	{ ".\r\n", "" },
	{ "\r\n.\r\n", "\r\n" },
	{ "a\r\n.\r\n", "a\r\n" },
	{ "..\r\n.\r\n", ".\r\n" },
	{ "...\r\n.\r\n", "..\r\n" },
	{ ".a\r\n..b\r\na.\r\n.\r\n", "a\r\n.b\r\na.\r\n" },
	{ "\r\n\r\n..\r\n\r\n.\r\n", "\r\n\r\n.\r\n\r\n" },
	{ "S: \xc3\xa4\xff\x80\r\n\r\n\x01\x7f\r\n.\r\n",
	    "S: \xc3\xa4\xff\x80\r\n\r\n\x01\x7f\r\n" },
};

static void
say(const char *line)
{
	harness_send(line, strlen(line));
}

static void
begin(void)
{
	harness_connect("192.0.2.9");
	(void)harness_line();
	say("HELO x\r\n");
	(void)harness_line();
	say("MAIL FROM:<a@b.example>\r\n");
	(void)harness_line();
	say("RCPT TO:<x@uni-a.example>\r\n");
	(void)harness_line();
	say("DATA\r\n");
	(void)harness_line();
}

static void
test_contents(void)
{
	const char	*line;
	size_t		 i, n, piece, at, len;

	for (i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		n = strlen(contents[i].in);
		for (piece = 1; piece <= n; piece++) {
			begin();
			for (at = 0; at < n; at += piece) {
				harness_send(contents[i].in + at,
				    n - at < piece ? n - at : piece);
				harness_wait(0);
			}
			line = harness_line();
			CHECK(line != NULL && strncmp(line, "250", 3) == 0);
			CHECK_STR(harness_content(&len), contents[i].out);
			CHECK_INT(len, strlen(contents[i].out));
		}
	}
}

/* A long line and a big message arrive as they were sent. */
static void
test_big(void)
{
	const char	*line;
	char		*big;
	size_t		 i, n = 3 * 1024 * 1024, len;

	if ((big = malloc(n + 5)) == NULL)
		return;
	for (i = 0; i < n; i++)
		big[i] = i % 5002 == 5000 ? '\r' : i % 5002 == 5001 ? '\n' :
		    (char)('0' + i % 10);
	memcpy(big + n - 1, "\r\n.\r\n", 5);
	begin();
	harness_send(big, n + 4);
	line = harness_line();
	CHECK(line != NULL && strncmp(line, "250", 3) == 0);
	(void)harness_content(&len);
	CHECK_INT(len, n + 1);
	CHECK(memcmp(harness_content(NULL), big, n + 1) == 0);
	free(big);
}

static void
test_envelope(void)
{
	const struct envelope	*e;

	harness_script("envelope", "hello\n"
	    "S MAIL FROM:<a@b.example> RET=HDRS ENVID=Q+2B BODY=8BITMIME\n"
	    "E 250 *\n"
	    "S RCPT TO:<x@uni-a.example> NOTIFY=FAILURE "
	    "ORCPT=rfc822;o@b.example\n"
	    "E 250 *\nrcpt x@uni-a.example\nletter\nE 250 *\n");
	e = harness_envelope();
	CHECK_STR(e->sender, "a@b.example");
	CHECK_STR(e->helo, "client.example");
	CHECK_STR(e->rdns, "mx.client.example");
	CHECK_STR(e->envid, "Q+");
	CHECK_STR(e->participant, "uni-a");
	CHECK_INT(e->ret, RET_HDRS);
	CHECK_INT(e->flags, ENV_8BIT);
	CHECK_INT(e->nrcpts, 1);
	CHECK_STR(e->rcpts[0].orcpt, "rfc822;o@b.example");
	CHECK_INT(e->rcpts[0].notify, NOTIFY_FAILURE);
	CHECK_INT(e->size, 21);
	CHECK(strncmp(e->trace, "X-Test: found\r\nReceived: from "
	    "client.example (mx.client.example [192.0.2.9])\r\n"
	    "\tby mx1.example.net with ESMTP\r\n\tid ", 105) == 0);
	CHECK(strstr(e->trace, "\r\n\tfor <x@uni-a.example>;\r\n\t") != NULL);

	harness_trace("Subject: forged\r\n\r\nbody");
	harness_script("three", "helo 192.0.2.9\nto x@uni-a.example\n"
	    "rcpt noreply@uni-a.example\nrcpt x@uni-c.example\nletter\n"
	    "E 250 *\n");
	e = harness_envelope();
	CHECK_INT(e->nrcpts, 3);
	CHECK_INT(e->rcpts[0].discard, 0);
	CHECK_INT(e->rcpts[1].discard, 1);
	CHECK_STR(e->participant, "");
	CHECK(strncmp(e->trace, "Received: ", 10) == 0);
	CHECK(strstr(e->trace, "for <") == NULL);
	CHECK(strstr(e->trace, " with SMTP\r\n") != NULL);
	CHECK_INT(harness_scan()->npolicies, 3);
	CHECK_STR(harness_scan()->rcpts, "x@uni-a.example\n"
	    "noreply@uni-a.example\nx@uni-c.example\n");
	CHECK_STR(harness_scan()->sender, "a@b.example");
	harness_trace("");
}

/* RFC 5321 6.3; only fields of the header section count. */
static void
test_loop(void)
{
	const char	*line;
	int		 i;

	begin();
	for (i = 0; i <= LIM_RECEIVED; i++)
		say(i % 2 ? "Received: from x\r\n by y\r\n" :
		    "rEcEiVeD:\r\n");
	say("\r\nx\r\n.\r\n");
	line = harness_line();
	CHECK(line != NULL && strncmp(line, "554-5.4.6", 9) == 0);

	begin();
	for (i = 0; i < LIM_RECEIVED; i++)
		say("Received: from x\r\n");
	say("X: Received:\r\n Received: x\r\n\r\nReceived: x\r\n.\r\n");
	line = harness_line();
	CHECK(line != NULL && strncmp(line, "250", 3) == 0);
}

int
main(void)
{
	unsigned	 before;

	harness_init("");
	harness_file("regress/smtpd-front/message.dialogue");
	CHECK_INT(front.norphans, 0);
	CHECK_INT(front.nheld, 0);

	before = harness_seen(VERB_CANCEL);
	CHECK_INT(before, 1);		/* "client leaves" */
	before = harness_seen(VERB_SCAN);
	harness_script("cluster", "helo 192.0.2.201\nto x@inside.example\n"
	    "letter\nE 250 *\n");
	CHECK_INT(harness_seen(VERB_SCAN), before);
	test_contents();
	test_big();
	test_envelope();
	test_loop();
	harness_hangup();
	CHECK_INT(front.nsessions, 0);
	CHECK_INT(harness_failed(), 0);
	printf("%u expectations\n", harness_checked());
	return unit_end();
}
