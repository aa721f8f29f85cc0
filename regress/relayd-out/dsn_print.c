/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/relayd-out/sample.h"
#include "relayd-out/queue.h"

/*
 * Prints a report for dsn_test.py, with what spool would put into it.
 *
 *	dsn_print failed|delayed|relayed ascii|utf8 headers|full
 */

static const char	 content[] = "From: a@b.example\r\n"
			    "Subject: gr\xc3\xbc\xc3\x9f" "e\r\n\r\n"
			    "The body.\r\n";

static void
hostile(struct dsn_rcpt *r, struct envelope *e)
{
	r[0].rcpt = &e->rcpts[0];
	r[0].code = "5.1.1";
	r[0].text = "550 5.1.1 no such user\r\nAction: delivered\r\n\r\n--=_";
	r[0].remote = "mx1.uni-a.example[192.0.2.70]";
	r[1].rcpt = &e->rcpts[1];
	r[1].code = "5.4.7";
	r[1].text = "could not be delivered in time; last answer: \xff\x01";
	r[2].rcpt = &e->rcpts[2];
	r[2].code = "5.0.0";
}

int
main(int argc, char *argv[])
{
	struct envelope	*e = sample_envelope(3);
	struct dsn_rcpt	 r[3] = { { NULL, NULL, NULL, NULL } };
	struct text	 head = { 0 }, tail = { 0 };
	struct dsn	 d = { .service = "mail-in.example.net",
			    .node = "mail-in01.example.net",
			    .contact = "postmaster@example.net",
			    .id = "01hq3vbk2t7m9c5a",
			    .now = 1700000300000ULL,
			    .until = 1700432000000ULL };
	size_t		 len = sizeof(content) - 1;

	if (argc != 4)
		errx(1, "usage: dsn_print action address what");
	d.action = *argv[1] == 'f' ? DSN_FAILED : *argv[1] == 'd' ?
	    DSN_DELAYED : DSN_RELAYED;
	e->flags = *argv[2] == 'u' ? ENV_UTF8 : 0;
	if (*argv[2] == 'u' && envelope_set(&e->rcpts[1].address,
	    "m\xc3\xbcller@d\xc3\xb6rf.example") == -1)
		err(1, NULL);
	e->ret = *argv[3] == 'f' ? RET_FULL : RET_HDRS;
	if (envelope_set(&e->sender, "sender@a.example") == -1)
		err(1, NULL);
	hostile(r, e);
	d.env = e;
	d.rcpts = r;
	d.nrcpts = 3;
	dsn_print(&d, &head, &tail);
	if (dsn_returns(&d) == COMPOSE_HEADERS)
		len = (size_t)(strstr(content, "\r\n\r\n") + 2 - content);
	if (head.bad || tail.bad ||
	    fwrite(head.p, 1, head.len, stdout) != head.len ||
	    fwrite(content, 1, len, stdout) != len ||
	    fwrite(tail.p, 1, tail.len, stdout) != tail.len)
		errx(1, "output");
	text_free(&head);
	text_free(&tail);
	envelope_free(e);
	return fflush(stdout) == 0 ? 0 : 1;
}
