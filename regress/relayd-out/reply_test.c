/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/unit.h"
#include "relayd-out/deliver.h"

/* What servers answer. */

static struct reply	 r;

static int
line(const char *s)
{
	return reply_line(&r, s, strlen(s));
}

static void
right(void)
{
	reply_reset(&r);
	CHECK_INT(line("250 2.1.5 ok"), 1);
	CHECK_INT(r.code, 250);
	CHECK_STR(r.status, "2.1.5");
	CHECK_STR(r.text, "250 2.1.5 ok");
	/* The next one begins anew. */
	CHECK_INT(line("550-5.7.1 No:"), 0);
	CHECK_INT(line("550-5.7.1  because"), 0);
	CHECK_INT(line("550 5.7.1"), 1);
	CHECK_INT(r.code, 550);
	CHECK_STR(r.status, "5.7.1");
	CHECK_STR(r.text, "550 5.7.1 No:  because");
	CHECK_INT((intmax_t)r.lines, 3);
	CHECK_INT(line("354"), 1);
	CHECK_STR(r.text, "354");
	CHECK_STR(r.status, "");
	CHECK_INT(line("220 \t\xc3\xa9\x01x"), 1);
	CHECK_STR(r.text, "220  ???x");
	/* No status: wrong class, or none at all. */
	CHECK_INT(line("550 4.1.1 x"), 1);
	CHECK_STR(r.status, "");
	CHECK_INT(line("550 5.1 x"), 1);
	CHECK_STR(r.status, "");
	CHECK_INT(line("550 5.1.1234 x"), 1);
	CHECK_STR(r.status, "");
	CHECK_INT(line("250 2.0.0"), 1);
	CHECK_STR(r.status, "2.0.0");
	CHECK_INT(line("250 "), 1);
	CHECK_INT(line("250-"), 0);
	CHECK_INT(line("250"), 1);
}

static void
wrong(void)
{
	static const char *const lines[] = {
		"", "2", "25", "2x0 ok", "150 ok", "650 ok", "260 ok",
		"250_ok", "2500", "ok", " 250 ok", "-250 ok"
	};
	size_t	 i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		reply_reset(&r);
		CHECK_INT(line(lines[i]), -1);
	}
	/* One reply has one code. */
	reply_reset(&r);
	CHECK_INT(line("250-a"), 0);
	CHECK_INT(line("251 b"), -1);
	/* And an end. */
	reply_reset(&r);
	for (i = 0; i < LIM_REPLY_LINES; i++)
		CHECK_INT(line("250-more and more and more and more"), 0);
	CHECK_INT((intmax_t)r.len, LIM_REPLY - 1);
	CHECK_INT(line("250 end"), -1);
}

static void
offers(void)
{
	static const char	nul[] = "250-DSN\0X";
	uint64_t		size = 9;

	CHECK_INT(reply_ehlo("250-PIPELINING", 14, &size), EHLO_PIPELINING);
	CHECK_INT(reply_ehlo("250-starttls", 12, &size), EHLO_STARTTLS);
	CHECK_INT(reply_ehlo("250 8BITMIME", 12, &size), EHLO_8BITMIME);
	CHECK_INT(reply_ehlo("250 SMTPUTF8", 12, &size), EHLO_SMTPUTF8);
	CHECK_INT(reply_ehlo("250 DSN", 7, &size), EHLO_DSN);
	CHECK_INT(reply_ehlo("250 DSNX", 8, &size), 0);
	CHECK_INT(reply_ehlo(nul, sizeof(nul) - 1, &size), 0);
	CHECK_INT(reply_ehlo("250 ", 4, &size), 0);
	CHECK(size == 9);
	CHECK_INT(reply_ehlo("250-SIZE 52428800", 17, &size), EHLO_SIZE);
	CHECK(size == 52428800);
	CHECK_INT(reply_ehlo("250-SIZE", 8, &size), EHLO_SIZE);
	CHECK(size == 0);
	CHECK_INT(reply_ehlo("250-SIZE 99999999999999999999999", 32, &size),
	    EHLO_SIZE);
	CHECK(size > 1ULL << 50);
}

int
main(void)
{
	right();
	wrong();
	offers();
	return unit_end();
}
